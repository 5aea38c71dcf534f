//! The secrets that an endpoint's bodies are signed with: the present one, and for a while the one
//! before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cadre_model::secret::Secret;
use serde_json::{Value, json};
use sqlx::Row;

use crate::store::{Attempt, Error, Store, storable};
use crate::tenants::EnvironmentScope;

/// A new secret, in the form that receivers of Standard Webhooks expect: `whsec_` and base64.
#[must_use]
pub fn new_secret() -> Secret {
    Secret::new(format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>())))
}

/// The secrets of an endpoint.
#[derive(Debug, Clone)]
pub struct SigningSecrets {
    /// The present one.
    pub current: Secret,
    /// The one before it, and until when it also counts.
    pub previous: Option<(Secret, i64)>,
}

impl SigningSecrets {
    /// One secret.
    pub(super) fn of(current: Secret) -> Self {
        Self { current, previous: None }
    }

    /// The one before the present one, if it still counts.
    #[must_use]
    pub fn previous_at(&self, now: i64) -> Option<&Secret> {
        self.previous.as_ref().filter(|(_, until)| *until > now).map(|(secret, _)| secret)
    }

    fn to_json(&self) -> Value {
        json!({
            "current": self.current.expose(),
            "previous": self.previous.as_ref().map(|(secret, _)| secret.expose()),
            "until": self.previous.as_ref().map(|(_, until)| until),
        })
    }

    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        let damaged = || Error::damaged("the secrets of a webhook endpoint", "something else");
        let value: Value = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        let current = value["current"].as_str().ok_or_else(damaged)?;
        let previous = value["previous"].as_str().zip(value["until"].as_i64());
        Ok(Self {
            current: current.into(),
            previous: previous.map(|(secret, until)| (secret.into(), until)),
        })
    }
}

impl Store {
    pub(super) fn seal_signing(&self, id: &str, secrets: &SigningSecrets) -> (Vec<u8>, Vec<u8>) {
        self.master_key().seal(secrets.to_json().to_string().as_bytes(), id)
    }

    pub(super) fn open_signing(
        &self,
        id: &str,
        secrets: &[u8],
        data_key: &[u8],
    ) -> Result<SigningSecrets, Error> {
        SigningSecrets::from_json(&self.master_key().open(secrets, data_key, id)?)
    }

    /// The secrets of an endpoint; `None`: there is none of that id.
    ///
    /// # Errors
    ///
    /// When the database fails or the secrets cannot be decrypted with this master key.
    pub async fn endpoint_secrets(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<SigningSecrets>, Error> {
        let row = sqlx::query(
            "SELECT secrets, data_key FROM webhook_endpoints WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .fetch_optional(self.write())
        .await
        .attempt("read the secrets of a webhook endpoint")?;
        let Some(row) = row else { return Ok(None) };
        let (secrets, data_key): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        self.open_signing(id, &secrets, &data_key).map(Some)
    }

    /// Gives an endpoint another secret; the present one also counts until a moment. Whether there is
    /// an endpoint of that id.
    ///
    /// # Errors
    ///
    /// As [`Store::endpoint_secrets`].
    pub async fn endpoint_secret_rotate(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        new: Secret,
        until: i64,
    ) -> Result<bool, Error> {
        let Some(old) = self.endpoint_secrets(scope, id).await? else { return Ok(false) };
        let next = SigningSecrets { current: new, previous: Some((old.current, until)) };
        let (secrets, data_key) = self.seal_signing(id, &next);
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET secrets = $3, data_key = $4 WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(id)
        .bind(secrets)
        .bind(data_key)
        .execute(self.write())
        .await
        .attempt("change the secret of a webhook endpoint")?;
        Ok(done.rows_affected() > 0)
    }
}
