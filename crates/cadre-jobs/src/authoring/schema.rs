//! What the files of a connector may hold, as JSON Schemas: editors complete and check by them.

use std::collections::BTreeMap;

use cadre_connector::{Replay, manifest};
use cadre_model::fault::Code;
use cadre_model::registry;
use cadre_model::shape::{Kind, Structure};
use serde_json::{Map, Value, json};

use crate::cases;

/// Folder beside the connectors that the first line of each file points to.
pub const FOLDER: &str = ".schema";

/// What files a schema is for.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    /// `connector.yaml`.
    Connector,
    /// `map/<model>.yaml`.
    Map(&'static cadre_model::model::ModelDef),
    /// `actions/<action>.yaml`.
    Action,
    /// `cases/<case>/case.yaml`.
    Case,
    /// `exchanges.json` of a case.
    Exchanges,
    /// `records.json` of a case.
    Records,
    /// `issues.json` of a case.
    Issues,
    /// `error.json` of a case.
    Error,
}

/// The schema of a kind of file.
#[must_use]
pub fn of(subject: Subject) -> Value {
    match subject {
        Subject::Connector => manifest::schema(),
        Subject::Map(model) => cadre_map::schema(model),
        Subject::Action => manifest::action_schema(),
        Subject::Case => cases::schema(),
        Subject::Exchanges => Replay::schema(),
        Subject::Records => records(),
        Subject::Issues => issues(),
        Subject::Error => error(),
    }
}

/// All of them, by path below [`FOLDER`].
#[must_use]
pub fn files() -> BTreeMap<String, String> {
    let mut all: Vec<(String, Subject)> = [
        ("connector", Subject::Connector),
        ("action", Subject::Action),
        ("case", Subject::Case),
        ("exchanges", Subject::Exchanges),
        ("records", Subject::Records),
        ("issues", Subject::Issues),
        ("error", Subject::Error),
    ]
    .map(|(name, subject)| (format!("{name}.json"), subject))
    .into();
    let models = registry::models().iter();
    all.extend(models.map(|model| (format!("map/{}.json", model.id), Subject::Map(model))));
    all.into_iter().map(|(path, subject)| (path, format!("{:#}\n", of(subject)))).collect()
}

/// Records as a person writes them down: what is null is left out, references are remote ids.
fn records() -> Value {
    let models = registry::models().iter().map(|model| {
        let mut fields: Map<String, Value> = properties(model.shape);
        fields.insert("remote_id".to_owned(), json!({"type": "string"}));
        for relation in model.links() {
            let words: Vec<&str> = relation.doc.split_whitespace().collect();
            fields.insert(
                relation.name.to_owned(),
                json!({"type": "array", "description": words.join(" ")}),
            );
        }
        let record = json!({
            "type": "object", "properties": fields, "required": ["remote_id"], "additionalProperties": false,
        });
        (model.id.to_owned(), json!({"type": "array", "items": record}))
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The records that a case expects, by model",
        "type": "object",
        "properties": models.collect::<Map<_, _>>(),
    })
}

fn properties(shape: &Structure) -> Map<String, Value> {
    let fields = shape.fields.iter().map(|field| {
        let mut schema = value(&field.kind);
        let words: Vec<&str> = field.doc.split_whitespace().collect();
        if let Some(schema) = schema.as_object_mut() {
            schema.insert("description".to_owned(), words.join(" ").into());
        }
        (field.name.to_owned(), schema)
    });
    fields.collect()
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Number => json!({"type": "number"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Choice(choices) if choices.open => {
            json!({"anyOf": [{"enum": choices.values}, {"type": "string"}]})
        }
        Kind::Choice(choices) => json!({"enum": choices.values}),
        Kind::Object(shape) => json!({"type": "object", "properties": properties(shape)}),
        Kind::List(item) => json!({"type": "array", "items": value(item)}),
        Kind::Union(_) | Kind::Json => json!({}),
        Kind::Text
        | Kind::Timestamp
        | Kind::Midnight
        | Kind::Date
        | Kind::TimeOfDay
        | Kind::Offset
        | Kind::Email
        | Kind::Url
        | Kind::Currency
        | Kind::Country
        | Kind::Ref(_) => json!({"type": "string"}),
    }
}

fn issues() -> Value {
    let models: Vec<&str> = registry::models().iter().map(|model| model.id).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The values that do not fit, as a case expects them",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "model": {"anyOf": [{"enum": models}, {"type": "string"}]},
                "remote_id": {"type": ["string", "null"], "description": "The record's id at the tool."},
                "field": {"type": ["string", "null"], "description": "Path of the field: bank_accounts[0].iban"},
                "problem": {"type": "string", "description": "unknown_value, wrong_type, invalid_date and others."},
            },
        },
    })
}

fn error() -> Value {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "How a run ends, as a case expects it",
        "type": "object",
        "required": ["code"],
        "additionalProperties": false,
        "properties": {
            "code": {"enum": codes},
            "message": {"type": "string", "description": "A part of the message."},
            "retry": {"type": "boolean", "description": "Whether trying again later may help."},
        },
    })
}
