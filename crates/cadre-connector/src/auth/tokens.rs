//! The token of a log-in: kept until shortly before it ends, asked for by one at a time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Mutex;

use crate::classify::Failure;
use crate::pace::Pace;

/// Longest time before its end at which a token is replaced.
const MARGIN: Duration = Duration::from_secs(60);

/// What a log-in returned.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    /// `$session`.
    pub(crate) session: Arc<Value>,
    /// Counts the log-ins: tells an old token from a new one.
    pub(crate) generation: u64,
}

/// Keeps the token of one account.
#[derive(Default)]
pub(crate) struct Tokens {
    /// Log-ins that have ended, well or badly.
    ended: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<Token>,
    /// When the token is replaced, on the clock of [`Pace`].
    ends: Option<Duration>,
    /// The last log-in, if it failed, and its number.
    failed: Option<(u64, Failure)>,
}

impl Tokens {
    /// The token; logs in when there is none, when it ends soon, or when it is the one that the
    /// caller says does not work (`stale`, a generation). The log-in is told which one was refused.
    ///
    /// Whoever waited while another log-in failed shares its failure: a wrong password is tried once,
    /// not once per request in flight.
    pub(crate) async fn get<F>(
        &self,
        pace: &Pace,
        stale: Option<u64>,
        log_in: impl FnOnce(Option<Token>) -> F,
    ) -> Result<Token, Failure>
    where
        F: Future<Output = Result<(Value, Option<Duration>), Failure>>,
    {
        let ended_before = self.ended.load(Ordering::Acquire);
        let mut state = self.state.lock().await;
        let over = state.ends.is_some_and(|ends| pace.elapsed() >= ends);
        if let Some(token) = &state.token
            && !over
            && stale.is_none_or(|stale| token.generation > stale)
        {
            return Ok(token.clone());
        }
        if let Some((number, failure)) = &state.failed
            && *number > ended_before
        {
            return Err(failure.clone());
        }
        // One that has merely ended was not refused.
        let refused = state.token.take().filter(|token| stale == Some(token.generation));
        let outcome = log_in(refused).await;
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        match outcome {
            Ok((session, life)) => {
                let token = Token { session: Arc::new(session), generation: number };
                state.ends = life.map(|life| pace.elapsed() + life - MARGIN.min(life / 10));
                state.token = Some(token.clone());
                state.failed = None;
                Ok(token)
            }
            Err(failure) => {
                state.failed = Some((number, failure.clone()));
                Err(failure)
            }
        }
    }
}
