//! How much a caller may ask for: requests per window, and live work at the same time.
//!
//! What counts is in the database: the limits are those of all processes together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cadre_model::fault::{Code, Fault};
use cadre_store::{EnvironmentScope, IntegrationScope, LiveSlot, Store};

/// Most counters that are kept. Beyond it, those of windows gone by are dropped.
const MAX_COUNTERS: usize = 10_000;
/// A process takes this part of what is left of a quota.
const SHARE: u64 = 16;
/// Most requests that a process takes at once.
const MOST_AT_ONCE: u64 = 256;

/// A number of requests per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests per window.
    pub requests: u64,
    /// Length of the window in seconds.
    pub window_seconds: u64,
}

/// The quotas of a server. `None` means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// For each API key.
    pub per_key: Option<Quota>,
    /// For all keys of an environment together.
    pub per_environment: Option<Quota>,
}

/// What is left of a quota after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Which quota: `key` or `environment`.
    pub name: &'static str,
    /// The quota.
    pub quota: Quota,
    /// Requests left in this window.
    pub remaining: u64,
    /// Seconds until the window ends.
    pub reset_seconds: u64,
    /// Whether the request was more than the quota admits.
    pub exceeded: bool,
}

impl Standing {
    /// The `RateLimit-Policy` header.
    #[must_use]
    pub fn policy_header(&self) -> String {
        format!("\"{}\";q={};w={}", self.name, self.quota.requests, self.quota.window_seconds)
    }

    /// The `RateLimit` header.
    #[must_use]
    pub fn header(&self) -> String {
        format!("\"{}\";r={};t={}", self.name, self.remaining, self.reset_seconds)
    }

    /// The refusal, when the quota is exceeded.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let Quota { requests, window_seconds } = self.quota;
        let wait = self.reset_seconds.max(1);
        self.exceeded.then(|| {
            Fault::new(
                Code::PlatformRateLimitExceeded,
                format!(
                    "This {} may send {requests} requests in {window_seconds} seconds; the next \
                     one is answered in {wait} seconds.",
                    if self.name == "key" { "API key" } else { "environment" }
                ),
            )
            .retry_after(wait)
        })
    }
}

/// Counts requests, in shares of the quota that all processes take from the database.
///
/// A process takes a part of what is left, and answers from it: most requests cost no statement. The
/// parts become smaller as the quota is used up, and the last requests are counted one by one. All
/// processes together never admit more than the quota; what one of them took and does not use is lost
/// until the window ends, at most one part in [`SHARE`].
#[derive(Debug, Default)]
pub struct RateLimiter {
    shares: Mutex<HashMap<String, Share>>,
}

/// What a process has of a quota.
#[derive(Debug, Default)]
struct Share {
    /// Number of the window.
    window: u64,
    /// Requests that were taken and are not used.
    own: u64,
    /// Requests that nobody had taken when this process last looked.
    left: u64,
    /// Held by whoever takes more, so that the others wait for it instead of taking as well.
    taking: Arc<tokio::sync::Mutex<()>>,
}

/// What became of asking for one request of a share.
enum Have {
    /// It was there; so many are left.
    One(u64),
    /// The quota is used up.
    Nothing,
    /// More must be taken, of so many.
    MoreOf(u64),
}

impl RateLimiter {
    /// Counts one request of a key, and tells how the tighter of its quotas stands.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn count(
        &self,
        store: &Store,
        quotas: Quotas,
        scope: &EnvironmentScope,
        key_id: &str,
        now_ms: i64,
    ) -> Result<Option<Standing>, cadre_store::Error> {
        let mut tightest: Option<Standing> = None;
        for (name, key, quota) in
            [("key", Some(key_id), quotas.per_key), ("environment", None, quotas.per_environment)]
        {
            let Some(quota) = quota else { continue };
            let standing = self.count_one(store, (name, quota), scope, key, now_ms).await?;
            let tight = |standing: &Standing| (!standing.exceeded, standing.remaining);
            if tightest.as_ref().is_none_or(|known| tight(&standing) < tight(known)) {
                tightest = Some(standing);
            }
        }
        Ok(tightest)
    }

    async fn count_one(
        &self,
        store: &Store,
        (name, quota): (&'static str, Quota),
        scope: &EnvironmentScope,
        key_id: Option<&str>,
        now_ms: i64,
    ) -> Result<Standing, cadre_store::Error> {
        let now = u64::try_from(now_ms).unwrap_or(0) / 1000;
        let seconds = quota.window_seconds.max(1);
        let window = now / seconds;
        let place = format!("{}/{}", scope.id(), key_id.unwrap_or_default());
        let have = match self.use_one(&place, window, quota) {
            Have::MoreOf(_) => {
                let _taking = self.taking(&place).lock_owned().await;
                match self.use_one(&place, window, quota) {
                    Have::MoreOf(left) => {
                        let wanted = (left / SHARE).clamp(1, MOST_AT_ONCE);
                        let before = store.rate_take(scope, key_id, window, wanted).await?;
                        let granted = wanted.min(quota.requests.saturating_sub(before));
                        let left = quota.requests.saturating_sub(before + wanted);
                        self.add(&place, window, granted, left);
                        self.use_one(&place, window, quota)
                    }
                    have => have,
                }
            }
            have => have,
        };
        let (remaining, exceeded) = match have {
            Have::One(remaining) => (remaining, false),
            Have::Nothing | Have::MoreOf(_) => (0, true),
        };
        let reset_seconds = seconds - now % seconds;
        Ok(Standing { name, quota, remaining, reset_seconds, exceeded })
    }

    /// Uses one request of what this process has of the window.
    fn use_one(&self, place: &str, window: u64, quota: Quota) -> Have {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if shares.len() >= MAX_COUNTERS {
            shares.retain(|_, share| share.window == window);
        }
        let share = shares.entry(place.to_owned()).or_default();
        if share.window < window {
            (share.window, share.own, share.left) = (window, 0, quota.requests);
        }
        match (share.own, share.left) {
            (0, 0) => Have::Nothing,
            (0, left) => Have::MoreOf(left),
            (own, left) => {
                share.own = own - 1;
                Have::One(share.own + left)
            }
        }
    }

    fn taking(&self, place: &str) -> Arc<tokio::sync::Mutex<()>> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&shares.entry(place.to_owned()).or_default().taking)
    }

    fn add(&self, place: &str, window: u64, granted: u64, left: u64) {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get_mut(place).filter(|share| share.window == window) {
            share.own += granted;
            share.left = left;
        }
    }
}

/// Room for one piece of live work with the tool of an integration.
pub struct Slot {
    store: Store,
    taken: Option<LiveSlot>,
    /// Pieces of work that may run at once.
    pub limit: u32,
    /// How many more may begin now.
    pub remaining: u32,
}

impl Slot {
    /// Takes room for one piece of live work, which is given back after `hold` at the latest.
    ///
    /// # Errors
    ///
    /// `PLATFORM.CONCURRENCY_LIMIT_EXCEEDED` when there is none.
    pub async fn take(
        store: &Store,
        scope: &IntegrationScope,
        limit: u32,
        hold: Duration,
    ) -> Result<Self, Fault> {
        let hold = i64::try_from(hold.as_millis()).unwrap_or(i64::MAX);
        let taken = store.live_slot_take(scope, limit, hold).await.map_err(Fault::unknown)?;
        let Some(taken) = taken else {
            let words = format!(
                "{limit} actions of this integration are running; no more may run at once."
            );
            let fault = Fault::new(Code::PlatformConcurrencyLimitExceeded, words);
            return Err(fault.retry_after(1));
        };
        let remaining = limit - taken.others - 1;
        Ok(Self { store: store.clone(), taken: Some(taken), limit, remaining })
    }

    /// Gives the room back before the answer leaves.
    pub async fn release(mut self) {
        if let Some(taken) = self.taken.take() {
            give_back(&self.store, &taken).await;
        }
    }
}

impl Drop for Slot {
    /// The caller has gone: the room is given back behind its back.
    fn drop(&mut self) {
        let (Some(taken), Ok(runtime)) = (self.taken.take(), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let store = self.store.clone();
        runtime.spawn(async move { give_back(&store, &taken).await });
    }
}

async fn give_back(store: &Store, taken: &LiveSlot) {
    if let Err(error) = store.live_slot_give_back(taken).await {
        tracing::warn!(%error, "room for live work was not given back; it is free again later");
    }
}
