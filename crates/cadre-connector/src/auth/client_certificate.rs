//! The certificate that connections are opened with (mutual TLS, RFC 8446, 4.4.2).

use cadre_jq::{Expr, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::exchange::ClientIdentity;
use crate::manifest::Template;
use crate::request::Built;

/// The certificate that connections are opened with: those of the log-in too.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate and those above it, as PEM text.
    pub certificate: Template,
    /// Its private key, as PEM text.
    pub private_key: Template,
}

impl ClientCertificate {
    /// What the connection is opened with; nothing where the form holds no certificate.
    pub(crate) fn identity(&self, vars: &Vars<'_>) -> Built<Option<ClientIdentity>> {
        let (certificate, key) = (self.certificate.text(vars)?, self.private_key.text(vars)?);
        if certificate.trim().is_empty() && key.trim().is_empty() {
            return Ok(None);
        }
        Ok(Some(ClientIdentity::new(&certificate, &key)))
    }

    pub(crate) fn expressions(&self) -> [(&'static str, &Expr); 2] {
        [
            ("client_certificate/certificate", self.certificate.expr()),
            ("client_certificate/private_key", self.private_key.expr()),
        ]
    }
}
