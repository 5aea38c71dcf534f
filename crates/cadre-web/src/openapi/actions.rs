//! The operations that have a tool do something.

use cadre_model::action::{
    Action, Answer, Input, InputField, Preset, bulk_actions, restricted_actions, single_actions,
};
use cadre_model::fault::Code;
use cadre_model::model::Category;
use cadre_model::{ids, registry};
use serde_json::{Map, Value, json};

use super::live::{in_path, warned, words};
use super::schema::{Components, described};
use super::{MOMENT_PATTERN, answers, integration_header};
use crate::refuse::Class;

/// Every operation: path, method, and what it is.
pub(super) fn operations(components: &mut Components) -> Vec<(String, &'static str, Value)> {
    let done = single_actions().map(|action| {
        let method = match action.method {
            "GET" => "get",
            "PUT" => "put",
            "PATCH" => "patch",
            "DELETE" => "delete",
            _ => "post",
        };
        (action.path.to_owned(), method, operation(action, components))
    });
    let mut all: Vec<_> = done.collect();
    for action in bulk_actions() {
        all.push((format!("{}/bulk", action.path), "post", bulk(action)));
        all.push((format!("{}/bulk/{{task_id}}", action.path), "get", task(action)));
    }
    let files = restricted_actions().into_iter();
    all.extend(
        files.map(|action| (format!("/ats/actions/{}", action.id), "get", restrictions(action))),
    );
    all
}

/// The tag and the error class of the operations of a category.
const fn group(category: Category) -> (&'static str, Class) {
    match category {
        Category::Hris => ("Unified HRIS API", Class::Hris),
        Category::Ats => ("Unified ATS API", Class::Ats),
        Category::Lms => ("Unified LMS API", Class::General),
        Category::Assessment => ("Unified ATS (Assessment & Background Check) API", Class::Ats),
    }
}

fn operation(action: &'static Action, components: &mut Components) -> Value {
    let (tag, class) = group(action.category);
    let data = answer(action, components);
    let mut parameters = vec![integration_header(), key_header()];
    parameters.extend(action.about.map(|about| in_path(about.parameter)));
    let method = action.method.to_ascii_lowercase();
    if action.method == "GET" {
        parameters.extend(action.body.iter().map(|field| {
            json!({
                "name": field.name, "in": "query", "required": field.required,
                "description": field.doc, "style": "form", "explode": true,
                "schema": { "type": "string" },
            })
        }));
    }
    let mut operation = json!({
        "operationId": words(&format!("{method}{}", action.path)),
        "summary": action.label,
        "tags": [tag],
        "x-error-class": class.name(),
        "parameters": parameters,
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": object(action.body) } },
        },
        "responses": warned(class, &data),
    });
    if action.method == "GET"
        && let Some(operation) = operation.as_object_mut()
    {
        operation.remove("requestBody");
    }
    if action.deprecated {
        operation["deprecated"] = Value::Bool(true);
    }
    operation
}

/// What an action answers with.
pub(super) fn answer(action: &'static Action, components: &mut Components) -> Value {
    match action.answer {
        Answer::Nothing => json!({ "type": "object" }),
        Answer::Own(structure) | Answer::Made(_, structure) => components.structure(structure),
        Answer::Record(id) => match registry::model(id) {
            Some(model) => components.record(model),
            None => json!({}),
        },
        Answer::RecordWith(id, field, of) => match (registry::model(id), registry::model(of)) {
            (Some(model), Some(whole)) => components.record_with(model, field, whole),
            _ => json!({}),
        },
    }
}

/// What an action is asked for with.
pub(super) fn body(action: &'static Action) -> Value {
    object(action.body)
}

fn key_header() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "Names the request: the same key with the same request does it once, for seven days.",
        "style": "simple", "explode": false,
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
    })
}

fn object(fields: &'static [InputField]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        if matches!(field.kind, Input::OfTool) {
            properties.extend(ids_of_tools());
            continue;
        }
        let mut schema = described(value(&field.kind), field.doc);
        if field.nullable {
            schema["type"] = json!([schema["type"], "null"]);
        }
        match field.preset {
            Preset::Nothing => {}
            Preset::Text(text) => schema["default"] = text.into(),
            Preset::False => schema["default"] = false.into(),
            Preset::Empty => schema["default"] = json!([]),
        }
        if field.deprecated {
            schema["deprecated"] = true.into();
        }
        properties.insert(field.name.to_owned(), schema);
    }
    let required: Vec<&str> =
        fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// What the contract says of objects under the names of tools. Any other tool may be named as well: its
/// connector declares what it takes.
pub(super) fn ids_of_tools() -> Map<String, Value> {
    serde_json::from_str(include_str!("ids_of_tools.json")).unwrap_or_default()
}

fn value(kind: &'static Input) -> Value {
    match kind {
        Input::Text => json!({ "type": "string" }),
        Input::Filled => json!({ "type": "string", "minLength": 1 }),
        Input::Number(None) => json!({ "type": "number" }),
        Input::Number(Some(least)) => json!({ "type": "number", "minimum": least }),
        Input::Whole(least, i64::MAX) => json!({ "type": "integer", "minimum": least }),
        Input::Whole(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Input::Boolean => json!({ "type": "boolean" }),
        Input::Choice(values) => json!({ "type": "string", "enum": values }),
        Input::Open(values) => json!({ "type": "string", "x-open-enum": values }),
        Input::NumberOrText => json!({ "anyOf": [{ "type": "number" }, { "type": "string" }] }),
        Input::Email => json!({ "type": "string", "format": "email" }),
        Input::Url => json!({ "type": "string", "format": "uri" }),
        Input::Country => json!({
            "type": "string", "pattern": "^[A-Z]{2}$", "x-format-hint": "iso-3166-1-alpha-2",
        }),
        Input::Day => json!({
            "type": "string", "format": "date-time", "pattern": MOMENT_PATTERN,
            "x-format-hint": "YYYY-MM-DD",
        }),
        Input::Moment => json!({
            "type": "string", "format": "date-time", "pattern": MOMENT_PATTERN,
            "x-format-hint": "YYYY-MM-DDTHH:mm:ss.sssZ",
        }),
        Input::TimeOfDay => json!({
            "type": "string", "pattern": r"^(?:2[0-3]|[01]?\d):[0-5]?\d(:[0-5]?\d)?$",
            "x-format-hint": "HH:mm:ss",
        }),
        Input::Language => json!({ "type": "string", "pattern": "^[a-z]{2,3}(-[A-Z]{2})?$" }),
        Input::MediaType => json!({ "type": "string", "pattern": r"^[\w.-]+\/[\w.-]+$" }),
        Input::Base64 => json!({ "type": "string", "contentEncoding": "base64" }),
        Input::Id(_) => json!({
            "type": "string", "minLength": 1,
            "description": format!(
                "An id of {} characters, or `remote:` and the id in the tool.",
                ids::ID_LENGTH
            ),
        }),
        Input::Object(fields) | Input::File(fields) => object(fields),
        Input::List(kind, most) => {
            let mut list = json!({ "type": "array", "items": value(kind) });
            if *most != usize::MAX {
                list["maxItems"] = json!(most);
            }
            list
        }
        Input::OfTool | Input::Free => json!({ "type": "object", "additionalProperties": true }),
        Input::Any => json!({}),
        Input::OneOf(variants) => {
            let variants = variants.iter().map(|(tag, fields)| {
                let mut variant = object(fields);
                variant["properties"]["type"] = json!({ "type": "string", "const": tag });
                if let Some(required) = variant["required"].as_array_mut() {
                    required.push("type".into());
                }
                variant
            });
            json!({
                "oneOf": variants.collect::<Vec<_>>(),
                "discriminator": { "propertyName": "type" },
            })
        }
        Input::Reply => json!({ "anyOf": [
            object(cadre_model::action::FILE),
            { "type": "string" },
            { "type": "boolean" },
            { "type": "number" },
            { "type": "array", "items": { "type": "string" } },
            { "type": "string", "format": "date-time" },
        ] }),
    }
}

/// Many actions of a kind, ordered at once.
fn bulk(action: &'static Action) -> Value {
    let items = json!({ "type": "array", "items": object(action.body), "maxItems": 1000 });
    let body = json!({
        "type": "object", "properties": { "items": items }, "required": ["items"],
    });
    let data = json!({
        "type": "object", "properties": { "task_id": { "type": "string" } }, "required": ["task_id"],
    });
    let (tag, class) = group(action.category);
    json!({
        "operationId": words(&format!("post{}/bulk", action.path)),
        "summary": format!("{}, many at once", action.label),
        "tags": [tag],
        "x-error-class": class.name(),
        "parameters": [integration_header()],
        "requestBody": {
            "required": true, "content": { "application/json": { "schema": body } },
        },
        "responses": warned(class, &data),
    })
}

/// How many actions of a kind stand.
fn task(action: &'static Action) -> Value {
    let text = || json!({ "type": "string" });
    let word = |word: &str| json!({ "type": "string", "const": word });
    let moment = || json!({ "type": "string", "format": "date-time" });
    let all = |properties: Value| {
        let required: Vec<String> =
            properties.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let or_null = json!({ "type": ["string", "null"] });
    let mut codes: Vec<Value> = Code::ALL.iter().map(|code| code.as_str().into()).collect();
    codes.push(Value::Null);
    let error = all(json!({
        "code": { "type": ["string", "null"], "enum": codes }, "title": or_null,
        "message": text(), "log_url": or_null,
    }));
    let made = all(json!({ "id": text() }));
    let item = json!({ "anyOf": [
        all(json!({ "origin_id": text(), "status": word("SUCCEEDED"), "data": made })),
        all(json!({ "origin_id": text(), "status": word("FAILED"), "error": error })),
    ] });
    let data = json!({ "anyOf": [
        all(json!({
            "task_id": text(), "created_at": text(), "status": word("PENDING"),
            "completed_at": { "type": "null" },
        })),
        all(json!({
            "task_id": text(), "created_at": text(), "status": word("COMPLETED"),
            "data": { "type": "array", "items": item }, "completed_at": moment(),
        })),
        all(json!({
            "task_id": text(), "created_at": text(), "status": word("FAILED"), "error": error,
            "completed_at": moment(),
        })),
    ] });
    let (tag, class) = group(action.category);
    json!({
        "operationId": words(&format!("get{}/bulk/task_id", action.path)),
        "summary": format!("{}, many at once: how it stands", action.label),
        "tags": [tag],
        "x-error-class": class.name(),
        "parameters": [integration_header(), in_path("task_id")],
        "responses": answers(class, &data),
    })
}

/// What is said of the files that an action takes.
fn restrictions(action: &'static Action) -> Value {
    let many = action.body.iter().any(|field| field.name == "attachments");
    let number = json!({ "type": ["number", "null"] });
    let mut taken = json!({
        "is_supported": { "type": "boolean", "const": true },
        "max_file_size_bytes": number,
        "accepted_mime_types": { "type": ["array", "null"], "items": { "type": "string" } },
    });
    if many {
        taken["min_amount"] = number.clone();
        taken["max_amount"] = number.clone();
    }
    let all = |properties: &Value| {
        let required: Vec<&String> =
            properties.as_object().into_iter().flat_map(Map::keys).collect();
        json!({ "type": "object", "properties": properties, "required": required })
    };
    let refused = json!({ "is_supported": { "type": "boolean", "const": false } });
    let kind = json!({ "anyOf": [all(&taken), all(&refused)] });
    let kinds = all(&json!({ "CV": kind, "COVER_LETTER": kind, "OTHER": kind }));
    let mut rules = json!({ "types": kinds });
    if many {
        rules["total_size_bytes"] = number;
    }
    let mut rules = all(&rules);
    rules["type"] = json!(["object", "null"]);
    let data = all(&json!({ "attachment_restrictions": rules }));
    json!({
        "operationId": words(&format!("get/ats/actions/{}", action.id)),
        "summary": format!("{}: which files are taken", action.label),
        "tags": ["Unified ATS API"],
        "x-error-class": Class::Ats.name(),
        "parameters": [integration_header()],
        "responses": answers(Class::Ats, &data),
    })
}
