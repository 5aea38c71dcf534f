//! How much a caller may ask for: requests per window, and live work at the same time.
//!
//! Counters are of this process. Behind several processes each grants its own share; what must
//! never be exceeded in all belongs into the database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cadre_model::fault::{Code, Fault};

/// Most counters that are kept. Beyond it, those of windows gone by are dropped.
const MAX_COUNTERS: usize = 10_000;

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

/// Counts requests.
#[derive(Debug, Default)]
pub struct RateLimiter {
    windows: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    number: u64,
    seconds: u64,
    used: u64,
}

impl RateLimiter {
    /// Counts one request of a key, and tells how the tighter of its quotas stands.
    pub fn count(
        &self,
        quotas: Quotas,
        key_id: &str,
        environment_id: &str,
        now_ms: i64,
    ) -> Option<Standing> {
        let now = u64::try_from(now_ms).unwrap_or(0) / 1000;
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MAX_COUNTERS {
            windows.retain(|_, window| window.number == now / window.seconds);
        }
        let mut count = |name, id: &str, quota: Option<Quota>| {
            let quota = quota?;
            let seconds = quota.window_seconds.max(1);
            let number = now / seconds;
            let fresh = Window { number, seconds, used: 0 };
            let window = windows.entry(format!("{name}:{id}")).or_insert(fresh);
            if window.number != number || window.seconds != seconds {
                *window = fresh;
            }
            window.used = window.used.saturating_add(1);
            Some(Standing {
                name,
                quota,
                remaining: quota.requests.saturating_sub(window.used),
                reset_seconds: seconds - now % seconds,
                exceeded: window.used > quota.requests,
            })
        };
        let key = count("key", key_id, quotas.per_key);
        let environment = count("environment", environment_id, quotas.per_environment);
        [key, environment].into_iter().flatten().min_by_key(|s| (!s.exceeded, s.remaining))
    }
}

/// Counts live work per integration.
#[derive(Debug, Clone, Default)]
pub struct Concurrency {
    running: Arc<Mutex<HashMap<String, u32>>>,
}

/// Room for one piece of live work; it is given back when this is dropped.
#[derive(Debug)]
pub struct Slot {
    running: Arc<Mutex<HashMap<String, u32>>>,
    integration_id: String,
    /// Pieces of work that may run at once.
    pub limit: u32,
    /// How many more may begin now.
    pub remaining: u32,
}

impl Concurrency {
    /// Takes room for one piece of live work.
    ///
    /// # Errors
    ///
    /// `PLATFORM.CONCURRENCY_LIMIT_EXCEEDED` when there is none.
    pub fn take(&self, integration_id: &str, limit: u32) -> Result<Slot, Fault> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let count = running.get(integration_id).copied().unwrap_or(0);
        if count >= limit {
            return Err(Fault::new(
                Code::PlatformConcurrencyLimitExceeded,
                format!(
                    "{count} actions of this integration are running; {limit} may run at once."
                ),
            )
            .retry_after(1));
        }
        running.insert(integration_id.to_owned(), count + 1);
        Ok(Slot {
            running: Arc::clone(&self.running),
            integration_id: integration_id.to_owned(),
            limit,
            remaining: limit - count - 1,
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        remove_one(&mut running, &self.integration_id);
    }
}

fn remove_one(counts: &mut HashMap<String, u32>, key: &str) {
    if let Some(count) = counts.get_mut(key) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use cadre_model::fault::Code;

    use super::{Concurrency, Quota, Quotas, RateLimiter};

    #[test]
    fn a_window_admits_its_requests_and_ends() {
        let limiter = RateLimiter::default();
        let quotas = Quotas {
            per_key: Some(Quota { requests: 2, window_seconds: 10 }),
            per_environment: Some(Quota { requests: 3, window_seconds: 10 }),
        };
        let ask = |key, ms| limiter.count(quotas, key, "env", ms).expect("a quota");
        assert_eq!(ask("a", 1_000).header(), "\"key\";r=1;t=9");
        assert!(!ask("a", 1_000).exceeded);
        let refused = ask("a", 2_500);
        assert_eq!(refused.policy_header(), "\"key\";q=2;w=10");
        let fault = refused.fault().expect("refused");
        assert_eq!(fault.code, Code::PlatformRateLimitExceeded);
        assert_eq!(fault.retry_after_seconds, Some(8));
        // Another key of the same environment: the environment's quota is used up by now.
        assert_eq!(ask("b", 3_000).name, "environment");
        assert!(ask("b", 3_000).exceeded);
        assert!(!ask("a", 10_000).exceeded);
        let none = Quotas { per_key: None, per_environment: None };
        assert!(limiter.count(none, "a", "env", 0).is_none());
    }

    #[test]
    fn slots_are_given_back() {
        let concurrency = Concurrency::default();
        let first = concurrency.take("acme:1", 2).expect("room");
        assert_eq!(first.remaining, 1);
        let _second = concurrency.take("acme:1", 2).expect("room");
        let full = concurrency.take("acme:1", 2).expect_err("no room");
        assert_eq!(full.code, Code::PlatformConcurrencyLimitExceeded);
        concurrency.take("acme:2", 2).expect("another integration");
        drop(first);
        concurrency.take("acme:1", 2).expect("room again");
    }
}
