//! Deliveries: what an endpoint is told, one event each, numbered from 1 without a gap.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Endpoint;
use super::lease::{Leased, fence};
use super::log::{insert_exchanges, insert_interactions};
use crate::events::{self, Event};
use crate::interactions::{ExchangeRow, NewInteraction};
use crate::records::sql::chunks;
use crate::store::{Attempt, Backend, Error, Store, Tx, storable, storable_or_null};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

stored_words! {
    /// Where a delivery stands.
    pub enum DeliveryState {
        /// It waits for its first or next attempt.
        Pending = "pending",
        /// The endpoint took it.
        Delivered = "delivered",
        /// It was given up.
        Failed = "failed",
    }
}

/// A delivery.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its number.
    pub sequence: i64,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next, while it waits.
    pub next_at: i64,
    /// When it was tried first.
    pub first_attempt_at: Option<i64>,
    /// When it was tried last.
    pub last_attempt_at: Option<i64>,
    /// Status of the last answer.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Beginning of the last answer.
    pub last_answer: Option<String>,
    /// The interaction that holds its log.
    pub interaction_id: Option<String>,
    /// The event.
    pub event: Event,
}

/// A delivery whose time has come.
#[derive(Debug, Clone)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// What its event is about: the next one of the same subject waits for this one.
    pub subject: String,
    pub(super) created_at: i64,
}

/// What came of one attempt.
#[derive(Debug, Clone)]
pub struct Attempted {
    /// The delivery as it was before.
    pub due: Due,
    /// When it was tried.
    pub at: i64,
    /// Whether the endpoint took it.
    pub delivered: bool,
    /// When it is tried again; `None` after a failure gives it up.
    pub again_at: Option<i64>,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// Beginning of the answer.
    pub answer: Option<String>,
    /// Its log: one interaction for all attempts of a delivery.
    pub interaction: NewInteraction,
    /// The request and its answer, redacted.
    pub exchange: ExchangeRow,
}

const COLUMNS: &str = "d.sequence AS number, d.state, d.attempts, d.next_at, d.first_attempt_at, d.last_attempt_at, \
    d.last_status, d.last_error, d.last_answer, d.interaction_id, d.subject, d.created_at AS made_at";

impl Store {
    /// Reads the next events of the ledger for an endpoint and makes deliveries of those that it wants;
    /// how many events it read.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker delivers now; nothing is written then.
    pub async fn deliveries_number(&self, leased: &Leased, limit: u32) -> Result<usize, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, leased).await?;
        let place =
            sqlx::query("SELECT read_through, last_sequence FROM webhook_endpoints WHERE id = $1")
                .bind(&leased.endpoint.id)
                .fetch_one(&mut *tx)
                .await
                .attempt("read a webhook endpoint")?;
        let (read_through, last_sequence): (i64, i64) = (place.get(0), place.get(1));
        let rows = sqlx::query(
            "SELECT sequence, type, subject FROM events WHERE environment_id = $1 AND sequence > $2
             ORDER BY sequence LIMIT $3",
        )
        .bind(&leased.endpoint.environment_id)
        .bind(read_through)
        .bind(i64::from(limit))
        .fetch_all(&mut *tx)
        .await
        .attempt("read the ledger")?;
        let Some(last) = rows.last() else { return Ok(0) };
        let last_event: i64 = last.get("sequence");
        let wanted: Vec<(i64, String)> = rows
            .iter()
            .filter(|row| wants(&leased.endpoint, row.get("type")))
            .map(|row| (row.get("sequence"), row.get("subject")))
            .collect();
        insert(&mut tx, self.backend(), &leased.endpoint, last_sequence, &wanted, now).await?;
        sqlx::query(
            "UPDATE webhook_endpoints SET read_through = $2, last_sequence = $3 WHERE id = $1",
        )
        .bind(&leased.endpoint.id)
        .bind(last_event)
        .bind(last_sequence + count(&wanted))
        .execute(&mut *tx)
        .await
        .attempt("note how far the ledger was read")?;
        tx.commit().await.attempt("number deliveries")?;
        Ok(rows.len())
    }

    /// Deliveries whose time has come and that wait for no other one of their subject, in order.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn deliveries_due(&self, leased: &Leased, limit: u32) -> Result<Vec<Due>, Error> {
        // Of a subject only the first is ever tried; so one that waits for its next attempt is it.
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM deliveries d
             JOIN events e ON e.environment_id = $2 AND e.sequence = d.event_sequence
             WHERE d.endpoint_id = $1 AND d.state = 'pending' AND d.next_at <= $3 AND NOT EXISTS (
                 SELECT 1 FROM deliveries b WHERE b.endpoint_id = $1 AND b.state = 'pending'
                 AND b.subject = d.subject AND b.next_at > $3)
             ORDER BY d.sequence LIMIT $4",
            events::COLUMNS
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&leased.endpoint.id)
            .bind(&leased.endpoint.environment_id)
            .bind(self.now())
            .bind(i64::from(limit))
            .fetch_all(self.write())
            .await
            .attempt("look for deliveries")?;
        rows.iter()
            .map(|row| {
                Ok(Due {
                    delivery: delivery(row)?,
                    subject: row.get("subject"),
                    created_at: row.get("made_at"),
                })
            })
            .collect()
    }

    /// Deliveries of an endpoint with numbers below `before`, the latest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn delivery_list(
        &self,
        scope: &EnvironmentScope,
        endpoint_id: &str,
        state: Option<DeliveryState>,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Delivery>, Error> {
        let sql = format!(
            "SELECT {COLUMNS}, {} FROM deliveries d
             JOIN events e ON e.environment_id = $1 AND e.sequence = d.event_sequence
             WHERE d.endpoint_id = $2 AND d.environment_id = $1 AND ($3 = '' OR d.state = $3) AND d.sequence < $4
             ORDER BY d.sequence DESC LIMIT $5",
            events::COLUMNS
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(endpoint_id))
            .bind(state.map_or("", DeliveryState::as_str))
            .bind(before.unwrap_or(i64::MAX))
            .bind(i64::from(limit))
            .fetch_all(self.write())
            .await
            .attempt("list deliveries")?;
        rows.iter().map(delivery).collect()
    }

    /// How many deliveries of an endpoint wait, and how many were given up.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn delivery_counts(
        &self,
        scope: &EnvironmentScope,
        endpoint_id: &str,
    ) -> Result<(i64, i64), Error> {
        let rows = sqlx::query(
            "SELECT state, COUNT(*) FROM deliveries
             WHERE environment_id = $1 AND endpoint_id = $2 AND state <> 'delivered' GROUP BY state",
        )
        .bind(scope.id())
        .bind(storable(endpoint_id))
        .fetch_all(self.read())
        .await
        .attempt("count deliveries")?;
        let of = |state: DeliveryState| {
            let row = rows.iter().find(|row| row.get::<String, _>(0) == state.as_str());
            row.map_or(0, |row| row.get::<i64, _>(1))
        };
        Ok((of(DeliveryState::Pending), of(DeliveryState::Failed)))
    }
}

/// Whether an endpoint is told about events of a type.
pub(super) fn wants(endpoint: &Endpoint, event_type: &str) -> bool {
    endpoint.types.is_empty() || endpoint.types.iter().any(|known| known.as_str() == event_type)
}

pub(super) fn count<T>(all: &[T]) -> i64 {
    i64::try_from(all.len()).unwrap_or(i64::MAX)
}

/// Makes deliveries of events (number and subject), numbered from the one after `last`.
pub(super) async fn insert(
    tx: &mut Tx,
    backend: Backend,
    endpoint: &Endpoint,
    last: i64,
    events: &[(i64, String)],
    now: i64,
) -> Result<(), Error> {
    let numbered: Vec<_> = (last + 1..).zip(events).collect();
    for chunk in chunks(&numbered) {
        let sql = format!(
            "INSERT INTO deliveries (endpoint_id, sequence, environment_id, event_sequence, subject, state, attempts,
                 next_at, created_at) VALUES {}",
            backend.rows(9, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (sequence, (event, subject)) in chunk {
            query = query
                .bind(&endpoint.id)
                .bind(sequence)
                .bind(&endpoint.environment_id)
                .bind(event)
                .bind(subject)
                .bind(DeliveryState::Pending.as_str())
                .bind(0_i64)
                .bind(now)
                .bind(now);
        }
        query.execute(&mut **tx).await.attempt("make deliveries")?;
    }
    Ok(())
}

/// Writes what came of attempts: the deliveries, their interactions and exchanges.
pub(super) async fn write_attempts(
    tx: &mut Tx,
    backend: Backend,
    leased: &Leased,
    attempts: &[Attempted],
) -> Result<(), Error> {
    for chunk in chunks(attempts) {
        // Every row is there: this is the shortest way to change many rows, each in its own way.
        let sql = format!(
            "INSERT INTO deliveries (endpoint_id, sequence, environment_id, event_sequence, subject, state, attempts,
                 next_at, created_at, first_attempt_at, last_attempt_at, last_status, last_error, last_answer,
                 interaction_id) VALUES {}
             ON CONFLICT (endpoint_id, sequence) DO UPDATE SET state = excluded.state, attempts = excluded.attempts,
                 next_at = excluded.next_at, first_attempt_at = excluded.first_attempt_at,
                 last_attempt_at = excluded.last_attempt_at, last_status = excluded.last_status,
                 last_error = excluded.last_error, last_answer = excluded.last_answer,
                 interaction_id = excluded.interaction_id",
            backend.rows(15, chunk.len())
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for one in chunk {
            let before = &one.due.delivery;
            let state = match (one.delivered, one.again_at) {
                (true, _) => DeliveryState::Delivered,
                (false, Some(_)) => DeliveryState::Pending,
                (false, None) => DeliveryState::Failed,
            };
            query = query
                .bind(&leased.endpoint.id)
                .bind(before.sequence)
                .bind(&leased.endpoint.environment_id)
                .bind(before.event.sequence)
                .bind(&one.due.subject)
                .bind(state.as_str())
                .bind(before.attempts + 1)
                .bind(one.again_at.unwrap_or(one.at))
                .bind(one.due.created_at)
                .bind(before.first_attempt_at.unwrap_or(one.at))
                .bind(one.at)
                .bind(one.status.map(i64::from))
                .bind(storable_or_null(one.error.as_deref()))
                .bind(storable_or_null(one.answer.as_deref()))
                .bind(&one.interaction.id);
        }
        query.execute(&mut **tx).await.attempt("note deliveries")?;
    }
    let interactions: Vec<&NewInteraction> = attempts.iter().map(|one| &one.interaction).collect();
    insert_interactions(tx, backend, &interactions).await?;
    let exchanges: Vec<(&str, &ExchangeRow)> =
        attempts.iter().map(|one| (one.interaction.id.as_str(), &one.exchange)).collect();
    insert_exchanges(tx, backend, &exchanges).await
}

fn delivery(row: &AnyRow) -> Result<Delivery, Error> {
    let state: String = row.get("state");
    let status: Option<i64> = row.get("last_status");
    Ok(Delivery {
        sequence: row.get("number"),
        state: DeliveryState::read(&state)?,
        attempts: row.get("attempts"),
        next_at: row.get("next_at"),
        first_attempt_at: row.get("first_attempt_at"),
        last_attempt_at: row.get("last_attempt_at"),
        last_status: status.and_then(|status| u16::try_from(status).ok()),
        last_error: row.get("last_error"),
        last_answer: row.get("last_answer"),
        interaction_id: row.get("interaction_id"),
        event: events::event(row)?,
    })
}
