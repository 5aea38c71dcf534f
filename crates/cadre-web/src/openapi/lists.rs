//! The operations that list records.

use cadre_model::model::{Category, Filter, FilterRule, Join, ModelDef};
use cadre_model::shape::{Field, Kind};
use serde_json::{Value, json};

use super::schema::Components;
use super::{MOMENT_PATTERN, answers, integration_header};
use crate::listing::{DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE};
use crate::refuse::Class;

/// The list operation of a model at one of its paths.
pub(super) fn operation(
    model: &'static ModelDef,
    path: &str,
    filters: &'static [Filter],
    components: &mut Components,
) -> Value {
    let (tag, class) = match model.category {
        Category::Hris => ("Unified HRIS API", Class::Hris),
        Category::Ats => ("Unified ATS API", Class::Ats),
        Category::Lms => ("Unified LMS API", Class::General),
        Category::Assessment => ("Unified ATS (Assessment & Background Check) API", Class::Ats),
    };
    let mut parameters = vec![integration_header()];
    parameters.extend(common(model));
    parameters.extend(filters.iter().map(|filter| parameter(model, filter)));
    let record = components.record(model);
    let data = json!({
        "type": "object",
        "properties": {
            "next": { "type": ["string", "null"], "description": "The cursor of the next page." },
            "results": { "type": "array", "items": record },
        },
        "required": ["next", "results"],
    });
    json!({
        "operationId": operation_id(path),
        "summary": format!("List {}", lower_first(model.label)),
        "tags": [tag],
        "x-error-class": class.name(),
        "x-pagination": {
            "type": "cursor", "input": "cursor", "next": "$.data.next", "results": "$.data.results",
        },
        "x-filter-semantics": { "between_filters": "AND", "within_filter": "OR" },
        "parameters": parameters,
        "responses": answers(class, &data),
    })
}

/// `/hris/pay-runs`: `GetHrisPayRuns`.
fn operation_id(path: &str) -> String {
    let word = |part: &str| {
        let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
        first.to_uppercase() + rest
    };
    let words: String = path.split(['/', '-']).filter(|part| !part.is_empty()).map(word).collect();
    format!("Get{words}")
}

fn lower_first(text: &str) -> String {
    let (first, rest) = text.split_at_checked(1).unwrap_or((text, ""));
    first.to_lowercase() + rest
}

/// What every list takes.
fn common(model: &'static ModelDef) -> Vec<Value> {
    let page_size = json!({
        "type": "integer", "default": DEFAULT_PAGE_SIZE, "minimum": 1, "maximum": MAX_PAGE_SIZE,
    });
    let moment = json!({
        "type": "string", "format": "date-time", "pattern": MOMENT_PATTERN,
        "x-format-hint": "YYYY-MM-DDTHH:mm:ss.sssZ",
    });
    let switch = json!({ "type": "boolean", "default": false });
    let texts = json!({ "type": "array", "items": { "type": "string" } });
    let mut updated_after =
        query("updated_after", "Only records that changed after this moment.", moment);
    let relations = touching(model);
    if !relations.is_empty() {
        updated_after["x-updated-after-relations"] = Value::Array(relations);
    }
    vec![
        query("cursor", "`next` of the page before.", json!({ "type": "string" })),
        query("page_size", "Most records on a page.", page_size),
        updated_after,
        query("include_deleted", "Whether deleted records are listed too.", switch.clone()),
        query(
            "ignore_unsupported_filters",
            "Whether a filter on a field that the tool does not offer is left out; if not, it \
             matches nothing.",
            switch,
        ),
        query("ids", "Only the records with these ids.", texts.clone()),
        query("remote_ids", "Only the records with these ids in the tool.", texts),
    ]
}

fn touching(model: &'static ModelDef) -> Vec<Value> {
    let shown = |relation: &&'static cadre_model::model::Relation| {
        relation.touches.added_or_removed || relation.touches.linked
    };
    let entry = |relation: &'static cadre_model::model::Relation| {
        let single = matches!(relation.join, Join::Field(_));
        let links = if single { Value::Null } else { relation.touches.added_or_removed.into() };
        json!({
            "path": relation.name,
            "added_or_removed": links,
            "linked_record": relation.touches.linked,
        })
    };
    model.relations.iter().filter(shown).map(entry).collect()
}

fn query(name: &str, doc: &str, schema: Value) -> Value {
    let exploded = schema["type"] != "array";
    json!({
        "name": name, "in": "query", "required": false, "description": doc,
        "style": "form", "explode": exploded, "schema": schema,
    })
}

fn parameter(model: &'static ModelDef, filter: &Filter) -> Value {
    let text = json!({ "type": "string" });
    let schema = match filter.rule {
        FilterRule::AnyOf { key } | FilterRule::AnyOfFolded { key } => {
            let mut item = text;
            if let Some(Kind::Choice(choices)) = kind_of_key(model, key) {
                item["x-known-values"] = json!(choices.values);
            }
            json!({ "type": "array", "items": item })
        }
        FilterRule::RefersTo { .. }
        | FilterRule::RefersToRemote { .. }
        | FilterRule::RefersThrough { .. }
        | FilterRule::ReferredThrough { .. } => json!({ "type": "array", "items": text }),
        FilterRule::OneOf { values, .. } => json!({ "type": "string", "enum": values }),
        FilterRule::EqualsFolded { key }
            if matches!(kind_of_key(model, key), Some(Kind::Email)) =>
        {
            json!({ "type": "string", "format": "email" })
        }
        FilterRule::Equals { .. }
        | FilterRule::EqualsFolded { .. }
        | FilterRule::Contains { .. }
        | FilterRule::RefersToOne { .. } => text,
        FilterRule::After { .. } | FilterRule::Before { .. } => {
            json!({ "type": "string", "format": "date-time", "pattern": MOMENT_PATTERN })
        }
        FilterRule::CustomField => {
            json!({ "type": "string", "contentMediaType": "application/json" })
        }
    };
    let mut parameter = query(filter.name, filter.doc, schema);
    if filter.rule.folds() && !matches!(filter.rule, FilterRule::Contains { .. }) {
        parameter["x-case-insensitive"] = Value::Bool(true);
    }
    if filter.deprecated {
        parameter["deprecated"] = Value::Bool(true);
    }
    parameter
}

/// The kind of the value that a key is taken from: `email_addresses.email_address` reaches inside.
pub(crate) fn kind_of_key(model: &'static ModelDef, key: &str) -> Option<Kind> {
    let mut fields: &'static [Field] = model.shape.fields;
    let mut found = None;
    for part in key.split('.') {
        let field = fields.iter().find(|field| field.name == part)?;
        let kind = match field.kind {
            Kind::List(item) => *item,
            kind => kind,
        };
        fields = match kind {
            Kind::Object(structure) => structure.fields,
            _ => &[],
        };
        found = Some(kind);
    }
    found
}
