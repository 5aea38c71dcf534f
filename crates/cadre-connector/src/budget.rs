//! The vendor's budget: windows, a cap on requests in flight, and what the answers say is left.
//!
//! A window is kept as a sliding one, which fits inside the vendor's own whatever its phase.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cadre_model::time::Clock;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::exchange::{HttpResponse, Observer};
use crate::manifest::{LimitHeaders, Limits, ResetIs};
use crate::pace::{Pace, milliseconds};

/// A window is kept in this many parts: what was sent in one part counts as sent at its end.
const PARTS: u32 = 100;

/// Longest wait that a single header is believed.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The budget of one account.
pub(crate) struct Budget {
    in_flight: Semaphore,
    state: Mutex<State>,
    pace: Arc<Pace>,
    clock: Arc<dyn Clock>,
}

struct State {
    windows: Vec<Sliding>,
    /// Nothing is sent before this moment, and why.
    closed_until: Option<(Duration, &'static str)>,
}

impl Budget {
    pub(crate) fn new(limits: &Limits, pace: Arc<Pace>, clock: Arc<dyn Clock>) -> Self {
        let windows = limits
            .requests
            .iter()
            .map(|window| Sliding::new(window.count, window.per_seconds))
            .collect();
        let state = Mutex::new(State { windows, closed_until: None });
        Self { in_flight: Semaphore::new(limits.concurrency.max(1)), state, pace, clock }
    }

    /// Waits until a request may be sent, and takes its place in the budget.
    ///
    /// # Errors
    ///
    /// How long the wait would be, when that is longer than `most`, and why: whoever runs the read
    /// had better come back later.
    pub(crate) async fn enter(
        &self,
        most: Duration,
        observer: &dyn Observer,
    ) -> Result<SemaphorePermit<'_>, (Duration, &'static str)> {
        let permit = match tokio::time::timeout(most, self.in_flight.acquire()).await {
            Ok(permit) => permit.expect("the semaphore is never closed"),
            Err(_) => {
                return Err((Duration::from_secs(1), "as many requests as may be are in flight"));
            }
        };
        loop {
            let Err((wait, why)) = self.take() else { return Ok(permit) };
            if wait > most {
                return Err((wait, why));
            }
            observer.wait(why, milliseconds(wait));
            self.pace.sleep(wait).await;
        }
    }

    /// Takes a place in every window, or says how long there is none.
    fn take(&self) -> Result<(), (Duration, &'static str)> {
        let now = self.pace.elapsed();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((until, why)) = state.closed_until {
            if until > now {
                return Err((until - now, why));
            }
            state.closed_until = None;
        }
        if let Some(wait) = state.windows.iter_mut().filter_map(|window| window.wait(now)).max() {
            return Err((wait, "budget of requests"));
        }
        for window in &mut state.windows {
            window.add(now);
        }
        Ok(())
    }

    /// Sends nothing for a while.
    pub(crate) fn close(&self, wait: Duration, why: &'static str) {
        let until = self.pace.elapsed() + wait.min(LONGEST_WAIT);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed_until.is_none_or(|(known, _)| known < until) {
            state.closed_until = Some((until, why));
        }
    }

    /// Learns from an answer's headers. Returns how long the vendor asks to wait, if it does.
    pub(crate) fn learn(
        &self,
        headers: &LimitHeaders,
        response: &HttpResponse,
    ) -> Option<Duration> {
        let retry_after = response.header(&headers.retry_after).and_then(|value| {
            wait_of(value, ResetIs::Seconds, self.clock.now()).or_else(|| self.date(value))
        });
        let number = |name: &Option<String>| response.header(name.as_ref()?);
        let left = number(&headers.remaining).and_then(|value| value.trim().parse::<f64>().ok());
        let reset = number(&headers.reset)
            .and_then(|value| wait_of(value, headers.reset_is, self.clock.now()));
        if let (Some(left), Some(reset)) = (left, reset)
            && left < 1.0
        {
            self.close(reset, "budget that the tool's headers state");
        }
        retry_after.or_else(|| reset.filter(|_| left.is_some_and(|left| left < 1.0)))
    }

    fn date(&self, value: &str) -> Option<Duration> {
        wait_of(value, ResetIs::Date, self.clock.now())
    }
}

/// How long to wait, by the value of a header.
fn wait_of(value: &str, meaning: ResetIs, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let number = || value.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let now_ms = || Duration::from_millis(u64::try_from(now.as_millisecond()).unwrap_or(0));
    let wait = match meaning {
        ResetIs::Seconds => Duration::try_from_secs_f64(number()?).ok()?,
        ResetIs::Epoch => Duration::try_from_secs_f64(number()?).ok()?.saturating_sub(now_ms()),
        ResetIs::EpochMs => {
            Duration::try_from_secs_f64(number()? / 1000.0).ok()?.saturating_sub(now_ms())
        }
        ResetIs::Date => {
            let date = value.parse::<Timestamp>().ok().or_else(|| {
                let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok();
                date.or_else(|| {
                    Timestamp::strptime("%a, %d %b %Y %H:%M:%S GMT %z", format!("{value} +0000"))
                        .ok()
                })
            })?;
            Duration::from_millis(u64::try_from(date.as_millisecond()).ok()?)
                .saturating_sub(now_ms())
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

/// So many requests in any stretch of so many seconds.
struct Sliding {
    count: u64,
    per: Duration,
    /// End of a part, and what was sent in it; oldest first.
    parts: VecDeque<(Duration, u64)>,
    sent: u64,
}

impl Sliding {
    fn new(count: u64, per_seconds: u64) -> Self {
        Self {
            count: count.max(1),
            per: Duration::from_secs(per_seconds),
            parts: VecDeque::new(),
            sent: 0,
        }
    }

    /// How long there is no place; `None` when there is one.
    fn wait(&mut self, now: Duration) -> Option<Duration> {
        while let Some((end, sent)) = self.parts.front()
            && *end + self.per <= now
        {
            self.sent -= sent;
            self.parts.pop_front();
        }
        if self.sent < self.count {
            return None;
        }
        let oldest = self.parts.front().map_or(now, |(end, _)| *end);
        Some((oldest + self.per).saturating_sub(now).max(Duration::from_millis(1)))
    }

    fn add(&mut self, now: Duration) {
        self.sent += 1;
        match self.parts.back_mut() {
            Some((end, sent)) if *end >= now => *sent += 1,
            _ => {
                // A small window is kept to the millisecond: it waits no longer than it must.
                let length =
                    if self.count <= u64::from(PARTS) { Duration::ZERO } else { self.per / PARTS };
                self.parts.push_back((now + length, 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::NoObserver;
    use bytes::Bytes;
    use cadre_model::time::FixedClock;

    fn budget(yaml_windows: &[(u64, u64)]) -> Budget {
        let limits = Limits {
            requests: yaml_windows
                .iter()
                .map(|(count, per_seconds)| crate::manifest::Window {
                    count: *count,
                    per_seconds: *per_seconds,
                })
                .collect(),
            ..Limits::default()
        };
        let clock = Arc::new(FixedClock::new("2026-01-15T12:00:00Z".parse().expect("time")));
        Budget::new(&limits, Arc::new(Pace::new(false)), clock)
    }

    async fn times(budget: &Budget, requests: usize) -> Vec<u64> {
        let mut times = Vec::new();
        for _ in 0..requests {
            drop(budget.enter(Duration::from_secs(60), &NoObserver).await.expect("a short wait"));
            times.push(milliseconds(budget.pace.elapsed()));
        }
        times
    }

    #[tokio::test(start_paused = true)]
    async fn every_window_is_kept() {
        let both = budget(&[(2, 1), (3, 10)]);
        assert_eq!(times(&both, 5).await, [0, 0, 1000, 10_000, 10_000]);
        let none = budget(&[]);
        assert_eq!(times(&none, 3).await, [0, 0, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_stretch_holds_more_than_the_window_allows() {
        let large = budget(&[(500, 10)]);
        let times = times(&large, 1600).await;
        for (at, start) in times.iter().enumerate() {
            let within = times[at..].iter().take_while(|time| **time < start + 10_000).count();
            assert!(within <= 500, "{within} requests in the ten seconds from {start}");
        }
        assert!(*times.last().expect("times") < 31_000);
    }

    #[tokio::test(start_paused = true)]
    async fn headers_close_the_budget() {
        let headers = LimitHeaders {
            remaining: Some("X-Left".to_owned()),
            reset: Some("X-Reset".to_owned()),
            reset_is: ResetIs::Epoch,
            ..LimitHeaders::default()
        };
        let response = |headers: &[(&str, &str)]| HttpResponse {
            status: 200,
            headers: headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            body: Bytes::new(),
        };
        let budget = budget(&[]);
        let noon = 1_768_478_400_u64;
        assert_eq!(
            budget.learn(&headers, &response(&[("x-left", "3"), ("x-reset", "1768478430")])),
            None
        );
        assert_eq!(times(&budget, 1).await, [0]);
        let reset = (noon + 30).to_string();
        let wait = budget.learn(&headers, &response(&[("x-left", "0"), ("x-reset", &reset)]));
        assert_eq!(wait, Some(Duration::from_secs(30)));
        assert_eq!(times(&budget, 1).await, [30_000]);
        let wait =
            budget.learn(&headers, &response(&[("retry-after", "Thu, 15 Jan 2026 12:00:05 GMT")]));
        assert_eq!(wait, Some(Duration::from_secs(5)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_wait_is_refused() {
        let daily = budget(&[(1, 86_400)]);
        assert_eq!(times(&daily, 1).await, [0]);
        let refused = daily.enter(Duration::from_secs(60), &NoObserver).await.err();
        assert_eq!(refused, Some((Duration::from_secs(86_400), "budget of requests")));
    }

    #[test]
    fn waits_are_read() {
        let now: Timestamp = "2026-01-15T12:00:00Z".parse().expect("time");
        for (value, meaning, expected) in [
            ("7", ResetIs::Seconds, Some(7)),
            ("-1", ResetIs::Seconds, None),
            ("soon", ResetIs::Seconds, None),
            ("1e300", ResetIs::Seconds, None),
            ("99999999", ResetIs::Seconds, Some(86_400)),
            ("1768478410", ResetIs::Epoch, Some(10)),
            ("1768478410000", ResetIs::EpochMs, Some(10)),
            ("1", ResetIs::Epoch, Some(0)),
            ("Thu, 15 Jan 2026 12:00:09 GMT", ResetIs::Date, Some(9)),
            ("2026-01-15T12:01:00Z", ResetIs::Date, Some(60)),
        ] {
            let wait = wait_of(value, meaning, now).map(|wait| wait.as_secs());
            assert_eq!(wait, expected, "{value}");
        }
    }
}
