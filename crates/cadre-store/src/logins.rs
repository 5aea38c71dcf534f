//! Logging in to the dashboard: links that work once, and the sessions that they start.

use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use sqlx::Row;

use crate::keys::hash;
use crate::people::{self, Person, person};
use crate::store::{Attempt, Error, Store};

/// How long a link can be used.
const LINK_MS: i64 = 3_600_000;
/// How long a session lasts.
const SESSION_MS: i64 = 12 * 3_600_000;

/// Who has a session.
#[derive(Debug, Clone)]
pub enum SessionOf {
    /// Somebody who logged in with a password.
    Person(Person),
    /// Whoever came through a log-in link: who can print one runs this server.
    Link,
}

impl Store {
    /// Makes a token that logs in once, within an hour.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn login_link_create(&self) -> Result<Secret, Error> {
        self.login_insert("link", LINK_MS, None).await
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
        self.session_start(None).await.map(Some)
    }

    /// Whose session a token is; `None`: it is not good, or its owner may not log in any more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn session_check(&self, token: &str) -> Result<Option<SessionOf>, Error> {
        let columns: Vec<String> =
            people::COLUMNS.split(", ").map(|column| format!("p.{column} AS {column}")).collect();
        let sql = format!(
            "SELECT l.person_id, {} FROM logins l LEFT JOIN people p ON p.id = l.person_id
             WHERE l.hash = $1 AND l.kind = 'session' AND l.expires_at > $2",
            columns.join(", ")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash(token))
            .bind(self.now())
            .fetch_optional(self.read())
            .await
            .attempt("check a log-in")?;
        let Some(row) = row else { return Ok(None) };
        if row.get::<Option<String>, _>("person_id").is_none() {
            return Ok(Some(SessionOf::Link));
        }
        if row.get::<Option<String>, _>("id").is_none() {
            return Ok(None);
        }
        let person = person(&row)?;
        Ok(person.disabled_at.is_none().then_some(SessionOf::Person(person)))
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn session_end(&self, token: &str) -> Result<(), Error> {
        sqlx::query("DELETE FROM logins WHERE hash = $1 OR expires_at <= $2")
            .bind(hash(token))
            .bind(self.now())
            .execute(self.write())
            .await
            .attempt("log out")?;
        Ok(())
    }

    /// Starts a session, of a person or of whoever had a link.
    pub(crate) async fn session_start(&self, person_id: Option<&str>) -> Result<Secret, Error> {
        self.login_insert("session", SESSION_MS, person_id).await
    }

    async fn login_insert(
        &self,
        kind: &str,
        lasts_ms: i64,
        person_id: Option<&str>,
    ) -> Result<Secret, Error> {
        let token = format!("{}{}", random_id(), random_id());
        sqlx::query(
            "INSERT INTO logins (hash, kind, expires_at, person_id) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash(&token))
        .bind(kind)
        .bind(self.now() + lasts_ms)
        .bind(person_id)
        .execute(self.write())
        .await
        .attempt("make a log-in")?;
        Ok(Secret::new(token))
    }
}
