//! `/` and `/env/{env}`: how an environment does, in figures, and what a person should look at.

use askama::Template;
use axum::extract::{RawQuery, State};
use cadre_store::{Endpoint, IntegrationState, LogFilter, Staleness};

use super::chart::{Bar, Column, Columns};
use super::door::Visitor;
use super::integrations::state_badge;
use super::page::{Badge, Moment, Shown, Trouble, duration, grouped, html, moment};
use super::people::somewhere;
use super::shell::{Here, Shell};
use crate::state::AppState;

/// Hours that the charts look back.
const HOURS: i64 = 24;
const HOUR_MS: i64 = 3_600_000;
/// Issues and failures that the page names.
const NAMED: u32 = 8;

#[derive(Debug, Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    tour: Option<Tour>,
    integrations: i64,
    states: Vec<(Badge, &'static str, String)>,
    calls: Columns,
    most: String,
    all_calls: String,
    failed_calls: String,
    failed_share: String,
    codes: Vec<(String, String, Bar)>,
    freshness: Vec<(&'static str, String, Bar)>,
    backlog: Vec<BacklogOut>,
    issues: Vec<IssueOut>,
    failures: Vec<FailureOut>,
}

/// The way from nothing to the first integration that is read.
#[derive(Debug)]
struct Tour {
    has_key: bool,
    has_integration: bool,
    has_data: bool,
    has_call: bool,
    has_endpoint: bool,
}

#[derive(Debug)]
struct BacklogOut {
    id: String,
    url: String,
    words: String,
    bar: Bar,
}

#[derive(Debug)]
struct IssueOut {
    integration: String,
    kind: String,
    subject: String,
    message: String,
    since: Moment,
}

#[derive(Debug)]
struct FailureOut {
    id: String,
    title: String,
    integration: String,
    at: Moment,
    badge: Badge,
}

/// The overview of the first environment.
pub async fn home(
    State(state): State<AppState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Shown {
    let here = somewhere(&visitor, query.as_deref())?;
    show(&state, &here).await
}

/// The overview of an environment.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    show(&state, &here).await
}

async fn show(state: &AppState, here: &Here) -> Shown {
    state.recorder.flush().await;
    let (store, scope) = (&state.store, &here.scope);
    let now = state.clock.now_ms();
    let (states, calls, codes, stale, endpoints) = tokio::try_join!(
        async { Ok(store.integration_states(scope).await?) },
        calls(state, here, now),
        async { Ok(store.failures_by_code(scope, now - HOURS * HOUR_MS).await?) },
        async { Ok(store.staleness(scope).await?) },
        async { Ok::<_, Trouble>(store.endpoint_list(scope).await?) },
    )?;
    let integrations: i64 = states.iter().map(|(_, count)| count).sum();
    let all: i64 = calls.columns.iter().map(|column| column.all).sum();
    let failed: i64 = calls.columns.iter().map(|column| column.bad).sum();
    let page = Overview {
        tour: tour(state, here, &stale, !endpoints.is_empty(), all > 0).await?,
        integrations,
        states: IntegrationState::ALL
            .into_iter()
            .filter_map(|state| {
                let count = states.iter().find(|(known, _)| *known == state)?.1;
                Some((state_badge(state), state.as_str(), grouped(count)))
            })
            .collect(),
        most: grouped(calls.most()),
        calls,
        all_calls: grouped(all),
        failed_calls: grouped(failed),
        failed_share: share(failed, all),
        codes: codes
            .into_iter()
            .take(NAMED as usize)
            .map(|of| {
                let bar = Bar { part: of.count, whole: failed, class: "bad" };
                (of.code, grouped(of.count), bar)
            })
            .collect(),
        freshness: freshness(&stale, now),
        backlog: backlog(state, here, endpoints, now).await?,
        issues: issues(state, here).await?,
        failures: failures(state, here).await?,
        shell: here.shell("overview"),
    };
    Ok(html(&page))
}

fn share(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    format!("{:.1} %", 100.0 * part as f64 / whole as f64)
}

async fn calls(state: &AppState, here: &Here, now: i64) -> Result<Columns, Trouble> {
    let first = now / HOUR_MS - HOURS + 1;
    let found = state.store.calls_by_hour(&here.scope, first * HOUR_MS).await?;
    let columns = (first..first + HOURS).map(|hour| {
        let of = found.iter().find(|of| of.from == hour * HOUR_MS);
        let (all, bad) = of.map_or((0, 0), |of| (of.all, of.failed));
        let words = format!("{}: {all} in all, {bad} failed", moment(hour * HOUR_MS));
        Column { words, all, bad }
    });
    Ok(Columns {
        label: format!("Interactions in each of the last {HOURS} hours, and how many failed"),
        columns: columns.collect(),
    })
}

/// How many integrations have data of what age, the oldest model of each counted.
fn freshness(stale: &[Staleness], now: i64) -> Vec<(&'static str, String, Bar)> {
    let steps: [(&str, i64, &str); 5] = [
        ("up to 3 hours", 3 * HOUR_MS, "good"),
        ("up to 12 hours", 12 * HOUR_MS, "good"),
        ("up to a day", 24 * HOUR_MS, "warn"),
        ("up to 3 days", 72 * HOUR_MS, "warn"),
        ("older", i64::MAX, "bad"),
    ];
    let whole = i64::try_from(stale.len()).unwrap_or(i64::MAX);
    let mut counts = [0_i64; 6];
    for of in stale {
        let age = of.synced_at.map(|at| (now - at).max(0));
        let at = age.and_then(|age| steps.iter().position(|(_, most, _)| age <= *most));
        counts[at.unwrap_or(5)] += 1;
    }
    let rows = steps.iter().map(|(words, _, class)| (*words, *class));
    rows.chain([("never read whole", "bad")])
        .zip(counts)
        .map(|((words, class), count)| (words, grouped(count), Bar { part: count, whole, class }))
        .collect()
}

async fn backlog(
    state: &AppState,
    here: &Here,
    endpoints: Vec<Endpoint>,
    now: i64,
) -> Result<Vec<BacklogOut>, Trouble> {
    let backlogs = state.store.backlogs(&here.scope).await?;
    let most = backlogs.iter().map(|one| one.waiting + one.unread + one.failed).max().unwrap_or(0);
    let rows = endpoints.into_iter().filter_map(|endpoint| {
        let one = backlogs.iter().find(|one| one.endpoint_id == endpoint.id)?;
        let mut words = match one.waiting + one.unread {
            0 => "nothing waits".to_owned(),
            waiting => format!("{} wait", grouped(waiting)),
        };
        if let Some(oldest) = one.oldest_at {
            words.push_str(&format!(", the oldest for {}", duration((now - oldest).max(0))));
        }
        if one.failed > 0 {
            words.push_str(&format!(", {} given up", grouped(one.failed)));
        }
        let class = if one.failed > 0 { "bad" } else { "warn" };
        let part = one.waiting + one.unread + one.failed;
        let bar = Bar { part, whole: most, class };
        Some(BacklogOut { id: endpoint.id, url: endpoint.url, words, bar })
    });
    Ok(rows.collect())
}

async fn issues(state: &AppState, here: &Here) -> Result<Vec<IssueOut>, Trouble> {
    let found = state.store.open_issues(&here.scope, NAMED).await?;
    let rows = found.into_iter().map(|(integration, issue)| IssueOut {
        integration,
        kind: super::issues::title(issue.kind).to_owned(),
        subject: issue.subject,
        message: issue.message,
        since: Moment(issue.first_seen_at),
    });
    Ok(rows.collect())
}

async fn failures(state: &AppState, here: &Here) -> Result<Vec<FailureOut>, Trouble> {
    let filter = LogFilter { failed: Some(true), limit: NAMED, ..LogFilter::default() };
    let found = state.store.log_search(&here.scope, &filter).await?;
    let rows = found.into_iter().map(|interaction| FailureOut {
        badge: Badge::result(&interaction),
        id: interaction.id,
        title: interaction.title,
        integration: interaction.integration_id.unwrap_or_default(),
        at: Moment(interaction.started_at),
    });
    Ok(rows.collect())
}

/// What is still to be done before software reads the first data; nothing once it does.
async fn tour(
    state: &AppState,
    here: &Here,
    stale: &[Staleness],
    has_endpoint: bool,
    called: bool,
) -> Result<Option<Tour>, Trouble> {
    let keys = state.store.api_key_list(&here.scope).await?;
    let tour = Tour {
        has_key: keys.iter().any(|key| key.revoked_at.is_none()),
        has_integration: !stale.is_empty(),
        has_data: stale.iter().any(|of| of.synced_at.is_some()),
        has_call: called && keys.iter().any(|key| key.last_used_at.is_some()),
        has_endpoint,
    };
    let done = tour.has_integration && tour.has_data && tour.has_key && tour.has_call;
    Ok((!done).then_some(tour))
}
