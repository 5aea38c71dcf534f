//! Who delivers to an endpoint: one worker at a time, for as long as it gives signs of life.

use cadre_model::ids::random_id;
use sqlx::Row;

use super::deliveries::{Attempted, write_attempts};
use super::{COLUMNS, Endpoint, EndpointState, SigningSecrets, endpoint};
use crate::store::{Attempt, Error, Store, Tx, storable_or_null};

/// Due: enabled, not left alone, and there is something to read or to send, or whoever did it vanished.
const DUE: &str =
    "w.state = 'enabled' AND w.not_before <= $1 AND (w.lease_until IS NULL OR w.lease_until < $1)
    AND (w.due_at <= $1 OR w.lease_token IS NOT NULL OR EXISTS (SELECT 1 FROM event_heads h
        WHERE h.environment_id = w.environment_id AND h.last > w.read_through))";

/// An endpoint that this worker delivers to.
#[derive(Debug, Clone)]
pub struct Leased {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// What its bodies are signed with.
    pub secrets: SigningSecrets,
    /// Proof that the holder is the one who delivers.
    pub(super) token: String,
}

/// What came of one turn of deliveries.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Every attempt.
    pub attempts: Vec<Attempted>,
    /// The endpoint is left alone until then; `None` lifts it.
    pub not_before: Option<i64>,
    /// The endpoint is to be disabled for this reason.
    pub disable: Option<String>,
    /// Whatever waits for its next attempt is due now: an endpoint that failed takes again.
    pub hurry: bool,
}

impl Store {
    /// Takes an endpoint for which something is to be done, and that nobody holds.
    ///
    /// # Errors
    ///
    /// When the database fails or the endpoint's secrets cannot be decrypted.
    pub async fn endpoint_claim(&self, lease_ms: i64) -> Result<Option<Leased>, Error> {
        let now = self.now();
        // Most looks find nothing: they must not wait for the right to write.
        let look = format!("SELECT 1 FROM webhook_endpoints w WHERE {DUE} LIMIT 1");
        let any = sqlx::query(sqlx::AssertSqlSafe(look))
            .bind(now)
            .fetch_optional(self.read())
            .await
            .attempt("look for deliveries")?;
        if any.is_none() {
            return Ok(None);
        }
        let token = random_id();
        let sql = format!(
            "UPDATE webhook_endpoints SET lease_until = $2, lease_token = $3, due_at = NULL
             WHERE id = (SELECT w.id FROM webhook_endpoints w WHERE {DUE}
                         ORDER BY w.lease_until NULLS FIRST, w.id LIMIT 1 {})
             RETURNING {COLUMNS}, secrets, data_key",
            self.backend().pass_over_locked()
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(now + lease_ms)
            .bind(&token)
            .fetch_optional(self.write())
            .await
            .attempt("take a webhook endpoint")?;
        let Some(row) = row else { return Ok(None) };
        let endpoint = endpoint(&row)?;
        let (secrets, data_key): (Vec<u8>, Vec<u8>) = (row.get("secrets"), row.get("data_key"));
        let secrets = self.open_signing(&endpoint.id, &secrets, &data_key)?;
        Ok(Some(Leased { endpoint, secrets, token }))
    }

    /// Extends a lease; false if it was lost.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_extend(&self, leased: &Leased, lease_ms: i64) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET lease_until = $3 WHERE id = $1 AND lease_token = $2",
        )
        .bind(&leased.endpoint.id)
        .bind(&leased.token)
        .bind(self.now() + lease_ms)
        .execute(self.write())
        .await
        .attempt("extend a lease")?;
        Ok(done.rows_affected() > 0)
    }

    /// Writes what came of a turn; the endpoint as it is now.
    ///
    /// # Errors
    ///
    /// [`Error::LeaseLost`] when another worker delivers now, or the endpoint is gone; nothing is
    /// written then.
    pub async fn endpoint_turn(&self, leased: &Leased, turn: &Turn) -> Result<Endpoint, Error> {
        let now = self.now();
        let mut tx = self.begin().await?;
        fence(&mut tx, leased).await?;
        write_attempts(&mut tx, self.backend(), leased, &turn.attempts).await?;
        if turn.hurry {
            hurry(&mut tx, &leased.endpoint.id, now).await?;
        }
        // 1: something was delivered; -1: nothing but failures; 0: nothing was tried.
        let went = match &turn.attempts[..] {
            [] => 0,
            all if all.iter().any(|one| one.delivered) => 1,
            _ => -1,
        };
        let sql = format!(
            "UPDATE webhook_endpoints SET not_before = $2,
                 failures = CASE WHEN $3 = 1 THEN 0 WHEN $3 = -1 THEN failures + 1 ELSE failures END,
                 failing_since = CASE WHEN $3 = 1 THEN NULL WHEN $3 = -1 THEN COALESCE(failing_since, $4)
                     ELSE failing_since END,
                 state = CASE WHEN $5 IS NULL THEN state ELSE 'disabled' END,
                 state_reason = COALESCE($5, state_reason)
             WHERE id = $1 RETURNING {COLUMNS}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(&leased.endpoint.id)
            .bind(turn.not_before.unwrap_or_default())
            .bind(went)
            .bind(now)
            .bind(storable_or_null(turn.disable.as_deref()))
            .fetch_one(&mut *tx)
            .await
            .attempt("note how an endpoint does")?;
        tx.commit().await.attempt("note how an endpoint does")?;
        endpoint(&row)
    }

    /// Gives an endpoint back. `due_at`: when there is something for it next; `None`: whatever still
    /// waits was tried, or waits behind one that was, and the earliest of those counts.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_release(
        &self,
        leased: &Leased,
        due_at: Option<i64>,
    ) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        if let Err(lost) = fence(&mut tx, leased).await {
            return if lost.is_lease_lost() { Ok(()) } else { Err(lost) };
        }
        // Taking it made `due_at` null: a moment that is there came since then, and must not be lost.
        sqlx::query(
            "UPDATE webhook_endpoints SET lease_until = NULL, lease_token = NULL, due_at = COALESCE(due_at, $3, (
                 SELECT MIN(next_at) FROM deliveries WHERE endpoint_id = $1 AND state = 'pending' AND next_at > $2))
             WHERE id = $1",
        )
        .bind(&leased.endpoint.id)
        .bind(self.now())
        .bind(due_at)
        .execute(&mut *tx)
        .await
        .attempt("give an endpoint back")?;
        tx.commit().await.attempt("give an endpoint back")
    }

    /// Whether an endpoint is still enabled.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_wanted(&self, leased: &Leased) -> Result<bool, Error> {
        let row = sqlx::query("SELECT state FROM webhook_endpoints WHERE id = $1")
            .bind(&leased.endpoint.id)
            .fetch_optional(self.read())
            .await
            .attempt("read a webhook endpoint")?;
        Ok(row.is_some_and(|row| row.get::<String, _>(0) == EndpointState::Enabled.as_str()))
    }
}

/// Refuses a transaction of a worker that has lost its endpoint. The row is locked until the
/// transaction ends.
pub(super) async fn fence(tx: &mut Tx, leased: &Leased) -> Result<(), Error> {
    let held = sqlx::query(
        "UPDATE webhook_endpoints SET failures = failures WHERE id = $1 AND lease_token = $2",
    )
    .bind(&leased.endpoint.id)
    .bind(&leased.token)
    .execute(&mut **tx)
    .await
    .attempt("check a lease")?;
    if held.rows_affected() == 0 { Err(Error::LeaseLost) } else { Ok(()) }
}

/// Makes everything due that waits for its next attempt.
pub(super) async fn hurry(tx: &mut Tx, endpoint_id: &str, now: i64) -> Result<(), Error> {
    for statement in [
        "UPDATE deliveries SET next_at = $2 WHERE endpoint_id = $1 AND state = 'pending' AND next_at > $2",
        "UPDATE webhook_endpoints SET due_at = $2 WHERE id = $1",
    ] {
        sqlx::query(statement)
            .bind(endpoint_id)
            .bind(now)
            .execute(&mut **tx)
            .await
            .attempt("hurry deliveries")?;
    }
    Ok(())
}
