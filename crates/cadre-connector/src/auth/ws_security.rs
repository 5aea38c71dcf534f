//! The header of WS-Security (OASIS, UsernameToken profile) in SOAP requests.

use bytes::Bytes;
use cadre_jq::{EvalError, Expr, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Place, basic};
use crate::manifest::Template;
use crate::request::{ENVELOPE_HEADER, HttpRequest, escaped};

const EXTENSION: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
const PASSWORD_TEXT: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";

/// User name and password in the header of a SOAP envelope; other requests carry them as HTTP Basic.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WsSecurity {
    /// User name.
    pub username: Template,
    /// Password.
    pub password: Template,
}

impl WsSecurity {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        let (username, password) = (self.username.text(vars)?, self.password.text(vars)?);
        let body = request.body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
        // The header stands before everything that values of the request could be in.
        let Some((before, after)) = body.and_then(|body| body.split_once(ENVELOPE_HEADER)) else {
            request.set_header("Authorization", &basic::value(&username, &password));
            return Ok(());
        };
        let header = format!(
            "<soapenv:Header><wsse:Security soapenv:mustUnderstand=\"1\" xmlns:wsse=\"{EXTENSION}\">\
             <wsse:UsernameToken><wsse:Username>{}</wsse:Username>\
             <wsse:Password Type=\"{PASSWORD_TEXT}\">{}</wsse:Password></wsse:UsernameToken>\
             </wsse:Security></soapenv:Header>",
            escaped(&username),
            escaped(&password)
        );
        request.body = Some(Bytes::from(format!("{before}{header}{after}")));
        Ok(())
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        vec![
            ("username".to_owned(), self.username.expr(), Place::LogIn),
            ("password".to_owned(), self.password.expr(), Place::LogIn),
        ]
    }
}
