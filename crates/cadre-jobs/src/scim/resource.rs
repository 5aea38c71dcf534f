//! What is pushed, brought into the form of the schemas; and what is shown.

use cadre_model::time::wire;
use cadre_store::{DirectoryKind, DirectoryRow};
use serde_json::{Map, Value, json};

use super::filter::get;
use super::path::Place;
use super::refusal::Refusal;
use super::schema::{self, Attribute, Kind};

/// Brings what was pushed into the form of the schemas: names as they are written there, flags that came as
/// text, one value where there may be several. What cannot be changed is passed over, as the standard wants;
/// a password is not kept.
pub(super) fn taken(kind: DirectoryKind, given: &Value) -> Result<Map<String, Value>, Refusal> {
    let Value::Object(given) = given else {
        return Err(Refusal::syntax("The body is no JSON object."));
    };
    let mut body = Map::new();
    for (name, value) in given {
        if let Some((name, value)) = taken_one(kind, name, value)? {
            put(&mut body, name, value);
        }
    }
    Ok(body)
}

/// One attribute of a resource; `None` when it is not kept.
pub(super) fn taken_one(
    kind: DirectoryKind,
    name: &str,
    value: &Value,
) -> Result<Option<(String, Value)>, Refusal> {
    if name.to_ascii_lowercase().starts_with("urn:") {
        let place = Place::read(kind, name)?;
        let Some(urn) = place.urn.filter(|_| place.attribute.is_none()) else {
            // An extension that is not known, or the core schema: the name itself is the schema.
            return Ok(Some((name.to_owned(), value.clone())));
        };
        let known: &[Attribute] =
            if urn == schema::ENTERPRISE.id { schema::ENTERPRISE.attributes } else { &[] };
        return Ok(Some((urn, parts_taken(known, name, value)?)));
    }
    if name.eq_ignore_ascii_case("password") {
        return Ok(None);
    }
    match schema::attribute(kind, name) {
        Some(known) if known.read_only => Ok(None),
        Some(known) => Ok(Some((known.name.to_owned(), value_taken(known, value)?))),
        None => Ok(Some((name.to_owned(), value.clone()))),
    }
}

/// A value of an attribute.
pub(super) fn value_taken(attribute: &Attribute, value: &Value) -> Result<Value, Refusal> {
    if !attribute.many {
        return single_taken(attribute, value);
    }
    let many = match value {
        Value::Null => return Ok(Value::Null),
        Value::Array(many) => many.as_slice(),
        one => std::slice::from_ref(one),
    };
    let many: Result<Vec<Value>, Refusal> =
        many.iter().map(|one| single_taken(attribute, one)).collect();
    Ok(Value::Array(many?.into_iter().filter(|one| !is_nothing(one)).collect()))
}

/// One value of an attribute.
pub(super) fn single_taken(attribute: &Attribute, value: &Value) -> Result<Value, Refusal> {
    let wrong = |expected: &str| {
        Refusal::value(format!("{}: expected {expected}, got {value}.", attribute.name))
    };
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(Value::Null),
        (Kind::Complex, Value::Object(_)) => parts_taken(attribute.parts, attribute.name, value),
        // The plain value of something with parts: a manager by id alone.
        (Kind::Complex, Value::String(text))
            if schema::part(attribute.parts, "value").is_some() =>
        {
            Ok(if text.is_empty() { Value::Null } else { json!({ "value": text }) })
        }
        (Kind::Complex, _) => Err(wrong("an object")),
        (Kind::Flag, Value::Bool(_)) => Ok(value.clone()),
        (Kind::Flag, Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true.into()),
            "false" => Ok(false.into()),
            _ => Err(wrong("true or false")),
        },
        (Kind::Flag, _) => Err(wrong("true or false")),
        (_, Value::String(_)) => Ok(value.clone()),
        (_, Value::Number(number)) => Ok(number.to_string().into()),
        (_, Value::Bool(flag)) => Ok(flag.to_string().into()),
        (_, Value::Array(_) | Value::Object(_)) => Err(wrong("text")),
    }
}

fn parts_taken(known: &'static [Attribute], of: &str, value: &Value) -> Result<Value, Refusal> {
    let Value::Object(given) = value else {
        return Err(Refusal::value(format!("{of}: expected an object, got {value}.")));
    };
    let mut parts = Map::new();
    for (name, value) in given {
        match schema::part(known, name) {
            Some(part) => put(&mut parts, part.name.to_owned(), value_taken(part, value)?),
            None => put(&mut parts, name.clone(), value.clone()),
        }
    }
    Ok(Value::Object(parts))
}

/// Whether a value says that there is none.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(many) => many.is_empty(),
        Value::Object(parts) => parts.is_empty(),
        _ => false,
    }
}

/// Sets a value, or takes it away where it says that there is none.
pub(super) fn put(body: &mut Map<String, Value>, name: String, value: Value) {
    if is_nothing(&value) {
        body.remove(&name);
    } else {
        body.insert(name, value);
    }
}

/// What every resource of the kind must have.
pub(super) fn complete(kind: DirectoryKind, body: &Map<String, Value>) -> Result<(), Refusal> {
    for attribute in schema::core(kind).attributes.iter().filter(|one| one.required) {
        let given = body.get(attribute.name).and_then(Value::as_str).unwrap_or_default();
        if given.trim().is_empty() {
            return Err(Refusal::value(format!("`{}` is required.", attribute.name)));
        }
    }
    Ok(())
}

/// What a resource is told apart by, in lower case.
pub(super) fn name(kind: DirectoryKind, body: &Map<String, Value>) -> String {
    let attribute = match kind {
        DirectoryKind::User => "userName",
        DirectoryKind::Group => "displayName",
    };
    body.get(attribute).and_then(Value::as_str).unwrap_or_default().trim().to_lowercase()
}

/// The members that a group names, by id.
pub(super) fn members(body: &Map<String, Value>) -> Result<Vec<(String, Value)>, Refusal> {
    let named = body.get("members").and_then(Value::as_array).map(Vec::as_slice);
    let mut members: Vec<(String, Value)> = Vec::new();
    for member in named.unwrap_or_default() {
        let Some(id) = member["value"].as_str().filter(|id| !id.is_empty()) else {
            return Err(Refusal::value("members: each has a `value`, which is an id."));
        };
        members.push((id.to_owned(), member.clone()));
    }
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members.dedup_by(|(a, _), (b, _)| a == b);
    Ok(members)
}

/// The version of a resource as a header has it.
pub(super) fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// A resource as it is shown. What it has of members and groups comes beside it.
pub(super) fn shown(base: &str, row: &DirectoryRow, beside: Vec<Value>) -> Value {
    let (name, members) = match row.kind {
        DirectoryKind::User => ("User", "groups"),
        DirectoryKind::Group => ("Group", "members"),
    };
    let mut schemas = vec![Value::from(schema::core(row.kind).id)];
    schemas.extend(row.body.keys().filter(|key| key.starts_with("urn:")).cloned().map(Value::from));
    let mut shown = Map::new();
    shown.insert("schemas".to_owned(), schemas.into());
    shown.insert("id".to_owned(), row.id.clone().into());
    shown.extend(row.body.clone());
    if !beside.is_empty() {
        shown.insert(members.to_owned(), beside.into());
    }
    shown.insert(
        "meta".to_owned(),
        json!({
            "resourceType": name, "created": wire(row.created_at),
            "lastModified": wire(row.updated_at), "version": etag(row.version),
            "location": format!("{base}/{}/{}", schema::endpoint(row.kind), row.id),
        }),
    );
    Value::Object(shown)
}

/// Which attributes an answer has (RFC 7644, section 3.9).
#[derive(Debug, Default)]
pub(super) struct Wanted {
    only: Vec<Place>,
    without: Vec<Place>,
}

impl Wanted {
    pub(super) fn read(
        kind: DirectoryKind,
        only: Option<&str>,
        without: Option<&str>,
    ) -> Result<Wanted, Refusal> {
        let places = |text: Option<&str>| -> Result<Vec<Place>, Refusal> {
            let names = text.unwrap_or_default().split(',').map(str::trim);
            names.filter(|name| !name.is_empty()).map(|name| Place::read(kind, name)).collect()
        };
        Ok(Wanted { only: places(only)?, without: places(without)? })
    }

    /// Everything but the members of groups, of which there may be many.
    pub(super) fn without_members() -> Wanted {
        let attribute = Some("members".to_owned());
        Wanted { without: vec![Place { urn: None, attribute, part: None }], only: Vec::new() }
    }

    /// Whether an attribute is part of the answer at all.
    pub(super) fn has(&self, name: &str) -> bool {
        let is_it = |place: &&Place| {
            place.urn.is_none()
                && place.attribute.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        if self.only.is_empty() {
            !self.without.iter().any(|place| is_it(&place) && place.part.is_none())
        } else {
            self.only.iter().any(|place| is_it(&place))
        }
    }

    /// Takes away what is not wanted. Ids and schemas stay.
    pub(super) fn cut(&self, resource: Value) -> Value {
        const ALWAYS: &[&str] = &["schemas", "id"];
        let Value::Object(mut all) = resource else { return resource };
        if !self.only.is_empty() {
            let mut left = Map::new();
            for name in ALWAYS {
                left.extend(all.remove(*name).map(|value| ((*name).to_owned(), value)));
            }
            for place in &self.only {
                keep(place, &all, &mut left);
            }
            return Value::Object(left);
        }
        for place in &self.without {
            drop_place(place, &mut all, ALWAYS);
        }
        Value::Object(all)
    }
}

fn keep(place: &Place, all: &Map<String, Value>, left: &mut Map<String, Value>) {
    let key = |of: &Map<String, Value>, name: &str| {
        of.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned()
    };
    let name = place.urn.as_deref().or(place.attribute.as_deref()).unwrap_or_default();
    let Some(name) = key(all, name) else { return };
    let below = match &place.urn {
        Some(_) => place.attribute.as_deref(),
        None => place.part.as_deref(),
    };
    match below {
        None => drop(left.insert(name.clone(), all[&name].clone())),
        Some(part) => {
            let cut = |value: &Value| {
                let parts = value.as_object()?;
                let found = get(parts, part)?;
                Some(json!({ (key(parts, part)?): found }))
            };
            let kept = match &all[&name] {
                Value::Array(many) => Some(Value::Array(many.iter().filter_map(cut).collect())),
                one => cut(one),
            };
            match (left.get_mut(&name), kept) {
                (Some(Value::Object(known)), Some(Value::Object(more))) => known.extend(more),
                (_, Some(kept)) => drop(left.insert(name, kept)),
                (_, None) => {}
            }
        }
    }
}

fn drop_place(place: &Place, all: &mut Map<String, Value>, always: &[&str]) {
    let name = place.urn.as_deref().or(place.attribute.as_deref()).unwrap_or_default();
    let Some(name) = all.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned() else {
        return;
    };
    if always.contains(&name.as_str()) {
        return;
    }
    let below = if place.urn.is_some() { &place.attribute } else { &place.part };
    let Some(part) = below else {
        all.remove(&name);
        return;
    };
    let cut = |value: &mut Value| {
        if let Value::Object(parts) = value {
            parts.retain(|known, _| !known.eq_ignore_ascii_case(part));
        }
    };
    match all.get_mut(&name) {
        Some(Value::Array(many)) => many.iter_mut().for_each(cut),
        Some(one) => cut(one),
        None => {}
    }
}
