//! `GET /v1/events`: the ledger of the environment, any range of it, in order.

use axum::extract::{RawQuery, State};
use cadre_jobs::webhooks::absolute;
use cadre_model::time::wire;
use cadre_store::{Event, EventFilter, EventType};
use serde::Serialize;
use serde_json::Value;

use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Pairs, Problem, fault};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, unavailable};
use crate::state::AppState;

/// A part of the ledger.
#[derive(Debug, Serialize)]
pub struct LedgerOut {
    /// What `after` is to be for the next page; `null` at the end.
    next: Option<i64>,
    /// The place of the latest event of the environment.
    last_sequence: i64,
    results: Vec<EventOut>,
}

#[derive(Debug, Serialize)]
struct EventOut {
    sequence: i64,
    id: String,
    r#type: &'static str,
    integration_id: Option<String>,
    created_at: String,
    data: Value,
}

/// Events after a place in the ledger.
pub async fn get(
    State(state): State<AppState>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Data<LedgerOut>, Refused> {
    let mut filter = asked(query.as_deref())?;
    let page_size = filter.limit;
    filter.limit += 1;
    let mut events = state.store.event_list(&caller.scope, &filter).await.map_err(unavailable)?;
    let last_sequence = state.store.event_head(&caller.scope).await.map_err(unavailable)?;
    let more = events.len() > page_size as usize;
    events.truncate(page_size as usize);
    let next = events.last().filter(|_| more).map(|event| event.sequence);
    let results = events.into_iter().map(|event| out(event, &state.public_url)).collect();
    Ok(Data(LedgerOut { next, last_sequence, results }))
}

fn out(event: Event, public_url: &str) -> EventOut {
    EventOut {
        sequence: event.sequence,
        id: event.id,
        r#type: event.event_type.as_str(),
        integration_id: event.integration_id,
        created_at: wire(event.created_at),
        data: absolute(&event.payload, public_url),
    }
}

fn asked(query: Option<&str>) -> Result<EventFilter, Refused> {
    let mut problems = Vec::new();
    let pairs = Pairs::parse(query, &mut problems);
    let place = |name: &'static str, problems: &mut Vec<Problem>| {
        let text = pairs.one(name, problems)?;
        let place = text.parse::<i64>().ok().filter(|place| *place >= 0);
        if place.is_none() {
            let expected = "the sequence of an event: a number from 0 on";
            problems.push(Problem::new(name, expected, text));
        }
        place
    };
    let after = place("after", &mut problems).unwrap_or_default();
    let until = place("until", &mut problems);
    let limit = match pairs.one("page_size", &mut problems) {
        None => DEFAULT_PAGE_SIZE,
        Some(text) => {
            let size = text.parse::<u32>().ok().filter(|size| (1..=MAX_PAGE_SIZE).contains(size));
            if size.is_none() {
                let expected = format!("a number from 1 to {MAX_PAGE_SIZE}");
                problems.push(Problem::new("page_size", expected, text));
            }
            size.unwrap_or(DEFAULT_PAGE_SIZE)
        }
    };
    let mut types = Vec::new();
    for name in pairs.all("types").flat_map(|list| list.split(',')).filter(|name| !name.is_empty())
    {
        match EventType::named(name) {
            Some(known) => types.push(known),
            None => problems.push(Problem::new("types", known_types(), name)),
        }
    }
    let integration_id = pairs.one("integration_id", &mut problems).map(str::to_owned);
    if !problems.is_empty() {
        return Err(fault(&problems).into());
    }
    Ok(EventFilter { after, until, types, integration_id, limit })
}

/// The names of all types, as words.
pub(super) fn known_types() -> String {
    let names: Vec<&str> = EventType::ALL.iter().map(|known| known.as_str()).collect();
    format!("one of {}", names.join(", "))
}
