//! The ledger: what happened in an environment, in order and without a gap.
//!
//! An event is written in the transaction of the change that causes it, so that there is neither a
//! change without its event nor an event without its change. [`causes`] has a function for each type.

mod causes;

use cadre_model::ids::random_id;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::integrations::EndUser;
use crate::records::sql::{array, chunks};
use crate::store::{Attempt, Backend, Error, Store, Tx, storable};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

pub use causes::{IssueChange, UNNAMED_MODELS};
pub(crate) use causes::{
    connection_flow_failed, data_changed, integration_created, integration_deleted,
    issue_status_changed, run_ended, state_changed,
};

stored_words! {
    /// The types of events, as callers know them.
    pub enum EventType {
        /// Records of an integration changed.
        DataChanged = "data-changed",
        /// A sync ended.
        SyncFinished = "sync-finished",
        /// An account was linked.
        IntegrationCreated = "integration-created",
        /// An integration was deleted.
        IntegrationDeleted = "integration-deleted",
        /// State, quality checks or setup of an integration changed.
        IntegrationStateChanged = "integration-state-changed",
        /// An issue was raised or resolved.
        IssueStatusChanged = "issue-status-changed",
        /// An account could not be linked.
        ConnectionFlowFailed = "connection-flow-failed",
        /// Public postings of the environment changed.
        PostingsChanged = "ai-apply-data-changed",
        /// Whether one may apply to a public posting is another matter than before.
        PostingStatusUpdated = "ai-apply-job-posting-status-updated",
        /// It is known what became of an application to a public posting.
        ApplicationStatusUpdated = "ai-apply-application-status-updated",
        /// An assessment was ordered.
        AssessmentOrderReceived = "assessment:order-received",
        /// An assessment was ordered whose candidate waits for it.
        InlineAssessmentOrderReceived = "inline-assessment:order-received",
    }
}

impl EventType {
    /// Every type.
    pub const ALL: &'static [EventType] = &[
        EventType::DataChanged,
        EventType::SyncFinished,
        EventType::IntegrationCreated,
        EventType::IntegrationDeleted,
        EventType::IntegrationStateChanged,
        EventType::IssueStatusChanged,
        EventType::ConnectionFlowFailed,
        EventType::PostingsChanged,
        EventType::PostingStatusUpdated,
        EventType::ApplicationStatusUpdated,
        EventType::AssessmentOrderReceived,
        EventType::InlineAssessmentOrderReceived,
    ];

    /// The type of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<EventType> {
        Self::ALL.iter().copied().find(|known| known.as_str() == name)
    }
}

/// An event that is to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Its type.
    pub event_type: EventType,
    /// The integration it is about.
    pub integration_id: Option<String>,
    /// What it is about: events of one subject are delivered one after the other. `None`: it stands
    /// alone.
    pub subject: Option<String>,
    /// Its `data`. A `log_url` in it is a path; whoever hands the event out puts the server's address
    /// in front.
    pub payload: Value,
}

/// An event of the ledger.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its place in the ledger of its environment; the first is 1.
    pub sequence: i64,
    /// Its id.
    pub id: String,
    /// Its type.
    pub event_type: EventType,
    /// The integration it is about.
    pub integration_id: Option<String>,
    /// Its `data`; see [`NewEvent::payload`].
    pub payload: Value,
    /// When it was written.
    pub created_at: i64,
}

/// Which events are wanted.
#[derive(Debug, Clone, Default)]
pub struct EventFilter {
    /// Only those after this place in the ledger.
    pub after: i64,
    /// Only those up to this place.
    pub until: Option<i64>,
    /// Only of these types; empty means every type.
    pub types: Vec<EventType>,
    /// Only about this integration.
    pub integration_id: Option<String>,
    /// Most of them.
    pub limit: u32,
}

/// Columns of an event, of a table that is called `e`.
pub(crate) const COLUMNS: &str =
    "e.sequence, e.id, e.type, e.integration_id, e.payload, e.created_at";

/// Writes events to the ledger; the number of the last one.
///
/// To be called last in a transaction: it keeps the environment's other writers of events waiting
/// until the transaction ends, and two that wait for each other would never end.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn append(
    tx: &mut Tx,
    environment_id: &str,
    events: &[NewEvent],
    now: i64,
) -> Result<i64, Error> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "INSERT INTO event_heads (environment_id, last) VALUES ($1, $2)
         ON CONFLICT (environment_id) DO UPDATE SET last = event_heads.last + $2 RETURNING last",
    )
    .bind(environment_id)
    .bind(count)
    .fetch_one(&mut **tx)
    .await
    .attempt("number an event")?;
    let last: i64 = row.get(0);
    let mut sequence = last - count;
    for some in chunks(events) {
        let sql = format!(
            "INSERT INTO events (environment_id, sequence, id, type, integration_id, subject, payload, created_at)
             VALUES {}",
            backend_of(tx).rows(8, some.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for event in some {
            sequence += 1;
            let id = random_id();
            let subject = storable(event.subject.as_deref().unwrap_or(&id));
            query = query
                .bind(environment_id)
                .bind(sequence)
                .bind(id)
                .bind(event.event_type.as_str())
                .bind(&event.integration_id)
                .bind(subject)
                .bind(event.payload.to_string())
                .bind(now);
        }
        query.execute(&mut **tx).await.attempt("write an event")?;
    }
    Ok(last)
}

/// The kind of database that a transaction is in.
fn backend_of(tx: &Tx) -> Backend {
    if tx.backend_name() == "SQLite" { Backend::Sqlite } else { Backend::Postgres }
}

/// The number of an environment's latest event; 0 before the first.
pub(crate) async fn head(tx: &mut Tx, environment_id: &str) -> Result<i64, Error> {
    let row = sqlx::query("SELECT last FROM event_heads WHERE environment_id = $1")
        .bind(environment_id)
        .fetch_optional(&mut **tx)
        .await
        .attempt("look for the latest event")?;
    Ok(row.map_or(0, |row| row.get(0)))
}

/// Forgets whose account an integration was, in everything that was told about it.
pub(crate) async fn forget_end_user(tx: &mut Tx, integration_id: &str) -> Result<(), Error> {
    let rows = sqlx::query(
        "SELECT environment_id, sequence, payload FROM events
         WHERE environment_id = (SELECT environment_id FROM integrations WHERE id = $1) AND integration_id = $1",
    )
    .bind(integration_id)
    .fetch_all(&mut **tx)
    .await
    .attempt("read the ledger")?;
    for row in rows {
        let text: String = row.get("payload");
        let mut payload: Value =
            serde_json::from_str(&text).map_err(|_| Error::damaged("an event", &text))?;
        for place in ["/end_user", "/integration/end_user"] {
            if let Some(end_user) = payload.pointer_mut(place) {
                *end_user = causes::end_user(&EndUser::default());
            }
        }
        sqlx::query("UPDATE events SET payload = $3 WHERE environment_id = $1 AND sequence = $2")
            .bind(row.get::<String, _>("environment_id"))
            .bind(row.get::<i64, _>("sequence"))
            .bind(payload.to_string())
            .execute(&mut **tx)
            .await
            .attempt("forget whose account it was")?;
    }
    Ok(())
}

impl Store {
    /// Writes events that nothing else in the database goes with.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn events_append(
        &self,
        scope: &EnvironmentScope,
        events: &[NewEvent],
    ) -> Result<i64, Error> {
        let mut tx = self.begin().await?;
        let last = append(&mut tx, scope.id(), events, self.now()).await?;
        tx.commit().await.attempt("write an event")?;
        Ok(last)
    }

    /// Events of an environment, in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn event_list(
        &self,
        scope: &EnvironmentScope,
        filter: &EventFilter,
    ) -> Result<Vec<Event>, Error> {
        let among = self.backend().among("e.type", "$5");
        let sql = format!(
            "SELECT {COLUMNS} FROM events e WHERE e.environment_id = $1 AND e.sequence > $2 AND e.sequence <= $3
             AND ($4 = '' OR e.integration_id = $4) AND ($5 = '[]' OR {among}) ORDER BY e.sequence LIMIT $6"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(filter.after)
            .bind(filter.until.unwrap_or(i64::MAX))
            .bind(storable(filter.integration_id.as_deref().unwrap_or_default()))
            .bind(array(filter.types.iter().map(|known| known.as_str())))
            .bind(i64::from(filter.limit))
            .fetch_all(self.read())
            .await
            .attempt("read the ledger")?;
        rows.iter().map(event).collect()
    }

    /// The number of the latest event; 0 before the first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn event_head(&self, scope: &EnvironmentScope) -> Result<i64, Error> {
        let row = sqlx::query("SELECT last FROM event_heads WHERE environment_id = $1")
            .bind(scope.id())
            .fetch_optional(self.read())
            .await
            .attempt("look for the latest event")?;
        Ok(row.map_or(0, |row| row.get(0)))
    }

    /// Removes events from before a moment, with their deliveries. What an endpoint has not read or
    /// not taken yet stays, however old it is. How many events there were.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn events_prune(&self, before: i64) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "DELETE FROM events WHERE created_at < $1
             AND NOT EXISTS (SELECT 1 FROM webhook_endpoints w
                 WHERE w.environment_id = events.environment_id AND w.read_through < events.sequence)
             AND NOT EXISTS (SELECT 1 FROM webhook_endpoints w JOIN deliveries d ON d.endpoint_id = w.id
                 WHERE w.environment_id = events.environment_id AND d.event_sequence = events.sequence
                 AND d.state = 'pending')",
        )
        .bind(before)
        .execute(&mut *tx)
        .await
        .attempt("remove old events")?;
        sqlx::query(
            "DELETE FROM deliveries WHERE created_at < $1 AND state <> 'pending' AND NOT EXISTS (
                 SELECT 1 FROM events e WHERE e.environment_id = deliveries.environment_id
                 AND e.sequence = deliveries.event_sequence)",
        )
        .bind(before)
        .execute(&mut *tx)
        .await
        .attempt("remove old deliveries")?;
        tx.commit().await.attempt("remove old events")?;
        Ok(done.rows_affected())
    }
}

pub(crate) fn event(row: &AnyRow) -> Result<Event, Error> {
    let (name, payload): (String, String) = (row.get("type"), row.get("payload"));
    Ok(Event {
        sequence: row.get("sequence"),
        id: row.get("id"),
        event_type: EventType::read(&name)?,
        integration_id: row.get("integration_id"),
        payload: serde_json::from_str(&payload)
            .map_err(|_| Error::damaged("an event", &payload))?,
        created_at: row.get("created_at"),
    })
}
