//! Logging in to the dashboard: links that work once, and the sessions that they start.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use sqlx::Row;

use crate::keys::hash;
use crate::store::{Attempt, Error, Store};

/// How long a link can be used.
const LINK_MS: i64 = 3_600_000;
/// How long a session lasts.
const SESSION_MS: i64 = 12 * 3_600_000;

impl Store {
    /// Makes a token that logs in once, within an hour.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn login_link_create(&self) -> Result<Secret, Error> {
        self.login_insert("link", LINK_MS).await
    }

    /// Uses a token up and starts a session; the session's token. `None`: the token is not good.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn login_link_redeem(&self, token: &str) -> Result<Option<Secret>, Error> {
        let used =
            sqlx::query("DELETE FROM logins WHERE hash = $1 AND kind = 'link' AND expires_at > $2")
                .bind(hash(token))
                .bind(self.now())
                .execute(self.write())
                .await
                .attempt("log in")?;
        if used.rows_affected() == 0 {
            return Ok(None);
        }
        self.login_insert("session", SESSION_MS).await.map(Some)
    }

    /// Whether a session's token is good.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn dashboard_session_check(&self, token: &str) -> Result<bool, Error> {
        let row = sqlx::query("SELECT expires_at FROM logins WHERE hash = $1 AND kind = 'session'")
            .bind(hash(token))
            .fetch_optional(self.read())
            .await
            .attempt("check a log-in")?;
        Ok(row.is_some_and(|row| row.get::<i64, _>(0) > self.now()))
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn dashboard_session_end(&self, token: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM logins WHERE hash = $1 OR expires_at <= $2")
            .bind(hash(token))
            .bind(self.now())
            .execute(self.write())
            .await
            .attempt("log out")?;
        Ok(())
    }

    async fn login_insert(&self, kind: &str, lasts_ms: i64) -> Result<Secret, Error> {
        let token = format!("{}{}", random_id(), random_id());
        sqlx::query("INSERT INTO logins (hash, kind, expires_at) VALUES ($1, $2, $3)")
            .bind(hash(&token))
            .bind(kind)
            .bind(self.now() + lasts_ms)
            .execute(self.write())
            .await
            .attempt("make a log-in")?;
        Ok(Secret::new(token))
    }
}
