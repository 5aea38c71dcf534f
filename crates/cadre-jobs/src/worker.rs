//! Workers: they lease jobs and do them.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use cadre_store::Job;
use futures::FutureExt;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use crate::actions::bulk::{self, BULK};
use crate::actions::failing;
use crate::apply::clicks::{self, CLICK};
use crate::enqueue::SYNC;
use crate::fields::again::{self, AGAIN};
use crate::hooks::{self, FETCH};
use crate::retention;
use crate::settings::{Parts, Settings};
use crate::sync::{finish, plan, run};

/// Kinds of jobs, in the order in which they are taken.
const KINDS: &[&str] = &[FETCH, BULK, AGAIN, CLICK, SYNC];

/// Most attempts of a job that fails on our own side.
const ATTEMPTS: i64 = 10;
/// Most attempts of a job whose worker vanishes each time. More than those that fail, because a
/// server that is stopped takes its jobs along through no fault of theirs.
const LIVES: i64 = 50;

impl Settings {
    /// The lease in milliseconds.
    #[must_use]
    pub fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Does jobs until `stop` turns true; then finishes nothing new and gives running jobs back.
///
/// `wake` spares the wait until the next look when a job was enqueued in this process.
pub async fn work(parts: Parts, wake: Arc<Notify>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(parts.settings.concurrent_syncs));
    let mut running = JoinSet::new();
    let mut last_upkeep = 0;
    while !*stop.borrow() {
        if let Err(error) = plan::enqueue_due(&parts).await {
            tracing::warn!(%error, "looking for due syncs failed");
        }
        upkeep(&parts, &mut last_upkeep).await;
        while let Ok(place) = places.clone().try_acquire_owned() {
            match parts.store.job_claim(KINDS, parts.settings.lease_ms()).await {
                Ok(Some(job)) => {
                    let parts = parts.clone();
                    running.spawn(async move {
                        perform(&parts, job).await;
                        drop(place);
                    });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "claiming a job failed");
                    break;
                }
            }
        }
        while running.try_join_next().is_some() {}
        tokio::select! {
            () = tokio::time::sleep(parts.settings.poll) => {}
            () = wake.notified() => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    // A job that is cut off here is resumed by whoever leases it next, page by page.
    running.shutdown().await;
}

/// Does one job and keeps its lease alive meanwhile.
pub async fn perform(parts: &Parts, job: Job) {
    let heartbeat = async {
        let pause = parts.settings.lease / 3;
        loop {
            tokio::time::sleep(pause).await;
            match parts.store.job_extend(&job, parts.settings.lease_ms()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(job.id = %job.id, %error, "a lease was not extended"),
            }
        }
    };
    let work = async {
        if job.attempts > LIVES {
            return Err("its worker vanished too often".to_owned());
        }
        let work = AssertUnwindSafe(work_on(parts, &job)).catch_unwind().await;
        work.map_err(|_| "the worker panicked".to_owned())?
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        () = heartbeat => {
            tracing::warn!(job.id = %job.id, "the lease of a job was lost; another worker goes on with it");
            return;
        }
    };
    let settled = match outcome {
        Ok(()) => parts.store.job_finish(&job).await,
        Err(error) if job.attempts < ATTEMPTS => {
            tracing::warn!(job.id = %job.id, %error, "a job failed and is tried again");
            let at = parts.clock.now_ms() + backoff_ms(job.attempts);
            parts.store.job_retry(&job, at, &error).await
        }
        Err(error) => {
            tracing::error!(job.id = %job.id, %error, "a job failed too often");
            let given_up = match job.kind.as_str() {
                BULK => bulk::give_up(parts, &job).await,
                SYNC => finish::give_up(parts, &job).await,
                _ => Ok(()),
            };
            if let Err(error) = given_up {
                tracing::error!(job.id = %job.id, %error, "the run of a job was not ended");
            }
            // When its run was ended, the job has ended too, and this changes nothing.
            parts.store.job_dead(&job, &error).await
        }
    };
    if let Err(error) = settled {
        tracing::warn!(job.id = %job.id, %error, "the end of a job was not stored; its lease will run out");
    }
}

async fn work_on(parts: &Parts, job: &Job) -> Result<(), String> {
    let done = match job.kind.as_str() {
        FETCH => return hooks::fetch(parts, job).await,
        BULK => bulk::run(parts, job).await,
        AGAIN => again::run(parts, job).await,
        CLICK => clicks::run(parts, job).await,
        _ => run::run(parts, job).await,
    };
    done.map_err(|error| error.to_string())
}

/// One second, doubled with every attempt, at most five minutes.
fn backoff_ms(attempts: i64) -> i64 {
    1_000 << attempts.clamp(0, 8)
}

/// What must be done now and then: what was kept long enough goes.
async fn upkeep(parts: &Parts, last_ms: &mut i64) {
    const HOUR_MS: i64 = 3_600_000;
    let now = parts.clock.now_ms();
    if now - *last_ms >= HOUR_MS {
        *last_ms = now;
        retention::apply(parts).await;
        if let Err(error) = failing::forget(parts).await {
            tracing::warn!(%error, "issues of actions that nobody calls were not ended");
        }
    }
    if let Err(error) = parts.store.actions_expire().await {
        tracing::warn!(%error, "old actions were not removed");
    }
}

/// Does every job that is due, one after the other, then returns: for the command line and tests.
///
/// # Errors
///
/// When the database fails.
pub async fn drain(parts: &Parts) -> Result<usize, cadre_store::Error> {
    let mut done = 0;
    while let Some(job) = parts.store.job_claim(KINDS, parts.settings.lease_ms()).await? {
        perform(parts, job).await;
        done += 1;
        // Leases are compared in milliseconds; two claims in one must not look alike.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(done)
}
