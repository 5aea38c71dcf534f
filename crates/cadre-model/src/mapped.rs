//! What a mapping yields, and what is stored of it.
//!
//! [`Mapped`] still speaks of the tool's own ids. [`seal`] derives our ids, completes the wire form
//! and takes the hashes: after it, a record can be stored, compared and served without being
//! parsed again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::ids::record_id;
use crate::model::{Join, ModelDef};
use crate::shape::{Kind, Structure};

/// What the mapping made of one raw record. References are still remote ids.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The model.
    pub model: &'static ModelDef,
    /// The record's id in the tool.
    pub remote_id: String,
    /// Own fields in wire form; an absent one is null. A reference holds the remote id as text.
    pub fields: Map<String, Value>,
    /// Relations whose links the record names, each with its links in order.
    pub links: Vec<(&'static str, Vec<Link>)>,
    /// Values that did not fit.
    pub issues: Vec<Issue>,
}

/// A link to another record.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The other record's id in the tool.
    pub remote_id: String,
    /// What the link carries beside its target.
    pub attributes: Map<String, Value>,
}

/// A value that did not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issue {
    /// The model.
    pub model: String,
    /// The record's id in the tool, when it has one.
    pub remote_id: Option<String>,
    /// Path of the field: `bank_accounts[0].iban`.
    pub field: Option<String>,
    /// What is wrong, as a word for machines: `unknown_value`, `wrong_type`, `invalid_date`,
    /// `missing_required`, `missing_remote_id`, `invalid_email`, `duplicate_remote_id`,
    /// `expression_failed`.
    pub problem: String,
    /// What was expected.
    pub expected: String,
    /// What came, shortened.
    pub got: String,
}

/// Most characters of a value that an issue keeps.
pub const ISSUE_VALUE_CHARS: usize = 200;

impl Issue {
    /// Shortens a value so that an issue can keep it.
    #[must_use]
    pub fn shorten(text: &str) -> String {
        let mut kept: String = text.chars().take(ISSUE_VALUE_CHARS).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        kept
    }
}

/// A record, ready to be stored.
#[derive(Debug, Clone)]
pub struct Record {
    /// Id of the model.
    pub model: &'static str,
    /// The record's id.
    pub id: String,
    /// Its id in the tool.
    pub remote_id: String,
    /// JSON object: `id`, `remote_id`, then every own field in the order of the model.
    pub body: String,
    /// JSON object from reference field or relation to `[[id, remote id, attributes?], …]`.
    pub links: String,
    /// The same links as rows, for finding records by what they refer to.
    pub refs: Vec<RefRow>,
    /// Values that filters look at.
    pub keys: Vec<KeyRow>,
    /// Hash over the body.
    pub hash: [u8; 16],
    /// Hash over the links that are not fields of their own.
    pub link_hash: [u8; 16],
}

/// A link as a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefRow {
    /// Reference field or relation.
    pub field: &'static str,
    /// Place among the links of that relation, from 0.
    pub position: i32,
    /// Model of the target.
    pub target_model: &'static str,
    /// Id of the target.
    pub target_id: String,
    /// The target's id in the tool.
    pub target_remote_id: String,
}

/// A value that a filter looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Name of the key; with `~` at the end where case is folded.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Most bytes of a key's value: longer ones cannot be filtered by, and must fit an index.
pub const KEY_BYTES: usize = 512;

/// Derives ids and hashes.
#[must_use]
pub fn seal(integration_id: &str, mapped: &Mapped) -> Record {
    let model = mapped.model;
    let mut sealing = Sealing { integration_id, refs: Vec::new() };
    let id = record_id(integration_id, model.id, &mapped.remote_id);

    let mut body = Map::new();
    body.insert("id".into(), id.clone().into());
    body.insert("remote_id".into(), mapped.remote_id.clone().into());
    let mut link_map = Map::new();
    for field in model.shape.fields {
        let came = mapped.fields.get(field.name).unwrap_or(&Value::Null);
        let before = sealing.refs.len();
        let value = sealing.complete(&field.kind, field.nullable, came, Some(field.name));
        for reference in &sealing.refs[before..] {
            link_entry(&mut link_map, reference, None);
        }
        body.insert(field.name.into(), value);
    }
    let own_fields = link_map.len();
    let mut own_links = Map::new();
    for relation in model.links() {
        let Join::Links { attributes } = relation.join else { continue };
        let links = mapped
            .links
            .iter()
            .find(|(name, _)| *name == relation.name)
            .map_or(&[][..], |(_, l)| l);
        for (position, link) in links.iter().enumerate() {
            let reference = RefRow {
                field: relation.name,
                position: i32::try_from(position).unwrap_or(i32::MAX),
                target_model: relation.target,
                target_id: record_id(integration_id, relation.target, &link.remote_id),
                target_remote_id: link.remote_id.clone(),
            };
            let attributes = attributes.map(|shape| sealing.attributes(shape, &link.attributes));
            link_entry(&mut own_links, &reference, attributes);
            sealing.refs.push(reference);
        }
    }
    debug_assert!(own_fields <= model.shape.fields.len());

    let body = Value::Object(body).to_string();
    let link_hash = hash(Value::Object(own_links.clone()).to_string().as_bytes());
    link_map.extend(own_links);
    Record {
        model: model.id,
        id,
        remote_id: mapped.remote_id.clone(),
        hash: hash(body.as_bytes()),
        body,
        links: Value::Object(link_map).to_string(),
        refs: sealing.refs,
        keys: keys(model, &mapped.fields),
        link_hash,
    }
}

fn link_entry(map: &mut Map<String, Value>, reference: &RefRow, attributes: Option<Value>) {
    let mut entry = vec![
        Value::String(reference.target_id.clone()),
        Value::String(reference.target_remote_id.clone()),
    ];
    entry.extend(attributes);
    let list = map.entry(reference.field).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(Value::Array(entry));
    }
}

struct Sealing<'a> {
    integration_id: &'a str,
    refs: Vec<RefRow>,
}

impl Sealing<'_> {
    /// The value with every field of its structures present and every reference turned into an id.
    /// `own` is the name of the model's field, so long as a reference there is a link of its own.
    fn complete(
        &mut self,
        kind: &Kind,
        nullable: bool,
        value: &Value,
        own: Option<&'static str>,
    ) -> Value {
        match (kind, value) {
            (Kind::List(_), Value::Null) if !nullable => Value::Array(Vec::new()),
            (Kind::Object(shape), Value::Null) if !nullable => self.object(shape, &Map::new()),
            (_, Value::Null) => Value::Null,
            (Kind::Ref(target), Value::String(remote_id)) => {
                let id = record_id(self.integration_id, target, remote_id);
                if let Some(field) = own {
                    let position = self.refs.iter().filter(|row| row.field == field).count();
                    self.refs.push(RefRow {
                        field,
                        position: i32::try_from(position).unwrap_or(i32::MAX),
                        target_model: target,
                        target_id: id.clone(),
                        target_remote_id: remote_id.clone(),
                    });
                }
                Value::String(id)
            }
            (Kind::List(item), Value::Array(items)) => {
                items.iter().map(|value| self.complete(item, false, value, own)).collect()
            }
            (Kind::Object(shape), Value::Object(fields)) => self.object(shape, fields),
            (Kind::Union(union), Value::Object(fields)) => {
                let tag = fields.get("type").and_then(Value::as_str).unwrap_or_default();
                match union.variants.iter().find(|(name, _)| *name == tag) {
                    Some((_, shape)) => {
                        let mut object = Map::new();
                        object.insert("type".into(), tag.into());
                        if let Value::Object(rest) = self.object(shape, fields) {
                            object.extend(rest);
                        }
                        Value::Object(object)
                    }
                    None => value.clone(),
                }
            }
            _ => value.clone(),
        }
    }

    fn object(&mut self, shape: &Structure, fields: &Map<String, Value>) -> Value {
        let complete = |field: &crate::shape::Field| {
            let value = fields.get(field.name).unwrap_or(&Value::Null);
            (field.name.to_owned(), self.complete(&field.kind, field.nullable, value, None))
        };
        Value::Object(shape.fields.iter().map(complete).collect())
    }

    fn attributes(&mut self, shape: &Structure, fields: &Map<String, Value>) -> Value {
        self.object(shape, fields)
    }
}

fn hash(bytes: &[u8]) -> [u8; 16] {
    let digest = Sha256::digest(bytes);
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

fn keys(model: &ModelDef, fields: &Map<String, Value>) -> Vec<KeyRow> {
    let mut rows = Vec::new();
    for (key, folded) in model.keys() {
        let mut values = Vec::new();
        collect(fields, key, &mut values);
        for value in values {
            let (name, value) = if folded {
                (format!("{key}~"), value.to_lowercase())
            } else {
                (key.into(), value)
            };
            let row = KeyRow { name, value: truncate(value) };
            if !rows.contains(&row) {
                rows.push(row);
            }
        }
    }
    rows
}

fn collect(fields: &Map<String, Value>, path: &str, into: &mut Vec<String>) {
    let (head, rest) = path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)));
    let mut visit = |value: &Value| match (value, rest) {
        (Value::Object(inner), Some(rest)) => collect(inner, rest, into),
        (Value::String(text), None) => into.push(text.clone()),
        (Value::Number(number), None) => into.push(number.to_string()),
        (Value::Bool(truth), None) => into.push(truth.to_string()),
        _ => {}
    };
    match fields.get(head) {
        Some(Value::Array(items)) => items.iter().for_each(visit),
        Some(value) => visit(value),
        None => {}
    }
}

fn truncate(mut text: String) -> String {
    if text.len() > KEY_BYTES {
        let mut end = KEY_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Link, Mapped, seal};
    use crate::ids::record_id;
    use crate::registry::model;

    fn mapped(model_id: &str, fields: Value, links: Vec<(&'static str, Vec<Link>)>) -> Mapped {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let model = model(model_id).expect("a known model");
        Mapped { model, remote_id: "7".into(), fields, links, issues: vec![] }
    }

    fn link(remote_id: &str) -> Link {
        Link { remote_id: remote_id.into(), attributes: serde_json::Map::new() }
    }

    #[test]
    fn references_become_ids_and_rows() {
        let employee = mapped(
            "hris_employees",
            json!({"manager_id": "3", "work_email": "Ann@Example.com"}),
            vec![("groups", vec![link("d1"), link("t2")])],
        );
        let record = seal("acme:1", &employee);
        let body: Value = serde_json::from_str(&record.body).expect("JSON");
        assert_eq!(body["manager_id"], record_id("acme:1", "hris_employees", "3"));
        assert_eq!(body["first_name"], Value::Null);
        let refs: Vec<_> = record
            .refs
            .iter()
            .map(|r| (r.field, r.position, r.target_remote_id.as_str()))
            .collect();
        assert_eq!(refs, [("manager_id", 0, "3"), ("groups", 0, "d1"), ("groups", 1, "t2")]);
        assert!(
            record.keys.iter().any(|k| k.name == "work_email~" && k.value == "ann@example.com")
        );
    }

    #[test]
    fn links_have_a_hash_of_their_own() {
        let one =
            seal("acme:1", &mapped("hris_employees", json!({}), vec![("groups", vec![link("a")])]));
        let two =
            seal("acme:1", &mapped("hris_employees", json!({}), vec![("groups", vec![link("b")])]));
        assert_eq!(one.hash, two.hash);
        assert_ne!(one.link_hash, two.link_hash);
    }

    #[test]
    fn structures_are_completed() {
        let run = seal("acme:1", &mapped("hris_pay_runs", json!({}), vec![]));
        let body: Value = serde_json::from_str(&run.body).expect("JSON");
        assert_eq!(
            body["totals"],
            json!({"gross_pay": null, "net_pay": null, "paid_amount": null})
        );
        let place =
            seal("acme:1", &mapped("hris_locations", json!({"address": {"city": "Köln"}}), vec![]));
        let body: Value = serde_json::from_str(&place.body).expect("JSON");
        assert_eq!(body["address"]["city"], "Köln");
        assert_eq!(body["address"]["zip_code"], Value::Null);
    }

    #[test]
    fn keys_reach_into_lists() {
        let candidate = mapped(
            "ats_candidates",
            json!({"email_addresses": [{"email_address": "A@b.de"}, {"email_address": "c@d.de"}]}),
            vec![],
        );
        let values: Vec<_> = seal("x:1", &candidate).keys.into_iter().map(|k| k.value).collect();
        assert_eq!(values, ["a@b.de", "c@d.de"]);
    }
}
