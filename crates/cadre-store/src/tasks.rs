//! Tasks: many actions of a kind that were ordered at once.

use cadre_model::ids::random_id;
use serde_json::{Value, json};
use sqlx::Row;

use crate::jobs::{NewJob, insert_job};
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::IntegrationScope;

stored_words! {
    /// How a task stands.
    pub enum TaskState {
        /// It waits, or is under way.
        Pending = "pending",
        /// Every action was tried.
        Completed = "completed",
        /// It was given up.
        Failed = "failed",
    }
}

/// A task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// Id of the action.
    pub operation: String,
    /// The bodies.
    pub items: Vec<Value>,
    /// How it stands.
    pub state: TaskState,
    /// What became of each; of a task that failed, why.
    pub outcome: Value,
    /// When it was ordered.
    pub created_at: i64,
    /// When it ended.
    pub completed_at: Option<i64>,
}

impl Store {
    /// Stores a task, with the job of this kind that does it; its id.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn task_create(
        &self,
        scope: &IntegrationScope,
        operation: &str,
        items: &[Value],
        kind: &str,
    ) -> Result<String, Error> {
        let (id, now) = (random_id(), self.now());
        let mut tx = self.begin().await?;
        sqlx::query(
            "INSERT INTO action_tasks (integration_id, id, operation, items, state, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(scope.id())
        .bind(&id)
        .bind(operation)
        .bind(storable(&Value::from(items.to_vec()).to_string()))
        .bind(TaskState::Pending.as_str())
        .bind(now)
        .execute(&mut *tx)
        .await
        .attempt("store a task")?;
        let job = NewJob {
            kind: kind.to_owned(),
            key: id.clone(),
            payload: json!({ "task_id": id }),
            run_at: None,
            integration_id: Some(scope.id().to_owned()),
        };
        insert_job(&mut tx, &job, &random_id(), now).await?;
        tx.commit().await.attempt("store a task")?;
        Ok(id)
    }

    /// A task of the integration.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn task_get(
        &self,
        scope: &IntegrationScope,
        id: &str,
    ) -> Result<Option<Task>, Error> {
        let row = sqlx::query(
            "SELECT operation, items, state, outcome, created_at, completed_at FROM action_tasks
             WHERE integration_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .fetch_optional(self.read())
        .await
        .attempt("read a task")?;
        let Some(row) = row else { return Ok(None) };
        let (items, outcome): (String, Option<String>) = (row.get("items"), row.get("outcome"));
        let damaged = |text: &str| Error::damaged("the JSON of a task", text);
        Ok(Some(Task {
            id: id.to_owned(),
            operation: row.get("operation"),
            items: serde_json::from_str(&items).map_err(|_| damaged(&items))?,
            state: TaskState::read(&row.get::<String, _>("state"))?,
            outcome: match outcome {
                Some(text) => serde_json::from_str(&text).map_err(|_| damaged(&text))?,
                None => Value::Null,
            },
            created_at: row.get("created_at"),
            completed_at: row.get("completed_at"),
        }))
    }

    /// Ends a task that is pending.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn task_end(
        &self,
        scope: &IntegrationScope,
        id: &str,
        state: TaskState,
        outcome: &Value,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE action_tasks SET state = $1, outcome = $2, completed_at = $3
             WHERE integration_id = $4 AND id = $5 AND state = 'pending'",
        )
        .bind(state.as_str())
        .bind(storable(&outcome.to_string()))
        .bind(self.now())
        .bind(scope.id())
        .bind(id)
        .execute(self.write())
        .await
        .attempt("end a task")?;
        Ok(())
    }

    /// Forgets the tasks that were ordered before this moment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn tasks_expire(&self, before: i64) -> Result<(), Error> {
        sqlx::query("DELETE FROM action_tasks WHERE created_at < $1")
            .bind(before)
            .execute(self.write())
            .await
            .attempt("forget tasks")?;
        Ok(())
    }
}
