//! Where tools tell what happened.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, storable, storable_or_null};
use crate::tenants::IntegrationScope;

/// The address of an integration's tool, and what proves that it is the tool that calls.
#[derive(Debug, Clone)]
pub struct Hook {
    /// The part of the address that nobody can guess.
    pub token: String,
    /// What the tool signs with.
    pub secret: Secret,
    /// The subscription in the tool.
    pub remote_id: Option<String>,
    /// When the tool agreed to call; `None` so long as it has not.
    pub subscribed_at: Option<i64>,
    /// When it last called.
    pub last_event_at: Option<i64>,
}

const COLUMNS: &str = "h.integration_id, h.token, h.secret, h.data_key, h.remote_id, h.subscribed_at, h.last_event_at";

impl Store {
    /// The hook of an integration, made on first use.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hook(&self, scope: &IntegrationScope) -> Result<Hook, Error> {
        if let Some(hook) = self.hook_known(scope).await? {
            return Ok(hook);
        }
        let secret = format!("{}{}", random_id(), random_id());
        let (sealed, data_key) = self.master_key().seal(secret.as_bytes(), scope.id());
        sqlx::query(
            "INSERT INTO hooks (integration_id, token, secret, data_key) VALUES ($1, $2, $3, $4)
             ON CONFLICT (integration_id) DO NOTHING",
        )
        .bind(scope.id())
        .bind(format!("{}{}", random_id(), random_id()))
        .bind(sealed)
        .bind(data_key)
        .execute(self.write())
        .await
        .attempt("make a hook")?;
        let made = self.hook_known(scope).await?;
        made.ok_or_else(|| Error::damaged("a hook", "nothing"))
    }

    /// The hook of an integration, if it has one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hook_known(&self, scope: &IntegrationScope) -> Result<Option<Hook>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM hooks h WHERE h.integration_id = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .fetch_optional(self.write())
            .await
            .attempt("read a hook")?;
        row.as_ref().map(|row| self.read_hook(row)).transpose()
    }

    /// Whose hook a token belongs to: the token is the proof.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn system_hook(
        &self,
        token: &str,
    ) -> Result<Option<(IntegrationScope, Hook)>, Error> {
        let sql = format!(
            "SELECT i.environment_id, {COLUMNS} FROM hooks h
             JOIN integrations i ON i.id = h.integration_id
             WHERE h.token = $1 AND i.deleted_at IS NULL"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(storable(token))
            .fetch_optional(self.read())
            .await
            .attempt("look for a hook")?;
        let Some(row) = row else { return Ok(None) };
        let scope = IntegrationScope::of(row.get("environment_id"), row.get("integration_id"));
        Ok(Some((scope, self.read_hook(&row)?)))
    }

    /// Notes that the tool agreed to call, and the secret where it gave one of its own.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hook_subscribed(
        &self,
        scope: &IntegrationScope,
        remote_id: Option<&str>,
        secret: Option<&Secret>,
    ) -> Result<(), Error> {
        if let Some(secret) = secret {
            let (sealed, data_key) = self.master_key().seal(secret.expose().as_bytes(), scope.id());
            sqlx::query("UPDATE hooks SET secret = $2, data_key = $3 WHERE integration_id = $1")
                .bind(scope.id())
                .bind(sealed)
                .bind(data_key)
                .execute(self.write())
                .await
                .attempt("keep the secret of a hook")?;
        }
        sqlx::query(
            "UPDATE hooks SET remote_id = $2, subscribed_at = $3 WHERE integration_id = $1",
        )
        .bind(scope.id())
        .bind(storable_or_null(remote_id))
        .bind(self.now())
        .execute(self.write())
        .await
        .attempt("note a subscription")?;
        Ok(())
    }

    /// Notes that the tool called.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn hook_called(&self, scope: &IntegrationScope) -> Result<(), Error> {
        sqlx::query("UPDATE hooks SET last_event_at = $2 WHERE integration_id = $1")
            .bind(scope.id())
            .bind(self.now())
            .execute(self.write())
            .await
            .attempt("note a call")?;
        Ok(())
    }

    fn read_hook(&self, row: &AnyRow) -> Result<Hook, Error> {
        let (sealed, data_key): (Vec<u8>, Vec<u8>) = (row.get("secret"), row.get("data_key"));
        let id: String = row.get("integration_id");
        let plain = self.master_key().open(&sealed, &data_key, &id)?;
        let plain = String::from_utf8(plain).map_err(|_| Error::Decrypt)?;
        Ok(Hook {
            token: row.get("token"),
            secret: Secret::new(plain),
            remote_id: row.get("remote_id"),
            subscribed_at: row.get("subscribed_at"),
            last_event_at: row.get("last_event_at"),
        })
    }
}
