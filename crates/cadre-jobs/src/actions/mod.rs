//! Actions: a caller has a tool do something, once.
//!
//! A run has a key: the caller's own, or the hash of what was asked. Its steps are stored one by one, so
//! that a repetition (after a time-out, a lost answer, a killed process) goes on where it ended:
//!
//! - [`perform`] claims the run, waits for another one of the same key, and keeps what was answered;
//! - `prepare` turns ids into those of the tool, fetches files, and holds answers against questions;
//! - `run` takes the steps; `outcome` makes the answer and lets the mirror know.

pub mod bulk;
pub(crate) mod failing;
pub(crate) mod files;
mod order;
pub(crate) mod outcome;
pub(crate) mod prepare;
pub(crate) mod run;
pub(crate) mod screening;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cadre_connector::{Account, Failure, Io, ReadLimits, Session};
use cadre_model::action::{Action, Checked, RESULT};
use cadre_model::fault::{Code, Fault};
use cadre_store::{ActionRun, Asked, Claim, Integration, IntegrationScope};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::catalog::Entry;
use crate::grants::with_stored_grant;
use crate::live::Judged;
use crate::observe::Log;
use crate::settings::Parts;

/// How long a run is kept whose key is the caller's.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long a run is kept that nobody named: long enough for a client that repeats by itself.
const KEEP_UNNAMED: Duration = Duration::from_secs(600);
/// How long a run stays with its process without a sign of life.
const LEASE: Duration = Duration::from_secs(15);
/// How often a run that another request works on is looked at.
const LOOK: Duration = Duration::from_millis(150);
/// Attempts of one request within an action.
const ATTEMPTS: u32 = 4;

/// What a caller wants done.
pub struct Order {
    /// The action.
    pub action: &'static Action,
    /// The id of the record that the path names.
    pub about: Option<String>,
    /// The body, checked.
    pub checked: Checked,
    /// The caller's key.
    pub key: Option<String>,
    /// The interaction that the exchanges belong to.
    pub interaction_id: String,
    /// Fields of the answer that the scope configuration switches off.
    pub hidden: HashSet<&'static str>,
}

/// What an action led to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Finished {
    /// The answer.
    pub data: Value,
    /// What the caller should know beside it.
    pub warnings: Vec<String>,
}

/// Why an action did not end well, and what that means for a repetition.
pub(crate) struct Failed {
    judged: Judged,
    /// Whether nobody knows what happened, and nothing can find out.
    lost: bool,
}

impl Failed {
    /// Whether the request itself was refused.
    fn is_refusal(&self) -> bool {
        self.judged.fault.code == Code::PlatformInputInvalid
    }
}

impl<T: Into<Judged>> From<T> for Failed {
    fn from(judged: T) -> Self {
        Self { judged: judged.into(), lost: false }
    }
}

/// Everything that one run works with.
pub(crate) struct Work<'a> {
    parts: &'a Parts,
    scope: &'a IntegrationScope,
    entry: &'a Entry,
    session: &'a Session,
    integration: &'a Integration,
    order: &'a Order,
}

/// Does what is ordered, or finds that it has been done.
///
/// # Errors
///
/// What is wrong with the order, what the tool said, or that the time was over.
pub async fn perform(
    parts: &Parts,
    scope: &IntegrationScope,
    integration: &Integration,
    order: Order,
) -> Result<Finished, Judged> {
    let until = Instant::now() + parts.settings.action_timeout;
    let fingerprint = fingerprint(&order);
    let (key, keep) = match &order.key {
        Some(key) => (format!("key:{key}"), KEEP),
        None => (format!("body:{fingerprint}"), KEEP_UNNAMED),
    };
    let asked = Asked {
        operation: order.action.id,
        key: &key,
        fingerprint: &fingerprint,
        keep_ms: milliseconds(keep),
        lease_ms: milliseconds(LEASE),
    };
    let run = loop {
        match parts.store.action_claim(scope, asked).await? {
            Claim::Begun(run) | Claim::Resumed(run) => break run,
            Claim::Ended(answer) => return Ok(Finished::read(&answer)),
            Claim::OtherBody => return Err(other_body().into()),
            Claim::Busy if Instant::now() < until => tokio::time::sleep(LOOK).await,
            Claim::Busy => return Err(timed_out(parts, &order, "it is still under way").into()),
        }
    };
    let outcome = tokio::select! {
        outcome = work(parts, scope, integration, &order, &run, until) => outcome,
        () = hold(parts, &run) => Err(timed_out(parts, &order, "another request took it over").into()),
    };
    let ended = settle(parts, &order, &run, outcome).await;
    failing::note(parts, scope, order.action.id, &ended).await;
    ended
}

/// Keeps what a repetition needs, and lets everything else go.
async fn settle(
    parts: &Parts,
    order: &Order,
    run: &ActionRun,
    outcome: Result<Finished, Failed>,
) -> Result<Finished, Judged> {
    let store = &parts.store;
    let (kept, answer) = match outcome {
        Ok(finished) if order.key.is_some() => {
            (store.action_end(run, &finished.written()).await, Ok(finished))
        }
        Ok(finished) => (store.action_forget(run).await, Ok(finished)),
        Err(failed) if failed.lost && order.key.is_none() => {
            (store.action_forget(run).await, Err(failed.judged))
        }
        // The tool was asked nothing yet: the same key may come with a request that is put right.
        Err(failed) if failed.is_refusal() && nothing_done(parts, run).await => {
            (store.action_forget(run).await, Err(failed.judged))
        }
        Err(failed) => (store.action_release(run).await, Err(failed.judged)),
    };
    if let Err(error) = kept {
        // What was done is done: the caller hears of it. The run ends by itself.
        tracing::warn!(action.run = %run.id, %error, "the end of an action was not kept");
    }
    answer
}

async fn nothing_done(parts: &Parts, run: &ActionRun) -> bool {
    parts.store.action_steps(run).await.is_ok_and(|steps| steps.is_empty())
}

/// Shows that the run is alive; ends when it is somebody else's.
async fn hold(parts: &Parts, run: &ActionRun) {
    loop {
        tokio::time::sleep(LEASE / 3).await;
        match parts.store.action_extend(run, milliseconds(LEASE)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(action.run = %run.id, %error, "an action was not held"),
        }
    }
}

async fn work(
    parts: &Parts,
    scope: &IntegrationScope,
    integration: &Integration,
    order: &Order,
    run: &ActionRun,
    until: Instant,
) -> Result<Finished, Failed> {
    let entry = parts.catalog.get(&integration.tool).ok_or_else(|| {
        let words = format!("There is no connector for {} here.", integration.tool);
        Fault::new(Code::IntegrationActionNotAvailable, words)
    })?;
    let mut secrets = parts.store.integration_secrets(scope).await?;
    if order.action.id == RESULT {
        secrets.insert("hook".to_owned(), parts.store.hook(scope).await?.secret);
    }
    let account = Account { settings: integration.settings.clone(), secrets };
    let log = Arc::new(Log::new(order.interaction_id.clone(), u64::MAX, parts.clock.clone()));
    let left = until.saturating_duration_since(Instant::now());
    let read = &parts.settings.read;
    let limits = ReadLimits {
        max_attempts: read.max_attempts.min(ATTEMPTS),
        max_total_wait: read.max_total_wait.min(left),
        max_body_bytes: read.max_body_bytes.min(parts.settings.file_bytes),
        total: Some(left),
        ..read.clone()
    };
    let io =
        Io { http: parts.http.clone(), clock: parts.clock.clone(), observer: log.clone(), limits };
    let session = parts.standings.session(scope.id(), entry.connector.clone(), account, io);
    let session = with_stored_grant(parts, session, scope);
    let work = Work { parts, scope, entry: &entry, session: &session, integration, order };
    let done = work.all(run).await;
    log.write(&parts.store).await;
    done
}

impl Work<'_> {
    async fn all(&self, run: &ActionRun) -> Result<Finished, Failed> {
        let mut prepared = self.prepare().await?;
        let started = Value::from(cadre_model::time::wire(run.created_at));
        let journal = run::Journal { store: &self.parts.store, run };
        let id = self.order.action.id;
        self.keep_result(&prepared).await?;
        let taken = run::steps(self.session, id, &prepared, &run.id, &started, Some(&journal));
        let (saved, warnings) = taken.await.map_err(|stopped| self.stopped(stopped))?;
        prepared.warnings.extend(warnings);
        let finished = self.outcome(&prepared, &saved, &started).await?;
        self.handed_over(&prepared).await?;
        Ok(finished)
    }

    fn stopped(&self, stopped: run::Stopped) -> Failed {
        let mut failed = match stopped.why {
            run::Why::Failed(failure) => Failed::from(failure),
            run::Why::Unknown(failure) => {
                let label = &self.entry.connector.manifest().label;
                let fault = unknown_outcome(label, self.order.action, &failure);
                let judged = Judged { fault: Box::new(fault), rule: Some(failure.rule) };
                Failed { judged, lost: true }
            }
            run::Why::OutOfTime => {
                timed_out(self.parts, self.order, "the tool was too slow").into()
            }
            run::Why::Store(error) => Failed::from(error),
        };
        if !stopped.done.is_empty() {
            let note = format!(" Done before that: {}.", stopped.done.join(", "));
            failed.judged.fault.message.push_str(&note);
        }
        failed
    }
}

/// Nobody knows whether the tool did it.
pub(crate) fn unknown_outcome(label: &str, action: &Action, failure: &Failure) -> Fault {
    let what = action.label.to_lowercase();
    let words =
        format!("It is not known whether {label} did it ({what}): {}", failure.fault.message);
    Fault::new(Code::RemoteUnknownHttpError, words)
        .hint("Look in the tool before you send the request again.")
}

impl Finished {
    fn written(&self) -> Value {
        json!({"data": self.data, "warnings": self.warnings})
    }

    fn read(written: &Value) -> Self {
        let warnings = written["warnings"].as_array().into_iter().flatten();
        let warnings = warnings.filter_map(|one| one.as_str().map(str::to_owned)).collect();
        Self { data: written["data"].clone(), warnings }
    }
}

fn other_body() -> Fault {
    Fault::new(
        Code::PlatformInputInvalid,
        "Invalid request: `header.Idempotency-Key`: expected a key of its own for each request, got one that \
         came with another request before.",
    )
    .hint("Send a new key with a new request; the same key only repeats the same request.")
}

fn timed_out(parts: &Parts, order: &Order, why: &str) -> Fault {
    let seconds = parts.settings.action_timeout.as_secs();
    let words = format!("The action {} did not end within {seconds} s: {why}.", order.action.id);
    let hint = if order.key.is_some() {
        "Send the same request with the same Idempotency-Key: what is done is not done again."
    } else {
        "Send the same request again within ten minutes: what is done is not done again. A header \
         Idempotency-Key gives you seven days."
    };
    Fault::new(Code::PlatformTaskTimedOut, words).hint(hint)
}

/// A hash of what is asked: the record and the body, in one form.
fn fingerprint(order: &Order) -> String {
    let mut hasher = Sha256::new();
    let body = order.checked.value.to_string();
    for part in [order.action.id, order.about.as_deref().unwrap_or_default(), &body] {
        // The length goes in too, so that no two orders run together.
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
