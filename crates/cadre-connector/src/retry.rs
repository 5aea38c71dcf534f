//! How often a read is repeated, and how long is waited in between.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use crate::session::ReadLimits;

/// The attempts of one request.
pub(crate) struct Attempts<'a> {
    limits: &'a ReadLimits,
    made: u32,
    waited: Duration,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(limits: &'a ReadLimits) -> Self {
        Self { limits, made: 0, waited: Duration::ZERO }
    }

    /// How many attempts have failed.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Counts a failed attempt; how long to wait before the next, or `None` when there is none.
    ///
    /// Without a word from the vendor the wait doubles from attempt to attempt, and a random part of
    /// it is left out, so that many readers do not come back at once.
    pub(crate) fn failed(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.made += 1;
        if self.made >= self.limits.max_attempts {
            return None;
        }
        let doubled =
            self.limits.first_backoff * 2_u32.saturating_pow(self.made.saturating_sub(1).min(16));
        let backoff = doubled.min(self.limits.longest_backoff).mul_f64(0.5 + 0.5 * random_part());
        let wait = asked.unwrap_or(backoff);
        self.waited += wait;
        (self.waited <= self.limits.max_total_wait).then_some(wait)
    }
}

/// A random number from 0 to 1: the keys of a fresh hash state are random.
#[expect(clippy::cast_precision_loss, reason = "the random bits that are lost do not matter")]
fn random_part() -> f64 {
    RandomState::new().hash_one(0_u8) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        let limits = ReadLimits {
            max_attempts: 5,
            first_backoff: Duration::from_millis(100),
            longest_backoff: Duration::from_millis(300),
            ..ReadLimits::default()
        };
        let mut attempts = Attempts::new(&limits);
        for most in [100, 200, 300, 300] {
            let wait = attempts.failed(None).expect("another attempt").as_millis();
            assert!((most / 2..=most).contains(&wait), "{wait} of {most}");
        }
        assert_eq!(attempts.failed(None), None);
        assert_eq!(attempts.made(), 5);
    }

    #[test]
    fn the_vendors_word_counts_within_the_total() {
        let limits =
            ReadLimits { max_total_wait: Duration::from_secs(90), ..ReadLimits::default() };
        let mut attempts = Attempts::new(&limits);
        assert_eq!(attempts.failed(Some(Duration::from_secs(60))), Some(Duration::from_secs(60)));
        assert_eq!(attempts.failed(Some(Duration::from_secs(60))), None);
    }
}
