//! What every job needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cadre_connector::{HttpSend, OAuthClient, ReadLimits};
use cadre_model::time::Clock;
use cadre_store::Store;

use crate::apply::ApplySettings;
use crate::catalog::Catalog;
use crate::oidc::Provider;
use crate::retention::Retention;
use crate::standing::Standings;
use crate::sync::quality::Quality;

/// The parts that jobs are made of. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The connectors.
    pub catalog: Arc<Catalog>,
    /// The present moment.
    pub clock: Arc<dyn Clock>,
    /// The guarded client that vendors are reached through.
    pub http: Arc<dyn HttpSend>,
    /// What a job may use.
    pub settings: Arc<Settings>,
    /// Log-ins and budgets of the accounts that were at work.
    pub standings: Arc<Standings>,
}

/// Limits and intervals of jobs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a job stays with its worker without a sign of life.
    pub lease: Duration,
    /// How often an idle worker looks for jobs.
    pub poll: Duration,
    /// How long one sync may take before it ends as timed out.
    pub sync_timeout: Duration,
    /// How long after a full sync the scheduled ones read only what changed, where the tool can tell.
    pub full_every: Duration,
    /// How many syncs one process runs at once.
    pub concurrent_syncs: usize,
    /// Limits of reading from a vendor.
    pub read: ReadLimits,
    /// How long one call may talk to the vendor, its waits included.
    pub live_timeout: Duration,
    /// How long one action may take before its caller hears that the time is over.
    pub action_timeout: Duration,
    /// Largest file that is fetched for a caller, in bytes.
    pub file_bytes: u64,
    /// Largest share of a model's records that may vanish in one sync before a person is asked.
    pub suspicious_drop: f64,
    /// With how few records a model is too small for the share to mean anything.
    pub suspicious_drop_from: u64,
    /// What the first sync of an integration must show before its data is read.
    pub quality: Quality,
    /// How many exchanges of one sync keep their bodies; failures always do.
    pub exchange_bodies: u64,
    /// How long things are kept.
    pub retention: Retention,
    /// How long the receiver of a webhook may take to answer, with its whole answer.
    pub webhook_timeout: Duration,
    /// Where this server is reached from outside, without a slash at the end; tools are told to call there.
    pub public_url: Option<String>,
    /// How many webhooks are on their way to one endpoint at once.
    pub webhooks_at_once: usize,
    /// The software that customers consent to, by tool: registered with the vendor by the operator.
    pub oauth_clients: BTreeMap<String, OAuthClient>,
    /// Who says who a person is that logs in to the dashboard, beside passwords.
    pub identity_provider: Option<Provider>,
    /// Public postings.
    pub apply: ApplySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_millis(500),
            sync_timeout: Duration::from_secs(6 * 3600),
            full_every: Duration::from_secs(24 * 3600),
            concurrent_syncs: 4,
            read: ReadLimits::default(),
            live_timeout: Duration::from_secs(20),
            action_timeout: Duration::from_secs(60),
            file_bytes: 50 << 20,
            suspicious_drop: 0.5,
            suspicious_drop_from: 20,
            quality: Quality::default(),
            exchange_bodies: 10,
            retention: Retention::default(),
            webhook_timeout: Duration::from_secs(15),
            public_url: None,
            webhooks_at_once: 32,
            oauth_clients: BTreeMap::new(),
            identity_provider: None,
            apply: ApplySettings::default(),
        }
    }
}
