//! What a vendor stores: tables of JSON records in the order in which they were made.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The tables of one vendor, by the name that stands in the path.
pub(crate) type Tables = BTreeMap<&'static str, Table>;

/// One record.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Its id as text.
    pub(crate) key: String,
    /// The record as it is served.
    pub(crate) value: Value,
    /// When it last changed.
    pub(crate) updated: Timestamp,
    /// Whether it was put away: only served to those who ask for it.
    pub(crate) archived: bool,
    /// Id of the record that it belongs to, where it is served below another.
    parent: Option<String>,
}

/// A list of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    by_key: HashMap<String, usize>,
    by_parent: HashMap<String, Vec<usize>>,
    /// How many records were ever added.
    added: usize,
}

/// What of a table is wanted.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Wanted<'a> {
    /// Only records below this one.
    pub(crate) parent: Option<&'a str>,
    /// Only what changed at this moment or later.
    pub(crate) updated_since: Option<Timestamp>,
    /// Archived records too.
    pub(crate) archived: bool,
    /// Only records that have these texts (without regard to case) at these JSON pointers.
    pub(crate) equal: &'a [(&'static str, String)],
}

impl Table {
    /// The ids of the records that are not archived.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.rows.iter().filter(|row| !row.archived).map(|row| row.key.clone()).collect()
    }

    /// Adds a record. `created_at`, `updated_at` and `archived_at` are added to it.
    ///
    /// The `id` of `value` may be a number or a text.
    pub(crate) fn add(&mut self, value: Value, created: Timestamp, updated: Timestamp) {
        self.add_below(None, value, created, updated);
    }

    /// Adds a record that is served below another one.
    pub(crate) fn add_below(
        &mut self,
        parent: Option<String>,
        mut value: Value,
        created: Timestamp,
        updated: Timestamp,
    ) {
        if let Value::Object(object) = &mut value {
            object.insert("created_at".to_owned(), created.to_string().into());
            object.insert("updated_at".to_owned(), updated.to_string().into());
            object.insert("archived_at".to_owned(), Value::Null);
        }
        let key = text(&value["id"]);
        let place = self.rows.len();
        if let Some(parent) = &parent {
            self.by_parent.entry(parent.clone()).or_default().push(place);
        }
        self.by_key.insert(key.clone(), place);
        self.added += 1;
        self.rows.push(Row { key, value, updated, archived: false, parent });
    }

    /// How many records were ever added: no id is given twice, also not that of one who is gone.
    pub(crate) fn added(&self) -> usize {
        self.added
    }

    /// How many records there are, archived ones included.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The record with this id.
    pub(crate) fn get(&self, key: &str) -> Option<&Row> {
        self.by_key.get(key).map(|&place| &self.rows[place])
    }

    /// The record at this place.
    pub(crate) fn at(&self, place: usize) -> Option<&Row> {
        self.rows.get(place)
    }

    /// All records.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    /// How many records are wanted in all, and those from `skip` on, at most `take` of them.
    pub(crate) fn page(
        &self,
        wanted: Wanted<'_>,
        skip: usize,
        take: usize,
    ) -> (usize, Vec<&Value>) {
        let fits = |row: &&Row| {
            (wanted.archived || !row.archived)
                && wanted.updated_since.is_none_or(|since| row.updated >= since)
                && wanted.equal.iter().all(|(place, wanted)| {
                    let value = row.value.pointer(place).unwrap_or(&Value::Null);
                    text(value).eq_ignore_ascii_case(wanted)
                })
        };
        let all: Box<dyn Iterator<Item = &Row>> = match wanted.parent {
            None => Box::new(self.rows.iter()),
            Some(parent) => Box::new(
                self.by_parent.get(parent).into_iter().flatten().map(|&place| &self.rows[place]),
            ),
        };
        let mut total = 0;
        let mut page = Vec::new();
        for row in all.filter(fits) {
            if total >= skip && total < skip + take {
                page.push(&row.value);
            }
            total += 1;
        }
        (total, page)
    }

    /// Changes a record in place; says whether it was there.
    pub(crate) fn change(
        &mut self,
        key: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> bool {
        let Some(&place) = self.by_key.get(key) else { return false };
        let row = &mut self.rows[place];
        let Value::Object(object) = &mut row.value else { return false };
        change(object);
        object.insert("updated_at".to_owned(), now.to_string().into());
        row.updated = now;
        true
    }

    /// Puts a record away: it is served no more, except to those who ask for archived ones.
    pub(crate) fn archive(&mut self, key: &str, now: Timestamp) -> bool {
        let known = self.change(key, now, |object| {
            object.insert("archived_at".to_owned(), now.to_string().into());
        });
        if known {
            let place = self.by_key[key];
            self.rows[place].archived = true;
        }
        known
    }

    /// Takes a record out without a trace.
    pub(crate) fn delete(&mut self, key: &str) -> bool {
        let Some(place) = self.by_key.get(key).copied() else { return false };
        self.rows.remove(place);
        self.by_key.clear();
        self.by_parent.clear();
        for (place, row) in self.rows.iter().enumerate() {
            self.by_key.insert(row.key.clone(), place);
            if let Some(parent) = &row.parent {
                self.by_parent.entry(parent.clone()).or_default().push(place);
            }
        }
        true
    }
}

/// An id as text, whether it is a number or a text.
pub(crate) fn text(id: &Value) -> String {
    match id {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Writes the fields of one object into another; objects within are merged.
pub(crate) fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(object)), Value::Object(part)) => merge(object, part),
            (_, value) => {
                into.insert(name, value);
            }
        }
    }
}
