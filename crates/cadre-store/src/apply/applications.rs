//! Applications through a posting's form: kept before they are sent, and sent once.
//!
//! [`super::sending`] has what a worker does with them.

use cadre_model::ids::random_id;
use cadre_model::time::wire;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::events::application_ended;
use super::sites::wanted;
use crate::store::{Attempt, Error, Store, Tx, storable};
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

pub(super) const COLUMNS: &str = "id, posting_id, form_id, status, stage, note, interaction_id, attempts, created_at, updated_at, request";

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

pub(super) fn application(row: &AnyRow) -> Result<Application, Error> {
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
