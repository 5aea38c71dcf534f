//! `GET /v1/tools/{category}`

use axum::extract::State;
use cadre_model::action::actions;
use cadre_model::registry;
use serde::Serialize;
use serde_json::Value;

use super::integrations::{action_fields, coverage_status, field_names};
use crate::refuse::Refused;
use crate::reply::Data;
use crate::scope::{Caller, PathPart};
use crate::state::AppState;
use crate::{assets, gate};
use cadre_model::fault::Code;

const CATEGORIES: &[&str] = &["hris", "ats", "assessment", "lms"];

/// The tools of a category.
#[derive(Debug, Serialize)]
pub struct ToolsOut {
    tools: Vec<ToolOut>,
}

#[derive(Debug, Serialize)]
struct ToolOut {
    id: String,
    label: String,
    internal_label: Option<String>,
    assets: AssetsOut,
    paid_api_details_markdown: Option<String>,
    fast_track_details_markdown: Option<String>,
    partner_only_details_markdown: Option<String>,
    connection_guide_url: Option<String>,
    coverage: CoverageOut,
}

#[derive(Debug, Serialize)]
struct AssetsOut {
    logo_url: String,
    icon_url: String,
    icon_black_url: String,
}

#[derive(Debug, Serialize)]
struct CoverageOut {
    read_models: Vec<ModelOut>,
    write_actions: Vec<ModelOut>,
    features: Vec<Value>,
}

#[derive(Debug, Serialize)]
struct ModelOut {
    id: &'static str,
    label: &'static str,
    coverage_status: &'static str,
    fields: Vec<FieldOut>,
}

#[derive(Debug, Serialize)]
struct FieldOut {
    id: &'static str,
    coverage_status: &'static str,
}

/// Lists the tools of a category with what each of them covers.
pub async fn get(
    State(state): State<AppState>,
    _caller: Caller,
    PathPart(category): PathPart,
) -> Result<Data<ToolsOut>, Refused> {
    if !CATEGORIES.contains(&category.as_str()) {
        let known = CATEGORIES.join(", ");
        return Err(Refused::new(
            Code::PlatformInputInvalid,
            format!("Invalid request: `path.category`: expected one of {known}, got {category:?}."),
        ));
    }
    let category = category.to_ascii_uppercase();
    let tools = state
        .catalog
        .entries()
        .filter(|entry| {
            entry.connector.manifest().categories.iter().any(|own| own.as_str() == category)
        })
        .map(|entry| {
            let logo_url = assets::logo_url(&state, entry.tool());
            ToolOut {
                id: entry.tool().to_owned(),
                label: entry.connector.manifest().label.clone(),
                internal_label: None,
                assets: AssetsOut {
                    icon_url: logo_url.clone(),
                    icon_black_url: logo_url.clone(),
                    logo_url,
                },
                paid_api_details_markdown: None,
                fast_track_details_markdown: None,
                partner_only_details_markdown: None,
                connection_guide_url: None,
                coverage: coverage(&state, entry.tool(), &category),
            }
        })
        .collect();
    Ok(Data(ToolsOut { tools }))
}

fn coverage(state: &AppState, tool: &str, category: &str) -> CoverageOut {
    let covered = state.coverage(tool).unwrap_or_default();
    let read_models = registry::models()
        .iter()
        .filter(|model| model.category.as_str() == category)
        .map(|model| {
            let fields = covered.get(model.id);
            let filled = |name: &str| fields.is_some_and(|fields| fields.contains(name));
            ModelOut {
                id: model.id,
                label: model.label,
                coverage_status: coverage_status(fields.is_some()),
                fields: field_names(model)
                    .map(|id| FieldOut { id, coverage_status: coverage_status(filled(id)) })
                    .collect(),
            }
        })
        .collect();
    let write_actions = actions()
        .filter(|action| action.category.as_str() == category)
        .map(|action| ModelOut {
            id: action.id,
            label: action.label,
            coverage_status: coverage_status(gate::can_do(state, tool, action.id)),
            fields: action_fields(state, tool, action)
                .map(|(id, taken)| FieldOut { id, coverage_status: coverage_status(taken) })
                .collect(),
        })
        .collect();
    CoverageOut { read_models, write_actions, features: Vec::new() }
}
