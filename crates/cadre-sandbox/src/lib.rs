//! Made-up vendors that behave on the wire as real ones do.
//!
//! One server plays three tools on one port: *Sandbox HR* under `/hris`, *Sandbox ATS* under `/ats` and
//! *Sandbox LMS* under `/lms`.
//! They have log-in, paging, budgets, permissions and errors of their own, and hold people who do not
//! exist. Under `/careers` are pages of an employer that does not exist, with forms to apply by. Under
//! `/admin` a test tells the tools to fail ([`fault`]) or to change ([`mutate`]).
//!
//! The same seed and size give the same data on every machine. What each answer looks like stands in
//! the README of this crate, which is the vendors' documentation: connectors are written from it.
//!
//! Beside them stand the [`twin`]s of real vendors, one a server.
//!
//! Nothing here knows the product, and the product does not know this crate; only `cadre demo` and
//! `cadre sandbox` start it. To add a resource: make it in `hris`, `ats` or `lms`, and name it in the list of
//! the `api` there.

mod admin;
mod ats;
mod careers;
mod dice;
mod drift;
pub mod fault;
mod gate;
mod hooks;
mod hris;
mod lms;
pub mod mutate;
mod people;
mod plan;
mod query;
mod server;
mod spoil;
mod table;
mod tool;
pub mod twin;
mod words;
mod world;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::world::World;

/// How many requests a vendor takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Requests in one window.
    pub requests: u32,
    /// Length of the window, in seconds.
    pub per_seconds: u64,
}

/// What the sandbox is to be.
#[derive(Debug, Clone)]
pub struct SandboxOptions {
    /// The same seed gives the same data.
    pub seed: u64,
    /// Port on the loopback address; 0 takes a free one.
    pub port: u16,
    /// The moment at which the sandbox starts; all dates in the data are around it.
    pub start: Timestamp,
    /// Employees in Sandbox HR, and users of Sandbox LMS.
    pub employees: usize,
    /// Candidates in Sandbox ATS.
    pub candidates: usize,
    /// Jobs in Sandbox ATS.
    pub jobs: usize,
    /// How long an access token of Sandbox HR holds, in seconds.
    pub token_seconds: u32,
    /// Budget of each of them; `None` is none.
    pub rate_limit: Option<RateLimit>,
    /// Time that every answer takes at least, in milliseconds.
    pub slow_ms: u64,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            port: 0,
            // 2026-01-15T09:00:00Z: tests want the same day every time.
            start: Timestamp::constant(1_768_467_600, 0),
            employees: 120,
            candidates: 80,
            jobs: 14,
            token_seconds: 15 * 60,
            rate_limit: Some(RateLimit { requests: 1_000, per_seconds: 10 }),
            slow_ms: 0,
        }
    }
}

/// The vendors, before they are started.
#[derive(Debug)]
pub struct Sandbox;

impl Sandbox {
    /// Fills the tables and starts the server on the loopback address.
    ///
    /// # Errors
    ///
    /// The port cannot be opened.
    pub async fn start(options: SandboxOptions) -> std::io::Result<Running> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, options.port));
        let listener = tokio::net::TcpListener::bind(address).await?;
        let port = listener.local_addr()?.port();
        let world = Arc::new(World::new(options));
        let task = tokio::spawn(server::serve(listener, server::router(Arc::clone(&world))));
        Ok(Running {
            base_url: format!("http://127.0.0.1:{port}"),
            port,
            client_id: world.credentials.client_id.clone(),
            client_secret: world.credentials.client_secret.clone(),
            api_key: world.credentials.api_key.clone(),
            learning_key: world.credentials.learning_key.clone(),
            task,
        })
    }
}

/// A running server. It ends when this is dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it is, without a slash at the end: `http://127.0.0.1:4010`.
    pub base_url: String,
    /// Its port.
    pub port: u16,
    /// Client id for Sandbox HR.
    pub client_id: String,
    /// Client secret for Sandbox HR.
    pub client_secret: String,
    /// API key for Sandbox ATS, the user name of basic authentication.
    pub api_key: String,
    /// API key for Sandbox LMS.
    pub learning_key: String,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    /// The postings of the career pages, as the lines of a job feed.
    #[must_use]
    pub fn job_feed(&self) -> String {
        careers::feed(&self.base_url)
    }

    /// Stops the server; open connections are cut.
    pub async fn stop(mut self) {
        self.task.abort();
        // Aborted on purpose: how it ended is no news.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Tells a null that was sent from a field that was not.
pub(crate) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
