//! `…/mapping`: which raw fields fill the custom fields, and the integration's own mapping with a preview.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::State;
use cadre_jobs::fields::again::{self, Preview, Remapped};
use cadre_model::fault::Fault;
use cadre_model::registry;
use http::StatusCode;
use serde_json::Value;

use super::door::Posted;
use super::page::{Shown, grouped, html_as, see_other};
use super::shell::{Chosen, Header, Shell};
use crate::state::AppState;

/// Records of each model that a preview looks at.
const PREVIEWED: u64 = 500;

#[derive(Debug, Template)]
#[template(path = "mapping.html")]
struct MappingPage {
    shell: Shell,
    header: Header,
    custom: Vec<Custom>,
    lists: BTreeMap<String, Vec<(String, String)>>,
    text: String,
    own: bool,
    wrong: Option<String>,
    preview: Option<Vec<ModelOut>>,
}

#[derive(Debug)]
struct Custom {
    id: String,
    model: String,
    of: &'static str,
    label: String,
    source: String,
}

/// What a mapping would change of one model.
#[derive(Debug)]
struct ModelOut {
    label: &'static str,
    read: String,
    changed: String,
    refused: u64,
    issues: u64,
    fields: Vec<FieldOut>,
}

/// A field: its name, how many values differ, and some of them before and after.
type FieldOut = (String, String, Vec<(String, String)>);

/// Shows the page.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let own = chosen.found.integration.mapping.as_ref();
    let text = own.and_then(|own| serde_json::to_string_pretty(own).ok()).unwrap_or_default();
    show(&state, &chosen, text, None, None).await
}

async fn show(
    state: &AppState,
    chosen: &Chosen,
    text: String,
    wrong: Option<Fault>,
    preview: Option<Preview>,
) -> Shown {
    let mut lists: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for field in state.store.integration_fields(&chosen.scope).await? {
        let label = field.label.unwrap_or(field.key);
        lists.entry(field.model).or_default().push((field.id, label));
    }
    for list in lists.values_mut() {
        list.sort_by_key(|(_, label)| label.to_lowercase());
    }
    let mut custom = Vec::new();
    for one in state.store.custom_fields_of(&chosen.scope).await? {
        let Some(model) = registry::model(&one.field.model) else { continue };
        if model.category.as_str() != chosen.found.integration.category {
            continue;
        }
        lists.entry(one.field.model.clone()).or_default();
        custom.push(Custom {
            of: model.label,
            label: one.field.label.unwrap_or(one.field.key),
            id: one.field.id,
            model: one.field.model,
            source: one.source.map(|source| source.id).unwrap_or_default(),
        });
    }
    custom.sort_by(|a, b| (a.of, &a.label).cmp(&(b.of, &b.label)));
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let page = MappingPage {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(state, "mapping"),
        custom,
        lists,
        own: chosen.found.integration.mapping.is_some(),
        text,
        wrong: wrong.map(|fault| fault.message),
        preview: preview.map(previewed),
    };
    Ok(html_as(status, &page))
}

fn previewed(preview: Preview) -> Vec<ModelOut> {
    let models = preview.models.into_iter().map(|(id, of)| {
        let fields = of.fields.iter().map(|(name, count)| {
            let examples = of.examples.iter().filter(|one| one.field == *name);
            let examples = examples.map(|one| (one.before.to_string(), one.after.to_string()));
            (name.clone(), grouped(i64::try_from(*count).unwrap_or(i64::MAX)), examples.collect())
        });
        ModelOut {
            label: registry::model(id).map_or(id, |model| model.label),
            read: grouped(i64::try_from(of.read).unwrap_or(i64::MAX)),
            changed: grouped(i64::try_from(of.changed).unwrap_or(i64::MAX)),
            refused: of.refused,
            issues: of.issues,
            fields: fields.collect(),
        }
    });
    models.collect()
}

/// Previews or sets the integration's own mapping.
pub(super) async fn post(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let text = form.text("mapping").to_owned();
    let mapping: Option<Value> = match text.as_str() {
        "" => None,
        text => match serde_json::from_str(text) {
            Ok(mapping) => Some(mapping),
            Err(error) => {
                let words = format!("That is no JSON: {error}.");
                let fault = Fault::new(cadre_model::fault::Code::PlatformInputInvalid, words);
                return show(&state, &chosen, text.to_owned(), Some(fault), None).await;
            }
        },
    };
    if form.text("act") != "set" {
        let found = again::preview(&state.parts, &chosen.scope, mapping.as_ref(), PREVIEWED).await;
        return match found {
            Ok(preview) => show(&state, &chosen, text, None, Some(preview)).await,
            Err(fault) => show(&state, &chosen, text, Some(fault), None).await,
        };
    }
    let done = match again::remap(&state.parts, &chosen.scope, mapping.as_ref()).await {
        Ok(Remapped::Again) => "remapped",
        Ok(Remapped::Sync) => "remapped-sync",
        Err(fault) => return show(&state, &chosen, text, Some(fault), None).await,
    };
    state.wake.notify_one();
    let words = if mapping.is_some() { "set" } else { "taken away" };
    chosen.note(&state, "mapping.changed", words).await?;
    Ok(see_other(&format!("{}/mapping?done={done}", chosen.base())))
}

/// Says which raw fields fill the custom fields.
pub(super) async fn custom(State(state): State<AppState>, chosen: Chosen, form: Posted) -> Shown {
    let known = state.store.integration_fields(&chosen.scope).await?;
    let mut changed = Vec::new();
    for one in state.store.custom_fields_of(&chosen.scope).await? {
        let Some(wanted) = form.all(&one.field.id).next() else { continue };
        let fits = known.iter().find(|field| field.id == wanted && field.model == one.field.model);
        if fits.map(|field| &field.id) == one.source.as_ref().map(|source| &source.id) {
            continue;
        }
        let source = fits.map(|field| field.id.as_str());
        state.store.custom_field_source_set(&chosen.scope, &one.field.id, source).await?;
        let key = fits.map_or("nothing", |field| field.key.as_str());
        changed.push(format!("{}: {key}", one.field.key));
    }
    if !changed.is_empty() {
        again::ask(&state.store, &chosen.scope).await?;
        state.wake.notify_one();
        chosen.note(&state, "custom-fields.mapped", changed.join(", ")).await?;
    }
    Ok(see_other(&format!("{}/mapping?done=remapped", chosen.base())))
}
