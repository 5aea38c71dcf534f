//! What tools granted by OAuth 2, and who may renew it.
//!
//! A refresh token can often be used once only: of all processes one renews, under a lease, and the
//! others read what it was given.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use serde::Deserialize;
use sqlx::Row;

use crate::store::{Attempt, Error, Store, Tx};
use crate::tenants::IntegrationScope;

/// What a tool granted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct StoredGrant {
    /// What requests carry.
    pub access_token: Secret,
    /// What a new access token is asked for with.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, where the tool said so.
    pub expires_at: Option<i64>,
}

impl Store {
    /// The grant of an integration.
    ///
    /// # Errors
    ///
    /// When the database fails, or the grant cannot be decrypted with this master key.
    pub async fn grant_get(&self, scope: &IntegrationScope) -> Result<Option<StoredGrant>, Error> {
        let row = sqlx::query(
            "SELECT g.sealed, g.data_key FROM grants g JOIN integrations i ON i.id = g.integration_id
             WHERE g.integration_id = $1 AND i.environment_id = $2",
        )
        .bind(scope.id())
        .bind(scope.environment_id())
        .fetch_optional(self.read())
        .await
        .attempt("read a grant")?;
        let Some(row) = row else { return Ok(None) };
        let (sealed, data_key): (Vec<u8>, Vec<u8>) = (row.get(0), row.get(1));
        let plain = self.master_key().open(&sealed, &data_key, scope.id())?;
        serde_json::from_slice(&plain).map(Some).map_err(|_| Error::damaged("a grant", "no JSON"))
    }

    /// Takes the right to renew the grant of an integration for so long; `None` while somebody else
    /// has it. The word proves it later.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn grant_lease(
        &self,
        scope: &IntegrationScope,
        lasts_ms: i64,
    ) -> Result<Option<String>, Error> {
        let (now, word) = (self.now(), random_id());
        let done = sqlx::query(
            "UPDATE grants SET lease_until = $2, lease_token = $3
             WHERE integration_id = $1 AND (lease_until IS NULL OR lease_until < $4)",
        )
        .bind(scope.id())
        .bind(now + lasts_ms)
        .bind(&word)
        .bind(now)
        .execute(self.write())
        .await
        .attempt("lease a grant")?;
        Ok((done.rows_affected() > 0).then_some(word))
    }

    /// Ends a lease, and stores what was granted anew. Without the lease nothing is stored: whoever
    /// has it by now knows better.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`], and when the database fails.
    pub async fn grant_renewed(
        &self,
        scope: &IntegrationScope,
        lease: &str,
        grant: Option<&StoredGrant>,
    ) -> Result<(), Error> {
        let done = match grant {
            None => {
                sqlx::query(
                    "UPDATE grants SET lease_until = NULL, lease_token = NULL
                     WHERE integration_id = $1 AND lease_token = $2",
                )
                .bind(scope.id())
                .bind(lease)
                .execute(self.write())
                .await
            }
            Some(grant) => {
                let (sealed, data_key) = seal(self, scope.id(), grant)?;
                sqlx::query(
                    "UPDATE grants SET sealed = $3, data_key = $4, lease_until = NULL, lease_token = NULL
                     WHERE integration_id = $1 AND lease_token = $2",
                )
                .bind(scope.id())
                .bind(lease)
                .bind(sealed)
                .bind(data_key)
                .execute(self.write())
                .await
            }
        };
        let done = done.attempt("store a grant")?;
        if done.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
    }

    /// Stores a grant in place of what was there; a lease on the old one is void.
    pub(crate) async fn grant_put(
        &self,
        tx: &mut Tx,
        integration_id: &str,
        grant: &StoredGrant,
    ) -> Result<(), Error> {
        let (sealed, data_key) = seal(self, integration_id, grant)?;
        sqlx::query(
            "INSERT INTO grants (integration_id, sealed, data_key) VALUES ($1, $2, $3)
             ON CONFLICT (integration_id) DO UPDATE SET sealed = excluded.sealed,
                 data_key = excluded.data_key, lease_until = NULL, lease_token = NULL",
        )
        .bind(integration_id)
        .bind(sealed)
        .bind(data_key)
        .execute(&mut **tx)
        .await
        .attempt("store a grant")?;
        Ok(())
    }
}

fn seal(store: &Store, id: &str, grant: &StoredGrant) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let plain = serde_json::json!({
        "access_token": grant.access_token.expose(),
        "refresh_token": grant.refresh_token.as_ref().map(Secret::expose),
        "expires_at": grant.expires_at,
    });
    Ok(store.master_key().seal(plain.to_string().as_bytes(), id))
}
