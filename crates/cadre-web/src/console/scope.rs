//! `…/scope`: which models, fields and actions the integration's scope configuration lets through.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use cadre_model::action::actions;
use cadre_model::model::ModelDef;
use cadre_model::registry;
use cadre_store::{ScopeConfig, Setting};
use serde_json::{Map, Value, json};

use super::door::Posted;
use super::page::{Badge, Shown, Trouble, html, see_other};
use super::shell::{Chosen, Header, Shell};
use crate::api::integrations::field_names;
use crate::gate;
use crate::state::AppState;

#[derive(Debug, Template)]
#[template(path = "scope.html")]
struct Scope {
    shell: Shell,
    header: Header,
    id: String,
    name: String,
    is_default: bool,
    target: String,
    models: Vec<ModelOut>,
    actions: Vec<ActionOut>,
}

/// A model, and what is said of it.
#[derive(Debug)]
pub(super) struct ModelOut {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) setting: &'static str,
    pub(super) badge: Badge,
    pub(super) fields: Vec<(&'static str, bool)>,
    pub(super) off: usize,
}

impl ModelOut {
    /// What a configuration says of a model and these of its fields.
    pub(super) fn of(
        model: &'static ModelDef,
        config: &ScopeConfig,
        fields: impl Iterator<Item = &'static str>,
    ) -> Self {
        let fields: Vec<_> =
            fields.map(|name| (name, config.field_enabled(model.id, name))).collect();
        Self {
            id: model.id,
            label: model.label,
            setting: config.model(model.id).as_str(),
            badge: badge(config.model(model.id)),
            off: fields.iter().filter(|(_, enabled)| !enabled).count(),
            fields,
        }
    }
}

/// An action, and what is said of it.
#[derive(Debug)]
pub(super) struct ActionOut {
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) setting: &'static str,
    pub(super) badge: Badge,
}

pub(super) fn badge(setting: Setting) -> Badge {
    match setting {
        Setting::Enabled => Badge::good("enabled"),
        Setting::Optional => Badge::busy("optional"),
        Setting::Disabled => Badge::plain("disabled"),
    }
}

/// Shows the scope configuration.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let integration = &chosen.found.integration;
    let config = state.store.scope_config_of(&chosen.here.scope, integration).await?;
    let offered = gate::offered(&state, integration);
    let of_category = |category: &str| category == integration.category;
    let models = registry::models()
        .iter()
        .filter(|model| of_category(model.category.as_str()) && offered.model(model.id))
        .map(|model| {
            let named = field_names(model).filter(|name| offered.field(model.id, name));
            ModelOut::of(model, &config, named)
        });
    let actions = actions()
        .filter(|action| of_category(action.category.as_str()))
        .filter(|action| gate::can_do(&state, &integration.tool, action.id))
        .map(|action| ActionOut {
            id: action.id,
            label: action.label,
            setting: config.action(action.id).as_str(),
            badge: badge(config.action(action.id)),
        });
    let page = Scope {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "scope"),
        models: models.collect(),
        actions: actions.collect(),
        target: format!("{}/scope", chosen.base()),
        is_default: config.is_default,
        id: config.id.clone(),
        name: config.name.unwrap_or(config.id),
    };
    Ok(html(&page))
}

/// Changes what the configuration says of one model with its fields, or of one action.
pub(super) async fn change(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let integration = &chosen.found.integration;
    let config = state.store.scope_config_of(&chosen.here.scope, integration).await?;
    let (settings, what) = changed(&config, &form)?;
    let scope = &chosen.here.scope;
    state.store.scope_config_update(scope, &config.id, &settings).await?;
    state.store.integrations_expire(scope, &config.id).await?;
    chosen.note(&state, "scope.changed", what).await?;
    Ok(see_other(&format!("{}/scope?done=scope", chosen.base())))
}

/// The settings as a form changes them: of one model with its fields, or of one action; and what it was.
pub(super) fn changed(config: &ScopeConfig, form: &Posted) -> Result<(Value, String), Trouble> {
    let setting = form.text("setting");
    if !["ENABLED", "DISABLED", "OPTIONAL"].contains(&setting) {
        return Err(Trouble::Missing("A setting of this name"));
    }
    let (settings, what) = if let Some(model) = registry::model(form.text("model")) {
        let wanted: BTreeSet<&str> = form.all("field").collect();
        let shown = form.all("shown").filter(|name| field_names(model).any(|of| of == *name));
        let fields = shown.map(|name| (name, wanted.contains(name))).collect::<Vec<_>>();
        (with_model(config, model.id, setting, &fields), model.id)
    } else if let Some(action) = actions().find(|action| action.id == form.text("action")) {
        let mut settings = object(&config.settings);
        let mut of = object(settings.get("actions").unwrap_or(&Value::Null));
        of.insert(action.id.to_owned(), setting.into());
        settings.insert("actions".to_owned(), of.into());
        (Value::Object(settings), action.id)
    } else {
        return Err(Trouble::Missing("A model or an action of this name"));
    };
    Ok((settings, format!("{what}: {setting}")))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// The settings with what they say of one model replaced. Fields that were not shown stay as they are.
fn with_model(config: &ScopeConfig, model: &str, setting: &str, shown: &[(&str, bool)]) -> Value {
    let mut settings = object(&config.settings);
    let mut models = object(settings.get("models").unwrap_or(&Value::Null));
    let mut of = object(models.get(model).unwrap_or(&Value::Null));
    let mut fields = object(of.get("fields").unwrap_or(&Value::Null));
    for (name, enabled) in shown {
        let before = config.field(model, name);
        match (enabled, before) {
            (false, _) => fields.insert((*name).to_owned(), json!("DISABLED")),
            (true, Setting::Disabled) => fields.insert((*name).to_owned(), json!("ENABLED")),
            (true, _) => None,
        };
    }
    of.insert("setting".to_owned(), setting.into());
    of.insert("fields".to_owned(), fields.into());
    models.insert(model.to_owned(), of.into());
    settings.insert("models".to_owned(), models.into());
    Value::Object(settings)
}

#[cfg(test)]
mod tests {
    use cadre_store::ScopeConfig;
    use serde_json::json;

    use super::with_model;

    #[test]
    fn what_was_not_shown_stays() {
        let settings = json!({
            "actions": {"hris_create_absence": "DISABLED"},
            "models": {
                "hris_employees": {"setting": "OPTIONAL", "fields": {"ssn": "DISABLED", "avatar": "OPTIONAL"}},
                "hris_teams": {"setting": "DISABLED"},
            },
        });
        let config = ScopeConfig {
            id: "c".into(),
            name: None,
            is_default: true,
            settings,
            opted_out: Vec::new(),
        };
        let shown = [("first_name", false), ("avatar", true)];
        let changed = with_model(&config, "hris_employees", "ENABLED", &shown);
        let fields = json!({"ssn": "DISABLED", "avatar": "OPTIONAL", "first_name": "DISABLED"});
        assert_eq!(
            changed["models"]["hris_employees"],
            json!({"setting": "ENABLED", "fields": fields})
        );
        assert_eq!(changed["models"]["hris_teams"], json!({"setting": "DISABLED"}));
        assert_eq!(changed["actions"]["hris_create_absence"], "DISABLED");
    }
}
