//! Waiting: the one place that sleeps, so that tests and replays own it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Time that only moves forward, and sleeping on it.
///
/// The wall clock is a separate thing ([`cadre_model::time::Clock`]): it tells what a date in a header
/// means, and may jump.
#[derive(Debug)]
pub(crate) struct Pace {
    start: Instant,
    /// Milliseconds that were skipped instead of slept.
    skipped: AtomicU64,
    skips: bool,
}

impl Pace {
    /// Real sleeping, or sleeping that only moves this pace's own time.
    pub(crate) fn new(skips: bool) -> Self {
        Self { start: Instant::now(), skipped: AtomicU64::new(0), skips }
    }

    /// Time since the start, skipped waits included.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed() + Duration::from_millis(self.skipped.load(Ordering::Relaxed))
    }

    /// Waits.
    pub(crate) async fn sleep(&self, time: Duration) {
        if self.skips {
            self.skipped.fetch_add(milliseconds(time).max(1), Ordering::Relaxed);
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(time).await;
        }
    }
}

/// Whole milliseconds.
pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
