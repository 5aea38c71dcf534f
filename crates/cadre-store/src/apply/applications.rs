//! Applications through a posting's form: kept before they are sent, and sent once.
//!
//! The stage says how far the sending is. It turns to *sending* before the first byte of the request that
//! applies goes out; whoever finds it like that with its worker gone cannot know what came of it, and
//! nobody sends it again by himself.

use cadre_model::ids::random_id;
use cadre_model::time::wire;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::events::application_ended;
use super::sites::wanted;
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// What callers are told of an application.
    pub enum ApplicationStatus {
        /// It is not known yet what comes of it.
        Pending = "PENDING",
        /// The employer has it.
        Submitted = "SUBMITTED",
        /// The candidate had applied before.
        Duplicate = "DUPLICATE",
        /// The employer will not get it.
        Failed = "FAILED",
    }
}

stored_words! {
    /// How far the sending of an application is.
    pub enum ApplicationStage {
        /// It waits for its turn.
        Queued = "queued",
        /// The request that applies is going out.
        Sending = "sending",
        /// It went out, and nobody knows what came of it: a person has to look.
        Uncertain = "uncertain",
        /// It is over.
        Done = "done",
    }
}

/// An application to be kept.
#[derive(Debug, Clone)]
pub struct NewApplication {
    /// The posting.
    pub posting_id: String,
    /// The form that the answers fit.
    pub form_id: String,
    /// Who applies: a digest of the address.
    pub candidate: String,
    /// What was asked for: a digest, the same for the same request.
    pub request: String,
    /// The answers, which are kept encrypted.
    pub content: Vec<u8>,
    /// The interaction of the call.
    pub interaction_id: String,
}

/// What became of keeping an application.
#[derive(Debug, Clone)]
pub enum PlacedApplication {
    /// It is kept, and will be sent.
    Queued(Application),
    /// The very same request was kept before.
    Known(Application),
    /// The candidate has applied to the posting: it is noted as a duplicate, and not sent.
    Duplicate(Application),
}

impl PlacedApplication {
    /// The application that the caller is told about.
    #[must_use]
    pub fn application(&self) -> &Application {
        match self {
            Self::Queued(application) | Self::Known(application) | Self::Duplicate(application) => {
                application
            }
        }
    }
}

/// An application.
#[derive(Debug, Clone)]
pub struct Application {
    /// Its id.
    pub id: String,
    /// The posting.
    pub posting_id: String,
    /// The form that the answers fit.
    pub form_id: String,
    /// What callers are told.
    pub status: ApplicationStatus,
    /// How far the sending is.
    pub stage: ApplicationStage,
    /// What came of it, in words.
    pub note: Option<String>,
    /// The interaction with the exchanges.
    pub interaction_id: Option<String>,
    /// How often sending was begun.
    pub attempts: i64,
    /// When it came in.
    pub created_at: i64,
    /// When its status last changed.
    pub updated_at: i64,
}

/// A part of the list of applications.
#[derive(Debug, Clone, Default)]
pub struct ApplicationQuery {
    /// Only those after this id.
    pub after_id: Option<String>,
    /// Only these; not empty.
    pub ids: Option<Vec<String>>,
    /// Only to these postings; not empty.
    pub job_posting_ids: Option<Vec<String>>,
    /// Only those that a person has to look at.
    pub uncertain: bool,
    /// Most of them.
    pub limit: u32,
}

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

const COLUMNS: &str = "id, posting_id, form_id, status, stage, note, interaction_id, attempts, created_at, updated_at, request";

impl Application {
    /// What callers are shown of it.
    #[must_use]
    pub fn shown(&self) -> Value {
        json!({
            "id": self.id,
            "job_posting_id": self.posting_id,
            "status": self.status.as_str(),
            "created_at": wire(self.created_at),
            "updated_at": wire(self.updated_at),
        })
    }
}

impl Store {
    /// Keeps an application, unless the candidate has applied to the posting before.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_place(
        &self,
        scope: &EnvironmentScope,
        new: &NewApplication,
    ) -> Result<PlacedApplication, Error> {
        let mut tx = self.begin().await?;
        let (now, id) = (self.now(), random_id());
        let (sealed, data_key) = self.master_key().seal(&new.content, &id);
        let done = sqlx::query(
            "INSERT INTO posting_applications (environment_id, id, posting_id, form_id, candidate, request, status,
                 stage, sealed, data_key, interaction_id, submit_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'PENDING', 'queued', $7, $8, $9, $10, $10, $10)
             ON CONFLICT (environment_id, posting_id, candidate) WHERE status IN ('PENDING', 'SUBMITTED')
             DO NOTHING",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(&new.posting_id)
        .bind(&new.form_id)
        .bind(&new.candidate)
        .bind(&new.request)
        .bind(sealed)
        .bind(data_key)
        .bind(&new.interaction_id)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("keep an application")?;
        let placed = if done.rows_affected() > 0 {
            PlacedApplication::Queued(read(&mut tx, scope.id(), &id).await?)
        } else {
            second(&mut tx, scope, new, now).await?
        };
        tx.commit().await.attempt("keep an application")?;
        Ok(placed)
    }

    /// An application of the environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<Application>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM posting_applications WHERE environment_id = $1 AND id = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .fetch_optional(self.read())
            .await
            .attempt("read an application")?;
        row.as_ref().map(application).transpose()
    }

    /// Applications of the environment, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn application_list(
        &self,
        scope: &EnvironmentScope,
        query: &ApplicationQuery,
    ) -> Result<Vec<Application>, Error> {
        let of = |column: &str, place: &str| {
            format!("({place} = '[]' OR {})", self.backend().among(column, place))
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM posting_applications WHERE environment_id = $1 AND id > $2 AND {ids}
             AND {postings} AND ($5 = 0 OR stage = 'uncertain') ORDER BY id LIMIT $6",
            ids = of("id", "$3"),
            postings = of("posting_id", "$4"),
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(query.after_id.as_deref().unwrap_or_default())
            .bind(wanted(query.ids.as_ref()))
            .bind(wanted(query.job_posting_ids.as_ref()))
            .bind(i64::from(query.uncertain))
            .bind(i64::from(query.limit))
            .fetch_all(self.read())
            .await
            .attempt("list the applications")?;
        rows.iter().map(application).collect()
    }

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

/// The candidate has an application that is under way or done: the same one, or a duplicate.
async fn second(
    tx: &mut Tx,
    scope: &EnvironmentScope,
    new: &NewApplication,
    now: i64,
) -> Result<PlacedApplication, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM posting_applications WHERE environment_id = $1 AND posting_id = $2
         AND candidate = $3 AND status IN ('PENDING', 'SUBMITTED')"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(scope.id())
        .bind(&new.posting_id)
        .bind(&new.candidate)
        .fetch_optional(&mut **tx)
        .await
        .attempt("look for an earlier application")?;
    if let Some(row) = row.filter(|row| row.get::<String, _>("request") == new.request) {
        return Ok(PlacedApplication::Known(application(&row)?));
    }
    let id = random_id();
    sqlx::query(
        "INSERT INTO posting_applications (environment_id, id, posting_id, form_id, candidate, request, status,
             stage, note, interaction_id, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'DUPLICATE', 'done', $7, $8, $9, $9)",
    )
    .bind(scope.id())
    .bind(&id)
    .bind(&new.posting_id)
    .bind(&new.form_id)
    .bind(&new.candidate)
    .bind(&new.request)
    .bind("An application of the same candidate was here before. Nothing was sent.")
    .bind(&new.interaction_id)
    .bind(now)
    .execute(&mut **tx)
    .await
    .attempt("note a second application")?;
    let placed = read(tx, scope.id(), &id).await?;
    application_ended(tx, scope.id(), (&id, &new.posting_id), "DUPLICATE", (now, now)).await?;
    Ok(PlacedApplication::Duplicate(placed))
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

async fn read(tx: &mut Tx, environment_id: &str, id: &str) -> Result<Application, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM posting_applications WHERE environment_id = $1 AND id = $2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(environment_id)
        .bind(id)
        .fetch_one(&mut **tx)
        .await
        .attempt("read an application")?;
    application(&row)
}

fn application(row: &AnyRow) -> Result<Application, Error> {
    let (status, stage): (String, String) = (row.get("status"), row.get("stage"));
    Ok(Application {
        id: row.get("id"),
        posting_id: row.get("posting_id"),
        form_id: row.get("form_id"),
        status: ApplicationStatus::read(&status)?,
        stage: ApplicationStage::read(&stage)?,
        note: row.get("note"),
        interaction_id: row.get("interaction_id"),
        attempts: row.get("attempts"),
        created_at: row.get("created_at"),
        updated_at: row.get("updated_at"),
    })
}
