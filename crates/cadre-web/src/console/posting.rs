//! `/env/{env}/postings/{posting}` and `/env/{env}/applications`: a posting with its form, and what became
//! of applications.

use askama::Template;
use axum::extract::State;
use cadre_jobs::apply::inquire;
use cadre_store::{Application, ApplicationQuery, ApplicationStage, ApplicationStatus};
use serde_json::Value;

use super::door::Posted;
use super::page::{Badge, Moment, Shown, Trouble, html, see_other};
use super::postings::availability_badge;
use super::shell::{Here, Named, Shell};
use crate::state::AppState;

/// Applications on a page.
const ON_PAGE: u32 = 100;

#[derive(Debug, Template)]
#[template(path = "posting.html")]
struct Page {
    shell: Shell,
    id: String,
    url: String,
    site: String,
    job: Option<String>,
    job_code: Option<String>,
    state: Badge,
    over: bool,
    reason: Option<&'static str>,
    note: Option<String>,
    parsed: Option<Moment>,
    changed: Moment,
    questions: Vec<Question>,
    applications: Vec<Row>,
}

#[derive(Debug, Template)]
#[template(path = "applications.html")]
struct Applications {
    shell: Shell,
    uncertain: Vec<Row>,
    rows: Vec<Row>,
}

/// A question of the form, as a person reads it.
#[derive(Debug)]
struct Question {
    label: String,
    kind: String,
    required: bool,
    key: Option<String>,
    equality: bool,
    options: String,
}

#[derive(Debug)]
struct Row {
    id: String,
    posting: String,
    status: Badge,
    stage: Option<&'static str>,
    note: Option<String>,
    log: Option<String>,
    created: Moment,
}

/// Shows a posting.
pub(super) async fn get(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let id = named.part("posting");
    let found = state.store.posting_get(&here.scope, id).await?;
    let posting = found.ok_or(Trouble::Missing("A posting with this id"))?;
    let form = inquire::stored(&state.parts, &here.scope, &posting).await?;
    let blocks = form.map_or(Value::Null, |form| form.blocks());
    let mut questions = Vec::new();
    flatten(&blocks, &mut questions);
    let query = ApplicationQuery {
        job_posting_ids: Some(vec![posting.id.clone()]),
        limit: ON_PAGE,
        ..ApplicationQuery::default()
    };
    let applications = state.store.application_list(&here.scope, &query).await?;
    let page = Page {
        shell: here.shell("postings"),
        job: posting.job["name"].as_str().map(str::to_owned),
        state: availability_badge(posting.availability),
        over: posting.archived_at.is_some(),
        reason: posting.archived_reason.map(|reason| reason.as_str()),
        parsed: posting.parsed_at.map(Moment),
        changed: Moment(posting.updated_at),
        questions,
        applications: applications.into_iter().map(row).collect(),
        id: posting.id,
        url: posting.url,
        site: posting.career_site.label,
        job_code: posting.job_code,
        note: posting.note,
    };
    Ok(html(&page))
}

/// The questions of blocks, in order.
fn flatten(blocks: &Value, questions: &mut Vec<Question>) {
    for block in blocks.as_array().into_iter().flatten() {
        if block["block_type"] == "SECTION" {
            flatten(&block["children"], questions);
            continue;
        }
        let text = |name: &str| block[name].as_str().map(str::to_owned);
        let options = block["options"].as_array().into_iter().flatten();
        let options: Vec<&str> = options.filter_map(|one| one["label"].as_str()).collect();
        questions.push(Question {
            label: text("label").unwrap_or_default(),
            kind: text("question_type").unwrap_or_default().to_lowercase().replace('_', " "),
            required: block["required"] == true,
            key: text("unified_key"),
            equality: block["category"] == "EEO",
            options: options.join(" · "),
        });
    }
}

fn row(application: Application) -> Row {
    let status = match (application.status, application.stage) {
        (_, ApplicationStage::Uncertain) => Badge::warn("uncertain"),
        (ApplicationStatus::Pending, _) => Badge::busy("pending"),
        (ApplicationStatus::Submitted, _) => Badge::good("submitted"),
        (ApplicationStatus::Duplicate, _) => Badge::plain("duplicate"),
        (ApplicationStatus::Failed, _) => Badge::bad("failed"),
    };
    let waits = application.status == ApplicationStatus::Pending;
    Row {
        stage: waits.then_some(application.stage.as_str()),
        status,
        created: Moment(application.created_at),
        id: application.id,
        posting: application.posting_id,
        note: application.note,
        log: application.interaction_id,
    }
}

/// Lists applications, those first that a person has to look at.
pub(super) async fn applications(State(state): State<AppState>, here: Here) -> Shown {
    let query = ApplicationQuery { limit: ON_PAGE, ..ApplicationQuery::default() };
    let uncertain = ApplicationQuery { uncertain: true, ..query.clone() };
    let uncertain = state.store.application_list(&here.scope, &uncertain).await?;
    let rows = state.store.application_list(&here.scope, &query).await?;
    let page = Applications {
        shell: here.shell("postings"),
        uncertain: uncertain.into_iter().map(row).collect(),
        rows: rows.into_iter().map(row).collect(),
    };
    Ok(html(&page))
}

/// Settles an application that nobody knows the end of.
pub(super) async fn settle(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    form: Posted,
) -> Shown {
    let id = named.part("application");
    let status = match form.text("as") {
        "submitted" => Some(ApplicationStatus::Submitted),
        "duplicate" => Some(ApplicationStatus::Duplicate),
        "failed" => Some(ApplicationStatus::Failed),
        _ => None,
    };
    let note = format!("Settled by {}.", here.visitor.name);
    if !state.store.application_settle(&here.scope, id, status, &note).await? {
        return Err(Trouble::Missing("An application with this id whose end is not known"));
    }
    here.note(&state, "application.settled", id, form.text("as")).await?;
    Ok(see_other(&format!("{}/applications?done=application", here.base())))
}
