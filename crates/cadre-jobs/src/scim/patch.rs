//! PATCH (RFC 7644, section 3.5.2), and what large clients send in its place: operations in capitals,
//! dotted names as keys of a value, conditions that make a value where none meets them, values to be
//! removed by a list.

use cadre_store::DirectoryKind;
use serde_json::{Map, Value, json};

use super::path::{Filter, Place, Target};
use super::refusal::Refusal;
use super::resource::{is_nothing, put, single_taken, value_taken};
use super::schema::{self, Attribute, Kind};

/// Most operations of one request.
const MOST: usize = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Add,
    Replace,
    Remove,
}

/// Applies all operations of a request to a body, in their order.
pub(super) fn apply(
    kind: DirectoryKind,
    body: &mut Map<String, Value>,
    request: &Value,
) -> Result<(), Refusal> {
    let operations = request.as_object().and_then(|all| super::filter::get(all, "Operations"));
    let Some(Value::Array(operations)) = operations else {
        return Err(Refusal::syntax("`Operations` is missing; it is a list."));
    };
    if operations.len() > MOST {
        return Err(Refusal::value(format!("At most {MOST} operations are taken at once.")));
    }
    for operation in operations {
        let Value::Object(fields) = operation else {
            return Err(Refusal::syntax(
                "An operation is an object with `op`, `path` and `value`.",
            ));
        };
        let field = |name| super::filter::get(fields, name);
        let act = match field("op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref()
        {
            Some("add") => Act::Add,
            Some("replace") => Act::Replace,
            Some("remove") => Act::Remove,
            _ => return Err(Refusal::syntax("`op` is add, replace or remove.")),
        };
        let value = field("value").unwrap_or(&Value::Null);
        match field("path").and_then(Value::as_str).filter(|path| !path.is_empty()) {
            Some(path) => one(kind, body, act, path, value)?,
            None => whole(kind, body, act, value)?,
        }
    }
    Ok(())
}

/// An operation without a path: each key of its value is one.
fn whole(
    kind: DirectoryKind,
    body: &mut Map<String, Value>,
    act: Act,
    value: &Value,
) -> Result<(), Refusal> {
    if act == Act::Remove {
        return Err(Refusal::no_target("`remove` needs a `path`."));
    }
    let Value::Object(values) = value else {
        return Err(Refusal::value("Without a `path` the value is an object of attributes."));
    };
    for (name, value) in values {
        let target = Target::read(kind, name)?;
        // What is the same and cannot be changed comes along with a whole resource.
        let is_fixed = target.place.urn.is_none()
            && target.place.attribute.as_deref().is_some_and(|name| {
                name.eq_ignore_ascii_case("password")
                    || schema::attribute(kind, name).is_some_and(|known| known.read_only)
            });
        if !is_fixed {
            at(kind, body, act, &target, value)?;
        }
    }
    Ok(())
}

fn one(
    kind: DirectoryKind,
    body: &mut Map<String, Value>,
    act: Act,
    path: &str,
    value: &Value,
) -> Result<(), Refusal> {
    let target = Target::read(kind, path)?;
    if let (None, Some(name)) = (&target.place.urn, &target.place.attribute) {
        if name.eq_ignore_ascii_case("password") {
            return Ok(());
        }
        if schema::attribute(kind, name).is_some_and(|known| known.read_only) {
            return Err(Refusal::read_only(name));
        }
    }
    at(kind, body, act, &target, value)
}

/// The attributes that a place may name, and the one that it names.
fn known(kind: DirectoryKind, place: &Place) -> Option<&'static Attribute> {
    let name = place.attribute.as_deref()?;
    match &place.urn {
        None => schema::attribute(kind, name),
        Some(urn) if urn == schema::ENTERPRISE.id => {
            schema::part(schema::ENTERPRISE.attributes, name)
        }
        Some(_) => None,
    }
}

fn at(
    kind: DirectoryKind,
    body: &mut Map<String, Value>,
    act: Act,
    target: &Target,
    value: &Value,
) -> Result<(), Refusal> {
    let place = &target.place;
    let Some(name) = &place.attribute else { return extension(kind, body, act, place, value) };
    let known = known(kind, place);
    let name = known.map_or(name.as_str(), |known| known.name);
    match &place.urn {
        None => attribute(body, act, (name, known), target, value),
        Some(urn) => {
            let key = body.keys().find(|key| key.eq_ignore_ascii_case(urn)).unwrap_or(urn).clone();
            let mut inner = match body.remove(&key) {
                Some(Value::Object(inner)) => inner,
                _ => Map::new(),
            };
            let done = attribute(&mut inner, act, (name, known), target, value);
            put(body, key, Value::Object(inner));
            done
        }
    }
}

/// An extension as a whole.
fn extension(
    kind: DirectoryKind,
    body: &mut Map<String, Value>,
    act: Act,
    place: &Place,
    value: &Value,
) -> Result<(), Refusal> {
    let urn = place.urn.as_deref().unwrap_or_default();
    if act == Act::Remove {
        body.retain(|key, _| !key.eq_ignore_ascii_case(urn));
        return Ok(());
    }
    let Value::Object(values) = value else {
        return Err(Refusal::value(format!("{urn}: expected an object, got {value}.")));
    };
    for (name, value) in values {
        let inner = Place { urn: Some(urn.to_owned()), ..Place::read(kind, name)? };
        at(kind, body, act, &Target { place: inner, filter: None }, value)?;
    }
    Ok(())
}

fn attribute(
    body: &mut Map<String, Value>,
    act: Act,
    (name, known): (&str, Option<&'static Attribute>),
    target: &Target,
    value: &Value,
) -> Result<(), Refusal> {
    let many = known.map_or(target.filter.is_some(), |known| known.many);
    if many && (target.filter.is_some() || target.place.part.is_some()) {
        return within(body, act, (name, known), target, value);
    }
    if let Some(part) = &target.place.part {
        return one_part(body, act, (name, known), part, value);
    }
    let taken = match known {
        Some(known) => value_taken(known, value)?,
        None => value.clone(),
    };
    match (act, body.get_mut(name)) {
        (Act::Remove, Some(Value::Array(all))) if !is_nothing(&taken) => {
            // Values named one by one, in place of a condition.
            all.retain(|one| {
                !taken.as_array().is_some_and(|gone| gone.iter().any(|g| is_same(one, g)))
            });
            if all.is_empty() {
                body.remove(name);
            }
        }
        (Act::Remove, _) => drop(body.remove(name)),
        (Act::Add, Some(Value::Array(all))) => {
            let new = match taken {
                Value::Array(new) => new,
                one => vec![one],
            };
            add_values(all, new);
        }
        (Act::Add | Act::Replace, Some(Value::Object(parts))) if taken.is_object() => {
            for (part, value) in taken.as_object().into_iter().flatten() {
                put(parts, part.clone(), value.clone());
            }
            if parts.is_empty() {
                body.remove(name);
            }
        }
        _ => put(body, name.to_owned(), taken),
    }
    Ok(())
}

/// Adds values that are not there. Of several main ones the new one is it.
fn add_values(all: &mut Vec<Value>, new: Vec<Value>) {
    let has_main = new.iter().any(|one| one["primary"] == true);
    if has_main {
        no_main(all);
    }
    let known: std::collections::HashSet<String> = all.iter().map(identity).collect();
    all.extend(new.into_iter().filter(|one| !known.contains(&identity(one))));
}

/// What a value is known by: an id where it consists of one, else all of it.
fn identity(value: &Value) -> String {
    let is_member = value.get("type").is_none_or(|kind| kind == "User" || kind == "Group");
    match value.get("value") {
        Some(Value::String(id)) if is_member && value.get("primary").is_none() => id.clone(),
        _ => value.to_string(),
    }
}

fn is_same(one: &Value, given: &Value) -> bool {
    match (&one["value"], &given["value"]) {
        (Value::String(one), Value::String(given)) => one == given,
        _ => one == given,
    }
}

fn no_main(all: &mut [Value]) {
    for one in all.iter_mut().filter(|one| one["primary"] == true) {
        one["primary"] = false.into();
    }
}

/// A part of something with one value: `name.givenName`.
fn one_part(
    body: &mut Map<String, Value>,
    act: Act,
    (name, known): (&str, Option<&'static Attribute>),
    part: &str,
    value: &Value,
) -> Result<(), Refusal> {
    if known.is_some_and(|known| known.kind != Kind::Complex) {
        return Err(Refusal::path(format!("`{name}` has no parts.")));
    }
    let mut parts = match body.remove(name) {
        Some(Value::Object(parts)) => parts,
        _ => Map::new(),
    };
    let taken = set_part(&mut parts, act, known, part, value);
    put(body, name.to_owned(), Value::Object(parts));
    taken
}

fn set_part(
    parts: &mut Map<String, Value>,
    act: Act,
    known: Option<&'static Attribute>,
    part: &str,
    value: &Value,
) -> Result<(), Refusal> {
    let known = known.and_then(|known| schema::part(known.parts, part));
    let part = known.map_or(part, |known| known.name);
    let taken = match (act, known) {
        (Act::Remove, _) => Value::Null,
        (_, Some(known)) => single_taken(known, value)?,
        (_, None) => value.clone(),
    };
    put(parts, part.to_owned(), taken);
    Ok(())
}

/// Of something with several values those that meet a condition, or a part of each.
fn within(
    body: &mut Map<String, Value>,
    act: Act,
    (name, known): (&str, Option<&'static Attribute>),
    target: &Target,
    value: &Value,
) -> Result<(), Refusal> {
    let mut all = match body.remove(name) {
        Some(Value::Array(all)) => all,
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let meets = |one: &Value| target.filter.as_ref().is_none_or(|filter| filter.holds(one));
    let done = match (&target.place.part, act) {
        (None, Act::Remove) => {
            all.retain(|one| !meets(one));
            Ok(())
        }
        _ if !all.iter().any(meets) => match act {
            Act::Remove => Ok(()),
            _ => made(known, target, value).map(|one| add_values(&mut all, vec![one])),
        },
        (part, _) => {
            if value["primary"] == true
                || part.as_deref().is_some_and(|part| part.eq_ignore_ascii_case("primary"))
                    && *value == true
            {
                no_main(&mut all);
            }
            let mut found = all.iter_mut().filter(|one| meets(one));
            found.try_for_each(|one| changed(one, act, known, part.as_deref(), value))
        }
    };
    all.retain(|one| !is_nothing(one));
    put(body, name.to_owned(), Value::Array(all));
    done
}

fn changed(
    one: &mut Value,
    act: Act,
    known: Option<&'static Attribute>,
    part: Option<&str>,
    value: &Value,
) -> Result<(), Refusal> {
    let Value::Object(parts) = one else { return Ok(()) };
    match part {
        Some(part) => set_part(parts, act, known, part, value),
        None => {
            let taken = match known {
                Some(known) => single_taken(known, value)?,
                None => value.clone(),
            };
            match taken {
                Value::Object(new) => {
                    new.into_iter().for_each(|(part, value)| put(parts, part, value));
                    Ok(())
                }
                other => Err(Refusal::value(format!("Expected an object, got {other}."))),
            }
        }
    }
}

/// A value that meets the condition, where none did: `emails[type eq "work"].value`.
fn made(
    known: Option<&'static Attribute>,
    target: &Target,
    value: &Value,
) -> Result<Value, Refusal> {
    let equal = target.filter.as_ref().and_then(Filter::equalities);
    let Some(equal) = equal else {
        return Err(Refusal::no_target("Nothing meets the condition of the path."));
    };
    let mut parts = Map::new();
    for (name, value) in equal {
        set_part(&mut parts, Act::Add, known, name, value)?;
    }
    let mut one = json!(parts);
    changed(&mut one, Act::Add, known, target.place.part.as_deref(), value)?;
    Ok(one)
}
