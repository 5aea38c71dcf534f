//! The parse queue: pages of postings are read one after the other, and again after a while.

use std::time::Duration;

use cadre_model::fault::{Code, Fault};
use cadre_store::{EnvironmentScope, Error, LeasedPosting, Posting, Seen};
use rand::Rng as _;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::reading::{self, Looked};
use super::visit::{NoPage, Patience};
use super::{assistant, submit};
use crate::settings::Parts;

/// The pause after the first look that failed.
const FIRST_PAUSE_MS: i64 = 60_000;
/// The longest pause after looks that failed.
const LONGEST_PAUSE_MS: i64 = 12 * 3_600_000;
/// How often an idle worker looks whether there is something to do.
const POLL: Duration = Duration::from_secs(1);

/// Reads pages and sends applications until `stop` turns true.
pub async fn work(parts: Parts, mut stop: watch::Receiver<bool>) {
    let most = parts.settings.apply.parse_at_once;
    let mut running = JoinSet::new();
    while !*stop.borrow() && most > 0 {
        while running.len() < most {
            match next(&parts).await {
                Ok(Some(task)) => {
                    let parts = parts.clone();
                    running.spawn(async move { task.run(&parts).await });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "looking for postings to read failed");
                    break;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    // An application that is on its way is not cut off: its end has to be written down.
    while running.join_next().await.is_some() {}
}

/// Does everything that is due, one after the other, then returns: for the command line and tests. How
/// much there was.
///
/// # Errors
///
/// When the database fails.
pub async fn drain(parts: &Parts) -> Result<usize, Error> {
    let mut done = 0;
    while let Some(task) = next(parts).await? {
        task.run(parts).await;
        done += 1;
    }
    Ok(done)
}

/// Something to do.
enum Task {
    Send(Box<cadre_store::LeasedApplication>),
    Read(Box<LeasedPosting>),
}

/// What is due first: an application before a page.
async fn next(parts: &Parts) -> Result<Option<Task>, Error> {
    let lease_ms = lease_ms(parts);
    if let Some(leased) = parts.store.application_claim(lease_ms).await? {
        return Ok(Some(Task::Send(Box::new(leased))));
    }
    let leased = parts.store.posting_claim(lease_ms).await?;
    Ok(leased.map(|leased| Task::Read(Box::new(leased))))
}

/// Longer than a task can take, with every page and step of it: none gives a sign of life.
pub(super) fn lease_ms(parts: &Parts) -> i64 {
    let longest = parts.settings.apply.page_timeout * 40 + parts.settings.lease;
    i64::try_from(longest.as_millis()).unwrap_or(i64::MAX / 2)
}

impl Task {
    async fn run(self, parts: &Parts) {
        let (what, outcome) = match self {
            Task::Send(leased) => ("an application", submit::send(parts, &leased).await),
            Task::Read(leased) => ("a posting", read(parts, &leased).await),
        };
        if let Err(error) = outcome {
            tracing::warn!(%error, "what came of {what} was not written down");
        }
    }
}

async fn read(parts: &Parts, leased: &LeasedPosting) -> Result<(), Error> {
    let posting = &leased.posting;
    let seen = match look(parts, &leased.scope, posting, Patience::Queue).await {
        Ok(seen) => seen,
        Err(NoPage::Busy(wait)) => {
            let until = parts.clock.now_ms() + i64::try_from(wait.as_millis()).unwrap_or(0);
            return parts.store.posting_put_off(leased, until).await;
        }
        Err(NoPage::Forbidden) => Seen::NoForm(NoPage::Forbidden.words()),
        Err(other) => Seen::Failed(other.words()),
    };
    let next = next_look(parts, posting, &seen);
    parts.store.posting_parsed(leased, &seen, next).await
}

/// Looks at the page of a posting now, and writes down what it shows.
///
/// # Errors
///
/// `REMOTE.SERVICE_UNAVAILABLE` when the page cannot be had; when the database fails.
pub async fn now(parts: &Parts, scope: &EnvironmentScope, posting: &Posting) -> Result<(), Fault> {
    let patience = Patience::Caller(parts.settings.live_timeout);
    let seen = match look(parts, scope, posting, patience).await {
        Ok(seen) => seen,
        Err(NoPage::Forbidden) => Seen::NoForm(NoPage::Forbidden.words()),
        Err(other) => return Err(Fault::new(Code::RemoteServiceUnavailable, other.words())),
    };
    let next = next_look(parts, posting, &seen);
    let written = parts.store.posting_seen(scope, &posting.id, &seen, next).await;
    written.map_err(Fault::unknown)
}

/// Looks at the page of a posting.
pub(super) async fn look(
    parts: &Parts,
    scope: &EnvironmentScope,
    posting: &Posting,
    patience: Patience,
) -> Result<Seen, NoPage> {
    Ok(match reading::look(parts, &posting.url, patience).await? {
        Looked::Form { mut form, job } => {
            // The id comes of what the page says; a helper's guesses do not make it another form.
            let id = form.id();
            assistant::help(parts, scope, &posting.id, &id, &mut form).await;
            Seen::Form { id, body: form.text(), job }
        }
        Looked::NoForm(why) => Seen::NoForm(why),
        Looked::Gone(why) => Seen::Gone(why),
        Looked::Failed(why) => Seen::Failed(why),
    })
}

/// When the page is looked at again.
pub(super) fn next_look(parts: &Parts, posting: &Posting, seen: &Seen) -> i64 {
    let usual =
        i64::try_from(parts.settings.apply.reparse_every.as_millis()).unwrap_or(i64::MAX / 4);
    let pause = match seen {
        Seen::Failed(_) => {
            let doubled = FIRST_PAUSE_MS << posting.parse_failures.clamp(0, 12);
            doubled.min(LONGEST_PAUSE_MS).min(usual)
        }
        Seen::Form { .. } | Seen::NoForm(_) | Seen::Gone(_) => usual,
    };
    // Postings that came together are not read together for ever.
    let spread = rand::rng().random_range(0..=pause / 10);
    parts.clock.now_ms() + pause + spread
}
