//! Encryption at rest: each integration's secrets under a data key, each data key under the master key.
//!
//! Changing the master key rewrites the data keys alone. The integration's id is bound in, so that a
//! row's secrets are of no use in another row.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sqlx::Row;

use cadre_model::secret::Secret;

use crate::store::{Attempt, Error, Store};

const NONCE_BYTES: usize = 24;

/// The key that all data keys are encrypted under.
#[derive(Clone)]
pub struct MasterKey([u8; 32]);

impl MasterKey {
    /// A new key.
    #[must_use]
    pub fn random() -> MasterKey {
        MasterKey(rand::random())
    }

    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// Words that say what was expected, without what came.
    pub fn parse(text: &Secret) -> Result<MasterKey, String> {
        let digits = text.expose().trim();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(format!(
                "expected 64 hexadecimal digits, got {} characters",
                digits.chars().count()
            ));
        }
        let mut key = [0; 32];
        for (at, byte) in key.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)
                .map_err(|error| error.to_string())?;
        }
        Ok(MasterKey(key))
    }

    /// The key as 64 hexadecimal digits.
    #[must_use]
    pub fn print(&self) -> Secret {
        Secret::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
    }

    /// Encrypts a value with a data key of its own: `(encrypted value, encrypted data key)`.
    pub(crate) fn seal(&self, plain: &[u8], bound_to: &str) -> (Vec<u8>, Vec<u8>) {
        let data_key: [u8; 32] = rand::random();
        (encrypt(&data_key, plain, bound_to), encrypt(&self.0, &data_key, bound_to))
    }

    /// Encrypts a short value that is not stored, without a data key of its own.
    pub(crate) fn seal_alone(&self, plain: &[u8], bound_to: &str) -> Vec<u8> {
        encrypt(&self.0, plain, bound_to)
    }

    /// Undoes [`MasterKey::seal_alone`].
    pub(crate) fn open_alone(&self, sealed: &[u8], bound_to: &str) -> Result<Vec<u8>, Error> {
        decrypt(&self.0, sealed, bound_to)
    }

    /// Undoes [`MasterKey::seal`].
    pub(crate) fn open(
        &self,
        value: &[u8],
        data_key: &[u8],
        bound_to: &str,
    ) -> Result<Vec<u8>, Error> {
        let data_key: [u8; 32] =
            decrypt(&self.0, data_key, bound_to)?.try_into().map_err(|_| Error::Decrypt)?;
        decrypt(&data_key, value, bound_to)
    }
}

fn encrypt(key: &[u8; 32], plain: &[u8], bound_to: &str) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = rand::random();
    let payload = Payload { msg: plain, aad: bound_to.as_bytes() };
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), payload)
        .expect("the cipher takes any value that fits in memory");
    [&nonce[..], &sealed].concat()
}

fn decrypt(key: &[u8; 32], sealed: &[u8], bound_to: &str) -> Result<Vec<u8>, Error> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES).ok_or(Error::Decrypt)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Error::Decrypt)?;
    let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
    XChaCha20Poly1305::new(key.into())
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| Error::Decrypt)
}

impl Store {
    /// Rewrites every data key from the store's master key to another one; how many there were.
    ///
    /// # Errors
    ///
    /// When the database fails or a data key cannot be decrypted; nothing is changed then.
    pub async fn master_key_rotate(&self, to: &MasterKey) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let mut count = 0;
        for (select, update) in [
            (
                "SELECT id, data_key FROM integrations",
                "UPDATE integrations SET data_key = $2 WHERE id = $1",
            ),
            (
                "SELECT id, data_key FROM webhook_endpoints",
                "UPDATE webhook_endpoints SET data_key = $2 WHERE id = $1",
            ),
            (
                "SELECT integration_id, data_key FROM grants",
                "UPDATE grants SET data_key = $2 WHERE integration_id = $1",
            ),
            (
                "SELECT integration_id, data_key FROM hooks",
                "UPDATE hooks SET data_key = $2 WHERE integration_id = $1",
            ),
            (
                "SELECT id, data_key FROM posting_applications WHERE data_key IS NOT NULL",
                "UPDATE posting_applications SET data_key = $2 WHERE id = $1",
            ),
        ] {
            let rows =
                sqlx::query(select).fetch_all(&mut *tx).await.attempt("read the data keys")?;
            for row in rows {
                let id: String = row.get(0);
                let data_key: Vec<u8> = row.get(1);
                let plain = decrypt(&self.master_key().0, &data_key, &id)?;
                sqlx::query(update)
                    .bind(&id)
                    .bind(encrypt(&to.0, &plain, &id))
                    .execute(&mut *tx)
                    .await
                    .attempt("rewrite a data key")?;
                count += 1;
            }
        }
        tx.commit().await.attempt("rewrite the data keys")?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::MasterKey;

    #[test]
    fn what_is_sealed_can_be_opened_in_its_place_only() {
        let key = MasterKey::random();
        let (value, data_key) = key.seal(b"secret", "a:1");
        assert_eq!(key.open(&value, &data_key, "a:1").expect("opens"), b"secret");
        assert!(key.open(&value, &data_key, "a:2").is_err());
        assert!(MasterKey::random().open(&value, &data_key, "a:1").is_err());
        let again = MasterKey::parse(&key.print()).expect("64 digits");
        assert!(again.open(&value, &data_key, "a:1").is_ok());
    }
}
