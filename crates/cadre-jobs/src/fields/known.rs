//! Which raw fields a tool was seen to have, by the paths in its raw values.

use std::collections::{HashMap, HashSet};
use std::hash::Hasher;

use cadre_model::ids::record_id;
use cadre_store::{FieldKind, IntegrationField};
use rustc_hash::{FxHashSet, FxHasher};
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
    models: HashMap<&'static str, OfModel>,
    fresh: Vec<(&'static str, String)>,
}

/// The fields of one model.
#[derive(Debug, Default)]
struct OfModel {
    keys: HashSet<String>,
    /// Hashes of paths that were looked at: nearly every record has the same ones, so that their texts
    /// need not be put together again.
    looked_at: FxHashSet<u64>,
}

impl Known {
    /// Begins with what is stored.
    pub(crate) fn note(&mut self, model: &'static str, key: String) {
        self.models.entry(model).or_default().keys.insert(key);
    }

    /// Looks at a raw value.
    pub(crate) fn see(&mut self, model: &'static str, raw: &Value) {
        let OfModel { keys, looked_at } = self.models.entry(model).or_default();
        let fresh = &mut self.fresh;
        let mut names = [""; DEEPEST];
        walk(raw, FxHasher::default(), &mut names, 0, &mut |hash, names| {
            if !looked_at.insert(hash) {
                return;
            }
            let key = names.join(".");
            if key.len() <= LONGEST && keys.len() < MOST && keys.insert(key.clone()) {
                fresh.push((model, key));
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

/// Calls `see` with the path of every value that is no object, and a hash of it.
fn walk<'v>(
    value: &'v Value,
    above: FxHasher,
    names: &mut [&'v str; DEEPEST],
    depth: usize,
    see: &mut dyn FnMut(u64, &[&str]),
) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        let mut hasher = above.clone();
        hasher.write(name.as_bytes());
        hasher.write_u8(b'.');
        names[depth] = name;
        match value {
            Value::Object(inner) if !inner.is_empty() && depth + 1 < DEEPEST => {
                walk(value, hasher, names, depth + 1, see);
            }
            _ => see(hasher.finish(), &names[..=depth]),
        }
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
