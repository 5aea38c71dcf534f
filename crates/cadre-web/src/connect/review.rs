//! The page that says what will be read and written, before anything is.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use cadre_model::action::actions;
use cadre_model::registry;
use cadre_store::{ScopeConfig, Setting};
use http::StatusCode;

use super::page::{Frame, Opened, Place, html};
use crate::api::integrations::field_names;
use crate::gate;
use crate::listing::Pairs;
use crate::scope::PathPair;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "connect/review.html")]
struct Review {
    frame: Frame,
    tool: String,
    label: String,
    organization: String,
    reads: Vec<Point>,
    writes: Vec<Point>,
    optional: bool,
    other_tool: bool,
}

/// A model or an action.
#[derive(Debug)]
struct Point {
    id: String,
    label: &'static str,
    /// Whether the end customer may opt out, and whether they have not.
    choice: Option<bool>,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    id: String,
    name: String,
    choice: Option<bool>,
}

/// Shows what the scope configuration lets be read of the tool, and written.
pub async fn get(
    State(state): State<AppState>,
    opened: Opened,
    PathPair(_, tool): PathPair,
) -> Result<Response, Response> {
    if let Some(end) = opened.ended() {
        return Ok(end);
    }
    let entry = opened.tool(&state, &tool)?;
    let mut config = opened.scope_config(&state).await?;
    if let Some((_, integration)) = &opened.about {
        config.opted_out.clone_from(&integration.opted_out);
    }
    let frame = opened.frame(Place::Review);
    let (reads, writes) = points(&state, &frame, &tool, &opened.link.request.category, &config);
    let has_choice = |point: &Point| {
        point.choice.is_some() || point.fields.iter().any(|field| field.choice.is_some())
    };
    let page = Review {
        label: entry.connector.manifest().label.clone(),
        organization: opened.link.request.end_user.organization_name.clone(),
        optional: reads.iter().chain(&writes).any(has_choice),
        other_tool: opened.link.request.tool.is_none(),
        frame: frame.clone(),
        tool,
        reads,
        writes,
    };
    Ok(html(StatusCode::OK, &frame, &page))
}

fn points(
    state: &AppState,
    frame: &Frame,
    tool: &str,
    category: &str,
    config: &ScopeConfig,
) -> (Vec<Point>, Vec<Point>) {
    let coverage = state.coverage(tool).unwrap_or_default();
    let choice =
        |setting, id: &str| (setting == Setting::Optional).then(|| !config.is_opted_out(id));
    let reads = registry::models()
        .iter()
        .filter(|model| model.category.as_str() == category)
        .filter(|model| config.model(model.id) != Setting::Disabled)
        .filter_map(|model| coverage.get(model.id).map(|fields| (model, fields)))
        .map(|(model, covered)| Point {
            id: model.id.to_owned(),
            label: frame.t.label(model.id, model.label),
            choice: choice(config.model(model.id), model.id),
            fields: field_names(model)
                .filter(|name| covered.contains(*name))
                .map(|name| (name, config.field(model.id, name)))
                .filter(|(_, setting)| *setting != Setting::Disabled)
                .map(|(name, setting)| {
                    let id = format!("{}.{name}", model.id);
                    let choice = choice(setting, &id);
                    Field { id, name: name.replace('_', " "), choice }
                })
                .collect(),
        })
        .collect();
    let writes = actions()
        .filter(|action| action.category.as_str() == category)
        .filter(|action| gate::can_do(state, tool, action.id))
        .filter(|action| config.action(action.id) != Setting::Disabled)
        .map(|action| Point {
            id: action.id.to_owned(),
            label: frame.t.label(action.id, action.label),
            choice: choice(config.action(action.id), action.id),
            fields: Vec::new(),
        })
        .collect();
    (reads, writes)
}

/// What the end customer opted out of: what was offered and has lost its tick, or what an earlier page
/// has found out already. Only what the scope configuration leaves to them counts.
pub(super) fn opted_out(pairs: &Pairs, config: &ScopeConfig) -> Vec<String> {
    let kept: Vec<&str> = pairs.all("on").collect();
    let offered = pairs.all("seen").filter(|id| !kept.contains(id));
    let mut out: Vec<String> = offered
        .chain(pairs.all("off"))
        .filter(|id| is_optional(id, config))
        .map(str::to_owned)
        .collect();
    out.sort();
    out.dedup();
    out
}

fn is_optional(id: &str, config: &ScopeConfig) -> bool {
    let setting = match id.split_once('.') {
        Some((model, field)) => config.field(model, field),
        None if registry::model(id).is_some() => config.model(id),
        None => config.action(id),
    };
    setting == Setting::Optional
}
