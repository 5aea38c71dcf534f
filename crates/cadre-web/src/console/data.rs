//! `…/data`: the data explorer: models, and the records of one.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use cadre_model::model::ModelDef;
use cadre_model::registry;
use cadre_store::ListQuery;
use serde_json::{Map, Value};

use super::page::{Moment, Shown, Trouble, grouped, html};
use super::shell::{Chosen, Header, Named, Shell};
use crate::state::AppState;

/// Records on a page.
const ON_PAGE: u32 = 50;
/// Columns that are filled from the records.
const COLUMNS: usize = 5;
/// Longest value that a table shows, in characters.
const SHOWN_CHARS: usize = 60;

#[derive(Debug, Template)]
#[template(path = "data.html")]
struct Data {
    shell: Shell,
    header: Header,
    models: Vec<(String, String, String, Moment)>,
}

#[derive(Debug, Template)]
#[template(path = "records.html")]
struct Records {
    shell: Shell,
    header: Header,
    model: &'static str,
    label: &'static str,
    text: String,
    deleted: bool,
    columns: Vec<String>,
    rows: Vec<RowOut>,
    first: bool,
    after: Option<String>,
}

#[derive(Debug)]
struct RowOut {
    id: String,
    remote_id: String,
    cells: Vec<String>,
    changed: String,
    deleted: bool,
}

/// Lists the models that there are records of.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen) -> Shown {
    let stats = state.store.records_stats(&chosen.scope).await?;
    let models = stats.into_iter().map(|of| {
        let label = registry::model(&of.model).map_or(of.model.as_str(), |model| model.label);
        let count = grouped(i64::try_from(of.count).unwrap_or(i64::MAX));
        (of.model.clone(), label.to_owned(), count, Moment(of.changed_at))
    });
    let page = Data {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "data"),
        models: models.collect(),
    };
    Ok(html(&page))
}

/// The model that the path names.
pub(super) fn model_of(named: &Named) -> Result<&'static ModelDef, Trouble> {
    registry::model(named.part("model")).ok_or(Trouble::Missing("A model of this name"))
}

/// Lists the records of a model, or those that a text leads to.
pub(super) async fn list(State(state): State<AppState>, chosen: Chosen, named: Named) -> Shown {
    let model = model_of(&named)?;
    let text = chosen.here.asked("q");
    let deleted = chosen.here.asked("deleted").is_some();
    let after = chosen.here.asked("after");
    let ids = match &text {
        Some(text) => {
            Some(state.store.record_ids_by_text(&chosen.scope, model, text, ON_PAGE).await?)
        }
        None => None,
    };
    let query = ListQuery {
        limit: ON_PAGE,
        after_id: after.clone(),
        include_deleted: deleted || text.is_some(),
        ids,
        ..ListQuery::default()
    };
    let page = state.store.records_list(&chosen.scope, model, &query, &HashSet::new()).await?;
    let records: Vec<Map<String, Value>> = serde_json::from_str(&page.body).unwrap_or_default();
    let columns = columns(model, &records);
    let page = Records {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "data"),
        model: model.id,
        label: model.label,
        rows: records.iter().map(|record| row(record, &columns)).collect(),
        columns,
        text: text.unwrap_or_default(),
        deleted,
        first: after.is_none(),
        after: page.last_id.filter(|_| page.more),
    };
    Ok(html(&page))
}

/// The first fields of the model for which a record of the page has a plain value.
fn columns(model: &ModelDef, records: &[Map<String, Value>]) -> Vec<String> {
    let plain = |name: &str| {
        let mut values = records.iter().filter_map(|record| record.get(name));
        values.any(|value| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)))
    };
    let fields = model.shape.fields.iter().map(|field| field.name);
    let fields = fields.filter(|name| *name != "id" && *name != "remote_id" && plain(name));
    fields.take(COLUMNS).map(str::to_owned).collect()
}

fn row(record: &Map<String, Value>, columns: &[String]) -> RowOut {
    let text = |name: &str| record.get(name).map(shown).unwrap_or_default();
    RowOut {
        id: text("id"),
        remote_id: text("remote_id"),
        cells: columns.iter().map(|name| text(name)).collect(),
        changed: text("changed_at"),
        deleted: record.get("remote_deleted_at").is_some_and(|at| !at.is_null()),
    }
}

/// A value as a table shows it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
