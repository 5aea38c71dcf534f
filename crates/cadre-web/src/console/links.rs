//! `/env/{env}/links`: connecting a customer: a link is made, and what became of those that were sent.

use askama::Template;
use axum::extract::State;
use cadre_model::email::is_email;
use cadre_store::{ConnectLink, EndUser, LinkPurpose, LinkRequest, LinkType, NewConnectLink};
use http::StatusCode;

use super::door::Posted;
use super::page::{Badge, Moment, Shown, html_as};
use super::shell::{Here, Shell};
use crate::api::connect;
use crate::state::AppState;

/// Links that the page shows.
const SHOWN: u32 = 50;

#[derive(Debug, Template)]
#[template(path = "links.html")]
struct Links {
    shell: Shell,
    rows: Vec<Row>,
    tools: Vec<(String, String, String)>,
    scopes: Vec<(String, String)>,
    asked: Asked,
    wrong: Option<String>,
    made: Option<Made>,
}

/// A link that was just made: it is shown on this page and never again.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) url: String,
    pub(super) ends: Moment,
    pub(super) embedded: bool,
}

#[derive(Debug, Default)]
struct Asked {
    organization: String,
    email: String,
    origin: String,
    tool: String,
}

#[derive(Debug)]
struct Row {
    organization: String,
    email: String,
    what: &'static str,
    of: String,
    integration: Option<String>,
    made: Moment,
    state: Badge,
    at: Option<Moment>,
}

/// Shows the form and the links.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    let asked = Asked { tool: here.asked("tool").unwrap_or_default(), ..Asked::default() };
    show(&state, &here, asked, None, None).await
}

async fn show(
    state: &AppState,
    here: &Here,
    asked: Asked,
    wrong: Option<String>,
    made: Option<Made>,
) -> Shown {
    let now = state.clock.now_ms();
    let links = state.store.connect_link_list(&here.scope, SHOWN).await?;
    let scopes = state.store.scope_configs(&here.scope).await?;
    let tools = state.catalog.entries().map(|entry| {
        let manifest = entry.connector.manifest();
        let categories: Vec<&str> = manifest.categories.iter().map(|one| one.as_str()).collect();
        (entry.tool().to_owned(), manifest.label.clone(), categories.join(", "))
    });
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = Links {
        shell: here.shell("links"),
        rows: links.into_iter().map(|link| row(link, now)).collect(),
        tools: tools.collect(),
        scopes: scopes
            .into_iter()
            .map(|(config, _)| (config.id.clone(), config.name.unwrap_or(config.id)))
            .collect(),
        asked,
        wrong,
        made,
    };
    Ok(html_as(status, &page))
}

fn row(link: ConnectLink, now: i64) -> Row {
    let (state, at) = match (link.completed_at, link.opened_at) {
        (Some(at), _) => (Badge::good("done"), Some(at)),
        _ if link.expires_at <= now => (Badge::plain("ended"), Some(link.expires_at)),
        (None, Some(at)) => (Badge::busy("opened"), Some(at)),
        (None, None) => (Badge::plain("not opened"), None),
    };
    Row {
        organization: link.request.end_user.organization_name,
        email: link.request.end_user.creator_email.unwrap_or_default(),
        what: match link.purpose {
            LinkPurpose::Connect => "connect",
            LinkPurpose::Relink => "reconnect",
            LinkPurpose::Setup => "set up",
        },
        of: link.request.tool.unwrap_or_else(|| "any tool".to_owned()),
        integration: link.integration_id,
        made: Moment(link.created_at),
        state,
        at: at.map(Moment),
    }
}

/// Makes a link.
pub(super) async fn create(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let text = |name: &str| form.text(name).to_owned();
    let asked = Asked {
        organization: text("organization"),
        email: text("email"),
        origin: text("origin"),
        tool: text("tool"),
    };
    let (tool, category) = asked.tool.split_once('/').unwrap_or(("", asked.tool.as_str()));
    let category = if category == "ATS" { "ATS" } else { "HRIS" };
    let filtering = form.text("filtering") == "on";
    let wrong = if asked.organization.is_empty() || asked.organization.chars().count() > 200 {
        Some("Customer: up to 200 characters, and not empty.")
    } else if !is_email(&asked.email) {
        Some("E-mail: that is no e-mail address.")
    } else if !tool.is_empty() && state.catalog.get(tool).is_none() {
        Some("Tool: there is no connector of this name.")
    } else if filtering && category != "HRIS" {
        Some("Filtering is of employees: choose an HRIS tool for it.")
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return show(&state, &here, asked, Some(wrong.to_owned()), None).await;
    }
    let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let link_type =
        if form.text("link_type") == "EMBEDDED" { LinkType::Embedded } else { LinkType::MagicLink };
    let new = NewConnectLink {
        purpose: LinkPurpose::Connect,
        link_type,
        integration_id: None,
        request: LinkRequest {
            end_user: EndUser {
                organization_name: asked.organization.clone(),
                creator_email: Some(asked.email.clone()),
                origin_id: filled(&asked.origin),
            },
            category: category.to_owned(),
            tool: filled(tool),
            language: filled(form.text("language")),
            scope_config_id: filled(form.text("scope")),
            filtering,
            field_mapping: form.text("field_mapping") == "on",
        },
    };
    let (url, ends) =
        connect::make(&state, &here.scope, new).await.map_err(|refused| *refused.0)?;
    here.note(&state, "link.created", &asked.organization, format!("connect {tool}")).await?;
    let embedded = link_type == LinkType::Embedded;
    let made = Made { url, ends: Moment(ends), embedded };
    show(&state, &here, Asked::default(), None, Some(made)).await
}
