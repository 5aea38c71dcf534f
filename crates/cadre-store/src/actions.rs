//! Writes under way and done, by the key that names them, and their steps.
//!
//! A run of an action is open until it is answered. Whoever works on it holds a lease; when the process
//! that held it is gone, the next request with the same key takes over where the stored steps end.

use cadre_model::ids::random_id;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::IntegrationScope;

/// A run of an action that somebody holds.
#[derive(Debug, Clone)]
pub struct ActionRun {
    /// Its id.
    pub id: String,
    /// When it was first asked for, in milliseconds since 1970.
    pub created_at: i64,
    integration_id: String,
    lease_token: String,
}

/// What is asked for, and how long things hold.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Id of the action, with the record that its path names.
    pub operation: &'a str,
    /// The key that names the run.
    pub key: &'a str,
    /// Hash of what was asked.
    pub fingerprint: &'a str,
    /// How long the run is kept, in milliseconds.
    pub keep_ms: i64,
    /// How long the lease holds, in milliseconds.
    pub lease_ms: i64,
}

/// What became of asking for a run.
#[derive(Debug)]
pub enum Claim {
    /// It is new.
    Begun(ActionRun),
    /// It was begun before, and nobody works on it any more.
    Resumed(ActionRun),
    /// Somebody works on it.
    Busy,
    /// The key belongs to something else that was asked.
    OtherBody,
    /// It was answered before, with this.
    Ended(Value),
}

stored_words! {
    /// How far a step is.
    pub enum StepState {
        /// It was begun; whether it had its effect is not known.
        Begun = "begun",
        /// It had its effect.
        Done = "done",
        /// It was left out.
        Skipped = "skipped",
    }
}

/// A step of a run.
#[derive(Debug, Clone)]
pub struct StepRow {
    /// Its name.
    pub step: String,
    /// Which item of `each`; 0 without one.
    pub item: i64,
    /// How far it is.
    pub state: StepState,
    /// What it saved.
    pub result: Value,
}

impl Store {
    /// Asks for the run of an action under a key.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_claim(
        &self,
        scope: &IntegrationScope,
        asked: Asked<'_>,
    ) -> Result<Claim, Error> {
        let (now, token) = (self.now(), random_id());
        let (environment_id, key) = (scope.environment_id(), storable(asked.key));
        let mut tx = self.begin().await?;
        sqlx::query(
            "DELETE FROM action_runs WHERE environment_id = $1 AND integration_id = $2 AND operation = $3
             AND key = $4 AND expires_at <= $5 AND lease_until <= $5",
        )
        .bind(environment_id)
        .bind(scope.id())
        .bind(asked.operation)
        .bind(&key)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("forget an action")?;
        let id = random_id();
        let made = sqlx::query(
            "INSERT INTO action_runs (environment_id, integration_id, operation, key, id, fingerprint, state,
                 lease_until, lease_token, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $10)
             ON CONFLICT (environment_id, integration_id, operation, key) DO NOTHING",
        )
        .bind(environment_id)
        .bind(scope.id())
        .bind(asked.operation)
        .bind(&key)
        .bind(&id)
        .bind(asked.fingerprint)
        .bind(now + asked.lease_ms)
        .bind(&token)
        .bind(now)
        .bind(now + asked.keep_ms)
        .execute(&mut *tx)
        .await
        .attempt("begin an action")?;
        let integration_id = scope.id().to_owned();
        if made.rows_affected() == 1 {
            tx.commit().await.attempt("begin an action")?;
            let run = ActionRun { id, created_at: now, integration_id, lease_token: token };
            return Ok(Claim::Begun(run));
        }
        let row = sqlx::query(
            "SELECT id, fingerprint, state, answer, lease_until, lease_token, created_at FROM action_runs
             WHERE environment_id = $1 AND integration_id = $2 AND operation = $3 AND key = $4",
        )
        .bind(environment_id)
        .bind(scope.id())
        .bind(asked.operation)
        .bind(&key)
        .fetch_one(&mut *tx)
        .await
        .attempt("find an action")?;
        if row.get::<String, _>("fingerprint") != asked.fingerprint {
            return Ok(Claim::OtherBody);
        }
        if row.get::<String, _>("state") == "ended" {
            return Ok(Claim::Ended(json(&row, "answer")?));
        }
        let held: String = row.get("lease_token");
        let taken = sqlx::query(
            "UPDATE action_runs SET lease_until = $1, lease_token = $2
             WHERE environment_id = $3 AND integration_id = $4 AND operation = $5 AND key = $6
             AND lease_token = $7 AND lease_until <= $8",
        )
        .bind(now + asked.lease_ms)
        .bind(&token)
        .bind(environment_id)
        .bind(scope.id())
        .bind(asked.operation)
        .bind(&key)
        .bind(&held)
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("resume an action")?;
        tx.commit().await.attempt("resume an action")?;
        if taken.rows_affected() == 0 {
            return Ok(Claim::Busy);
        }
        let (id, created_at) = (row.get("id"), row.get("created_at"));
        Ok(Claim::Resumed(ActionRun { id, created_at, integration_id, lease_token: token }))
    }

    /// Holds a run for longer; whether it is still held.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_extend(&self, run: &ActionRun, lease_ms: i64) -> Result<bool, Error> {
        let held = sqlx::query(
            "UPDATE action_runs SET lease_until = $1
             WHERE integration_id = $2 AND id = $3 AND lease_token = $4 AND state = 'open'",
        )
        .bind(self.now() + lease_ms)
        .bind(&run.integration_id)
        .bind(&run.id)
        .bind(&run.lease_token)
        .execute(self.write())
        .await
        .attempt("hold an action")?;
        Ok(held.rows_affected() == 1)
    }

    /// The steps of a run.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_steps(&self, run: &ActionRun) -> Result<Vec<StepRow>, Error> {
        let rows = sqlx::query(
            "SELECT step, item, state, result FROM action_steps
             WHERE integration_id = $1 AND run_id = $2 ORDER BY step, item",
        )
        .bind(&run.integration_id)
        .bind(&run.id)
        .fetch_all(self.write())
        .await
        .attempt("read the steps of an action")?;
        let step = |row: &AnyRow| {
            Ok(StepRow {
                step: row.get("step"),
                item: row.get("item"),
                state: StepState::read(&row.get::<String, _>("state"))?,
                result: json(row, "result")?,
            })
        };
        rows.iter().map(step).collect()
    }

    /// Stores how far a step is.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when somebody else has the run; nothing is written then.
    pub async fn action_step_write(&self, run: &ActionRun, step: &StepRow) -> Result<(), Error> {
        let written = sqlx::query(
            "INSERT INTO action_steps (integration_id, run_id, step, item, state, result, at)
             SELECT integration_id, id, $1, $2, $3, $4, $5 FROM action_runs
             WHERE integration_id = $6 AND id = $7 AND lease_token = $8 AND state = 'open'
             ON CONFLICT (integration_id, run_id, step, item)
             DO UPDATE SET state = excluded.state, result = excluded.result, at = excluded.at",
        )
        .bind(&step.step)
        .bind(step.item)
        .bind(step.state.as_str())
        .bind(step.result.to_string())
        .bind(self.now())
        .bind(&run.integration_id)
        .bind(&run.id)
        .bind(&run.lease_token)
        .execute(self.write())
        .await
        .attempt("store a step of an action")?;
        if written.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
    }

    /// Takes back that a step was begun: it surely had no effect.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_step_undo(
        &self,
        run: &ActionRun,
        step: &str,
        item: i64,
    ) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM action_steps WHERE integration_id = $1 AND run_id = $2 AND step = $3 AND item = $4
             AND state = 'begun'",
        )
        .bind(&run.integration_id)
        .bind(&run.id)
        .bind(step)
        .bind(item)
        .execute(self.write())
        .await
        .attempt("take back a step of an action")?;
        Ok(())
    }

    /// Ends a run with its answer, which a repetition gets too. Its steps are needed no more.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when somebody else has the run.
    pub async fn action_end(&self, run: &ActionRun, answer: &Value) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query(
            "UPDATE action_runs SET state = 'ended', answer = $1, lease_until = 0
             WHERE integration_id = $2 AND id = $3 AND lease_token = $4",
        )
        .bind(answer.to_string())
        .bind(&run.integration_id)
        .bind(&run.id)
        .bind(&run.lease_token)
        .execute(&mut *tx)
        .await
        .attempt("end an action")?;
        if ended.rows_affected() == 0 {
            return Err(Error::LeaseLost);
        }
        sqlx::query("DELETE FROM action_steps WHERE integration_id = $1 AND run_id = $2")
            .bind(&run.integration_id)
            .bind(&run.id)
            .execute(&mut *tx)
            .await
            .attempt("end an action")?;
        tx.commit().await.attempt("end an action")
    }

    /// Lets a run go, so that a repetition can take it up.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_release(&self, run: &ActionRun) -> Result<(), Error> {
        sqlx::query(
            "UPDATE action_runs SET lease_until = 0
             WHERE integration_id = $1 AND id = $2 AND lease_token = $3",
        )
        .bind(&run.integration_id)
        .bind(&run.id)
        .bind(&run.lease_token)
        .execute(self.write())
        .await
        .attempt("let an action go")?;
        Ok(())
    }

    /// Forgets a run: nobody can name it any more.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn action_forget(&self, run: &ActionRun) -> Result<(), Error> {
        self.forget_actions(
            "integration_id = $1 AND id = $2 AND lease_token = $3",
            &[&run.integration_id, &run.id, &run.lease_token],
        )
        .await
    }

    /// Forgets the runs that were kept long enough.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn actions_expire(&self) -> Result<(), Error> {
        let now = self.now();
        for table in [
            "DELETE FROM action_steps WHERE run_id IN (
                 SELECT id FROM action_runs WHERE expires_at <= $1 AND lease_until <= $1)",
            "DELETE FROM action_runs WHERE expires_at <= $1 AND lease_until <= $1",
        ] {
            sqlx::query(table).bind(now).execute(self.write()).await.attempt("forget actions")?;
        }
        Ok(())
    }

    async fn forget_actions(&self, which: &str, values: &[&String]) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for sql in [
            format!(
                "DELETE FROM action_steps WHERE run_id IN (SELECT id FROM action_runs WHERE {which})"
            ),
            format!("DELETE FROM action_runs WHERE {which}"),
        ] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
            for value in values {
                query = query.bind((*value).clone());
            }
            query.execute(&mut *tx).await.attempt("forget an action")?;
        }
        tx.commit().await.attempt("forget an action")
    }
}

fn json(row: &AnyRow, column: &str) -> Result<Value, Error> {
    let text: Option<String> = row.get(column);
    let text = text.unwrap_or_else(|| "null".to_owned());
    serde_json::from_str(&text).map_err(|_| Error::damaged("the JSON of an action", &text))
}
