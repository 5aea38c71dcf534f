//! Webhook endpoints: who is told about events, and how far each has been told.
//!
//! An endpoint reads the ledger through a cursor of its own. What it reads becomes deliveries
//! ([`deliveries`]), numbered from 1 without a gap; one worker at a time holds the endpoint
//! ([`lease`]), which is what keeps the order. A paused or disabled endpoint is not read for: its
//! events wait in the ledger.

mod deliveries;
mod lease;
mod log;
mod replay;
mod secret;

use cadre_model::ids::random_id;
use sqlx::Row;
use sqlx::any::AnyRow;

use crate::events::{self, EventType};
use crate::store::{Attempt, Error, Store, storable};
use crate::stored_words;
use crate::tenants::EnvironmentScope;

pub use deliveries::{Attempted, Delivery, DeliveryState, Due};
pub use lease::{Leased, Turn};
pub use replay::{Replay, Replayed};
pub use secret::{SigningSecrets, new_secret};

stored_words! {
    /// Whether an endpoint is told.
    pub enum EndpointState {
        /// It is.
        Enabled = "enabled",
        /// Somebody paused it; its events wait.
        Paused = "paused",
        /// It wants no more, or took nothing for too long; its events wait.
        Disabled = "disabled",
    }
}

/// A webhook endpoint, without its secrets.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Its id.
    pub id: String,
    /// The environment it belongs to.
    pub environment_id: String,
    /// Where events go.
    pub url: String,
    /// The types it is told about; empty means every type.
    pub types: Vec<EventType>,
    /// Whether the body holds the number of the delivery.
    pub numbered: bool,
    /// Whether it is told.
    pub state: EndpointState,
    /// Why it has that state.
    pub state_reason: Option<String>,
    /// When it was made.
    pub created_at: i64,
    /// Up to where the ledger was read for it.
    pub read_through: i64,
    /// The number of its latest delivery.
    pub last_sequence: i64,
    /// Turns in a row in which nothing was delivered.
    pub failures: i64,
    /// Since when nothing was delivered although something was tried.
    pub failing_since: Option<i64>,
    /// It is left alone until then.
    pub not_before: i64,
}

/// A new webhook endpoint.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// Where events go.
    pub url: String,
    /// The types it is told about; empty means every type.
    pub types: Vec<EventType>,
    /// Whether the body holds the number of the delivery.
    pub numbered: bool,
    /// The secret that bodies are signed with.
    pub secret: cadre_model::secret::Secret,
    /// It is told of events after this place in the ledger; `None`: of those from now on.
    pub after: Option<i64>,
}

/// What is to be changed of an endpoint.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// Where events go.
    pub url: Option<String>,
    /// The types it is told about from now on.
    pub types: Option<Vec<EventType>>,
    /// Whether the body holds the number of the delivery.
    pub numbered: Option<bool>,
    /// Whether it is told.
    pub state: Option<EndpointState>,
}

pub(super) const COLUMNS: &str = "id, environment_id, url, types, numbered, state, state_reason, created_at, \
    read_through, last_sequence, failures, failing_since, not_before";

impl Store {
    /// Makes an endpoint.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_create(
        &self,
        scope: &EnvironmentScope,
        new: NewEndpoint,
    ) -> Result<Endpoint, Error> {
        let (id, now) = (random_id(), self.now());
        let (secrets, data_key) = self.seal_signing(&id, &SigningSecrets::of(new.secret));
        let mut tx = self.begin().await?;
        let head = events::head(&mut tx, scope.id()).await?;
        let read_through = new.after.map_or(head, |after| after.clamp(0, head));
        sqlx::query(
            "INSERT INTO webhook_endpoints (id, environment_id, url, types, numbered, state, secrets, data_key,
                 created_at, read_through, last_sequence, not_before, failures)
             VALUES ($1, $2, $3, $4, $5, 'enabled', $6, $7, $8, $9, 0, 0, 0)",
        )
        .bind(&id)
        .bind(scope.id())
        .bind(storable(&new.url))
        .bind(types_text(&new.types))
        .bind(i64::from(new.numbered))
        .bind(secrets)
        .bind(data_key)
        .bind(now)
        .bind(read_through)
        .execute(&mut *tx)
        .await
        .attempt("make a webhook endpoint")?;
        tx.commit().await.attempt("make a webhook endpoint")?;
        Ok(Endpoint {
            id,
            environment_id: scope.id().to_owned(),
            url: new.url,
            types: new.types,
            numbered: new.numbered,
            state: EndpointState::Enabled,
            state_reason: None,
            created_at: now,
            read_through,
            last_sequence: 0,
            failures: 0,
            failing_since: None,
            not_before: 0,
        })
    }

    /// The endpoints of an environment, the oldest first.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_list(&self, scope: &EnvironmentScope) -> Result<Vec<Endpoint>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_endpoints WHERE environment_id = $1 ORDER BY created_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .fetch_all(self.read())
            .await
            .attempt("list the webhook endpoints")?;
        rows.iter().map(endpoint).collect()
    }

    /// One endpoint of an environment.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_get(
        &self,
        scope: &EnvironmentScope,
        id: &str,
    ) -> Result<Option<Endpoint>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM webhook_endpoints WHERE environment_id = $1 AND id = $2"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(scope.id())
            .bind(storable(id))
            .fetch_optional(self.write())
            .await
            .attempt("read a webhook endpoint")?;
        row.as_ref().map(endpoint).transpose()
    }

    /// Changes an endpoint; `None`: there is none of that id. One that is switched on again, or that
    /// gets another URL, is tried at once.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_change(
        &self,
        scope: &EnvironmentScope,
        id: &str,
        change: EndpointChange,
    ) -> Result<Option<Endpoint>, Error> {
        let now = self.now();
        let anew = change.state == Some(EndpointState::Enabled) || change.url.is_some();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "UPDATE webhook_endpoints SET url = COALESCE($3, url), types = COALESCE($4, types),
                 numbered = CASE WHEN $5 < 0 THEN numbered ELSE $5 END, state = COALESCE($6, state),
                 state_reason = CASE WHEN $6 IS NULL THEN state_reason ELSE NULL END,
                 not_before = CASE WHEN $7 = 1 THEN 0 ELSE not_before END,
                 failures = CASE WHEN $7 = 1 THEN 0 ELSE failures END,
                 failing_since = CASE WHEN $7 = 1 THEN NULL ELSE failing_since END
             WHERE environment_id = $1 AND id = $2",
        )
        .bind(scope.id())
        .bind(storable(id))
        .bind(change.url.as_deref().map(storable))
        .bind(change.types.as_deref().map(types_text))
        .bind(change.numbered.map_or(-1, i64::from))
        .bind(change.state.map(EndpointState::as_str))
        .bind(i64::from(anew))
        .execute(&mut *tx)
        .await
        .attempt("change a webhook endpoint")?;
        if anew && done.rows_affected() > 0 {
            lease::hurry(&mut tx, id, now).await?;
        }
        tx.commit().await.attempt("change a webhook endpoint")?;
        self.endpoint_get(scope, id).await
    }

    /// Deletes an endpoint with its deliveries; whether it was there. The ledger stays.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn endpoint_delete(&self, scope: &EnvironmentScope, id: &str) -> Result<bool, Error> {
        let mut tx = self.begin().await?;
        let done =
            sqlx::query("DELETE FROM webhook_endpoints WHERE environment_id = $1 AND id = $2")
                .bind(scope.id())
                .bind(storable(id))
                .execute(&mut *tx)
                .await
                .attempt("delete a webhook endpoint")?;
        if done.rows_affected() > 0 {
            sqlx::query("DELETE FROM deliveries WHERE endpoint_id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await
                .attempt("delete deliveries")?;
        }
        tx.commit().await.attempt("delete a webhook endpoint")?;
        Ok(done.rows_affected() > 0)
    }
}

fn types_text(types: &[EventType]) -> String {
    crate::records::sql::array(types.iter().map(|known| known.as_str()))
}

pub(super) fn endpoint(row: &AnyRow) -> Result<Endpoint, Error> {
    let (state, types): (String, String) = (row.get("state"), row.get("types"));
    let names: Vec<String> = serde_json::from_str(&types)
        .map_err(|_| Error::damaged("the types of a webhook endpoint", &types))?;
    Ok(Endpoint {
        id: row.get("id"),
        environment_id: row.get("environment_id"),
        url: row.get("url"),
        types: names.iter().map(|name| EventType::read(name)).collect::<Result<_, _>>()?,
        numbered: row.get::<i64, _>("numbered") != 0,
        state: EndpointState::read(&state)?,
        state_reason: row.get("state_reason"),
        created_at: row.get("created_at"),
        read_through: row.get("read_through"),
        last_sequence: row.get("last_sequence"),
        failures: row.get("failures"),
        failing_since: row.get("failing_since"),
        not_before: row.get("not_before"),
    })
}
