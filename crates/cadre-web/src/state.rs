//! What every handler can reach.

use std::sync::Arc;
use std::time::Duration;

pub use cadre_jobs::catalog::Coverage;
use cadre_jobs::{Catalog, Parts};
use cadre_model::fault::Fault;
use cadre_model::time::Clock;
use cadre_store::{IntegrationScope, Store};
use tokio::sync::Notify;

use crate::address::Network;
use crate::limit::{Quota, Quotas, RateLimiter, Slot};
use crate::listing::KeptPages;
use crate::recorder::Recorder;
use crate::refuse::{DEFAULT_PRODUCT, Wording};

/// Pieces of live work with the tool of one integration that may run at once.
pub(crate) const LIVE_AT_ONCE: u32 = 30;
/// How long after the end of its time live work counts, when its process is gone.
const SLACK: Duration = Duration::from_secs(30);

/// What the operator can set.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Where callers reach this server.
    pub public_url: String,
    /// Longest body of a request, in bytes.
    pub body_limit_bytes: usize,
    /// Addresses and ranges of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<String>,
    /// The product that the title of `REMOTE.RATE_LIMIT_EXCEEDED` names.
    pub product_name: String,
    /// The status of the three codes of an unfinished set-up: 503 or 409.
    pub setup_status: u16,
    /// Requests that one API key may send per minute; 0 is no limit.
    pub requests_per_minute_per_key: u32,
    /// Requests that one environment may send per minute; 0 is no limit.
    pub requests_per_minute_per_environment: u32,
    /// Rendered pages that are kept in memory, in bytes.
    pub page_cache_bytes: u64,
    /// Origins whose pages may show the connect flow in a frame; empty means any.
    pub connect_origins: Vec<String>,
    /// The addresses that all requests to tools come from, where the operator guarantees them.
    pub static_ips: Vec<String>,
}

impl Default for WebSettings {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:8080".to_owned(),
            body_limit_bytes: 40 * 1024 * 1024,
            trusted_proxies: Vec::new(),
            product_name: DEFAULT_PRODUCT.to_owned(),
            setup_status: 503,
            requests_per_minute_per_key: 0,
            requests_per_minute_per_environment: 0,
            page_cache_bytes: 64 << 20,
            connect_origins: Vec::new(),
            static_ips: Vec::new(),
        }
    }
}

/// What every handler can reach. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The database.
    pub store: Store,
    /// The connectors.
    pub catalog: Arc<Catalog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where callers reach this server, without a slash at the end.
    pub public_url: Arc<str>,
    /// Where calls are written down.
    pub recorder: Recorder,
    /// Everything that live work needs.
    pub parts: Parts,
    pub(crate) body_limit_bytes: usize,
    pub(crate) trusted_proxies: Arc<[Network]>,
    pub(crate) wording: Arc<Wording>,
    pub(crate) quotas: Quotas,
    pub(crate) rates: Arc<RateLimiter>,
    pub(crate) pages: KeptPages,
    pub(crate) wake: Arc<Notify>,
    pub(crate) connect_origins: Arc<[String]>,
    pub(crate) static_ips: Arc<[String]>,
}

impl AppState {
    /// Puts the parts together, and starts to write calls down. Needs a Tokio runtime. `wake` is
    /// told when work was queued.
    ///
    /// # Errors
    ///
    /// Words that say which setting is wrong.
    pub fn new(parts: Parts, settings: WebSettings, wake: Arc<Notify>) -> Result<Self, String> {
        let proxies: Result<Vec<Network>, _> =
            settings.trusted_proxies.iter().map(|text| text.parse()).collect();
        // Every connector is loaded now, and not within somebody's first call.
        for entry in parts.catalog.entries() {
            let _ = entry.coverage();
        }
        let per_minute = |requests: u32| {
            (requests > 0).then(|| Quota { requests: requests.into(), window_seconds: 60 })
        };
        Ok(Self {
            recorder: Recorder::start(parts.store.clone()),
            store: parts.store.clone(),
            catalog: Arc::clone(&parts.catalog),
            clock: Arc::clone(&parts.clock),
            parts,
            public_url: settings.public_url.trim_end_matches('/').into(),
            body_limit_bytes: settings.body_limit_bytes,
            trusted_proxies: proxies.map_err(|error| format!("trusted_proxies: {error}"))?.into(),
            wording: Arc::new(Wording {
                product_name: settings.product_name,
                setup_status_code: settings.setup_status,
            }),
            quotas: Quotas {
                per_key: per_minute(settings.requests_per_minute_per_key),
                per_environment: per_minute(settings.requests_per_minute_per_environment),
            },
            rates: Arc::default(),
            pages: KeptPages::new(settings.page_cache_bytes),
            wake,
            connect_origins: origins(&settings.connect_origins)?,
            static_ips: settings.static_ips.into(),
        })
    }

    /// Waits until every call that was answered is written down.
    pub async fn close(&self) {
        self.recorder.flush().await;
    }

    /// Room for one piece of live work with the tool of an integration, until it is released or dropped.
    ///
    /// # Errors
    ///
    /// `PLATFORM.CONCURRENCY_LIMIT_EXCEEDED` when there is none.
    pub async fn live_slot(&self, scope: &IntegrationScope) -> Result<Slot, Fault> {
        let settings = &self.parts.settings;
        let hold = settings.action_timeout.max(settings.live_timeout) + SLACK;
        Slot::take(&self.store, scope, LIVE_AT_ONCE, hold).await
    }

    /// What a tool offers; `None` when its connector is not there.
    pub(crate) fn coverage(&self, tool: &str) -> Option<Arc<Coverage>> {
        Some(self.catalog.get(tool)?.coverage())
    }

    /// The page that shows an interaction.
    pub(crate) fn log_url(&self, interaction_id: &str) -> String {
        format!("{}/logs/{interaction_id}", self.public_url)
    }
}

/// Origins as a policy can name them: nothing in one may end the directive or the header.
fn origins(given: &[String]) -> Result<Arc<[String]>, String> {
    let fits = |origin: &String| {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        host.is_some_and(|host| {
            !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || "-.:*[]".contains(c))
        })
    };
    match given.iter().find(|origin| !fits(origin)) {
        Some(wrong) => Err(format!(
            "connect_origins: expected origins such as https://app.example.com, got \"{wrong}\""
        )),
        None => Ok(given.into()),
    }
}
