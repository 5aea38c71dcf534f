//! Turning what the connector does into the log that `log_url` opens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use cadre_connector::{Exchange, Observer};
use cadre_model::time::Clock;
use cadre_store::{ExchangeRow, Store};
use serde_json::Value;

/// Collects the exchanges of one interaction until they are written.
///
/// Exchanges arrive redacted. Of a long sync only the first ones and the failures keep their
/// bodies; every one keeps its line.
pub struct Log {
    interaction_id: String,
    keep_bodies: u64,
    keeps_nothing: bool,
    clock: Arc<dyn Clock>,
    next: AtomicU64,
    pending: Mutex<Vec<ExchangeRow>>,
    waits: Mutex<Waits>,
}

/// How long an interaction waited, and why.
#[derive(Debug, Clone, Default)]
pub struct Waits {
    /// Milliseconds in all.
    pub total_ms: u64,
    /// How often.
    pub count: u64,
    /// The reason of the latest wait.
    pub latest: Option<String>,
}

impl Log {
    /// A log for one interaction, whose first `keep_bodies` exchanges keep their bodies.
    #[must_use]
    pub fn new(interaction_id: String, keep_bodies: u64, clock: Arc<dyn Clock>) -> Self {
        Self {
            interaction_id,
            keep_bodies,
            keeps_nothing: false,
            clock,
            next: AtomicU64::new(0),
            pending: Mutex::new(Vec::new()),
            waits: Mutex::new(Waits::default()),
        }
    }

    /// A log that keeps nothing of what the tool says, failures included: only that it was asked for what
    /// path, and how that ended. For a tool whose people have not all agreed to be known here.
    #[must_use]
    pub fn without_content(interaction_id: String, clock: Arc<dyn Clock>) -> Self {
        Self { keeps_nothing: true, ..Self::new(interaction_id, 0, clock) }
    }

    /// How long the interaction waited so far.
    #[must_use]
    pub fn waits(&self) -> Waits {
        self.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// How many exchanges there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Writes what has been collected. A log that cannot be written must not end the work it is
    /// about: the failure is reported to the process log.
    pub async fn write(&self, store: &Store) {
        let rows = std::mem::take(
            &mut *self.pending.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        if rows.is_empty() {
            return;
        }
        if let Err(error) = store.exchange_write(&self.interaction_id, &rows).await {
            tracing::warn!(interaction.id = %self.interaction_id, %error, "exchanges were not written");
        }
    }
}

impl Observer for Log {
    fn exchange(&self, exchange: &Exchange) {
        let seq = self.next.fetch_add(1, Ordering::Relaxed);
        let failed = exchange.error.is_some() || exchange.status.is_none_or(|s| s >= 400);
        let keep = !self.keeps_nothing && (failed || seq < self.keep_bodies);
        let headers = |headers: &[(String, String)]| {
            Value::Object(
                headers.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect(),
            )
        };
        let row = ExchangeRow {
            seq: i64::try_from(seq).unwrap_or(i64::MAX),
            at: self.clock.now_ms(),
            method: exchange.method.clone(),
            url: match exchange.url.split_once('?') {
                Some((path, _)) if self.keeps_nothing => path.to_owned(),
                _ => exchange.url.clone(),
            },
            request_headers: headers(&exchange.request_headers),
            request_body: exchange.request_body.clone().filter(|_| keep),
            status: exchange.status,
            response_headers: headers(&exchange.response_headers),
            response_body: exchange.response_body.clone().filter(|_| keep),
            duration_ms: i64::try_from(exchange.duration_ms).unwrap_or(i64::MAX),
            rule: exchange.rule.clone(),
            error: exchange.error.clone(),
        };
        self.pending.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(row);
    }

    fn wants_bodies(&self) -> bool {
        self.count() < self.keep_bodies
    }

    fn wait(&self, why: &str, ms: u64) {
        let mut waits = self.waits.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        waits.total_ms += ms;
        waits.count += 1;
        waits.latest = Some(why.to_owned());
    }
}
