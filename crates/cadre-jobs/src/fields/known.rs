//! Which raw fields a tool was seen to have, by the paths in its raw values.

use std::collections::{HashMap, HashSet};

use cadre_model::ids::record_id;
use cadre_store::{FieldKind, IntegrationField};
use serde_json::Value;

/// Most fields of one model that are kept: a tool that names fields by numbers has any number of them.
const MOST: usize = 500;

/// Deepest path, in names.
const DEEPEST: usize = 4;

/// Longest path, in bytes.
const LONGEST: usize = 200;

/// Name of the namespace of ids.
const NAMESPACE: &str = "integration_fields";

/// The fields that are known, and those that were not known before.
#[derive(Debug, Default)]
pub(crate) struct Known {
    models: HashMap<&'static str, HashSet<String>>,
    fresh: Vec<(&'static str, String)>,
}

impl Known {
    /// Begins with what is stored.
    pub(crate) fn note(&mut self, model: &'static str, key: String) {
        self.models.entry(model).or_default().insert(key);
    }

    /// Looks at a raw value.
    pub(crate) fn see(&mut self, model: &'static str, raw: &Value) {
        let of = self.models.entry(model).or_default();
        let mut path = String::new();
        walk(raw, &mut path, 1, &mut |key| {
            if of.len() < MOST && !of.contains(key) {
                of.insert(key.to_owned());
                self.fresh.push((model, key.to_owned()));
            }
        });
    }

    /// The paths of a model that were not known before.
    pub(crate) fn fresh_of<'k>(&'k self, model: &'k str) -> impl Iterator<Item = &'k str> {
        self.fresh.iter().filter(move |(of, _)| *of == model).map(|(_, key)| key.as_str())
    }

    /// What is to be stored.
    pub(crate) fn fresh(&self, integration_id: &str) -> Vec<IntegrationField> {
        let field = |(model, key): &(&'static str, String)| IntegrationField {
            id: record_id(integration_id, NAMESPACE, &format!("{model} {key}")),
            model: (*model).to_owned(),
            key: key.clone(),
            kind: FieldKind::Default,
            label: None,
            passed: false,
        };
        self.fresh.iter().map(field).collect()
    }
}

/// Calls `see` with the path of every value that is no object.
fn walk(value: &Value, path: &mut String, depth: usize, see: &mut dyn FnMut(&str)) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        if path.len() <= LONGEST {
            match value {
                Value::Object(inner) if !inner.is_empty() && depth < DEEPEST => {
                    walk(value, path, depth + 1, see);
                }
                _ => see(path),
            }
        }
        path.truncate(length);
    }
}

/// The value at a path; null where there is none. A name that holds a dot is found too.
pub(crate) fn value<'v>(raw: &'v Value, path: &str) -> &'v Value {
    if let Some(found) = raw.get(path) {
        return found;
    }
    for (at, _) in path.match_indices('.') {
        if let Some(inner @ Value::Object(_)) = raw.get(&path[..at]) {
            let found = value(inner, &path[at + 1..]);
            if !found.is_null() {
                return found;
            }
        }
    }
    &Value::Null
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Known, value};

    #[test]
    fn paths_lead_to_their_values() {
        let raw =
            json!({"a": 1, "b": {"c": [1, 2], "d.e": {"f": null, "g": "x"}}, "h.i": true, "j": {}});
        let mut known = Known::default();
        known.see("hris_employees", &raw);
        let keys: Vec<&str> = known.fresh.iter().map(|(_, key)| key.as_str()).collect();
        assert_eq!(keys, ["a", "b.c", "b.d.e.f", "b.d.e.g", "h.i", "j"]);
        assert_eq!(value(&raw, "b.d.e.g"), "x");
        assert_eq!(value(&raw, "h.i"), &json!(true));
        assert_eq!(value(&raw, "b.c"), &json!([1, 2]));
        for nothing in ["x", "a.b", "b.d.e.f", "b.x.y"] {
            assert_eq!(value(&raw, nothing), &Value::Null, "{nothing}");
        }
        known.fresh.clear();
        known.see("hris_employees", &raw);
        assert_eq!(known.fresh.len(), 0);
    }
}
