//! A key in a header.

use cadre_jq::{EvalError, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::Template;
use crate::request::HttpRequest;

/// A key in a header.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Name of the header.
    pub name: String,
    /// Its value.
    pub value: Template,
}

impl Header {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        request.set_header(&self.name, &self.value.text(vars)?);
        Ok(())
    }
}
