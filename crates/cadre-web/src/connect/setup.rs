//! The steps after signing in: the tool's own, which fields fill the custom fields, which employees are
//! read. A link that connects shows those that are left; a set-up link shows all, also to change them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use cadre_jobs::setup::{
    Step, change, confirm_fields, confirm_filter, do_step, filter_fields, steps,
};
use cadre_jobs::{Entry, enqueue_sync};
use cadre_model::fault::Fault;
use cadre_model::registry;
use cadre_store::{
    EmployeeFilter, FilterChoice, Integration, IntegrationScope, LinkPurpose, RunKind, RunState,
    RunTrigger,
};
use http::StatusCode;
use serde_json::{Map, Value};

use super::credentials::Field;
use super::guide;
use super::page::{Frame, Opened, Place, html, notice, redirect};
use crate::listing::Pairs;
use crate::refuse::Refused;
use crate::scope::{PathPair, unavailable};
use crate::state::AppState;

/// Lists as long as this have a search.
const LONG: usize = 12;

/// Whose set-up a link opens.
struct Here {
    opened: Opened,
    scope: IntegrationScope,
    integration: Integration,
    entry: Arc<Entry>,
}

impl Here {
    /// The set-up that a link opens, if it may: a used link does, for as long as steps are left.
    #[expect(clippy::result_large_err, reason = "made once a request, and sent")]
    fn of(state: &AppState, opened: Opened) -> Result<Here, Response> {
        let Some((scope, integration)) = opened.about.clone() else {
            return Err(redirect(&opened.path()));
        };
        let used = opened.link.completed_at.is_some();
        let sets_up = opened.link.purpose == LinkPurpose::Setup;
        if sets_up == used && !(used && integration.setup.is_open()) {
            return Err(redirect(&format!("{}/done", opened.path())));
        }
        let Some(entry) = state.catalog.get(&integration.tool) else {
            return Err(notice(StatusCode::GONE, opened.plain_frame(), "gone"));
        };
        Ok(Here { opened, scope, integration, entry })
    }

    fn frame(&self) -> Frame {
        self.opened.frame(Place::Setup)
    }

    fn label(&self) -> &str {
        &self.entry.connector.manifest().label
    }

    /// Where it goes on after a step; from the beginning where none is named.
    async fn next(&self, state: &AppState, after: Option<&str>) -> Result<Response, Response> {
        let now = state.store.integration_get(&self.scope).await.map_err(refused)?;
        let setup = now.map(|now| now.setup).unwrap_or_default();
        let steps = steps(&self.entry, &setup);
        let sets_up = self.opened.link.purpose == LinkPurpose::Setup;
        let passed = after.and_then(|id| steps.iter().position(|step| step.id() == id));
        let left = steps.iter().skip(passed.map_or(0, |at| at + 1));
        let next = match sets_up {
            true => left.map(Step::id).next(),
            false => left.filter(|step| !step.is_done(&setup)).map(Step::id).next().or_else(|| {
                steps.iter().find(|s| s.is_required() && !s.is_done(&setup)).map(Step::id)
            }),
        };
        let path = self.opened.path();
        match next {
            Some(id) => Ok(redirect(&format!("{path}/setup/{id}"))),
            None => {
                if sets_up {
                    let link = &self.opened.link.id;
                    let done = state.store.setup_link_complete(&self.scope, link).await;
                    done.map_err(refused)?;
                }
                Ok(redirect(&format!("{path}/done")))
            }
        }
    }
}

fn refused(error: cadre_store::Error) -> Response {
    unavailable(error).into_response()
}

fn failed(fault: Fault) -> Response {
    Refused::from(fault).into_response()
}

/// Leads to the first step.
pub async fn get(State(state): State<AppState>, opened: Opened) -> Result<Response, Response> {
    Here::of(&state, opened)?.next(&state, None).await
}

/// Shows a step.
pub async fn step(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, id): PathPair,
) -> Result<Response, Response> {
    let here = Here::of(&state, opened)?;
    if id == "wait" {
        return wait(&state, &here).await;
    }
    let setup = here.integration.setup.clone();
    let entry = here.entry.clone();
    let Some(step) = steps(&entry, &setup).into_iter().find(|step| step.id() == id) else {
        return here.next(&state, None).await;
    };
    match step {
        // There is nothing to choose from before it was looked at.
        Step::Fields | Step::Filters if setup.looked_at.is_none() => {
            Ok(redirect(&format!("{}/setup/wait", here.opened.path())))
        }
        Step::Fields => fields(&state, &here).await,
        Step::Filters => filters(&state, &here).await,
        Step::Tool(of) => tool(&state, &here, of, Map::new(), &[]).await,
    }
}

/// Does a step.
pub async fn done(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, id): PathPair,
    body: Bytes,
) -> Result<Response, Response> {
    let here = Here::of(&state, opened)?;
    let pairs = Pairs::parse(std::str::from_utf8(&body).ok(), &mut Vec::new());
    if id == "wait" {
        let asked = enqueue_sync(&state.store, &here.scope, RunKind::Full, RunTrigger::Setup);
        asked.await.map_err(failed)?;
        state.wake.notify_one();
        return Ok(redirect(&format!("{}/setup/wait", here.opened.path())));
    }
    let (setup, entry) = (here.integration.setup.clone(), here.entry.clone());
    let Some(step) = steps(&entry, &setup).into_iter().find(|step| step.id() == id) else {
        return here.next(&state, None).await;
    };
    match step {
        Step::Fields | Step::Filters if setup.looked_at.is_none() => {}
        Step::Fields => map_fields(&state, &here, &pairs).await?,
        Step::Filters => {
            let config = here.opened.scope_config(&state).await?;
            let known = filter_fields(&entry, &config).map(|field| field.id);
            let chosen =
                known.map(|id| (id.to_owned(), pairs.all(id).map(str::to_owned).collect()));
            let filter: EmployeeFilter =
                chosen.filter(|(_, values): &(_, Vec<String>)| !values.is_empty()).collect();
            confirm_filter(&state.store, &here.scope, filter).await.map_err(failed)?;
        }
        Step::Tool(of) if of.optional && pairs.all("later").next().is_some() => {
            let id = of.id.clone();
            let noted = change(&state.store, &here.scope, |setup| {
                setup.done.insert(id);
            });
            noted.await.map_err(failed)?;
        }
        Step::Tool(of) => {
            let typed: Map<String, Value> = of
                .fields
                .iter()
                .filter_map(|field| {
                    Some((field.name.clone(), Value::from(pairs.all(&field.name).next()?)))
                })
                .collect();
            let about = (&here.scope, &here.integration);
            let outcome = do_step(&state.parts, about, of, &typed).await.map_err(failed)?;
            if let Err(problems) = outcome {
                let problems: Vec<(String, String)> =
                    problems.into_iter().map(|problem| (problem.field, problem.message)).collect();
                return tool(&state, &here, of, typed, &problems).await;
            }
        }
    }
    state.wake.notify_one();
    here.next(&state, Some(&id)).await
}

#[derive(Debug, Template)]
#[template(path = "connect/setup_wait.html")]
struct Wait {
    frame: Frame,
    failed: Option<String>,
}

async fn wait(state: &AppState, here: &Here) -> Result<Response, Response> {
    if here.integration.setup.looked_at.is_some() {
        return here.next(state, None).await;
    }
    let run = state.store.run_latest(&here.scope).await.map_err(refused)?;
    let ended = run.filter(|run| !matches!(run.state, RunState::Queued | RunState::Running));
    let failed = ended.map(|run| run.reason.unwrap_or_default());
    let frame = here.frame();
    Ok(html(StatusCode::OK, &frame.clone(), &Wait { frame, failed }))
}

#[derive(Debug, Template)]
#[template(path = "connect/setup_fields.html")]
struct Fields {
    frame: Frame,
    title: String,
    wanted: Vec<Wanted>,
    lists: BTreeMap<String, Vec<(String, String)>>,
}

/// A custom field.
#[derive(Debug)]
struct Wanted {
    id: String,
    model: String,
    label: String,
    of: &'static str,
    description: Option<String>,
    source: String,
}

async fn fields(state: &AppState, here: &Here) -> Result<Response, Response> {
    let frame = here.frame();
    let wanted = wanted(state, here).await?;
    let known = state.store.integration_fields(&here.scope).await.map_err(refused)?;
    let mut lists: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for field in known {
        let label = field.label.unwrap_or(field.key);
        lists.entry(field.model).or_default().push((field.id, label));
    }
    for list in lists.values_mut() {
        list.sort_by_key(|(_, label)| label.to_lowercase());
    }
    for one in &wanted {
        lists.entry(one.model.clone()).or_default();
    }
    let title = frame.t.put("setup.fields.title", here.label());
    Ok(html(StatusCode::OK, &frame.clone(), &Fields { frame, title, wanted, lists }))
}

/// The custom fields that this customer can have.
async fn wanted(state: &AppState, here: &Here) -> Result<Vec<Wanted>, Response> {
    let config = here.opened.scope_config(state).await?;
    let sourced = state.store.custom_fields_of(&here.scope).await.map_err(refused)?;
    let mapped = |id: &str| here.entry.maps.iter().any(|map| map.model().id == id);
    let mut wanted: Vec<Wanted> = sourced
        .into_iter()
        .filter(|one| mapped(&one.field.model) && config.model_enabled(&one.field.model))
        .filter(|one| config.field_enabled(&one.field.model, "custom_fields"))
        .filter_map(|one| {
            let model = registry::model(&one.field.model)?;
            (model.category.as_str() == here.integration.category).then(|| Wanted {
                of: here.opened.t.label(model.id, model.label),
                label: one.field.label.unwrap_or(one.field.key),
                id: one.field.id,
                model: one.field.model,
                description: one.field.description,
                source: one.source.map(|source| source.id).unwrap_or_default(),
            })
        })
        .collect();
    wanted.sort_by(|a, b| (a.of, &a.label).cmp(&(b.of, &b.label)));
    Ok(wanted)
}

async fn map_fields(state: &AppState, here: &Here, pairs: &Pairs) -> Result<(), Response> {
    let known = state.store.integration_fields(&here.scope).await.map_err(refused)?;
    let mut sources = BTreeMap::new();
    for one in wanted(state, here).await? {
        let Some(chosen) = pairs.all(&one.id).next().map(str::to_owned) else { continue };
        // What is no field of this model fills nothing.
        let fits = known.iter().any(|field| field.id == chosen && field.model == one.model);
        sources.insert(one.id, fits.then_some(chosen));
    }
    confirm_fields(&state.store, &here.scope, &sources).await.map_err(failed)
}

#[derive(Debug, Template)]
#[template(path = "connect/setup_filters.html")]
struct Filters {
    frame: Frame,
    title: String,
    lists: Vec<List>,
}

/// What employees can be chosen by in one regard.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) long: bool,
    pub(crate) values: Vec<Choice>,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) employees: u64,
    pub(crate) chosen: bool,
}

async fn filters(state: &AppState, here: &Here) -> Result<Response, Response> {
    let frame = here.frame();
    let config = here.opened.scope_config(state).await?;
    let choices = state.store.filter_choices(&here.scope).await.map_err(refused)?;
    let known: Vec<&'static str> =
        filter_fields(&here.entry, &config).map(|field| field.id).collect();
    let filter = here.integration.setup.filter.clone().unwrap_or_default();
    let name = |id: &str| frame.t.say(&format!("setup.filters.field.{id}"));
    let lists = lists(&known, choices, &filter, name, frame.t.say("setup.filters.empty"));
    let title = frame.t.put("setup.filters.title", here.label());
    Ok(html(StatusCode::OK, &frame.clone(), &Filters { frame, title, lists }))
}

/// The lists of a filter. What was chosen stays there, also when nobody has it any more.
pub(crate) fn lists(
    known: &[&'static str],
    choices: Vec<FilterChoice>,
    filter: &EmployeeFilter,
    name: impl Fn(&str) -> &'static str,
    empty: &str,
) -> Vec<List> {
    let mut lists = Vec::new();
    for id in known {
        let none = Vec::new();
        let chosen = filter.get(*id).unwrap_or(&none);
        let of = choices.iter().filter(|choice| choice.field == *id);
        let mut values: Vec<Choice> = of
            .map(|choice| Choice {
                label: label(&choice.label, &choice.value, empty),
                employees: choice.employees,
                chosen: chosen.contains(&choice.value),
                value: choice.value.clone(),
            })
            .collect();
        values.sort_by(|a, b| b.employees.cmp(&a.employees).then(a.label.cmp(&b.label)));
        for value in chosen {
            if !values.iter().any(|known| known.value == *value) {
                let label = label(value, value, empty);
                values.push(Choice { value: value.clone(), label, employees: 0, chosen: true });
            }
        }
        if !values.is_empty() {
            lists.push(List { id, name: name(id), long: values.len() >= LONG, values });
        }
    }
    lists
}

/// What a value is called: a word of the contract is made readable.
fn label(label: &str, value: &str, empty: &str) -> String {
    if value.is_empty() {
        return empty.to_owned();
    }
    let is_word = label == value && value.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if !is_word {
        return label.to_owned();
    }
    let lower = value.to_ascii_lowercase().replace('_', " ");
    let (first, rest) = lower.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

#[derive(Debug, Template)]
#[template(path = "connect/setup_step.html")]
struct ToolStep {
    frame: Frame,
    id: String,
    label: String,
    help: Option<String>,
    address: Option<String>,
    fields: Vec<Field>,
    optional: bool,
    wrong: bool,
}

async fn tool(
    state: &AppState,
    here: &Here,
    step: &cadre_jobs::setup::SetupStep,
    typed: Map<String, Value>,
    problems: &[(String, String)],
) -> Result<Response, Response> {
    let frame = here.frame();
    let address = match step.shows_webhook {
        true => cadre_jobs::hooks::address(&state.parts, &here.scope).await.map_err(refused)?,
        false => None,
    };
    let known = |name: &str| {
        let known = typed.get(name).or_else(|| here.integration.settings.get(name));
        known.and_then(Value::as_str).map(str::to_owned)
    };
    let fields = step.fields.iter().map(|field| {
        let mut shown = Field::of(field, known(&field.name).as_deref());
        let problem = problems.iter().find(|(name, _)| *name == field.name);
        shown.problem = problem.map(|(_, words)| words.clone());
        shown
    });
    let page = ToolStep {
        id: step.id.clone(),
        label: step.label.clone(),
        help: guide::rendered(&step.help),
        address: address.map(|(url, _)| url),
        fields: fields.collect(),
        optional: step.optional,
        wrong: !problems.is_empty(),
        frame: frame.clone(),
    };
    let status = if page.wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(html(status, &frame, &page))
}
