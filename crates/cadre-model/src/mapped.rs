//! What a mapping yields, and what is stored of it.
//!
//! [`Mapped`] still speaks of the tool's own ids. [`seal`] derives our ids, completes the wire form
//! and takes the hashes: after it, a record can be stored, compared and served without being
//! parsed again.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::fields::Fields;
use crate::ids::record_id;
use crate::model::{Join, ModelDef};
use crate::shape::{Field, Kind, Structure};

/// What the mapping made of one raw record. References are still remote ids.
#[derive(Debug, Clone)]
pub struct Mapped {
    /// The model.
    pub model: &'static ModelDef,
    /// The record's id in the tool.
    pub remote_id: String,
    /// Own fields in wire form; an absent one is null. A reference holds the remote id as text.
    pub fields: Fields,
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
    /// JSON object of what the record shows beside its own fields: `custom_fields`, `integration_fields`
    /// and `remote_data`. Empty where there is nothing; `None` leaves what is stored as it is.
    pub extensions: Option<String>,
    /// The raw value that the record was made of; `None` leaves what is stored as it is.
    pub raw: Option<Raw>,
}

/// The raw value that a record was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    /// The stream that it came from.
    pub stream: String,
    /// `[value, parent]` as JSON.
    pub text: String,
    /// Hash over both.
    pub hash: [u8; 16],
}

impl Raw {
    /// What is stored of a raw value and the parent record of its sub-request, which may be null.
    #[must_use]
    pub fn new(stream: &str, value: &Value, parent: &Value) -> Raw {
        let mut bytes = Vec::with_capacity(512);
        write(&mut bytes, &(value, parent));
        let mut hasher = Sha256::new();
        for part in [stream.as_bytes(), &[0], &bytes] {
            hasher.update(part);
        }
        Raw { stream: stream.to_owned(), hash: short(&hasher.finalize()), text: text(bytes) }
    }
}

impl Record {
    /// Takes on what the record shows beside its own fields. A change of it is a change of the record.
    #[must_use]
    pub fn with_extensions(mut self, extensions: &Map<String, Value>) -> Record {
        if extensions.is_empty() {
            self.extensions = Some(String::new());
            return self;
        }
        let mut bytes = Vec::with_capacity(256);
        write(&mut bytes, extensions);
        let mut hashed = self.hash.to_vec();
        hashed.extend_from_slice(&bytes);
        self.hash = hash(&hashed);
        if let Some(Value::Object(custom)) = extensions.get("custom_fields") {
            self.keys.extend(custom.iter().filter_map(|(key, value)| custom_key(key, value)));
        }
        self.extensions = Some(text(bytes));
        self
    }
}

impl Record {
    /// Takes on what another form of the same record has beside its own fields.
    #[must_use]
    pub fn with_what_is_beside(self, other: &Record) -> Record {
        let shown = other.extensions.as_deref().map(serde_json::from_str::<Map<String, Value>>);
        let mut record = match shown {
            Some(shown) => self.with_extensions(&shown.unwrap_or_default()),
            None => self,
        };
        record.raw.clone_from(&other.raw);
        record
    }
}

/// Name of the key that finds a record by one of its custom fields.
pub const CUSTOM_FIELDS_KEY: &str = "custom_fields";

/// The key of a custom field; `None` for a value that is no text, number, boolean or null.
#[must_use]
pub fn custom_key(key: &str, value: &Value) -> Option<KeyRow> {
    if value.is_array() || value.is_object() {
        return None;
    }
    let value = truncate(serde_json::json!({ key: value }).to_string());
    Some(KeyRow { name: CUSTOM_FIELDS_KEY.to_owned(), value })
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
///
/// The text is written as it goes, without building the values first: it is half of what mapping a record
/// costs.
#[must_use]
pub fn seal(integration_id: &str, mapped: &Mapped) -> Record {
    let model = mapped.model;
    let mut sealing = Sealing { integration_id, refs: Vec::new() };
    let id = record_id(integration_id, model.id, &mapped.remote_id);

    let mut body = Vec::with_capacity(1024);
    body.extend_from_slice(b"{\"id\":");
    write(&mut body, &id);
    body.extend_from_slice(b",\"remote_id\":");
    write(&mut body, &mapped.remote_id);
    for field in model.shape.fields {
        let came = mapped.fields.get(field.name).unwrap_or(&Value::Null);
        body.push(b',');
        sealing.field(&mut body, field, came, Some(field.name));
    }
    body.push(b'}');
    let mut links = vec![b'{'];
    for (at, reference) in sealing.refs.iter().enumerate() {
        let last = sealing.refs[..at].last();
        link_entry(&mut links, last.map(|last| last.field), reference, None);
    }
    end_links(&mut links);
    let mut own_links = vec![b'{'];
    sealing.links(&mut own_links, mapped);
    end_links(&mut own_links);
    let link_hash = hash(&own_links);
    if own_links.len() > 2 {
        links.pop();
        if links.len() > 1 {
            links.push(b',');
        }
        links.extend_from_slice(&own_links[1..]);
    }
    Record {
        model: model.id,
        id,
        remote_id: mapped.remote_id.clone(),
        hash: hash(&body),
        body: text(body),
        links: text(links),
        refs: sealing.refs,
        keys: keys(model, &mapped.fields),
        link_hash,
        extensions: None,
        raw: None,
    }
}

/// Writes a value as JSON.
fn write<T: Serialize + ?Sized>(into: &mut Vec<u8>, value: &T) {
    // Writing into memory does not fail, and neither do texts and JSON values.
    let _ = serde_json::to_writer(into, value);
}

fn text(json: Vec<u8>) -> String {
    String::from_utf8(json).unwrap_or_else(|error| {
        // JSON is written as UTF-8 only.
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    })
}

/// Writes a link: the first of a field opens the field's list. `last` is the field of the link before it.
fn link_entry(
    into: &mut Vec<u8>,
    last: Option<&str>,
    reference: &RefRow,
    attributes: Option<(&mut Sealing<'_>, &Structure, &Map<String, Value>)>,
) {
    if last == Some(reference.field) {
        into.push(b',');
    } else {
        into.extend_from_slice(if last.is_some() { b"]," } else { b"" });
        write(into, reference.field);
        into.extend_from_slice(b":[");
    }
    into.push(b'[');
    write(into, &reference.target_id);
    into.push(b',');
    write(into, &reference.target_remote_id);
    if let Some((sealing, shape, attributes)) = attributes {
        into.push(b',');
        sealing.object(into, None, shape, attributes);
    }
    into.push(b']');
}

fn end_links(into: &mut Vec<u8>) {
    into.extend_from_slice(if into.len() > 1 { b"]}" } else { b"}" });
}

struct Sealing<'a> {
    integration_id: &'a str,
    refs: Vec<RefRow>,
}

impl Sealing<'_> {
    /// Writes the links of relations, and keeps them as rows.
    fn links(&mut self, into: &mut Vec<u8>, mapped: &Mapped) {
        let mut last = None;
        for relation in mapped.model.links() {
            let Join::Links { attributes } = relation.join else { continue };
            let links = mapped.links.iter().find(|(name, _)| *name == relation.name);
            for (position, link) in links.into_iter().flat_map(|(_, links)| links).enumerate() {
                let reference = RefRow {
                    field: relation.name,
                    position: i32::try_from(position).unwrap_or(i32::MAX),
                    target_model: relation.target,
                    target_id: record_id(self.integration_id, relation.target, &link.remote_id),
                    target_remote_id: link.remote_id.clone(),
                };
                let attributes = attributes.map(|shape| (&mut *self, shape, &link.attributes));
                link_entry(into, last, &reference, attributes);
                last = Some(relation.name);
                self.refs.push(reference);
            }
        }
    }

    fn field(
        &mut self,
        into: &mut Vec<u8>,
        field: &Field,
        value: &Value,
        own: Option<&'static str>,
    ) {
        // Names of fields hold nothing that JSON would escape.
        into.push(b'"');
        into.extend_from_slice(field.name.as_bytes());
        into.extend_from_slice(b"\":");
        self.complete(into, &field.kind, field.nullable, value, own);
    }

    /// Writes the value with every field of its structures present and every reference turned into an
    /// id. `own` is the name of the model's field, so long as a reference there is a link of its own.
    fn complete(
        &mut self,
        into: &mut Vec<u8>,
        kind: &Kind,
        nullable: bool,
        value: &Value,
        own: Option<&'static str>,
    ) {
        match (kind, value) {
            (Kind::List(_), Value::Null) if !nullable => into.extend_from_slice(b"[]"),
            (Kind::Object(shape), Value::Null) if !nullable => {
                self.object(into, None, shape, &Map::new());
            }
            (_, Value::Null) => into.extend_from_slice(b"null"),
            (Kind::Ref(target), Value::String(remote_id)) => {
                let id = record_id(self.integration_id, target, remote_id);
                write(into, &id);
                if let Some(field) = own {
                    let position = self.refs.iter().filter(|row| row.field == field).count();
                    self.refs.push(RefRow {
                        field,
                        position: i32::try_from(position).unwrap_or(i32::MAX),
                        target_model: target,
                        target_id: id,
                        target_remote_id: remote_id.clone(),
                    });
                }
            }
            (Kind::List(item), Value::Array(items)) => {
                into.push(b'[');
                for (at, value) in items.iter().enumerate() {
                    if at > 0 {
                        into.push(b',');
                    }
                    self.complete(into, item, false, value, own);
                }
                into.push(b']');
            }
            (Kind::Object(shape), Value::Object(fields)) => self.object(into, None, shape, fields),
            (Kind::Union(union), Value::Object(fields)) => {
                let tag = fields.get("type").and_then(Value::as_str).unwrap_or_default();
                match union.variants.iter().find(|(name, _)| *name == tag) {
                    Some((_, shape)) => self.object(into, Some(tag), shape, fields),
                    None => write(into, value),
                }
            }
            _ => write(into, value),
        }
    }

    /// Writes a structure; `tag` goes first, as its `type`.
    fn object(
        &mut self,
        into: &mut Vec<u8>,
        tag: Option<&str>,
        shape: &Structure,
        fields: &Map<String, Value>,
    ) {
        into.push(b'{');
        if let Some(tag) = tag {
            into.extend_from_slice(b"\"type\":");
            write(into, tag);
        }
        let mut first = tag.is_none();
        for field in shape.fields.iter().filter(|field| tag.is_none() || field.name != "type") {
            if !first {
                into.push(b',');
            }
            first = false;
            self.field(into, field, fields.get(field.name).unwrap_or(&Value::Null), None);
        }
        into.push(b'}');
    }
}

fn hash(bytes: &[u8]) -> [u8; 16] {
    short(&Sha256::digest(bytes))
}

fn short(digest: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

fn keys(model: &ModelDef, fields: &Fields) -> Vec<KeyRow> {
    let mut rows = Vec::new();
    for (key, folded) in model.keys() {
        let mut values = Vec::new();
        let (head, rest) = halves(key);
        collect(fields.get(head), rest, &mut values);
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

/// The first name of a path, and what follows it.
fn halves(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(head, rest)| (head, Some(rest)))
}

fn collect(value: Option<&Value>, rest: Option<&str>, into: &mut Vec<String>) {
    let mut visit = |value: &Value| match (value, rest) {
        (Value::Object(inner), Some(rest)) => {
            let (head, rest) = halves(rest);
            collect(inner.get(head), rest, into);
        }
        (Value::String(text), None) => into.push(text.clone()),
        (Value::Number(number), None) => into.push(number.to_string()),
        (Value::Bool(truth), None) => into.push(truth.to_string()),
        _ => {}
    };
    match value {
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
    use crate::fields::Fields;
    use crate::ids::record_id;
    use crate::registry::model;

    fn mapped(model_id: &str, fields: Value, links: Vec<(&'static str, Vec<Link>)>) -> Mapped {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let model = model(model_id).expect("a known model");
        let fields = Fields::of(model.shape, fields);
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
