//! HTTP Basic (RFC 7617).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cadre_jq::{EvalError, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::manifest::Template;
use crate::request::HttpRequest;

/// HTTP Basic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// User name.
    pub username: Template,
    /// Password.
    pub password: Template,
}

impl Basic {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        let value = value(&self.username.text(vars)?, &self.password.text(vars)?);
        request.set_header("Authorization", &value);
        Ok(())
    }
}

/// The header's value.
pub(super) fn value(username: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
}
