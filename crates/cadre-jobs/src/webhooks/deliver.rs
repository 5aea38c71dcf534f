//! Who is told what next, in which order, and when it is tried again.
//!
//! One worker at a time holds an endpoint. It works in turns: it numbers what is new in the ledger,
//! takes deliveries that are due, sends them, and writes down what came of all of them at once. The
//! deliveries of one subject go out one after the other; those of different subjects side by side.
//! What was sent and not written down, because the process ended in between, is sent again: with the
//! same id, so that the receiver knows it by that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cadre_model::ids::random_id;
use cadre_store::{Attempted, Due, EndpointState, Error, Leased, NewInteraction, Turn};
use futures::StreamExt as _;
use indexmap::IndexMap;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::message::Message;
use super::post::{Outcome, interaction, post};
use crate::settings::Parts;

/// How many endpoints one process delivers to at once.
const ENDPOINTS_AT_ONCE: usize = 8;
/// How many deliveries one turn takes on.
const PER_TURN: u32 = 512;
/// After so long a turn begins no further delivery, so that a pause is heard.
const TURN: Duration = Duration::from_secs(2);
/// The pause after a first failure.
const FIRST_PAUSE_MS: i64 = 5_000;
/// The longest pause between two attempts.
const LONGEST_PAUSE_MS: i64 = 3_600_000;
/// How long a delivery is tried.
const TRIED_FOR_MS: i64 = 30 * 24 * 3_600_000;
/// Longest time for which an endpoint that takes nothing is left alone.
const LONGEST_REST_MS: i64 = 60_000;
/// After so many turns without a success an endpoint counts as down, and its recovery as news.
const DOWN: i64 = 3;

/// Delivers until `stop` turns true. `public_url` is where links in events lead to.
pub async fn work(parts: Parts, public_url: Arc<str>, mut stop: watch::Receiver<bool>) {
    let lease_ms = parts.settings.lease_ms();
    let mut running = JoinSet::new();
    while !*stop.borrow() {
        while running.len() < ENDPOINTS_AT_ONCE {
            match parts.store.endpoint_claim(lease_ms).await {
                Ok(Some(leased)) => {
                    let (parts, public_url) = (parts.clone(), public_url.clone());
                    let stop = stop.clone();
                    running.spawn(async move { hold(&parts, &public_url, leased, &stop).await });
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "looking for webhooks to deliver failed");
                    break;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(parts.settings.poll) => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            _ = stop.changed() => {}
        }
    }
    // Each ends after its present turn; what it was in the middle of is written down first.
    while running.join_next().await.is_some() {}
}

/// Delivers everything that is due, then returns: for the command line and tests. How often an
/// endpoint was served.
///
/// # Errors
///
/// When the database fails.
pub async fn drain(parts: &Parts, public_url: &str) -> Result<usize, Error> {
    let (_keep, stop) = watch::channel(false);
    let mut served = 0;
    while let Some(leased) = parts.store.endpoint_claim(parts.settings.lease_ms()).await? {
        hold(parts, public_url, leased, &stop).await;
        served += 1;
    }
    Ok(served)
}

/// Delivers to one endpoint until nothing is due, and keeps the lease alive meanwhile.
async fn hold(parts: &Parts, public_url: &str, leased: Leased, stop: &watch::Receiver<bool>) {
    let id = leased.endpoint.id.clone();
    let heartbeat = async {
        loop {
            tokio::time::sleep(parts.settings.lease / 3).await;
            match parts.store.endpoint_extend(&leased, parts.settings.lease_ms()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(endpoint.id = %id, %error, "a lease was not extended"),
            }
        }
    };
    let ended = tokio::select! {
        ended = turns(parts, public_url, leased.clone(), stop) => ended,
        () = heartbeat => Err(Error::LeaseLost),
    };
    match ended {
        Ok(()) => {}
        Err(error) if error.is_lease_lost() => {
            tracing::warn!(endpoint.id = %id, "another worker delivers to the endpoint now");
        }
        Err(error) => {
            tracing::warn!(endpoint.id = %id, %error, "delivering stopped; it goes on later")
        }
    }
}

async fn turns(
    parts: &Parts,
    public_url: &str,
    mut leased: Leased,
    stop: &watch::Receiver<bool>,
) -> Result<(), Error> {
    let store = &parts.store;
    loop {
        if *stop.borrow() {
            return store.endpoint_release(&leased, Some(parts.clock.now_ms())).await;
        }
        let read = store.deliveries_number(&leased, PER_TURN).await?;
        let due = store.deliveries_due(&leased, PER_TURN).await?;
        if due.is_empty() {
            if read == 0 {
                return store.endpoint_release(&leased, None).await;
            }
            continue;
        }
        let turn = turn(parts, public_url, &leased, due).await;
        leased.endpoint = store.endpoint_turn(&leased, &turn).await?;
        let enabled = leased.endpoint.state == EndpointState::Enabled;
        if !enabled || turn.not_before.is_some() {
            return store.endpoint_release(&leased, turn.not_before).await;
        }
    }
}

/// Sends what is due, and says what is to be written down.
async fn turn(parts: &Parts, public_url: &str, leased: &Leased, due: Vec<Due>) -> Turn {
    let failing = leased.endpoint.failures > 0;
    let mut subjects: IndexMap<String, Vec<Due>> = IndexMap::new();
    for one in due {
        subjects.entry(one.subject.clone()).or_default().push(one);
    }
    if failing {
        // One is enough to see whether it takes anything again; not the one that it refused so often
        // that the fault may be in the event.
        subjects.sort_by_key(|_, line| line.first().map(|due| due.delivery.attempts));
        subjects.truncate(1);
        subjects.values_mut().for_each(|list| list.truncate(1));
    }
    let halt = AtomicBool::new(false);
    let until = Instant::now() + TURN;
    let lines = subjects
        .into_values()
        .map(|line| one_after_the_other(parts, public_url, leased, line, &halt, until));
    let done: Vec<Vec<(Attempted, Outcome)>> = futures::stream::iter(lines)
        .buffer_unordered(parts.settings.webhooks_at_once.max(1))
        .collect()
        .await;
    let mut turn = Turn::default();
    let now = parts.clock.now_ms();
    for (attempted, outcome) in done.into_iter().flatten() {
        if let Some(pause) = outcome.pause_ms {
            turn.not_before = turn.not_before.max(Some(now.saturating_add(pause)));
        }
        if outcome.gone {
            turn.disable = Some("The receiver answered 410: it wants no more messages.".to_owned());
        }
        turn.attempts.push(attempted);
    }
    rest(&mut turn, leased, now);
    turn
}

/// What follows for the endpoint from a turn as a whole.
fn rest(turn: &mut Turn, leased: &Leased, now: i64) {
    let endpoint = &leased.endpoint;
    if turn.attempts.iter().any(|one| one.delivered) {
        turn.hurry = endpoint.failures >= DOWN;
        return;
    }
    if turn.attempts.is_empty() {
        return;
    }
    if endpoint.failing_since.is_some_and(|since| since + TRIED_FOR_MS <= now) {
        // Not the deliveries are given up but the endpoint: they wait for whoever mends it.
        for one in &mut turn.attempts {
            one.again_at = one.again_at.or(Some(now));
        }
        turn.disable.get_or_insert_with(|| "Nothing could be delivered for 30 days.".to_owned());
    }
    let pause = jittered((1_000 << endpoint.failures.clamp(0, 6)).min(LONGEST_REST_MS));
    turn.not_before = turn.not_before.max(Some(now + pause));
}

/// Sends the deliveries of one subject until one fails.
async fn one_after_the_other(
    parts: &Parts,
    public_url: &str,
    leased: &Leased,
    line: Vec<Due>,
    halt: &AtomicBool,
    until: Instant,
) -> Vec<(Attempted, Outcome)> {
    let mut done = Vec::new();
    for due in line {
        if halt.load(Ordering::Relaxed) || Instant::now() > until {
            break;
        }
        let (attempted, outcome) = attempt(parts, public_url, leased, due).await;
        if outcome.pause_ms.is_some() || outcome.gone {
            halt.store(true, Ordering::Relaxed);
        }
        let delivered = attempted.delivered;
        done.push((attempted, outcome));
        if !delivered {
            break;
        }
    }
    done
}

async fn attempt(
    parts: &Parts,
    public_url: &str,
    leased: &Leased,
    due: Due,
) -> (Attempted, Outcome) {
    let endpoint = &leased.endpoint;
    let delivery = &due.delivery;
    let event = &delivery.event;
    let message = Message::of(event, delivery.sequence, endpoint.numbered, public_url);
    let at = parts.clock.now_ms();
    let outcome = post(parts, endpoint, &leased.secrets, &message, delivery.attempts).await;
    let outcome = crate::assessment::heard(parts, event, outcome).await;
    let ended_at = parts.clock.now_ms();
    let first = delivery.first_attempt_at.unwrap_or(at);
    let again_at = (!outcome.delivered).then(|| {
        let pause = outcome.pause_ms.unwrap_or_else(|| backoff_ms(delivery.attempts));
        ended_at.saturating_add(pause)
    });
    let interaction = NewInteraction {
        id: delivery.interaction_id.clone().unwrap_or_else(random_id),
        integration_id: event.integration_id.clone(),
        request: Some(json!({
            "endpoint_id": endpoint.id, "sequence": delivery.sequence, "event": event.sequence,
        })),
        response: Some(json!({ "attempts": delivery.attempts + 1 })),
        ..interaction(endpoint, event.event_type.as_str(), &outcome, first, ended_at)
    };
    let attempted = Attempted {
        at,
        delivered: outcome.delivered,
        again_at: again_at.filter(|_| first + TRIED_FOR_MS > ended_at),
        status: outcome.status,
        error: outcome.fault.as_ref().map(|fault| fault.message.clone()),
        answer: outcome.answer.clone(),
        interaction,
        exchange: outcome.exchange.clone(),
        due,
    };
    (attempted, outcome)
}

/// Five seconds, doubled with every attempt, at most an hour; a quarter more or less, so that what
/// failed together does not come back together.
pub(super) fn backoff_ms(attempts: i64) -> i64 {
    jittered((FIRST_PAUSE_MS << attempts.clamp(0, 20)).min(LONGEST_PAUSE_MS))
}

fn jittered(ms: i64) -> i64 {
    ms * rand::random_range(75..=125) / 100
}
