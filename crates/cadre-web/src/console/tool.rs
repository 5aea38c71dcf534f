//! `/env/{env}/coverage/{tool}`: what a connector's README says, what it asks for, what it covers.

use askama::Template;
use axum::extract::State;
use cadre_model::action::actions;
use cadre_model::registry;
use cadre_store::IntegrationFilter;

use super::page::{Shown, Trouble, grouped, html};
use super::readme::Readme;
use super::shell::{Here, Named, Shell};
use crate::api::integrations::{action_fields, field_names};
use crate::gate;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "tool.html")]
struct ToolPage {
    shell: Shell,
    id: String,
    label: String,
    categories: String,
    integrations: String,
    sources: Vec<String>,
    form: Vec<FormField>,
    models: Vec<Covered>,
    actions: Vec<Covered>,
    readme: Readme,
    /// What is wrong with a change of its folder.
    broken: Vec<String>,
}

#[derive(Debug)]
struct FormField {
    label: String,
    help: String,
    secret: bool,
    optional: bool,
}

#[derive(Debug)]
struct Covered {
    id: &'static str,
    label: &'static str,
    filled: Vec<&'static str>,
    missing: Vec<&'static str>,
}

/// Shows a connector.
pub(super) async fn get(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let tool = named.part("tool");
    let entry = state.catalog.get(tool).ok_or(Trouble::Missing("A connector of this name"))?;
    let manifest = entry.connector.manifest();
    let filter = IntegrationFilter { tool: Some(tool.to_owned()), ..IntegrationFilter::default() };
    let linked = state.store.integration_search(&here.scope, &filter).await?;
    let coverage = state.coverage(tool).unwrap_or_default();
    let models = registry::models().iter().filter_map(|model| {
        let fields = coverage.get(model.id)?;
        let (filled, missing) = field_names(model).partition(|name| fields.contains(*name));
        Some(Covered { id: model.id, label: model.label, filled, missing })
    });
    let done = actions().filter(|action| gate::can_do(&state, tool, action.id)).map(|action| {
        let (taken, missing): (Vec<_>, Vec<_>) =
            action_fields(&state, tool, action).partition(|(_, taken)| *taken);
        let names =
            |fields: Vec<(&'static str, bool)>| fields.into_iter().map(|(n, _)| n).collect();
        Covered {
            id: action.id,
            label: action.label,
            filled: names(taken),
            missing: names(missing),
        }
    });
    let categories: Vec<&str> =
        manifest.categories.iter().map(|category| category.as_str()).collect();
    let form = manifest.connect.fields.iter().map(|field| FormField {
        label: field.label.clone(),
        help: field.help.clone().unwrap_or_default(),
        secret: field.secret,
        optional: field.optional,
    });
    let page = ToolPage {
        shell: here.shell("coverage"),
        id: tool.to_owned(),
        label: manifest.label.clone(),
        categories: categories.join(", "),
        integrations: grouped(linked.total),
        sources: manifest.sources.clone(),
        form: form.collect(),
        models: models.collect(),
        actions: done.collect(),
        readme: Readme::of(&entry.readme),
        broken: state.catalog.broken(tool),
    };
    Ok(html(&page))
}
