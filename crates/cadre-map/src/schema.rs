//! What a mapping file may hold, as a JSON Schema for editors.

use cadre_model::model::ModelDef;
use cadre_model::shape::Kind;
use serde_json::{Map, Value, json};

use crate::check;
use crate::table::Target;

/// The JSON Schema of `map/<model>.yaml`.
#[must_use]
pub fn schema(model: &'static ModelDef) -> Value {
    let fields: Map<String, Value> = check::names(model)
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), field(check::target(model, name)?))))
        .collect();
    let required: Vec<&str> = check::required(model).map(|field| field.name).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{}: how its records are made", model.id),
        "anyOf": [
            {"$ref": "#/$defs/table"},
            {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/table"}},
        ],
        "$defs": {
            "expression": {
                "description": "A jq expression on the raw record; a list of expressions is a list of their values.",
                "anyOf": [
                    {"type": ["string", "number", "boolean"]},
                    {"type": "array", "items": {"$ref": "#/$defs/expression"}},
                ],
            },
            "zone": {
                "description": "An IANA name, an offset, or {jq: EXPRESSION}.",
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "properties": {"jq": {"type": "string"}},
                     "required": ["jq"], "additionalProperties": false},
                ],
            },
            "none": {
                "type": "object", "required": ["none"], "additionalProperties": false,
                "properties": {"none": {"type": "string", "description": "Why there is nothing to read."}},
            },
            "table": {
                "type": "object",
                "required": ["from", "remote_id", "fields"],
                "additionalProperties": false,
                "properties": {
                    "from": {"type": "string", "description": "The stream whose records are read."},
                    "each": told("Yields the values that each become a record; by default the raw record.",
                                 &json!({"$ref": "#/$defs/expression"})),
                    "when": told("Which raw records are read; by default all.",
                                 &json!({"$ref": "#/$defs/expression"})),
                    "deleted": told("Of which raw records the tool says that they are deleted.",
                                    &json!({"$ref": "#/$defs/expression"})),
                    "remote_id": told("The record's id at the tool.", &json!({"$ref": "#/$defs/expression"})),
                    "zone": told("The zone of times without an offset; by default UTC.",
                                 &json!({"$ref": "#/$defs/zone"})),
                    "fields": {
                        "type": "object", "description": "Where each field's value comes from.",
                        "properties": fields, "required": required, "additionalProperties": false,
                    },
                },
            },
        },
    })
}

fn told(description: &str, schema: &Value) -> Value {
    json!({"description": description, "allOf": [schema]})
}

fn field(target: Target) -> Value {
    let description = match target {
        Target::Own(field) => {
            let words: Vec<&str> = field.doc.split_whitespace().collect();
            format!("{} {}", words.join(" "), kind(&field.kind)).trim().to_owned()
        }
        Target::Links(relation) => {
            let words: Vec<&str> = relation.doc.split_whitespace().collect();
            format!("{} Remote ids of {}.", words.join(" "), relation.target)
        }
    };
    let ours = match target {
        Target::Own(field) => values(&field.kind),
        Target::Links(_) => json!({}),
    };
    json!({
        "description": description,
        "anyOf": [
            {"$ref": "#/$defs/expression"},
            {"$ref": "#/$defs/none"},
            {
                "type": "object", "required": ["value"], "additionalProperties": false,
                "properties": {
                    "value": {"$ref": "#/$defs/expression"},
                    "format": {"type": "string", "description": "How a date is written, as in strptime: %d.%m.%Y"},
                    "zone": {"$ref": "#/$defs/zone"},
                    "enum": {
                        "type": "object", "description": "{theirs: OURS}; compared without case.",
                        "additionalProperties": ours,
                    },
                },
            },
        ],
    })
}

/// What the right side of an `enum` table may hold.
fn values(kind: &Kind) -> Value {
    match kind {
        Kind::List(item) => values(item),
        Kind::Choice(choices) if !choices.open => {
            let mut known: Vec<Value> =
                choices.values.iter().map(|value| (*value).into()).collect();
            known.push(Value::Null);
            json!({ "enum": known })
        }
        // Other values may pass; the known ones are offered.
        Kind::Choice(choices) => {
            json!({"anyOf": [{"enum": choices.values}, {"type": ["string", "null"]}]})
        }
        _ => json!({}),
    }
}

/// What a field holds, in a few words.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Choice(choices) => format!("One of {}.", choices.values.join(", ")),
        Kind::Ref(model) => format!("Remote id of a record of {model}."),
        Kind::Timestamp => "A moment.".to_owned(),
        Kind::Midnight | Kind::Date => "A day.".to_owned(),
        Kind::Object(shape) => {
            let names: Vec<&str> = shape.fields.iter().map(|field| field.name).collect();
            format!("An object: {}.", names.join(", "))
        }
        Kind::List(item) => format!("A list. {}", self::kind(item)).trim().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::schema;

    #[test]
    fn every_model_has_its_fields() {
        for model in cadre_model::registry::models() {
            let schema = schema(model);
            let fields = &schema["$defs"]["table"]["properties"]["fields"];
            for field in model.shape.fields {
                assert!(
                    fields["properties"][field.name].is_object(),
                    "{} {}",
                    model.id,
                    field.name
                );
            }
        }
        let employees = cadre_model::registry::model("hris_employees").expect("a model");
        let text = schema(employees).to_string();
        assert!(text.contains("ON_LEAVE") || text.contains("LEAVE"), "{text}");
    }
}
