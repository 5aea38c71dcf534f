//! Made-up records of every model: one that fills everything, one that fills only what it must.

use cadre_model::ats::answer::ANSWER_FORMS;
use cadre_model::fields::Fields;
use cadre_model::mapped::{Link, Mapped};
use cadre_model::model::{Join, ModelDef};
use cadre_model::shape::{Kind, Structure};
use serde_json::{Map, Value, json};

/// How much of a record is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Every field.
    Everything,
    /// Only what may not be null.
    Least,
}

/// A record of the model with the remote id `remote_id`. Every reference is to the remote id `1`.
pub fn record(model: &'static ModelDef, remote_id: &str, fill: Fill) -> Mapped {
    let fields = Fields::of(model.shape, fields(model.shape, fill));
    let links = model
        .links()
        .map(|relation| {
            let Join::Links { attributes } = relation.join else { return (relation.name, vec![]) };
            let attributes = attributes.map(|shape| self::fields(shape, fill)).unwrap_or_default();
            (relation.name, vec![Link { remote_id: "1".into(), attributes }])
        })
        .filter(|_| fill == Fill::Everything)
        .collect();
    Mapped { model, remote_id: remote_id.into(), fields, links, issues: Vec::new() }
}

fn fields(structure: &Structure, fill: Fill) -> Map<String, Value> {
    let mut fields = Map::new();
    for field in structure.fields {
        if fill == Fill::Everything || !field.nullable {
            fields.insert(field.name.into(), value(field.name, &field.kind, fill));
        }
    }
    if structure.name == "ScreeningQuestionAnswer" {
        let (tag, form) = ANSWER_FORMS[0];
        fields.insert("answer".into(), Value::Object(self::fields(form, fill)));
        fields["question"]["type"] = tag.into();
    }
    fields
}

fn value(name: &str, kind: &Kind, fill: Fill) -> Value {
    match kind {
        Kind::Text => json!("text with \"quotes\", ümlauts and \u{1F600}"),
        Kind::Number => json!(1.5),
        Kind::Integer => json!(2),
        Kind::Boolean => json!(true),
        Kind::Timestamp => json!("2026-01-31T08:15:00.000Z"),
        Kind::Midnight => json!("2026-01-31T00:00:00.000Z"),
        Kind::Date => json!("2026-01-31"),
        Kind::TimeOfDay => json!("08:15:00"),
        Kind::Offset => json!("+01:00"),
        Kind::Email => json!("ann@example.com"),
        Kind::Url => json!("https://example.com/1"),
        Kind::Currency => json!("EUR"),
        Kind::Country => json!("DE"),
        Kind::Choice(choices) => json!(choices.values[0]),
        Kind::Ref(_) => json!("1"),
        Kind::Object(structure) => Value::Object(fields(structure, fill)),
        Kind::Union(union) => {
            let (tag, structure) = union.variants[0];
            let mut fields = fields(structure, fill);
            fields.insert("type".into(), tag.into());
            Value::Object(fields)
        }
        Kind::List(Kind::Json) if name == "precondition_options" => json!(["yes"]),
        Kind::List(item) => json!([value(name, item, fill)]),
        Kind::Json => json!({ "anything": [1, null] }),
    }
}
