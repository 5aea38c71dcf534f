//! A key in the query.

use cadre_jq::{EvalError, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::Template;
use crate::request::HttpRequest;

/// A key in the query.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// Name of the parameter.
    pub name: String,
    /// Its value.
    pub value: Template,
}

impl Query {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        request.set_query(&self.name, &self.value.text(vars)?);
        Ok(())
    }
}
