//! Runs: one sync of one integration, and how far each of its streams has come.

use cadre_model::fault::Fault;
use cadre_model::ids::random_id;
use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::events;
use crate::interactions::{InteractionKind, NewInteraction};
use crate::jobs::{Job, NewJob, fence, finish_fenced, insert_job};
use crate::store::{Attempt, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::IntegrationScope;

stored_words! {
    /// What a run fetches.
    pub enum RunKind {
        /// Everything.
        Full = "FULL",
        /// What changed.
        Delta = "DELTA",
    }
}

stored_words! {
    /// What asked for a run.
    pub enum RunTrigger {
        /// The account was linked.
        Setup = "setup",
        /// Its time had come.
        Schedule = "schedule",
        /// Somebody asked for it.
        ForceSync = "force_sync",
        /// The tool told that something changed.
        Webhook = "webhook",
    }
}

stored_words! {
    /// Where a run stands.
    pub enum RunState {
        /// It has not begun.
        Queued = "QUEUED",
        /// It is going on.
        Running = "RUNNING",
        /// Everything was read.
        Succeeded = "SUCCEEDED",
        /// Some streams failed; the data can be used.
        PartiallyFailed = "PARTIALLY_FAILED",
        /// It failed.
        Failed = "FAILED",
        /// The credentials do not hold.
        AuthenticationFailed = "AUTHENTICATION_FAILED",
        /// It took too long.
        TimedOut = "TIMED_OUT",
        /// It was called off.
        Cancelled = "CANCELLED",
    }
}

/// A new run.
#[derive(Debug, Clone, Copy)]
pub struct NewRun {
    /// What it fetches.
    pub kind: RunKind,
    /// What asked for it.
    pub trigger: RunTrigger,
}

/// A run.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// What it fetches.
    pub kind: RunKind,
    /// What asked for it.
    pub trigger: RunTrigger,
    /// Where it stands.
    pub state: RunState,
    /// Why it ended as it did, in words.
    pub reason: Option<String>,
    /// The code of the fault that ended it.
    pub code: Option<String>,
    /// What it did: pages, rows, waits, deletions.
    pub counts: Value,
    /// The interaction that holds its log.
    pub interaction_id: Option<String>,
    /// When it was asked for.
    pub created_at: i64,
    /// When it began.
    pub started_at: Option<i64>,
    /// When it ended.
    pub ended_at: Option<i64>,
}

/// The end of a run.
#[derive(Debug, Clone)]
pub struct RunEnd {
    /// How it ended.
    pub state: RunState,
    /// Why, in words.
    pub reason: Option<String>,
    /// The fault that ended it.
    pub fault: Option<Fault>,
    /// What it did.
    pub counts: Value,
}

const COLUMNS: &str = "id, kind, trigger_kind, state, reason, code, counts, interaction_id, created_at, started_at, ended_at";

impl Store {
    /// Makes the record of a run that has not begun.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_create(&self, scope: &IntegrationScope, new: NewRun) -> Result<Run, Error> {
        let run = new_run(new, self.now());
        let mut tx = self.begin().await?;
        insert_run(&mut tx, scope, &run).await?;
        tx.commit().await.attempt("make the record of a run")?;
        Ok(run)
    }

    /// Makes the record of a run and queues the job that does it, both or neither. When a job of the
    /// kind is queued or running for the integration, nothing is made: the run that it does is the
    /// answer, and the second part is true.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_enqueue(
        &self,
        scope: &IntegrationScope,
        new: NewRun,
        kind: &str,
    ) -> Result<(Run, bool), Error> {
        // A job that is there may end between the two looks; then there is room after all.
        for _ in 0..5 {
            let run = new_run(new, self.now());
            let job = NewJob {
                kind: kind.to_owned(),
                key: scope.id().to_owned(),
                payload: json!({ "run_id": run.id }),
                run_at: None,
                integration_id: Some(scope.id().to_owned()),
            };
            let mut tx = self.begin().await?;
            if insert_job(&mut tx, &job, &random_id(), run.created_at).await? {
                insert_run(&mut tx, scope, &run).await?;
                tx.commit().await.attempt("queue a run")?;
                return Ok((run, false));
            }
            tx.rollback().await.attempt("queue a run")?;
            let there = self.job_open(kind, scope.id()).await?;
            let id = there.as_ref().and_then(|job| job.payload.get("run_id")?.as_str());
            if let Some(id) = id
                && let Some(run) = self.run_get(scope, id).await?
            {
                return Ok((run, true));
            }
        }
        Err(Error::damaged("a queue", "a run that is neither there nor not there"))
    }

    /// One run.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_get(&self, scope: &IntegrationScope, id: &str) -> Result<Option<Run>, Error> {
        let sql = format!("SELECT {COLUMNS} FROM runs WHERE integration_id = $1 AND id = $2");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .fetch_optional(self.write())
            .await
            .attempt("read a run")?;
        row.as_ref().map(run).transpose()
    }

    /// The latest runs, newest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_list(&self, scope: &IntegrationScope, limit: u32) -> Result<Vec<Run>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM runs WHERE integration_id = $1 ORDER BY created_at DESC, id LIMIT $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(i64::from(limit))
            .fetch_all(self.read())
            .await
            .attempt("list the runs")?;
        rows.iter().map(run).collect()
    }

    /// The latest run.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_latest(&self, scope: &IntegrationScope) -> Result<Option<Run>, Error> {
        Ok(self.run_list(scope, 1).await?.pop())
    }

    /// Begins a run, or goes on with one; the id of the interaction that holds its log.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_start(&self, scope: &IntegrationScope, id: &str) -> Result<String, Error> {
        let now = self.now();
        let known = self.run_get(scope, id).await?.and_then(|run| run.interaction_id);
        let interaction_id = match known {
            Some(interaction_id) => interaction_id,
            None => {
                let interaction = NewInteraction {
                    environment_id: scope.environment_id().to_owned(),
                    integration_id: Some(scope.id().to_owned()),
                    title: format!("Sync of {}", scope.id()),
                    request: Some(json!({"run_id": id})),
                    ..NewInteraction::new(InteractionKind::Sync, now)
                };
                let interaction_id = interaction.id.clone();
                self.interaction_write(interaction).await?;
                interaction_id
            }
        };
        sqlx::query(
            "UPDATE runs SET state = 'RUNNING', started_at = COALESCE(started_at, $3), interaction_id = $4
             WHERE integration_id = $1 AND id = $2 AND ended_at IS NULL",
        )
        .bind(scope.id())
        .bind(id)
        .bind(now)
        .bind(&interaction_id)
        .execute(self.write())
        .await
        .attempt("begin a run")?;
        Ok(interaction_id)
    }

    /// Ends a run: what it had seen is forgotten, its interaction ends with it.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_end(
        &self,
        scope: &IntegrationScope,
        id: &str,
        end: RunEnd,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        self.end_run(&mut tx, scope, id, end).await?;
        tx.commit().await.attempt("end a run")
    }

    /// Ends a run together with the job that did it. In one transaction, because of two lives of one
    /// run: a worker that lost its lease must not forget what the next one has seen, and a run that
    /// has ended must not be done again, with nothing seen, because its job had not.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker has the job; nothing is written then.
    pub async fn run_finish(
        &self,
        scope: &IntegrationScope,
        id: &str,
        end: RunEnd,
        job: &Job,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        fence(&mut tx, job).await?;
        self.end_run(&mut tx, scope, id, end).await?;
        finish_fenced(&mut tx, job, self.now()).await?;
        tx.commit().await.attempt("end a run")
    }

    async fn end_run(
        &self,
        tx: &mut Tx,
        scope: &IntegrationScope,
        id: &str,
        end: RunEnd,
    ) -> Result<(), Error> {
        let now = self.now();
        let code = end.fault.as_ref().map(|fault| fault.code.as_str());
        let ended_before = has_ended(tx, scope, id).await?;
        sqlx::query(
            "UPDATE runs SET state = $3, reason = $4, code = $5, counts = $6, ended_at = $7
             WHERE integration_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(id)
        .bind(end.state.as_str())
        .bind(storable_or_null(end.reason.as_deref()))
        .bind(code)
        .bind(end.counts.to_string())
        .bind(now)
        .execute(&mut **tx)
        .await
        .attempt("end a run")?;
        sqlx::query("DELETE FROM run_seen WHERE integration_id = $1 AND run_id = $2")
            .bind(scope.id())
            .bind(id)
            .execute(&mut **tx)
            .await
            .attempt("forget what a run saw")?;
        // The issues of earlier runs are no longer the present state.
        sqlx::query("DELETE FROM issues WHERE integration_id = $1 AND run_id <> $2")
            .bind(scope.id())
            .bind(id)
            .execute(&mut **tx)
            .await
            .attempt("forget old issues")?;
        sqlx::query(
            "UPDATE interactions SET ended_at = $4, code = $5, message = $6, hint = $7, response = $8
             WHERE environment_id = $1 AND id = (SELECT interaction_id FROM runs WHERE integration_id = $2 AND id = $3)",
        )
        .bind(scope.environment_id())
        .bind(scope.id())
        .bind(id)
        .bind(now)
        .bind(code)
        .bind(storable_or_null(end.reason.as_deref()))
        .bind(end.fault.as_ref().map(|fault| fault.next_step().to_owned()))
        .bind(json!({"state": end.state.as_str(), "counts": end.counts}).to_string())
        .execute(&mut **tx)
        .await
        .attempt("end the log of a run")?;
        if !ended_before {
            let of = (scope.environment_id(), scope.id());
            events::run_ended(tx, of, id, end.state, now).await?;
        }
        Ok(())
    }

    /// When the latest full run began that read everything.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_last_whole(&self, scope: &IntegrationScope) -> Result<Option<i64>, Error> {
        let row = sqlx::query(
            "SELECT MAX(started_at) FROM runs
             WHERE integration_id = $1 AND kind = 'FULL' AND state = 'SUCCEEDED'",
        )
        .bind(scope.id())
        .fetch_one(self.read())
        .await
        .attempt("look for the latest full run")?;
        Ok(row.get(0))
    }

    /// Asks that the open run of an integration end. Returns its id, if there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_cancel(&self, scope: &IntegrationScope) -> Result<Option<String>, Error> {
        let row = sqlx::query(
            "UPDATE runs SET cancel_asked_at = $2
             WHERE integration_id = $1 AND state IN ('QUEUED', 'RUNNING') RETURNING id",
        )
        .bind(scope.id())
        .bind(self.now())
        .fetch_optional(self.write())
        .await
        .attempt("cancel a run")?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Whether a person asked that the run end.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn run_is_cancelled(
        &self,
        scope: &IntegrationScope,
        id: &str,
    ) -> Result<bool, Error> {
        let row = sqlx::query(
            "SELECT 1 FROM runs WHERE integration_id = $1 AND id = $2 AND cancel_asked_at IS NOT NULL",
        )
        .bind(scope.id())
        .bind(id)
        .fetch_optional(self.write())
        .await
        .attempt("look at a run")?;
        Ok(row.is_some())
    }
}

async fn has_ended(tx: &mut Tx, scope: &IntegrationScope, id: &str) -> Result<bool, Error> {
    let row = sqlx::query(
        "SELECT 1 FROM runs WHERE integration_id = $1 AND id = $2 AND ended_at IS NOT NULL",
    )
    .bind(scope.id())
    .bind(id)
    .fetch_optional(&mut **tx)
    .await
    .attempt("read a run")?;
    Ok(row.is_some())
}

fn new_run(new: NewRun, now: i64) -> Run {
    Run {
        id: random_id(),
        kind: new.kind,
        trigger: new.trigger,
        state: RunState::Queued,
        reason: None,
        code: None,
        counts: json!({}),
        interaction_id: None,
        created_at: now,
        started_at: None,
        ended_at: None,
    }
}

async fn insert_run(tx: &mut Tx, scope: &IntegrationScope, run: &Run) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO runs (integration_id, id, kind, trigger_kind, state, counts, created_at)
         VALUES ($1, $2, $3, $4, $5, '{}', $6)",
    )
    .bind(scope.id())
    .bind(&run.id)
    .bind(run.kind.as_str())
    .bind(run.trigger.as_str())
    .bind(run.state.as_str())
    .bind(run.created_at)
    .execute(&mut **tx)
    .await
    .attempt("make the record of a run")?;
    Ok(())
}

fn run(row: &AnyRow) -> Result<Run, Error> {
    let (kind, trigger, state, counts): (String, String, String, String) =
        (row.get("kind"), row.get("trigger_kind"), row.get("state"), row.get("counts"));
    Ok(Run {
        id: row.get("id"),
        kind: RunKind::read(&kind)?,
        trigger: RunTrigger::read(&trigger)?,
        state: RunState::read(&state)?,
        reason: row.get("reason"),
        code: row.get("code"),
        counts: serde_json::from_str(&counts).map_err(|_| Error::damaged("a run", &counts))?,
        interaction_id: row.get("interaction_id"),
        created_at: row.get("created_at"),
        started_at: row.get("started_at"),
        ended_at: row.get("ended_at"),
    })
}
