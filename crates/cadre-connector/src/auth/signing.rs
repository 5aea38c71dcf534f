//! Signatures with a customer's private key: RSASSA-PKCS1-v1_5 with SHA-256, as JWT and XML ask for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::request::{BuildError, Built};

/// A private key that is ready to sign.
pub(super) struct SigningKey(RsaKeyPair);

impl SigningKey {
    /// Reads a key: PEM text (PKCS #8 or PKCS #1), or the base64 inside of it.
    pub(super) fn read(text: &str) -> Built<SigningKey> {
        let wrong = |why: &str| BuildError(format!("the private key cannot be used: {why}"));
        if text.contains("ENCRYPTED") {
            return Err(wrong("it is encrypted; remove its passphrase first"));
        }
        let key = if text.contains("-----BEGIN") {
            PrivateKeyDer::from_pem_slice(text.as_bytes())
                .map_err(|_| wrong("it is not a private key in PEM form"))?
        } else {
            let packed: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
            let der = STANDARD.decode(packed).map_err(|_| wrong("it is neither PEM nor base64"))?;
            PrivateKeyDer::Pkcs8(der.into())
        };
        let read = match &key {
            PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err(wrong("it is no RSA key")),
        };
        let key = read.map_err(|_| wrong("it is no RSA key of 2048 to 4096 bits"))?;
        Ok(SigningKey(key))
    }

    /// The signature of a message.
    pub(super) fn sign(&self, message: &[u8]) -> Built<Vec<u8>> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| BuildError("the private key cannot sign".to_owned()))?;
        Ok(signature)
    }
}
