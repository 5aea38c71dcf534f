//! Holds the served document against the contract, operation by operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::contract::CONTRACT;

const METHODS: &[&str] = &["get", "put", "post", "patch", "delete"];

fn contract() -> Value {
    CONTRACT.clone()
}

fn served() -> Value {
    cadre_web::openapi::document("http://localhost:8080")
}

fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for method in METHODS {
            if let Some(operation) = item.get(*method) {
                found.insert((path.clone(), (*method).to_owned()), operation);
            }
        }
    }
    found
}

/// The list endpoints of the contract that this version promises.
fn is_unified_list(path: &str, operation: &Value, document: &Value) -> bool {
    let schema = resolve(success(operation), document);
    let data = resolve(&schema["properties"]["data"], document);
    ["/hris/", "/ats/", "/lms/"].iter().any(|part| path.starts_with(part))
        && data["properties"].get("results").is_some()
        && !path.contains('{')
}

#[test]
fn every_list_of_the_contract_is_served() {
    let (contract, served) = (contract(), served());
    let ours = operations(&served);
    let missing: Vec<_> = operations(&contract)
        .into_iter()
        .filter(|((path, method), operation)| {
            method == "get" && is_unified_list(path, operation, &contract)
        })
        .filter(|(key, _)| !ours.contains_key(key))
        .map(|((path, _), _)| path)
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_served_operation_fits_the_contract() {
    let (contract, served) = (contract(), served());
    let golden = operations(&contract);
    let mut differences = Vec::new();
    for ((path, method), operation) in operations(&served) {
        let name = format!("{method} {path}");
        let Some(promised) = golden.get(&(path, method)) else { continue };
        let mut comparison = Comparison {
            golden: &contract,
            ours: &served,
            differences: Vec::new(),
            narrower: Vec::new(),
        };
        comparison.operation(&name, promised, operation);
        differences.extend(comparison.differences);
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Not a fault: we promise more than the contract does. Kept in sight because it is a decision.
#[test]
fn what_is_promised_more_strictly() {
    let (contract, served) = (contract(), served());
    let golden = operations(&contract);
    let mut narrower = BTreeSet::new();
    for ((path, method), operation) in operations(&served) {
        let name = format!("{method} {path}");
        let Some(promised) = golden.get(&(path, method)) else { continue };
        let mut comparison = Comparison {
            golden: &contract,
            ours: &served,
            differences: Vec::new(),
            narrower: Vec::new(),
        };
        comparison.operation(&name, promised, operation);
        narrower.extend(comparison.narrower);
    }
    insta::assert_snapshot!(narrower.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn what_is_still_missing() {
    let (contract, served) = (contract(), served());
    let ours = operations(&served);
    let missing: Vec<String> = operations(&contract)
        .into_keys()
        .filter(|key| !ours.contains_key(key))
        .map(|(path, method)| format!("{method} {path}"))
        .collect();
    insta::assert_snapshot!(missing.join("\n"));
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(node: &Value, document: &Value) {
        match node {
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    assert!(at(document, reference).is_some_and(|v| !v.is_null()), "{reference}");
                }
                map.values().for_each(|value| walk(value, document));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, document)),
            _ => {}
        }
    }
    let served = served();
    walk(&served, &served);
}

#[test]
fn operation_ids_are_unique() {
    let served = served();
    let mut seen = BTreeSet::new();
    for (key, operation) in operations(&served) {
        assert!(seen.insert(operation["operationId"].to_string()), "{key:?}");
    }
}

fn at<'a>(document: &'a Value, reference: &str) -> Option<&'a Value> {
    document.pointer(reference.strip_prefix('#')?)
}

fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolve(at(document, reference).expect("a schema"), document),
        None => schema,
    }
}

fn success(operation: &Value) -> &Value {
    &operation["responses"]["200"]["content"]["application/json"]["schema"]
}

/// A schema without its null: what it is otherwise, and whether null is one of its values.
fn without_null(schema: &Value, document: &Value) -> (Value, bool) {
    let schema = resolve(schema, document);
    if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
        let rest: Vec<&Value> = any.iter().filter(|s| s["type"] != "null").collect();
        let null = rest.len() < any.len();
        if let [one] = rest[..] {
            return (resolve(one, document).clone(), null);
        }
        return (schema.clone(), null);
    }
    let mut schema = schema.clone();
    let mut null = false;
    if let Some(types) = schema["type"].as_array().cloned() {
        let rest: Vec<Value> = types.iter().filter(|t| *t != "null").cloned().collect();
        null = rest.len() < types.len();
        schema["type"] = if rest.len() == 1 { rest[0].clone() } else { Value::Array(rest) };
    }
    (schema, null)
}

fn values(schema: &Value, key: &str) -> Option<BTreeSet<String>> {
    let list = schema.get(key)?.as_array()?;
    Some(list.iter().filter(|v| !v.is_null()).map(Value::to_string).collect())
}

struct Comparison<'a> {
    golden: &'a Value,
    ours: &'a Value,
    differences: Vec<String>,
    narrower: Vec<String>,
}

impl Comparison<'_> {
    fn differ(&mut self, place: &str, what: impl std::fmt::Display) {
        self.differences.push(format!("{place}: {what}"));
    }

    fn operation(&mut self, name: &str, golden: &Value, ours: &Value) {
        if golden["x-error-class"] != ours["x-error-class"] {
            self.differ(name, "another error class");
        }
        let empty = Vec::new();
        let of = |operation: &Value| operation["parameters"].as_array().unwrap_or(&empty).clone();
        for promised in of(golden) {
            let place = format!("{name} parameter {}", promised["name"]);
            let same = |p: &&Value| p["name"] == promised["name"] && p["in"] == promised["in"];
            match of(ours).iter().find(same) {
                Some(parameter) => self.parameter(&place, &promised, parameter),
                None => self.differ(&place, "missing"),
            }
        }
        let body = |operation: &Value| {
            operation["requestBody"]["content"]["application/json"]["schema"].clone()
        };
        if !golden["requestBody"].is_null() {
            // A request is compared the other way round: we must take what the contract sends.
            self.schema(&format!("{name} body"), &body(golden), &body(ours), 0);
        }
        let place = format!("{name} answer");
        self.schema(&place, success(golden), success(ours), 0);
    }

    fn parameter(&mut self, place: &str, golden: &Value, ours: &Value) {
        for key in ["required", "style", "explode", "x-case-insensitive", "deprecated"] {
            // Where the contract has the header as optional, it is because clients hold it apart.
            if key == "required" && golden["name"] == "X-Integration-Id" {
                continue;
            }
            if let Some(promised) = golden.get(key)
                && ours.get(key) != Some(promised)
            {
                self.differ(place, format!("{key} is {promised}, not {:?}", ours.get(key)));
            }
        }
        let (promised, schema) = (&golden["schema"], &ours["schema"]);
        for key in
            ["type", "format", "pattern", "default", "minimum", "maximum", "contentMediaType"]
        {
            if let Some(value) = promised.get(key)
                && schema.get(key) != Some(value)
            {
                self.differ(place, format!("{key} is {value}, not {:?}", schema.get(key)));
            }
        }
        let (items, our_items) = (&promised["items"], &schema["items"]);
        if items["type"] != our_items["type"] {
            self.differ(place, "another type of items");
        }
        for (golden, ours, key) in
            [(promised, schema, "enum"), (items, our_items, "x-known-values")]
        {
            if golden.get(key).is_some() && values(golden, key) != values(ours, key) {
                self.differ(place, format!("{key}: {:?}", ours.get(key)));
            }
        }
    }

    fn schema(&mut self, place: &str, golden: &Value, ours: &Value, depth: usize) {
        assert!(depth < 30, "{place} never ends");
        let (golden, null) = without_null(golden, self.golden);
        let (ours, our_null) = without_null(ours, self.ours);
        if golden.as_object().is_none_or(|map| map.keys().all(|key| key.starts_with("x-"))) {
            return; // anything goes
        }
        match (null, our_null) {
            (false, true) => self.differ(place, "must not be null"),
            (true, false) => self.narrower.push(format!("{place}: never null")),
            _ => {}
        }
        let (variants, our_variants) = (variants(&golden), variants(&ours));
        if !variants.is_empty() {
            self.union(place, &golden, &ours, depth);
            return;
        }
        if !our_variants.is_empty() {
            self.differ(place, "must not be a union");
            return;
        }
        self.value(place, &golden, &ours);
        if golden["type"] == "array" {
            self.schema(&format!("{place}[]"), &golden["items"], &ours["items"], depth + 1);
        }
        if let Some(properties) = golden.get("properties").and_then(Value::as_object) {
            self.properties(place, &golden, properties, &ours, depth);
        }
    }

    fn value(&mut self, place: &str, golden: &Value, ours: &Value) {
        let (kind, our_kind) = (&golden["type"], &ours["type"]);
        if kind != our_kind && !(kind == "number" && our_kind == "integer") {
            self.differ(place, format!("type is {kind}, not {our_kind}"));
        }
        for key in ["format", "pattern", "const", "x-format-hint"] {
            let promised = golden.get(key);
            if key == "x-format-hint"
                && promised.is_some_and(|hint| hint == "YYYY-MM-DDTHH:mm:ss.sssZ")
            {
                continue; // what `format` says already
            }
            if promised.is_some() && promised != ours.get(key) {
                self.differ(place, format!("{key} is {promised:?}, not {:?}", ours.get(key)));
            }
        }
        for key in ["enum", "x-open-enum"] {
            // A body may hold more than clients send: the tools are those that there are.
            if place.contains(" body") && ours.get(key).is_none() {
                continue;
            }
            let (promised, our) = (values(golden, key), values(ours, key));
            if promised != our {
                self.differ(place, format!("{key} is {promised:?}, not {our:?}"));
            }
        }
    }

    fn properties(
        &mut self,
        place: &str,
        golden: &Value,
        properties: &Map<String, Value>,
        ours: &Value,
        depth: usize,
    ) {
        let required = |schema: &Value| values(schema, "required").unwrap_or_default();
        let (must, we_do) = (required(golden), required(ours));
        for (name, promised) in properties {
            let place = format!("{place}.{name}");
            if place.contains(" body.remote_fields.") {
                continue; // what a tool takes is declared by its connector
            }
            let Some(schema) = ours["properties"].get(name) else {
                self.differ(&place, "missing");
                continue;
            };
            let quoted = format!("\"{name}\"");
            if must.contains(&quoted) && !we_do.contains(&quoted) {
                self.differ(&place, "must always be there");
            }
            if promised["x-required-in-docs"] == true && !we_do.contains(&quoted) {
                self.differ(&place, "must always be there, say the docs");
            }
            self.schema(&place, promised, schema, depth + 1);
        }
    }

    fn union(&mut self, place: &str, golden: &Value, ours: &Value, depth: usize) {
        let tagged = |schema: &Value, document: &Value| -> BTreeMap<String, Value> {
            let resolved = variants(schema).into_iter().map(|v| resolve(&v, document).clone());
            resolved.map(|v| (tag(&v, document), v)).collect()
        };
        let (promised, our) = (tagged(golden, self.golden), tagged(ours, self.ours));
        if promised.keys().ne(our.keys()) {
            let (a, b) = (promised.keys().collect::<Vec<_>>(), our.keys().collect::<Vec<_>>());
            self.differ(place, format!("a union of {a:?}, not {b:?}"));
            return;
        }
        for (tag, variant) in &promised {
            self.schema(&format!("{place}<{tag}>"), variant, &our[tag], depth + 1);
        }
    }
}

fn variants(schema: &Value) -> Vec<Value> {
    let list = schema.get("oneOf").or_else(|| schema.get("anyOf"));
    list.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// What tells the variant of a union from the others.
fn tag(variant: &Value, document: &Value) -> String {
    let question = resolve(&variant["properties"]["question"], document);
    let deeper = &question["properties"]["type"]["const"];
    [&variant["properties"]["type"]["const"], deeper, &variant["items"]["type"]]
        .into_iter()
        .filter_map(Value::as_str)
        .collect()
}
