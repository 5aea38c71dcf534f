//! Schemas of values, structures and records.

use std::collections::BTreeMap;

use cadre_model::ats::answer::ANSWER_FORMS;
use cadre_model::model::{Extensions, Join, ModelDef, Relation, View};
use cadre_model::shape::{Choices, Field, Kind, Structure, Union};
use cadre_model::{ids, registry};
use serde_json::{Map, Value, json};

use super::actions::ids_of_tools;

/// What an e-mail address looks like, as clients check it.
pub(super) const EMAIL_PATTERN: &str =
    r"^(?!\.)(?!.*\.\.)([\w'+-.]*)[\w+-]@([\da-z][\da-z-]*\.)+[a-z]{2,}$";

/// What a moment looks like in an answer.
pub(super) const STAMP_PATTERN: &str = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$";
/// What the id of a record looks like.
pub(super) const ID_PATTERN: &str = "^[1-9A-HJ-NP-Za-km-z]+$";

/// Named schemas, collected while others refer to them.
#[derive(Default)]
pub(super) struct Components(BTreeMap<String, Value>);

impl Components {
    /// Adds a schema under a name.
    pub(super) fn put(&mut self, name: &str, schema: Value) {
        self.0.insert(name.to_owned(), schema);
    }

    pub(super) fn into_value(self) -> Value {
        Value::Object(self.0.into_iter().collect())
    }

    /// A reference to the schema of that name, which is made when it is not there yet.
    fn refer(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            // A placeholder first, so that a structure that holds itself comes to an end.
            self.put(name, Value::Null);
            let schema = make(self);
            self.put(name, schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// What a reference leads to.
    pub(super) fn resolved(&self, reference: &Value) -> Value {
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.0.get(name)).cloned().unwrap_or_default()
    }

    /// A record of a model, as its list endpoint shows it.
    pub(super) fn record(&mut self, model: &'static ModelDef) -> Value {
        self.refer(&format!("{}Record", model.shape.name), |components| {
            let mut object = Object::default();
            for name in ["id", "remote_id"] {
                object.add(name, components.system(model, name));
            }
            for field in model.shape.fields {
                object.add(field.name, components.field(field));
            }
            for name in ["changed_at", "remote_deleted_at"] {
                object.add(name, components.system(model, name));
            }
            for name in extensions(model.extensions) {
                object.add(name, components.system(model, name));
            }
            for relation in model.relations {
                object.add(relation.name, components.relation(relation));
            }
            object.schema(model.shape.doc)
        })
    }

    /// A record of a model in which one field shows the linked record whole.
    pub(super) fn record_with(
        &mut self,
        model: &'static ModelDef,
        field: &str,
        whole: &'static ModelDef,
    ) -> Value {
        let (own, linked) = (self.record(model), self.record(whole));
        let name = format!("{}With{}", model.shape.name, whole.shape.name);
        self.refer(&name, |components| {
            let known = own["$ref"].as_str().and_then(|path| path.rsplit('/').next());
            let mut schema =
                known.and_then(|name| components.0.get(name)).cloned().unwrap_or_default();
            schema["properties"][field] = json!({ "anyOf": [linked, { "type": "null" }] });
            schema
        })
    }

    fn relation(&mut self, relation: &'static Relation) -> Value {
        let Some(target) = registry::model(relation.target) else { return json!({}) };
        let mut shown = self.wrapped(target, &relation.view);
        if let Join::Links { attributes: Some(attributes) } = relation.join {
            for field in attributes.fields {
                shown.add(field.name, self.field(field));
            }
        }
        let mut schema = shown.schema("");
        if relation.join.many() {
            schema = json!({ "type": "array", "items": schema });
        } else if relation.nullable {
            schema = json!({ "anyOf": [schema, { "type": "null" }] });
        }
        described(schema, relation.doc)
    }

    /// What a view shows, one level deeper where it says so.
    fn wrapped(&mut self, target: &'static ModelDef, view: &'static View) -> Object {
        let shown = self.view(target, view);
        let Some((id, object)) = view.wrapped else { return shown };
        let mut outer = Object::default();
        outer.add(id, json!({ "type": "string" }));
        outer.add(object, shown.schema(target.shape.doc));
        outer
    }

    fn view(&mut self, target: &'static ModelDef, view: &'static View) -> Object {
        let mut object = Object::default();
        for name in view.fields {
            let schema = match target.shape.field(name) {
                Some(field) => self.field(field),
                None => self.system(target, name),
            };
            object.add(name, schema);
        }
        for (name, inner) in view.relations {
            let Some(relation) = target.relation(name) else { continue };
            let Some(further) = registry::model(relation.target) else { continue };
            let mut schema = self.wrapped(further, inner).schema("");
            if relation.join.many() {
                schema = json!({ "type": "array", "items": schema });
            } else if relation.nullable {
                schema = json!({ "anyOf": [schema, { "type": "null" }] });
            }
            object.add(name, described(schema, relation.doc));
        }
        for (name, value) in view.constants {
            object.add(name, json!({ "type": "string", "enum": [value] }));
        }
        object
    }

    /// What every record has, whatever its model.
    fn system(&mut self, model: &ModelDef, name: &str) -> Value {
        match name {
            "id" => json!({ "type": "string", "description": "Its id." }),
            "remote_id" => described(
                nullable(json!({ "type": "string" }), model.remote_id_nullable),
                "Its id in the connected tool.",
            ),
            "changed_at" => json!({
                "type": "string", "format": "date-time",
                "description": "When a field of its own last changed here.",
            }),
            "remote_deleted_at" => json!({
                "type": ["string", "null"], "format": "date-time",
                "description": "When it was found to be gone from the connected tool.",
            }),
            "integration_fields" => json!({ "type": "array", "items": integration_field() }),
            // `custom_fields` and `remote_data`
            _ => json!({ "type": ["object", "null"], "additionalProperties": true }),
        }
    }

    fn field(&mut self, field: &Field) -> Value {
        let schema = match (field.name, field.kind) {
            // The one list whose items are all of one of two kinds.
            ("precondition_options", Kind::List(Kind::Json)) => json!({ "anyOf": [
                { "type": "array", "items": { "type": "string" } },
                { "type": "array", "items": { "type": "boolean" } },
                { "type": "null" },
            ] }),
            _ => nullable(self.value(&field.kind), field.nullable),
        };
        described(schema, field.doc)
    }

    fn value(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Text => json!({ "type": "string" }),
            Kind::Ref(_) => json!({
                "type": "string", "pattern": ID_PATTERN,
                "minLength": ids::ID_LENGTH, "maxLength": ids::ID_LENGTH,
            }),
            Kind::Number => json!({ "type": "number" }),
            Kind::Integer => json!({ "type": "integer" }),
            Kind::Boolean => json!({ "type": "boolean" }),
            Kind::Timestamp | Kind::Midnight => {
                json!({ "type": "string", "format": "date-time", "pattern": STAMP_PATTERN })
            }
            Kind::Date => {
                json!({ "type": "string", "format": "date", "x-format-hint": "YYYY-MM-DD" })
            }
            Kind::TimeOfDay => json!({
                "type": "string", "pattern": r"^\d{2}:\d{2}:\d{2}$", "x-format-hint": "HH:mm:ss",
            }),
            Kind::Offset => {
                json!({ "type": "string", "pattern": r"^[+-](?:0\d|1[0-4]):[0-5]\d$" })
            }
            Kind::Email => json!({ "type": "string", "pattern": EMAIL_PATTERN }),
            Kind::Url => json!({ "type": "string", "format": "uri" }),
            Kind::Currency => json!({ "type": "string", "x-format-hint": "iso-4217" }),
            Kind::Country => json!({ "type": "string", "x-format-hint": "iso-3166-1-alpha-2" }),
            Kind::Choice(choices) => choice(choices),
            Kind::Object(structure) => self.structure(structure),
            Kind::Union(union) => self.union(union),
            Kind::List(item) => json!({ "type": "array", "items": self.value(item) }),
            Kind::Json => json!({}),
        }
    }

    pub(super) fn structure(&mut self, structure: &'static Structure) -> Value {
        if structure.name == "ScreeningQuestionAnswer" {
            return self.answers(structure);
        }
        if structure.name == "EmployeeForm" {
            return self.form(structure);
        }
        if structure.name == "Tracked" {
            return self.tracked(structure);
        }
        self.refer(structure.name, |components| {
            let mut object = Object::default();
            for field in structure.fields {
                object.add(field.name, components.field(field));
            }
            object.schema(structure.doc)
        })
    }

    /// An application that is followed, with what its tool knows it by under the tool's name.
    fn tracked(&mut self, structure: &'static Structure) -> Value {
        self.refer(structure.name, |components| {
            let mut object = Object::default();
            for field in structure.fields {
                let schema = match field.name {
                    "id" => json!({ "type": "string", "pattern": ID_PATTERN }),
                    "imported_id" => json!({ "type": "object", "properties": ids_of_tools() }),
                    _ => components.field(field),
                };
                object.add(field.name, schema);
            }
            object.schema(structure.doc)
        })
    }

    /// A form, whose fields are those of the tool.
    fn form(&mut self, structure: &'static Structure) -> Value {
        self.refer(structure.name, |_| {
            let field = json!({ "type": "object", "additionalProperties": true });
            let mut object = Object::default();
            object.add("properties", json!({ "type": "object", "additionalProperties": field }));
            object.schema(structure.doc)
        })
    }

    /// Answers, whose form follows a tag that stands deeper: `question.type`.
    fn answers(&mut self, structure: &'static Structure) -> Value {
        self.refer(structure.name, |components| {
            let mut variants = Vec::new();
            for (tag, form) in ANSWER_FORMS {
                let mut answer = Object::default();
                for field in form.fields {
                    answer.add(field.name, components.field(field));
                }
                let mut question = Object::default();
                if let Some(Kind::Object(asked)) = structure.field("question").map(|f| f.kind) {
                    for field in asked.fields {
                        question.add(field.name, components.field(field));
                    }
                }
                question.add("type", json!({ "type": "string", "const": tag }));
                let mut both = Object::default();
                both.add("answer", answer.schema(form.doc));
                both.add("question", question.schema(""));
                variants.push(both.schema(""));
            }
            described(json!({ "anyOf": variants }), structure.doc)
        })
    }

    fn union(&mut self, union: &'static Union) -> Value {
        if let [(tag, structure)] = union.variants {
            return self.variant(union.name, tag, structure);
        }
        self.refer(union.name, |components| {
            let mut mapping = Map::new();
            let mut variants = Vec::new();
            for (tag, structure) in union.variants {
                let name = format!("{}{}", union.name, camel(tag));
                let variant = components.variant(&name, tag, structure);
                mapping.insert((*tag).to_owned(), variant["$ref"].clone());
                variants.push(variant);
            }
            let discriminator = json!({ "propertyName": "type", "mapping": mapping });
            let schema = json!({ "oneOf": variants, "discriminator": discriminator });
            described(schema, union.doc)
        })
    }

    fn variant(&mut self, name: &str, tag: &str, structure: &'static Structure) -> Value {
        self.refer(name, |components| {
            let mut object = Object::default();
            object.add("type", json!({ "type": "string", "const": tag }));
            for field in structure.fields {
                object.add(field.name, components.field(field));
            }
            object.schema(structure.doc)
        })
    }
}

/// An object schema in the making: every property is always there.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn add(&mut self, name: &str, schema: Value) {
        self.0.insert(name.to_owned(), schema);
    }

    fn schema(self, doc: &str) -> Value {
        let required: Vec<&String> = self.0.keys().collect();
        let schema = json!({ "type": "object", "required": required, "properties": self.0 });
        described(schema, doc)
    }
}

/// The names of the extensions that a record carries.
pub(crate) fn extensions(extensions: Extensions) -> impl Iterator<Item = &'static str> {
    [
        (extensions.custom_fields, "custom_fields"),
        (extensions.integration_fields, "integration_fields"),
        (extensions.remote_data, "remote_data"),
    ]
    .into_iter()
    .filter_map(|(carried, name)| carried.then_some(name))
}

fn choice(choices: &Choices) -> Value {
    let key = if choices.open { "x-open-enum" } else { "enum" };
    json!({ "type": "string", key: choices.values })
}

fn integration_field() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "key": { "type": "string" },
            "type": { "type": "string", "enum": ["DEFAULT", "CUSTOM"] },
            "value": {},
            "label": { "type": ["string", "null"] },
        },
        "required": ["id", "key", "type", "value", "label"],
    })
}

/// The same schema, with null as one more value where `nullable` says so.
fn nullable(mut schema: Value, nullable: bool) -> Value {
    if !nullable {
        return schema;
    }
    let Some(single) = schema.get("type").and_then(Value::as_str).map(str::to_owned) else {
        // No type: either anything at all, which null is already, or a reference.
        return match schema.as_object() {
            Some(object) if object.is_empty() => schema,
            _ => json!({ "anyOf": [schema, { "type": "null" }] }),
        };
    };
    schema["type"] = json!([single, "null"]);
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    schema
}

pub(super) fn described(mut schema: Value, doc: &str) -> Value {
    let doc = doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let doc = doc.trim();
    if !doc.is_empty()
        && let Some(object) = schema.as_object_mut()
    {
        object.insert("description".into(), doc.into());
    }
    schema
}

/// `SINGLE_SELECT` as a part of a name: `SingleSelect`.
fn camel(tag: &str) -> String {
    let word = |part: &str| {
        let mut letters = part.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|c| c.to_ascii_lowercase())).collect::<String>()
    };
    tag.split('_').map(word).collect()
}
