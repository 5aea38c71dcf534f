//! `/env/{env}/webhooks/{endpoint}`: one endpoint: how it does, its deliveries, telling it again.

use askama::Template;
use axum::extract::State;
use cadre_jobs::webhooks::send_test;
use cadre_store::{
    Delivery, DeliveryState, Endpoint, EndpointChange, EndpointState, EventType, Replay, new_secret,
};

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, duration, grouped, html, see_other};
use super::shell::{Here, Named, Shell};
use super::webhooks::{state_badge, types as types_of};
use crate::state::AppState;

/// Deliveries on a page.
const ON_PAGE: u32 = 50;
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Template)]
#[template(path = "webhook.html")]
struct Webhook {
    shell: Shell,
    id: String,
    url: String,
    state: Badge,
    enabled: bool,
    reason: Option<String>,
    types: Vec<(&'static str, bool)>,
    created: Moment,
    failing_since: Option<Moment>,
    last_number: String,
    waiting: String,
    failed: i64,
    wanted: String,
    rows: Vec<Row>,
    after: Option<i64>,
    secret: Option<(String, i64)>,
    test: Option<TestOut>,
}

#[derive(Debug)]
struct TestOut {
    badge: Badge,
    words: String,
    hint: Option<String>,
    answer: Option<String>,
    log: String,
}

#[derive(Debug)]
struct Row {
    number: i64,
    state: Badge,
    kind: &'static str,
    integration: String,
    attempts: i64,
    at: Option<Moment>,
    next: Option<Moment>,
    result: String,
    log: Option<String>,
}

/// What an act has to show that is shown once.
#[derive(Default)]
struct Once {
    secret: Option<(String, i64)>,
    test: Option<TestOut>,
}

async fn endpoint(state: &AppState, here: &Here, named: &Named) -> Result<Endpoint, Trouble> {
    let found = state.store.endpoint_get(&here.scope, named.part("endpoint")).await?;
    found.ok_or(Trouble::Missing("A webhook endpoint with this id"))
}

/// Shows an endpoint.
pub(super) async fn get(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let endpoint = endpoint(&state, &here, &named).await?;
    show(&state, &here, endpoint, Once::default()).await
}

async fn show(state: &AppState, here: &Here, endpoint: Endpoint, once: Once) -> Shown {
    let wanted = here.asked("state").unwrap_or_default();
    let filter = match wanted.as_str() {
        "pending" => Some(DeliveryState::Pending),
        "delivered" => Some(DeliveryState::Delivered),
        "failed" => Some(DeliveryState::Failed),
        _ => None,
    };
    let before = here.asked("before").and_then(|number| number.parse().ok());
    let (store, scope) = (&state.store, &here.scope);
    let mut list = store.delivery_list(scope, &endpoint.id, filter, before, ON_PAGE + 1).await?;
    let more = list.len() > ON_PAGE as usize;
    list.truncate(ON_PAGE as usize);
    let backlogs = store.backlogs(scope).await?;
    let backlog = backlogs.iter().find(|one| one.endpoint_id == endpoint.id);
    let page = Webhook {
        shell: here.shell("webhooks"),
        state: state_badge(&endpoint),
        enabled: endpoint.state == EndpointState::Enabled,
        reason: endpoint.state_reason.clone(),
        types: EventType::ALL
            .iter()
            .map(|known| (known.as_str(), endpoint.types.contains(known)))
            .collect(),
        created: Moment(endpoint.created_at),
        failing_since: endpoint.failing_since.map(Moment),
        last_number: grouped(endpoint.last_sequence),
        waiting: grouped(backlog.map_or(0, |one| one.waiting + one.unread)),
        failed: backlog.map_or(0, |one| one.failed),
        after: list.last().filter(|_| more).map(|one| one.sequence),
        rows: list.into_iter().map(row).collect(),
        wanted,
        secret: once.secret,
        test: once.test,
        id: endpoint.id,
        url: endpoint.url,
    };
    Ok(html(&page))
}

fn row(delivery: Delivery) -> Row {
    let waits = delivery.state == DeliveryState::Pending;
    Row {
        number: delivery.sequence,
        state: match delivery.state {
            DeliveryState::Pending if delivery.attempts > 0 => Badge::warn("waits"),
            DeliveryState::Pending => Badge::busy("waits"),
            DeliveryState::Delivered => Badge::good("delivered"),
            DeliveryState::Failed => Badge::bad("given up"),
        },
        kind: delivery.event.event_type.as_str(),
        integration: delivery.event.integration_id.unwrap_or_default(),
        attempts: delivery.attempts,
        at: delivery.last_attempt_at.map(Moment),
        next: waits.then_some(Moment(delivery.next_at)),
        result: match (delivery.last_status, delivery.last_error) {
            (_, Some(error)) => error,
            (Some(status), None) => status.to_string(),
            (None, None) => String::new(),
        },
        log: delivery.interaction_id,
    }
}

/// Changes the types that it is told about.
pub(super) async fn types(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    form: Posted,
) -> Shown {
    let types = types_of(&form).ok_or(Trouble::Missing("A type of event of this name"))?;
    let words: Vec<&str> = types.iter().map(|known| known.as_str()).collect();
    let words = words.join(", ");
    let change = EndpointChange { types: Some(types), ..EndpointChange::default() };
    changed(&state, &here, &named, change, ("webhook.types", &words, "endpoint-types")).await
}

/// Stops telling it.
pub(super) async fn pause(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let state_then = Some(EndpointState::Paused);
    let change = EndpointChange { state: state_then, ..EndpointChange::default() };
    changed(&state, &here, &named, change, ("webhook.paused", "", "endpoint-pause")).await
}

/// Tells it again, beginning with what waits.
pub(super) async fn resume(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let state_then = Some(EndpointState::Enabled);
    let change = EndpointChange { state: state_then, ..EndpointChange::default() };
    changed(&state, &here, &named, change, ("webhook.resumed", "", "endpoint-resume")).await
}

async fn changed(
    state: &AppState,
    here: &Here,
    named: &Named,
    change: EndpointChange,
    (act, detail, done): (&str, &str, &str),
) -> Shown {
    let changed = state.store.endpoint_change(&here.scope, named.part("endpoint"), change).await?;
    let endpoint = changed.ok_or(Trouble::Missing("A webhook endpoint with this id"))?;
    here.note(state, act, &endpoint.id, detail).await?;
    Ok(see_other(&format!("{}/webhooks/{}?done={done}", here.base(), endpoint.id)))
}

/// Sends one message of type `test`, and shows what came back.
pub(super) async fn test(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let endpoint = endpoint(&state, &here, &named).await?;
    let secrets = state.store.endpoint_secrets(&here.scope, &endpoint.id).await?;
    let secrets = secrets.ok_or(Trouble::Missing("A webhook endpoint with this id"))?;
    let (outcome, interaction_id) = send_test(&state.parts, &endpoint, &secrets).await?;
    here.note(&state, "webhook.tested", &endpoint.id, "").await?;
    let took = duration(outcome.exchange.duration_ms);
    let status = outcome.status.map_or_else(|| "no answer".to_owned(), |s| s.to_string());
    let test = TestOut {
        badge: if outcome.delivered { Badge::good(status) } else { Badge::bad(status) },
        words: match &outcome.fault {
            Some(fault) => fault.message.clone(),
            None => format!("The endpoint took the message in {took}."),
        },
        hint: outcome.fault.as_ref().map(|fault| fault.next_step().to_owned()),
        answer: outcome.answer.filter(|answer| !answer.is_empty()),
        log: interaction_id,
    };
    show(&state, &here, endpoint, Once { test: Some(test), ..Once::default() }).await
}

/// Tells it again what the form names.
pub(super) async fn replay(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    form: Posted,
) -> Shown {
    let number = |name: &str| form.text(name).parse::<i64>().ok().filter(|number| *number >= 0);
    let replay = match form.text("what") {
        "failed" => Replay::Failed,
        "numbers" => {
            let from = number("from").ok_or(Trouble::Missing("A first number"))?;
            Replay::Deliveries { from, to: number("to").unwrap_or(from) }
        }
        _ => return Err(Trouble::Missing("What to tell again")),
    };
    let id = named.part("endpoint");
    let done = state.store.deliveries_replay(&here.scope, id, replay).await?;
    let done = done.ok_or(Trouble::Missing("A webhook endpoint with this id"))?;
    here.note(&state, "webhook.replayed", id, format!("{} deliveries", done.again)).await?;
    Ok(see_other(&format!("{}/webhooks/{id}?done=replay", here.base())))
}

/// Gives it another secret, which is on this page and on no other.
pub(super) async fn rotate(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    form: Posted,
) -> Shown {
    let hours = form.text("hours").parse::<i64>().ok().filter(|hours| (0..=720).contains(hours));
    let hours = hours.unwrap_or(24);
    let endpoint = endpoint(&state, &here, &named).await?;
    let secret = new_secret();
    let shown = secret.expose().to_owned();
    let until = state.clock.now_ms() + hours * HOUR_MS;
    state.store.endpoint_secret_rotate(&here.scope, &endpoint.id, secret, until).await?;
    here.note(&state, "webhook.secret-rotated", &endpoint.id, format!("{hours} hours")).await?;
    show(&state, &here, endpoint, Once { secret: Some((shown, hours)), ..Once::default() }).await
}

/// Deletes it with its deliveries.
pub(super) async fn delete(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let id = named.part("endpoint");
    if !state.store.endpoint_delete(&here.scope, id).await? {
        return Err(Trouble::Missing("A webhook endpoint with this id"));
    }
    here.note(&state, "webhook.deleted", id, "").await?;
    Ok(see_other(&format!("{}/webhooks?done=endpoint-delete", here.base())))
}
