//! The server's part in the fault harness: the same parts for the harness and for a process of its own,
//! which is killed at random points.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cadre_connector::{Wire, WireOptions};
use cadre_jobs::catalog::{Catalog, Folder};
use cadre_jobs::{Parts, Settings, webhooks, worker};
use cadre_model::secret::Secret;
use cadre_model::time::{Clock, SystemClock};
use cadre_store::{IntegrationScope, MasterKey, OpenOptions, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::soak::{LEASE_MS, Outcome};

/// Set for the process that is the worker: what it needs, as JSON.
pub const WORKER: &str = "CADRE_SOAK_WORKER";

/// What callers see in front of `log_url`.
pub(crate) const PUBLIC_URL: &str = "http://localhost:8080";

/// The clock of the machine, moved: nobody has to wait until a lease runs out.
#[derive(Debug, Default)]
pub struct MovedClock(AtomicI64);

impl MovedClock {
    /// Moves it.
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// What both processes know.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The database.
    pub database_url: String,
    /// The folder of the connectors.
    pub connectors: PathBuf,
    /// What secrets are encrypted with.
    pub key: Secret,
}

impl Setting {
    /// The parts of a server.
    ///
    /// # Errors
    ///
    /// When the database or the connector cannot be opened.
    pub async fn parts(&self, clock: Arc<MovedClock>) -> Outcome<Parts> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = OpenOptions {
            max_connections: 4,
            master_key: MasterKey::parse(&self.key)?,
            clock: clock.clone(),
        };
        let store = Store::open(&self.database_url, options).await?;
        let folder = Folder::read(&self.connectors.join("sandboxhris"));
        let catalog = Catalog::load([folder?]).map_err(|problems| format!("{problems:?}"))?;
        let mut settings = Settings { lease: Duration::from_secs(30), ..Settings::default() };
        settings.webhook_timeout = Duration::from_secs(2);
        settings.read.allow_private = true;
        settings.read.max_attempts = 3;
        settings.read.first_backoff = Duration::from_millis(2);
        settings.read.longest_backoff = Duration::from_millis(8);
        let http = Wire::new(WireOptions { allow_private: true, ..WireOptions::default() })?;
        Ok(Parts {
            store,
            catalog: Arc::new(catalog),
            clock,
            http: Arc::new(http),
            settings: Arc::new(settings),
            standings: Arc::default(),
        })
    }

    /// Starts a process that does what is to be done.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn spawn(&self, program: &Path, clock: &MovedClock) -> std::io::Result<Child> {
        let told = json!({
            "database_url": self.database_url, "connectors": self.connectors,
            "key": self.key.expose(), "moved_ms": clock.0.load(Ordering::Relaxed),
        });
        Command::new(program)
            .env(WORKER, told.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }
}

/// Works until the run has ended. A database may still hold what a killed process was doing, and whoever
/// looks for work meanwhile passes the job over: then the run would go on in the next round, after changes
/// that pages which it read before do not have.
pub(crate) async fn see_to_the_end(
    parts: &Parts,
    scope: &IntegrationScope,
    clock: &MovedClock,
    run_id: &str,
) -> Outcome<()> {
    for _ in 0..100 {
        let run = parts.store.run_get(scope, run_id).await?;
        if run.ok_or("the run is gone")?.ended_at.is_some() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        clock.advance(LEASE_MS);
        worker::drain(parts).await?;
    }
    Err("a run does not end".into())
}

/// Is the worker: does every job that is due, delivers, and ends.
///
/// # Errors
///
/// When something of ours fails.
pub async fn work(told: &str) -> Outcome<()> {
    let told: Value = serde_json::from_str(told)?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let setting = Setting {
        database_url: text("database_url"),
        connectors: text("connectors").into(),
        key: text("key").into(),
    };
    let clock = Arc::new(MovedClock::default());
    clock.advance(told["moved_ms"].as_i64().unwrap_or_default());
    let parts = setting.parts(clock).await?;
    worker::drain(&parts).await?;
    webhooks::drain(&parts, PUBLIC_URL).await?;
    Ok(())
}
