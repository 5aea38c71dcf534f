//! Telling an endpoint again.

use sqlx::Row;

use super::deliveries::{count, insert, wants};
use super::{COLUMNS, Endpoint, endpoint, lease};
use crate::records::sql::array;
use crate::store::{Attempt, Error, Store, Tx, storable};
use crate::tenants::EnvironmentScope;

/// Most deliveries that one call makes due again.
const MOST: i64 = 10_000;

/// What is to be told again.
#[derive(Debug, Clone, Copy)]
pub enum Replay {
    /// Events of the ledger after a place, up to a place. One that was never delivered to the endpoint
    /// gets the next number; one that was keeps its own.
    Events {
        /// After this place.
        after: i64,
        /// Up to this one.
        until: Option<i64>,
    },
    /// Deliveries of these numbers, both included.
    Deliveries {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// Deliveries that were given up.
    Failed,
}

/// What a replay did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replayed {
    /// Deliveries that are due again.
    pub again: i64,
    /// Deliveries that were made, of events that the endpoint had not been told about.
    pub new: i64,
    /// The place in the ledger, or the number, up to which it went.
    pub through: Option<i64>,
    /// Whether there is more than one call does.
    pub more: bool,
}

/// What a replay found.
#[derive(Default)]
struct Found {
    /// Numbers of deliveries that are told again.
    numbers: Vec<i64>,
    /// Events that get a number: place and subject.
    new: Vec<(i64, String)>,
    through: Option<i64>,
    more: bool,
}

impl Store {
    /// Makes deliveries of an endpoint due again; `None`: there is no endpoint of that id. What is
    /// told again has the same number and the same event id as the first time.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn deliveries_replay(
        &self,
        scope: &EnvironmentScope,
        endpoint_id: &str,
        replay: Replay,
    ) -> Result<Option<Replayed>, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        // Locks the row: nobody else gives numbers meanwhile. Whoever asks does not want to wait until an
        // endpoint that failed would be tried again by itself.
        let sql = format!(
            "UPDATE webhook_endpoints SET not_before = 0 WHERE environment_id = $1 AND id = $2
             RETURNING {COLUMNS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(endpoint_id))
            .fetch_optional(&mut *tx)
            .await
            .attempt("read a webhook endpoint")?;
        let Some(row) = row else { return Ok(None) };
        let endpoint = endpoint(&row)?;
        let found = match replay {
            Replay::Events { after, until } => {
                let until = until.unwrap_or(i64::MAX).min(endpoint.read_through);
                in_ledger(&mut tx, &endpoint, after, until).await?
            }
            Replay::Deliveries { from, to } => among(&mut tx, &endpoint, from, to, false).await?,
            Replay::Failed => among(&mut tx, &endpoint, 0, i64::MAX, true).await?,
        };
        self.again(&mut tx, &endpoint, &found.numbers, now).await?;
        insert(&mut tx, self.backend(), &endpoint, endpoint.last_sequence, &found.new, now).await?;
        sqlx::query(
            "UPDATE webhook_endpoints SET last_sequence = last_sequence + $2 WHERE id = $1",
        )
        .bind(&endpoint.id)
        .bind(count(&found.new))
        .execute(&mut *tx)
        .await
        .attempt("number deliveries")?;
        lease::hurry(&mut tx, &endpoint.id, now).await?;
        tx.commit().await.attempt("replay deliveries")?;
        let Found { numbers, new, through, more } = found;
        Ok(Some(Replayed { again: count(&numbers), new: count(&new), through, more }))
    }

    /// Makes deliveries due as if they had never been tried.
    async fn again(
        &self,
        tx: &mut Tx,
        endpoint: &Endpoint,
        numbers: &[i64],
        now: i64,
    ) -> Result<(), Error> {
        let (Some(first), Some(last)) = (numbers.iter().min(), numbers.iter().max()) else {
            return Ok(());
        };
        let among = self.backend().among("CAST(sequence AS TEXT)", "$3");
        let sql = format!(
            "UPDATE deliveries SET state = 'pending', attempts = 0, next_at = $2, first_attempt_at = NULL,
                 interaction_id = NULL
             WHERE endpoint_id = $1 AND sequence >= $4 AND sequence <= $5 AND {among}"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&endpoint.id)
            .bind(now)
            .bind(array(numbers.iter().map(i64::to_string)))
            .bind(first)
            .bind(last)
            .execute(&mut **tx)
            .await
            .attempt("replay deliveries")?;
        Ok(())
    }
}

/// Events of the ledger that an endpoint wants, with the numbers that they have.
async fn in_ledger(
    tx: &mut Tx,
    endpoint: &Endpoint,
    after: i64,
    until: i64,
) -> Result<Found, Error> {
    let rows = sqlx::query(
        "SELECT e.sequence, e.type, e.subject, d.sequence AS number FROM events e
         LEFT JOIN deliveries d ON d.endpoint_id = $2 AND d.event_sequence = e.sequence
         WHERE e.environment_id = $1 AND e.sequence > $3 AND e.sequence <= $4
         ORDER BY e.sequence LIMIT $5",
    )
    .bind(&endpoint.environment_id)
    .bind(&endpoint.id)
    .bind(after)
    .bind(until)
    .bind(MOST + 1)
    .fetch_all(&mut **tx)
    .await
    .attempt("read the ledger")?;
    let mut found = Found { more: count(&rows) > MOST, ..Found::default() };
    for row in rows.iter().take(MOST as usize) {
        let sequence: i64 = row.get("sequence");
        found.through = Some(sequence);
        match row.get::<Option<i64>, _>("number") {
            Some(number) => found.numbers.push(number),
            None if wants(endpoint, row.get("type")) => {
                found.new.push((sequence, row.get("subject")));
            }
            None => {}
        }
    }
    Ok(found)
}

/// Deliveries by their numbers; with `failed` only those that were given up.
async fn among(
    tx: &mut Tx,
    endpoint: &Endpoint,
    from: i64,
    to: i64,
    failed: bool,
) -> Result<Found, Error> {
    let rows = sqlx::query(
        "SELECT sequence FROM deliveries WHERE endpoint_id = $1 AND sequence >= $2 AND sequence <= $3
         AND ($4 = 0 OR state = 'failed') ORDER BY sequence LIMIT $5",
    )
    .bind(&endpoint.id)
    .bind(from)
    .bind(to)
    .bind(i64::from(failed))
    .bind(MOST + 1)
    .fetch_all(&mut **tx)
    .await
    .attempt("look for deliveries")?;
    let numbers: Vec<i64> = rows.iter().take(MOST as usize).map(|row| row.get(0)).collect();
    let (through, more) = (numbers.last().copied(), count(&rows) > MOST);
    Ok(Found { numbers, through, more, ..Found::default() })
}
