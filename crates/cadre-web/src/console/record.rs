//! `…/data/{model}/{record}`: one record, and for each of its values the line of the mapping that it
//! comes from.

use std::collections::HashSet;

use askama::Template;
use axum::extract::State;
use cadre_jobs::lineage::{FieldSource, sources};
use cadre_model::mapped::Issue;
use cadre_model::model::ModelDef;
use cadre_store::ListQuery;
use serde_json::{Map, Value};

use super::data::model_of;
use super::page::{Shown, Trouble, html};
use super::shell::{Chosen, Header, Named, Shell};
use crate::state::AppState;

/// Values of a run that did not fit, among which those of the record are looked for.
const ISSUES: u32 = 2_000;
/// Linked records that the page names of one relation.
const LINKS: usize = 30;

#[derive(Debug, Template)]
#[template(path = "record.html")]
struct Record {
    shell: Shell,
    header: Header,
    model: &'static str,
    label: &'static str,
    id: String,
    remote_id: String,
    changed: String,
    deleted: Option<String>,
    fields: Vec<FieldOut>,
    links: Vec<LinksOut>,
    issues: Vec<Issue>,
    raw: Option<String>,
    json: String,
}

#[derive(Debug)]
struct FieldOut {
    name: String,
    value: Option<String>,
    long: bool,
    sources: Vec<FieldSource>,
}

#[derive(Debug)]
struct LinksOut {
    name: &'static str,
    model: &'static str,
    targets: Vec<(String, String)>,
    more: usize,
}

/// Shows a record. That somebody looked at it is noted.
pub(super) async fn get(State(state): State<AppState>, chosen: Chosen, named: Named) -> Shown {
    let model = model_of(&named)?;
    let id = named.part("record");
    let query = ListQuery {
        limit: 1,
        include_deleted: true,
        ids: Some(vec![id.to_owned()]),
        ..ListQuery::default()
    };
    let page = state.store.records_list(&chosen.scope, model, &query, &HashSet::new()).await?;
    let records: Vec<Map<String, Value>> = serde_json::from_str(&page.body).unwrap_or_default();
    let record = records.into_iter().next().ok_or(Trouble::Missing("A record with this id"))?;
    chosen.note(&state, "record.viewed", format!("{} {id}", model.id)).await?;
    let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let remote_id = text("remote_id");
    let issues = state.store.issues_list(&chosen.scope, ISSUES).await?;
    let of_record = |issue: &Issue| {
        issue.model == model.id && issue.remote_id.as_deref() == Some(remote_id.as_str())
    };
    let page = Record {
        shell: chosen.here.shell("integrations"),
        header: chosen.header(&state, "data"),
        model: model.id,
        label: model.label,
        id: id.to_owned(),
        changed: text("changed_at"),
        deleted: Some(text("remote_deleted_at")).filter(|at| !at.is_empty()),
        fields: fields(&state, &chosen, model, &record),
        links: links(model, &record),
        issues: issues.into_iter().filter(of_record).collect(),
        raw: record.get("remote_data").filter(|raw| !raw.is_null()).map(pretty),
        json: pretty(&Value::Object(record)),
        remote_id,
    };
    Ok(html(&page))
}

/// Every own field with its value and its sources; the relations that the mapping fills after them.
fn fields(
    state: &AppState,
    chosen: &Chosen,
    model: &'static ModelDef,
    record: &Map<String, Value>,
) -> Vec<FieldOut> {
    let integration = &chosen.found.integration;
    let entry = state.catalog.get(&integration.tool);
    let mut known = entry.map(|entry| sources(&entry, integration, model.id)).unwrap_or_default();
    let mut rows = Vec::new();
    let own = model.shape.fields.iter().map(|field| field.name);
    let names: Vec<&str> = std::iter::once("remote_id").chain(own).collect();
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) || *name == "id" {
            continue;
        }
        let value = record.get(*name).filter(|value| !value.is_null()).map(pretty);
        rows.push(FieldOut {
            name: (*name).to_owned(),
            long: value.as_ref().is_some_and(|value| value.contains('\n')),
            value,
            sources: known.remove(*name).unwrap_or_default(),
        });
    }
    for relation in model.links() {
        let sources = known.remove(relation.name).unwrap_or_default();
        let name = relation.name.to_owned();
        let many = record.get(relation.name).and_then(Value::as_array).map(Vec::len);
        let value = many.filter(|many| *many > 0).map(|many| format!("{many} linked, see below"));
        rows.push(FieldOut { name, value, long: false, sources });
    }
    // Those with a value first, then those that could have one, then what the tool does not give.
    rows.sort_by_key(|row| (row.value.is_none(), row.sources.is_empty()));
    rows
}

fn links(model: &'static ModelDef, record: &Map<String, Value>) -> Vec<LinksOut> {
    let mut found = Vec::new();
    for relation in model.relations {
        let Some(value) = record.get(relation.name) else { continue };
        let all: Vec<&Value> = match value {
            Value::Array(all) => all.iter().collect(),
            Value::Object(_) => vec![value],
            _ => continue,
        };
        let targets: Vec<_> = all.iter().filter_map(|linked| target(linked)).collect();
        if targets.is_empty() {
            continue;
        }
        let more = targets.len().saturating_sub(LINKS);
        let targets = targets.into_iter().take(LINKS).collect();
        found.push(LinksOut { name: relation.name, model: relation.target, targets, more });
    }
    found
}

/// The id of a linked record, and what people call it.
fn target(linked: &Value) -> Option<(String, String)> {
    let id = linked.get("id")?.as_str()?;
    let words = ["name", "display_full_name", "title", "remote_label", "remote_id"];
    let name = words.iter().find_map(|name| linked.get(*name)?.as_str());
    let full = linked.get("first_name").and_then(Value::as_str).map(|first| {
        format!("{first} {}", linked.get("last_name").and_then(Value::as_str).unwrap_or_default())
    });
    Some((id.to_owned(), full.unwrap_or_else(|| name.unwrap_or(id).to_owned())))
}

/// A value on lines of its own; a text as it is.
fn pretty(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => serde_json::to_string_pretty(value).unwrap_or_default(),
    }
}
