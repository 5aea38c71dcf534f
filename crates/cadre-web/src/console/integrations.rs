//! `/env/{env}/integrations`: every linked account, how it does, and looking for one.

use askama::Template;
use axum::extract::State;
use cadre_store::{IntegrationFilter, IntegrationFound, IntegrationState, RunState};

use super::page::{Badge, Moment, Shown, grouped, html};
use super::shell::{Here, Shell};
use crate::gate;
use crate::state::AppState;

/// Integrations on a page.
const ON_PAGE: u32 = 50;

#[derive(Debug, Template)]
#[template(path = "integrations.html")]
struct Integrations {
    shell: Shell,
    text: String,
    tool: String,
    state: String,
    tools: Vec<(String, String)>,
    states: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    total: String,
    narrowed: bool,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Debug)]
struct Row {
    id: String,
    tool: String,
    label: String,
    organisation: String,
    state: Badge,
    busy: bool,
    issues: i64,
    synced: Option<Moment>,
    next: Option<Moment>,
}

/// A state as a coloured word.
pub(super) fn state_badge(state: IntegrationState) -> Badge {
    match state {
        IntegrationState::CredentialsInvalid => Badge::bad("credentials invalid"),
        IntegrationState::AuthenticationFailing => Badge::bad("authentication failing"),
        IntegrationState::Quality => Badge::bad("quality check failed"),
        IntegrationState::Failing => Badge::bad("sync failing"),
        IntegrationState::SetUp => Badge::warn("set-up unfinished"),
        IntegrationState::Warnings => Badge::warn("sync has warnings"),
        IntegrationState::FirstSync => Badge::busy("first sync"),
        IntegrationState::Inactive => Badge::plain("inactive"),
        IntegrationState::Active => Badge::good("active"),
    }
}

/// Lists integrations.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    let (text, tool) = (here.asked("q"), here.asked("tool"));
    let wanted = here.asked("state").and_then(|name| IntegrationState::named(&name));
    let page = here.asked("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    let filter = IntegrationFilter {
        text: text.clone(),
        tool: tool.clone(),
        state: wanted,
        skip: (page - 1).saturating_mul(ON_PAGE),
        limit: ON_PAGE,
    };
    let found = state.store.integration_search(&here.scope, &filter).await?;
    let link = |page: u32| {
        let query = [
            ("q", text.as_deref().unwrap_or_default()),
            ("tool", tool.as_deref().unwrap_or_default()),
            ("state", wanted.map_or("", IntegrationState::as_str)),
        ];
        super::logs::query(&query, &[("page", &page.to_string())])
    };
    let more = i64::from(page) * i64::from(ON_PAGE) < found.total;
    let tools = state
        .catalog
        .entries()
        .map(|entry| (entry.tool().to_owned(), entry.connector.manifest().label.clone()));
    let page = Integrations {
        shell: here.shell("integrations"),
        narrowed: text.is_some() || tool.is_some() || wanted.is_some(),
        tools: tools.collect(),
        states: IntegrationState::ALL
            .iter()
            .map(|state| (state.as_str(), state_badge(*state).text))
            .collect(),
        rows: found.found.into_iter().map(|one| row(&state, one)).collect(),
        total: grouped(found.total),
        before: (page > 1).then(|| link(page - 1)),
        after: more.then(|| link(page + 1)),
        text: text.unwrap_or_default(),
        tool: tool.unwrap_or_default(),
        state: wanted.map_or("", IntegrationState::as_str).to_owned(),
    };
    Ok(html(&page))
}

fn row(state: &AppState, one: IntegrationFound) -> Row {
    let integration = one.integration;
    Row {
        label: gate::label(state, &integration),
        organisation: integration.end_user.organization_name,
        state: state_badge(one.state),
        busy: matches!(one.latest, Some(RunState::Queued | RunState::Running)),
        issues: one.open_issues,
        synced: one.synced_at.map(Moment),
        next: integration.next_sync_at.map(Moment),
        tool: integration.tool,
        id: integration.id,
    }
}
