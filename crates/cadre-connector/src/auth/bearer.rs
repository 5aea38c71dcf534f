//! A bearer token that the customer has (RFC 6750).

use cadre_jq::{EvalError, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::Template;
use crate::request::HttpRequest;

/// A bearer token that the customer has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bearer {
    /// The token.
    pub token: Template,
}

impl Bearer {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        request.set_header("Authorization", &format!("Bearer {}", self.token.text(vars)?));
        Ok(())
    }
}
