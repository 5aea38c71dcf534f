//! `/env/{env}/keys`: what software calls with.

use askama::Template;
use axum::extract::State;
use cadre_store::{ApiKey, NewKey};
use http::StatusCode;

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, html_as, see_other};
use super::shell::{Here, Named, Shell};
use crate::address::Network;
use crate::state::AppState;

const DAY_MS: i64 = 24 * 3_600_000;
/// Most addresses that a key is limited to.
const MOST_ADDRESSES: usize = 200;

#[derive(Debug, Template)]
#[template(path = "keys.html")]
struct Keys {
    shell: Shell,
    rows: Vec<Row>,
    name: String,
    addresses: String,
    wrong: Option<String>,
    made: Option<String>,
    url: String,
}

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    prefix: String,
    state: Badge,
    addresses: String,
    created: Moment,
    ends: Option<Moment>,
    used: Option<Moment>,
    works: bool,
}

/// Lists the keys.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    show(&state, &here, ("", ""), None, None).await
}

async fn show(
    state: &AppState,
    here: &Here,
    (name, addresses): (&str, &str),
    wrong: Option<String>,
    made: Option<String>,
) -> Shown {
    let now = state.clock.now_ms();
    let keys = state.store.api_key_list(&here.scope).await?;
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Keys {
        shell: here.shell("keys"),
        rows: keys.into_iter().map(|key| row(key, now)).collect(),
        name: name.to_owned(),
        addresses: addresses.to_owned(),
        wrong,
        made,
        url: state.public_url.to_string(),
    };
    Ok(html_as(status, &page))
}

fn row(key: ApiKey, now: i64) -> Row {
    let ended = key.expires_at.is_some_and(|at| at <= now);
    Row {
        state: match (key.revoked_at, ended) {
            (Some(_), _) => Badge::plain("revoked"),
            (None, true) => Badge::warn("expired"),
            (None, false) => Badge::good("works"),
        },
        works: key.revoked_at.is_none() && !ended,
        addresses: match key.allow_list.is_empty() {
            true => "from everywhere".to_owned(),
            false => key.allow_list.join(", "),
        },
        created: Moment(key.created_at),
        ends: key.revoked_at.or(key.expires_at).map(Moment),
        used: key.last_used_at.map(Moment),
        id: key.id,
        name: key.name,
        prefix: key.prefix,
    }
}

/// Makes a key. It is on this page and on no other.
pub(super) async fn create(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let (name, addresses) = (form.text("name"), form.text("addresses"));
    let refuse = |words: String| show(&state, &here, (name, addresses), Some(words), None);
    if name.is_empty() || name.chars().count() > 100 {
        return refuse("Name: up to 100 characters, and not empty.".to_owned()).await;
    }
    let list: Vec<String> = addresses
        .split([',', ' ', '\n', '\r', '\t'])
        .filter(|address| !address.is_empty())
        .map(str::to_owned)
        .collect();
    if list.len() > MOST_ADDRESSES {
        return refuse(format!("Addresses: {MOST_ADDRESSES} at most.")).await;
    }
    if let Some(wrong) = list.iter().find(|address| address.parse::<Network>().is_err()) {
        let words = format!(
            "Addresses: {wrong:?} is no address or network, such as 203.0.113.7 or 10.0.0.0/8."
        );
        return refuse(words).await;
    }
    let days = form.text("days").parse::<i64>().ok().filter(|days| (1..=3_650).contains(days));
    let expires_at = days.map(|days| state.clock.now_ms() + days * DAY_MS);
    let detail = match list.is_empty() {
        true => name.to_owned(),
        false => format!("{name}, only from {}", list.join(", ")),
    };
    let new = NewKey { name: name.to_owned(), expires_at, allow_list: list };
    let (key, plain) = state.store.api_key_create(&here.scope, new).await?;
    here.note(&state, "key.created", &key.id, detail).await?;
    show(&state, &here, ("", ""), None, Some(plain.expose().to_owned())).await
}

/// Revokes a key at once.
pub(super) async fn revoke(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let id = named.part("key");
    if !state.store.api_key_revoke(&here.scope, id).await? {
        return Err(Trouble::Missing("A key with this id that still works"));
    }
    here.note(&state, "key.revoked", id, "").await?;
    Ok(see_other(&format!("{}/keys?done=key-revoked", here.base())))
}
