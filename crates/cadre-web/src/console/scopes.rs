//! `/env/{env}/scopes`: the scope configurations of an environment.

use askama::Template;
use axum::extract::State;
use cadre_model::action::actions;
use cadre_model::registry;
use cadre_store::{ScopeConfig, Setting};
use serde_json::json;

use super::door::Posted;
use super::page::{Shown, Trouble, grouped, html, see_other};
use super::scope::{ActionOut, ModelOut, badge, changed};
use super::shell::{Here, Named, Shell};
use crate::api::integrations::field_names;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "scopes.html")]
struct Scopes {
    shell: Shell,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    is_default: bool,
    used: String,
    free: bool,
    off: usize,
    optional: usize,
}

/// Lists them.
pub(super) async fn get(State(state): State<AppState>, here: Here) -> Shown {
    // There is always one.
    state.store.scope_config_default(&here.scope).await?;
    let configs = state.store.scope_configs(&here.scope).await?;
    let rows = configs.into_iter().map(|(config, used)| {
        let count = |wanted: Setting| {
            let models = registry::models().iter();
            let models = models.filter(|model| config.model(model.id) == wanted).count();
            models + actions().filter(|action| config.action(action.id) == wanted).count()
        };
        Row {
            off: count(Setting::Disabled),
            optional: count(Setting::Optional),
            is_default: config.is_default,
            used: grouped(i64::try_from(used).unwrap_or(i64::MAX)),
            free: used == 0 && !config.is_default,
            name: config.name.clone().unwrap_or_else(|| config.id.clone()),
            id: config.id,
        }
    });
    Ok(html(&Scopes { shell: here.shell("scopes"), rows: rows.collect() }))
}

/// Makes one, as a copy of another.
pub(super) async fn create(State(state): State<AppState>, here: Here, form: Posted) -> Shown {
    let name = named(&form)?;
    let from = state.store.scope_config_get(&here.scope, form.text("from")).await?;
    let settings = from.map_or_else(|| json!({}), |config| config.settings);
    let made = state.store.scope_config_create(&here.scope, Some(name), false, settings).await?;
    here.note(&state, "scope.created", &made.id, name).await?;
    Ok(see_other(&format!("{}/scopes/{}?done=scope-created", here.base(), made.id)))
}

fn named(form: &Posted) -> Result<&str, Trouble> {
    let name = form.text("name");
    if name.is_empty() || name.chars().count() > 100 {
        return Err(Trouble::Missing("A name of up to 100 characters"));
    }
    Ok(name)
}

#[derive(Debug, Template)]
#[template(path = "scope_config.html")]
struct OnePage {
    shell: Shell,
    id: String,
    name: String,
    is_default: bool,
    used: String,
    target: String,
    groups: Vec<(&'static str, Vec<ModelOut>, Vec<ActionOut>)>,
}

async fn config(state: &AppState, here: &Here, named: &Named) -> Result<ScopeConfig, Trouble> {
    let config = state.store.scope_config_get(&here.scope, named.part("scope")).await?;
    config.ok_or(Trouble::Missing("A scope configuration with this id"))
}

/// Shows one.
pub(super) async fn one(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let config = config(&state, &here, &named).await?;
    let all = state.store.scope_configs(&here.scope).await?;
    let used = all.iter().find(|(one, _)| one.id == config.id).map_or(0, |(_, used)| *used);
    let mut categories: Vec<&'static str> = Vec::new();
    for model in registry::models() {
        if !categories.contains(&model.category.as_str()) {
            categories.push(model.category.as_str());
        }
    }
    let groups = categories.into_iter().map(|category| {
        let models = registry::models().iter().filter(|model| model.category.as_str() == category);
        let models = models.map(|model| ModelOut::of(model, &config, field_names(model)));
        let done = actions().filter(|action| action.category.as_str() == category);
        let done = done.map(|action| ActionOut {
            id: action.id,
            label: action.label,
            setting: config.action(action.id).as_str(),
            badge: badge(config.action(action.id)),
        });
        (category, models.collect(), done.collect())
    });
    let page = OnePage {
        shell: here.shell("scopes"),
        target: format!("{}/scopes/{}", here.base(), config.id),
        groups: groups.collect(),
        is_default: config.is_default,
        used: grouped(i64::try_from(used).unwrap_or(i64::MAX)),
        name: config.name.clone().unwrap_or_else(|| config.id.clone()),
        id: config.id,
    };
    Ok(html(&page))
}

/// Changes what one says of a model or an action.
pub(super) async fn change(
    State(state): State<AppState>,
    here: Here,
    named: Named,
    form: Posted,
) -> Shown {
    let config = config(&state, &here, &named).await?;
    let (settings, what) = changed(&config, &form)?;
    state.store.scope_config_update(&here.scope, &config.id, &settings).await?;
    state.store.integrations_expire(&here.scope, &config.id).await?;
    here.note(&state, "scope.changed", &config.id, what).await?;
    Ok(see_other(&format!("{}/scopes/{}?done=scope", here.base(), config.id)))
}

/// Gives one another name.
pub(super) async fn rename(
    State(state): State<AppState>,
    here: Here,
    named_path: Named,
    form: Posted,
) -> Shown {
    let config = config(&state, &here, &named_path).await?;
    let name = named(&form)?;
    state.store.scope_config_rename(&here.scope, &config.id, name).await?;
    here.note(&state, "scope.renamed", &config.id, name).await?;
    Ok(see_other(&format!("{}/scopes/{}?done=scope-renamed", here.base(), config.id)))
}

/// Makes one the default.
pub(super) async fn make_default(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let config = config(&state, &here, &named).await?;
    state.store.scope_config_default_set(&here.scope, &config.id).await?;
    here.note(&state, "scope.default", &config.id, "").await?;
    Ok(see_other(&format!("{}/scopes?done=scope-default", here.base())))
}

/// Deletes one that nobody has.
pub(super) async fn delete(State(state): State<AppState>, here: Here, named: Named) -> Shown {
    let config = config(&state, &here, &named).await?;
    if !state.store.scope_config_delete(&here.scope, &config.id).await? {
        return Err(Trouble::Missing("A scope configuration that no integration has"));
    }
    here.note(&state, "scope.deleted", &config.id, config.name.unwrap_or_default()).await?;
    Ok(see_other(&format!("{}/scopes?done=scope-deleted", here.base())))
}
