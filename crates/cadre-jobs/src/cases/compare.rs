//! What came, compared with what a case expects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cadre_connector::Failure;
use cadre_model::mapped::Issue;
use serde_json::{Map, Value};

use super::{Yield, read_json};

/// Compares everything that a case expects with what came.
pub(super) fn compare(
    path: &Path,
    found: &Yield,
    differences: &mut Vec<String>,
) -> Result<(), String> {
    let expected_error: Option<Value> = read_json(path, "error.json")?;
    match (&expected_error, &found.failure) {
        (Some(expected), Some(failure)) => compare_error(expected, failure, differences),
        (Some(expected), None) => {
            differences
                .push(format!("expected the error {}, but the run ended well", expected["code"]));
        }
        (None, Some(failure)) => differences.push(format!(
            "the run failed with {}: {} (rule: {})",
            failure.fault.code, failure.fault.message, failure.rule
        )),
        (None, None) => {}
    }
    let expected: Option<BTreeMap<String, Vec<Value>>> = read_json(path, "records.json")?;
    match expected {
        Some(expected) => compare_records(&expected, &found.records, differences),
        None if found.done.is_some() => {
            compare_records(&BTreeMap::new(), &found.records, differences);
        }
        None if expected_error.is_none() => {
            differences.push(
                "neither records.json nor error.json is there: the case expects nothing".into(),
            );
        }
        None => {}
    }
    let expected: BTreeMap<String, BTreeSet<String>> =
        read_json(path, "deleted.json")?.unwrap_or_default();
    let came: BTreeMap<String, BTreeSet<String>> =
        found.deleted.iter().map(|(model, ids)| ((*model).to_owned(), ids.clone())).collect();
    if expected != came {
        differences.push(format!("deleted: expected {expected:?}, got {came:?}"));
    }
    let expected: Vec<Value> = read_json(path, "issues.json")?.unwrap_or_default();
    compare_issues(&expected, &found.issues, differences);
    Ok(())
}

fn compare_error(expected: &Value, failure: &Failure, differences: &mut Vec<String>) {
    let code = failure.fault.code.as_str();
    if expected["code"] != code {
        differences.push(format!(
            "error: expected {}, got {code}: {} (rule: {})",
            expected["code"], failure.fault.message, failure.rule
        ));
    }
    if let Some(part) = expected["message"].as_str()
        && !failure.fault.message.contains(part)
    {
        differences.push(format!(
            "error: the message was expected to contain {part:?}, it is {:?}",
            failure.fault.message
        ));
    }
    if let Some(retry) = expected["retry"].as_bool()
        && retry != failure.retry
    {
        differences.push(format!("error: retry was expected to be {retry}"));
    }
}

fn compare_records(
    expected: &BTreeMap<String, Vec<Value>>,
    found: &BTreeMap<&'static str, Vec<Value>>,
    differences: &mut Vec<String>,
) {
    let models: BTreeSet<&str> =
        expected.keys().map(String::as_str).chain(found.keys().copied()).collect();
    for model in models {
        let expected = by_remote_id(expected.get(model).map_or(&[][..], Vec::as_slice));
        let found = by_remote_id(found.get(model).map_or(&[][..], Vec::as_slice));
        for (remote_id, record) in &expected {
            match found.get(remote_id) {
                Some(came) => {
                    compare_fields(&format!("{model} {remote_id}"), record, came, differences)
                }
                None => differences.push(format!("{model} {remote_id}: expected, but not there")),
            }
        }
        for (remote_id, record) in found.iter().filter(|(id, _)| !expected.contains_key(*id)) {
            differences.push(format!("{model} {remote_id}: not expected: {record}"));
        }
    }
}

/// Records by remote id; a second one of the same id counts apart.
fn by_remote_id(records: &[Value]) -> BTreeMap<String, &Value> {
    let mut map = BTreeMap::new();
    for record in records {
        let id = record["remote_id"].as_str().unwrap_or("(no remote_id)");
        // The same record twice is one record; two that differ count apart.
        let mut key = id.to_owned();
        while map.get(&key).is_some_and(|there| *there != record) {
            key.push_str(" (again)");
        }
        map.insert(key, record);
    }
    map
}

fn compare_fields(what: &str, expected: &Value, came: &Value, differences: &mut Vec<String>) {
    let empty = Map::new();
    let (expected, came) =
        (expected.as_object().unwrap_or(&empty), came.as_object().unwrap_or(&empty));
    let names: BTreeSet<&String> = expected.keys().chain(came.keys()).collect();
    for name in names {
        let (expected, came) = (expected.get(name), came.get(name));
        let same = match (expected, came) {
            (Some(expected), Some(came)) => alike(expected, came),
            (expected, came) => expected.is_none() && came.is_none(),
        };
        if !same {
            let print = |value: Option<&Value>| value.map_or("nothing".into(), Value::to_string);
            differences.push(format!(
                "{what}: {name}: expected {}, got {}",
                print(expected),
                print(came)
            ));
        }
    }
}

/// Equal, where 38 and 38.0 are the same number.
pub(super) fn alike(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| alike(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| alike(a, b)))
        }
        _ => expected == came,
    }
}

fn compare_issues(expected: &[Value], found: &[Issue], differences: &mut Vec<String>) {
    let mut left: Vec<&Issue> = found.iter().collect();
    for issue in expected {
        let fits = |found: &&Issue| {
            let found = serde_json::to_value(found).unwrap_or_default();
            ["model", "remote_id", "field", "problem"]
                .iter()
                .all(|name| issue.get(name).is_none_or(|value| *value == found[name]))
        };
        match left.iter().position(fits) {
            Some(at) => {
                left.remove(at);
            }
            None => differences.push(format!("issue expected, but not there: {issue}")),
        }
    }
    for issue in left {
        differences.push(format!(
            "issue not expected: {} {:?} {:?}: {}; expected {}, got {}",
            issue.model, issue.remote_id, issue.field, issue.problem, issue.expected, issue.got
        ));
    }
}
