//! Which directories are trusted.

use std::sync::Arc;

use cadre_model::fault::Code;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::transport::refusal::Refusal;

/// Trusts the given certificates (PEM), or those that the machine trusts.
pub(super) fn config(certificates: Option<&str>) -> Result<Arc<ClientConfig>, Refusal> {
    let mut roots = RootCertStore::empty();
    match certificates.map(str::trim) {
        None | Some("") => {
            // One that cannot be read is not trusted; the others are.
            let (added, _) =
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            tracing::debug!(added, "certificates of the machine");
        }
        Some(text) => {
            for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
                let certificate = certificate.map_err(|error| unreadable(&error))?;
                roots.add(certificate).map_err(|error| unreadable(&error))?;
            }
        }
    }
    if roots.is_empty() {
        return Err(unreadable(&"no certificate"));
    }
    // The provider is named so that no other crate's choice for the process can change it.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map(|builder| Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
        .map_err(|error| unreadable(&error))
}

fn unreadable(cause: &dyn std::fmt::Display) -> Refusal {
    Refusal::new(
        Code::PlatformInputInvalid,
        "LDAP certificates",
        "There is no certificate to trust the directory by.",
    )
    .hint(
        "Paste the certificate of the authority as PEM text, from BEGIN CERTIFICATE to END \
         CERTIFICATE, or install the package ca-certificates on the server of Cadre.",
    )
    .context(cause)
}
