//! `/env/{env}/logs`: what happened, newest first, narrowed by kind, outcome, integration, code and time.

use askama::Template;
use axum::extract::State;
use cadre_model::fault::Code;
use cadre_store::{Interaction, InteractionKind, LogFilter, LogPlace};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::{Badge, Moment, Shown, duration, html};
use super::shell::{Here, Shell};
use crate::state::AppState;

/// Interactions on a page.
const ON_PAGE: u32 = 50;
const HOUR_MS: i64 = 3_600_000;

/// The kinds, each with what people call it.
pub(super) const KINDS: [(InteractionKind, &str); 7] = [
    (InteractionKind::Api, "API call"),
    (InteractionKind::Sync, "Sync"),
    (InteractionKind::Action, "Action"),
    (InteractionKind::Passthrough, "Pass-through"),
    (InteractionKind::WebhookOut, "Webhook to a customer"),
    (InteractionKind::WebhookIn, "Webhook from a tool"),
    (InteractionKind::ConnectionFlow, "Connecting"),
];

/// How far back one can look at once.
const PERIODS: [(&str, &str, i64); 4] = [
    ("1h", "last hour", HOUR_MS),
    ("24h", "last 24 hours", 24 * HOUR_MS),
    ("7d", "last 7 days", 7 * 24 * HOUR_MS),
    ("30d", "last 30 days", 30 * 24 * HOUR_MS),
];

/// What a kind is called.
pub(super) fn kind_words(kind: InteractionKind) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("", |(_, words)| *words)
}

#[derive(Debug, Template)]
#[template(path = "logs.html")]
struct Logs {
    shell: Shell,
    kinds: Vec<(&'static str, &'static str)>,
    periods: Vec<(&'static str, &'static str)>,
    codes: Vec<&'static str>,
    asked: Asked,
    live: bool,
    here: String,
    toggle: String,
    rows: Vec<Row>,
    narrowed: bool,
    first: bool,
    start: String,
    after: Option<String>,
}

/// The filters as they were asked for.
#[derive(Debug, Default)]
struct Asked {
    kind: String,
    outcome: String,
    integration: String,
    code: String,
    period: String,
}

impl Asked {
    fn pairs(&self) -> [(&'static str, &str); 5] {
        [
            ("kind", &self.kind),
            ("outcome", &self.outcome),
            ("integration", &self.integration),
            ("code", &self.code),
            ("period", &self.period),
        ]
    }
}

#[derive(Debug)]
struct Row {
    id: String,
    at: Moment,
    kind: &'static str,
    title: String,
    integration: String,
    badge: Badge,
    took: String,
}

/// A query of those parameters that are not empty; empty when none is.
pub(super) fn query(filters: &[(&str, &str)], more: &[(&str, &str)]) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let pairs = filters.iter().chain(more).filter(|(_, value)| !value.is_empty());
    let pairs: Vec<String> =
        pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// Lists interactions.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    // What just happened may wait to be written.
    state.recorder.flush().await;
    let of = |name: &str| here.asked(name).unwrap_or_default();
    let asked = Asked {
        kind: of("kind"),
        outcome: of("outcome"),
        integration: of("integration"),
        code: of("code"),
        period: of("period"),
    };
    let after = here.asked("after").and_then(|place| {
        let (at, id) = place.split_once('-')?;
        Some(LogPlace { started_at: at.parse().ok()?, id: id.to_owned() })
    });
    let first = after.is_none();
    let live = here.asked("live").is_some() && first;
    let filter = filter(&asked, after, state.clock.now_ms());
    let mut found = state.store.log_search(&here.scope, &filter).await?;
    let more = found.len() > ON_PAGE as usize;
    found.truncate(ON_PAGE as usize);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| format!("{}-{}", last.started_at, last.id));
    let pairs = asked.pairs();
    let page = Logs {
        shell: here.shell("logs"),
        kinds: KINDS.iter().map(|(kind, words)| (kind.as_str(), *words)).collect(),
        periods: PERIODS.iter().map(|(id, words, _)| (*id, *words)).collect(),
        codes: Code::ALL.iter().map(|code| code.as_str()).collect(),
        here: query(&pairs, if live { &[("live", "1")] } else { &[] }),
        toggle: query(&pairs, if live { &[] } else { &[("live", "1")] }),
        start: query(&pairs, &[]),
        after: next.map(|next| query(&pairs, &[("after", &next)])),
        narrowed: pairs.iter().any(|(_, value)| !value.is_empty()),
        rows: found.into_iter().map(row).collect(),
        asked,
        live,
        first,
    };
    Ok(html(&page))
}

fn filter(asked: &Asked, after: Option<LogPlace>, now: i64) -> LogFilter {
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let kind = KINDS.iter().find(|(kind, _)| kind.as_str() == asked.kind);
    let period = PERIODS.iter().find(|(id, _, _)| *id == asked.period);
    LogFilter {
        kind: kind.map(|(kind, _)| *kind),
        integration_id: given(&asked.integration),
        code: given(&asked.code),
        failed: match asked.outcome.as_str() {
            "failed" => Some(true),
            "well" => Some(false),
            _ => None,
        },
        from: period.map(|(_, _, length)| now - length),
        until: None,
        after,
        limit: ON_PAGE + 1,
    }
}

fn row(interaction: Interaction) -> Row {
    Row {
        badge: Badge::result(&interaction),
        kind: kind_words(interaction.kind),
        at: Moment(interaction.started_at),
        integration: interaction.integration_id.unwrap_or_default(),
        took: interaction.duration_ms.map(duration).unwrap_or_default(),
        title: interaction.title,
        id: interaction.id,
    }
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn a_query_holds_what_is_asked() {
        assert_eq!(query(&[("a", ""), ("b", "x y")], &[("page", "2")]), "?b=x%20y&page=2");
        assert_eq!(query(&[("a", "")], &[]), "");
    }
}
