//! `…/settings`: links for the customer, the steps of the set-up with the filter, the schedule, and which
//! scope configuration an integration has.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use cadre_jobs::setup::{Step, change, confirm_filter, filter_fields, steps};
use cadre_store::{EmployeeFilter, LinkPurpose, LinkType};

use super::door::Posted;
use super::links::Made;
use super::page::{Badge, Moment, Shown, Trouble, duration, html, see_other};
use super::shell::{Chosen, Header, Shell};
use crate::api::connect;
use crate::connect::setup::{List, lists};
use crate::state::AppState;

/// Times between two syncs that can be chosen, in hours.
const HOURS: &[i64] = &[1, 3, 6, 12, 24];
const HOUR_MS: i64 = 3_600_000;

#[derive(Debug, Template)]
#[template(path = "settings.html")]
struct SettingsPage {
    shell: Shell,
    header: Header,
    made: Option<Made>,
    steps: Vec<(String, Badge)>,
    standing: Badge,
    hris: bool,
    filtering: bool,
    field_mapping: bool,
    confirmed: bool,
    looked_at: Option<Moment>,
    filters: Vec<List>,
    intervals: Vec<(i64, String, bool)>,
    scopes: Vec<(String, String, bool)>,
}

/// Shows the page.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    show(&state, &chosen, None).await
}

async fn show(state: &AppState, chosen: &Chosen, made: Option<Made>) -> Shown {
    let integration = &chosen.found.integration;
    let setup = &integration.setup;
    let entry = state.catalog.get(&integration.tool);
    let config = state.store.scope_config_of(&chosen.here.scope, integration).await?;
    let known: Vec<&'static str> = entry
        .iter()
        .flat_map(|entry| filter_fields(entry, &config).map(|field| field.id).collect::<Vec<_>>())
        .collect();
    let choices = state.store.filter_choices(&chosen.scope).await?;
    let filter = setup.filter.clone().unwrap_or_default();
    let steps = entry.as_ref().map(|entry| steps(entry, setup)).unwrap_or_default();
    let step = |step: &Step<'_>| {
        let label = match step {
            Step::Fields => "Which fields fill the custom fields".to_owned(),
            Step::Filters => "Which employees are read".to_owned(),
            Step::Tool(of) => of.label.clone(),
        };
        let badge = if step.is_done(setup) { Badge::good("done") } else { Badge::warn("open") };
        (label, badge)
    };
    let hours = integration.sync_interval_ms;
    let mut intervals: Vec<i64> = HOURS.iter().map(|hours| hours * HOUR_MS).collect();
    if !intervals.contains(&hours) {
        intervals.push(hours);
    }
    let scopes = state.store.scope_configs(&chosen.here.scope).await?;
    let page = SettingsPage {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(state, "settings"),
        made,
        steps: steps.iter().map(step).collect(),
        standing: match integration.setup_status {
            cadre_store::SetupStatus::Incomplete => Badge::warn("steps are open"),
            cadre_store::SetupStatus::FinalSyncPending => {
                Badge::busy("the sync after it is on its way")
            }
            cadre_store::SetupStatus::Completed => Badge::good("complete"),
        },
        hris: integration.category == "HRIS",
        filtering: setup.filtering,
        field_mapping: setup.field_mapping,
        confirmed: setup.filter.is_some(),
        looked_at: setup.looked_at.map(Moment),
        filters: lists(&known, choices, &filter, name, "without a value"),
        intervals: intervals.into_iter().map(|ms| (ms, duration(ms), ms == hours)).collect(),
        scopes: scopes
            .into_iter()
            .map(|(one, _)| {
                let has = one.id == config.id;
                (one.id.clone(), one.name.unwrap_or(one.id), has)
            })
            .collect(),
    };
    Ok(html(&page))
}

fn name(id: &str) -> &'static str {
    match id {
        "groups" => "Groups",
        "legal_entities" => "Legal entities",
        "work_locations" => "Work locations",
        "employment_types" => "Employment types",
        "employment_statuses" => "Employment statuses",
        _ => "",
    }
}

/// Makes a link about the integration.
pub(super) async fn link(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let integration = &chosen.found.integration;
    let link_type =
        if form.text("link_type") == "EMBEDDED" { LinkType::Embedded } else { LinkType::MagicLink };
    let (new, what) = match form.text("kind") {
        "setup" => (connect::setup_of(&state, integration, link_type, None), "set up"),
        _ => (Ok(connect::about(integration, LinkPurpose::Relink, link_type, None)), "reconnect"),
    };
    let refused = |refused: crate::refuse::Refused| Trouble::Fault(*refused.0);
    let new = new.map_err(refused)?;
    let (url, ends) = connect::make(&state, &chosen.here.scope, new).await.map_err(refused)?;
    chosen.note(&state, "link.created", what).await?;
    let embedded = link_type == LinkType::Embedded;
    show(&state, &chosen, Some(Made { url, ends: Moment(ends), embedded })).await
}

/// Switches steps of the set-up on and off.
pub(super) async fn switch(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let filtering = form.text("filtering") == "on" && chosen.found.integration.category == "HRIS";
    let field_mapping = form.text("field_mapping") == "on";
    change(&state.store, &chosen.scope, |setup| {
        setup.filtering = filtering;
        setup.field_mapping = field_mapping;
    })
    .await?;
    state.wake.notify_one();
    let words = format!("filtering {filtering}, field mapping {field_mapping}");
    chosen.note(&state, "setup.steps", words).await?;
    Ok(see_other(&format!("{}/settings?done=steps", chosen.base())))
}

/// Confirms a filter in the customer's place.
pub(super) async fn filter(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    if !chosen.found.integration.setup.filtering {
        return Err(Trouble::Missing("A filter that is switched on"));
    }
    let config = state.store.scope_config_of(&chosen.here.scope, &chosen.found.integration).await?;
    let entry = state.catalog.get(&chosen.found.integration.tool);
    let entry = entry.ok_or(Trouble::Missing("The connector of this tool"))?;
    let filter: EmployeeFilter = filter_fields(&entry, &config)
        .map(|field| (field.id.to_owned(), form.all(field.id).map(str::to_owned).collect()))
        .filter(|(_, values): &(String, Vec<String>)| !values.is_empty())
        .collect();
    let counts: BTreeMap<&String, usize> =
        filter.iter().map(|(field, values)| (field, values.len())).collect();
    let words = format!("values chosen: {counts:?}");
    confirm_filter(&state.store, &chosen.scope, filter).await?;
    state.wake.notify_one();
    chosen.note(&state, "setup.filter", words).await?;
    Ok(see_other(&format!("{}/settings?done=filter", chosen.base())))
}

/// Sets the schedule.
pub(super) async fn interval(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let hours = form
        .text("interval")
        .parse::<i64>()
        .ok()
        .filter(|ms| HOURS.iter().any(|hours| hours * HOUR_MS == *ms));
    let ms = hours.ok_or(Trouble::Missing("A time between syncs that can be chosen"))?;
    state.store.integration_interval_set(&chosen.scope, ms).await?;
    chosen.note(&state, "integration.interval", duration(ms)).await?;
    Ok(see_other(&format!("{}/settings?done=interval", chosen.base())))
}

/// Gives the integration another scope configuration.
pub(super) async fn assign(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let id = form.text("scope");
    let config = state.store.scope_config_get(&chosen.here.scope, id).await?;
    let config = config.ok_or(Trouble::Missing("A scope configuration with this id"))?;
    state.store.integration_scope_config_set(&chosen.scope, &config.id).await?;
    chosen.note(&state, "scope.assigned", config.name.unwrap_or(config.id)).await?;
    Ok(see_other(&format!("{}/settings?done=assigned", chosen.base())))
}
