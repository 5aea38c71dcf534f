//! Sending applications, each once.
//!
//! The stage says how far the sending is. It turns to *sending* before the first byte of the request that
//! applies goes out; whoever finds it like that with its worker gone cannot know what came of it, and
//! nobody sends it again by himself.

use cadre_model::ids::random_id;
use sqlx::Row;

use super::applications::{Application, ApplicationStatus, COLUMNS, application};
use super::events::application_ended;
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::tenants::EnvironmentScope;

/// An application that somebody is sending.
#[derive(Debug, Clone)]
pub struct LeasedApplication {
    /// The environment it belongs to.
    pub scope: EnvironmentScope,
    /// The application.
    pub application: Application,
    /// The answers.
    pub content: Vec<u8>,
    token: String,
}

impl Store {
    /// Takes the application that is due first. Those whose worker vanished while it sent them are noted
    /// as uncertain on the way.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_claim(
        &self,
        lease_ms: i64,
    ) -> Result<Option<LeasedApplication>, Error> {
        let (now, token) = (self.now(), random_id());
        sqlx::query(
            "UPDATE posting_applications SET stage = 'uncertain', submit_at = NULL, lease_token = NULL,
                 lease_until = NULL, note = 'The server ended while the application was on its way.'
             WHERE submit_at <= $1 AND stage = 'sending' AND lease_until < $1",
        )
        .bind(now)
        .execute(self.write())
        .await
        .attempt("look for applications that were broken off")?;
        let sql = format!(
            "UPDATE posting_applications SET lease_token = $2, lease_until = $3, attempts = attempts + 1
             WHERE (environment_id, id) = (SELECT environment_id, id FROM posting_applications
                 WHERE submit_at <= $1 AND stage = 'queued' AND (lease_until IS NULL OR lease_until < $1)
                 ORDER BY submit_at LIMIT 1 {})
             RETURNING environment_id, sealed, data_key, {COLUMNS}",
            self.backend().pass_over_locked()
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(&token)
            .bind(now + lease_ms)
            .fetch_optional(self.write())
            .await
            .attempt("take an application to send")?;
        let Some(row) = row else { return Ok(None) };
        let environment_id: String = row.get("environment_id");
        let Some(scope) = self.system_scope(&environment_id).await? else { return Ok(None) };
        let application = application(&row)?;
        let (sealed, data_key): (Vec<u8>, Vec<u8>) = (row.get("sealed"), row.get("data_key"));
        let content = self.master_key().open(&sealed, &data_key, &application.id)?;
        Ok(Some(LeasedApplication { scope, application, content, token }))
    }

    /// Notes that the request that applies goes out now; false if the lease was lost, and nothing may go.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_sending(
        &self,
        leased: &LeasedApplication,
        lease_ms: i64,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE posting_applications SET stage = 'sending', lease_until = $4
             WHERE environment_id = $1 AND id = $2 AND lease_token = $3 AND stage = 'queued'",
        )
        .bind(leased.scope.id())
        .bind(&leased.application.id)
        .bind(&leased.token)
        .bind(self.now() + lease_ms)
        .execute(self.write())
        .await
        .attempt("note that an application is sent")?;
        Ok(done.rows_affected() > 0)
    }

    /// Gives an application back that has surely not reached anybody, to be sent later.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_put_off(
        &self,
        leased: &LeasedApplication,
        until: i64,
        note: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE posting_applications SET stage = 'queued', submit_at = $4, note = $5, lease_token = NULL,
                 lease_until = NULL
             WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
        )
        .bind(leased.scope.id())
        .bind(&leased.application.id)
        .bind(&leased.token)
        .bind(until)
        .bind(storable(note))
        .execute(self.write())
        .await
        .attempt("put an application off")?;
        Ok(())
    }

    /// Notes that nobody knows what came of an application. It stays as it is until a person settles it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_uncertain(
        &self,
        leased: &LeasedApplication,
        note: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE posting_applications SET stage = 'uncertain', submit_at = NULL, note = $4,
                 lease_token = NULL, lease_until = NULL
             WHERE environment_id = $1 AND id = $2 AND lease_token = $3",
        )
        .bind(leased.scope.id())
        .bind(&leased.application.id)
        .bind(&leased.token)
        .bind(storable(note))
        .execute(self.write())
        .await
        .attempt("note that it is not known what came of an application")?;
        Ok(())
    }

    /// Ends an application that was sent, unless the lease was lost. Its answers go.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_end(
        &self,
        leased: &LeasedApplication,
        status: ApplicationStatus,
        note: Option<&str>,
    ) -> Result<(), Error> {
        let whose = (leased.scope.id(), leased.application.id.as_str(), leased.token.as_str());
        let mut tx = self.begin().await?;
        end(&mut tx, whose, status, note, self.now()).await?;
        tx.commit().await.attempt("end an application")
    }

    /// Settles an application that nobody knows the end of, as a person found it; false if there is
    /// nothing to settle. `None` sends it again.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_settle(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        status: Option<ApplicationStatus>,
        note: &str,
    ) -> Result<bool, Error> {
        let (now, token, id) = (self.now(), random_id(), storable(id));
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE posting_applications SET lease_token = $3, stage = 'queued', submit_at = $4, note = $5
             WHERE environment_id = $1 AND id = $2 AND stage = 'uncertain'",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(&token)
        .bind(now)
        .bind(storable(note))
        .execute(&mut *tx)
        .await
        .attempt("settle an application")?;
        if let Some(status) = status.filter(|_| done.rows_affected() > 0) {
            end(&mut tx, (scope.id(), &id, &token), status, Some(note), now).await?;
        }
        tx.commit().await.attempt("settle an application")?;
        Ok(done.rows_affected() > 0)
    }
}

/// Ends an application for whoever holds its token, and tells callers.
async fn end(
    tx: &mut Tx,
    (environment_id, id, token): (&str, &str, &str),
    status: ApplicationStatus,
    note: Option<&str>,
    now: i64,
) -> Result<(), Error> {
    let row = sqlx::query(
        "UPDATE posting_applications SET status = $4, stage = 'done', note = $5, updated_at = $6, sealed = NULL,
             data_key = NULL, submit_at = NULL, lease_token = NULL, lease_until = NULL
         WHERE environment_id = $1 AND id = $2 AND lease_token = $3 RETURNING posting_id, created_at",
    )
    .bind(environment_id)
    .bind(id)
    .bind(token)
    .bind(status.as_str())
    .bind(storable_or_null(note))
    .bind(now)
    .fetch_optional(&mut **tx)
    .await
    .attempt("end an application")?;
    let Some(row) = row else { return Ok(()) };
    let posting_id: String = row.get("posting_id");
    let times = (row.get("created_at"), now);
    application_ended(tx, environment_id, (id, &posting_id), status.as_str(), times).await
}
