//! Which raw values may be kept beside the records that were made of them.
//!
//! The scope configuration speaks of unified fields. What a switched-off field is made of must not be
//! stored in another way: the paths that its expression reads are cut out of the raw value, unless an
//! enabled field reads them too. Where values that no field is made of are not wanted either, only what
//! enabled fields read stays.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cadre_jq::{Expr, From, Into, Reading};
use serde_json::{Map, Value};

use crate::Mapping;
use crate::table::{Source, Table, Zone};

/// What the scope configuration says.
pub trait Scope {
    /// Whether a field, or a relation that records name, may be stored. A field that no record can be
    /// without always may.
    fn field(&self, model: &str, field: &str) -> bool;
    /// Whether records of the model may be stored.
    fn model(&self, model: &str) -> bool;
    /// Whether values that no field is made of may be stored for the model.
    fn others(&self, model: &str) -> bool;
}

/// What may be kept of the raw values of an integration.
#[derive(Debug, Default)]
pub struct Policy {
    tables: BTreeMap<(&'static str, usize), OfTable>,
    /// Paths into `$lookup` that enabled fields read.
    lookup: Cut,
}

#[derive(Debug)]
struct OfTable {
    input: Cut,
    parent: Cut,
}

/// Paths that must stay and paths that must go.
#[derive(Debug, Default, Clone)]
struct Cut {
    /// Read by enabled fields.
    wanted: Vec<Vec<Into>>,
    /// Read by fields that are switched off.
    barred: Vec<Vec<Into>>,
    /// Whether what neither names stays.
    others: bool,
}

/// A raw value as it may be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept<'v> {
    /// The value.
    pub value: Cow<'v, Value>,
    /// What is kept of the parent record of a sub-request; null where nothing needs it.
    pub parent: Value,
}

impl Policy {
    /// `maps` are those that are applied; `original` those of the connector, whose sources are barred even
    /// where an integration's own mapping has put another one in their place.
    #[must_use]
    pub fn new(maps: &[Mapping], original: &[Mapping], scope: &dyn Scope) -> Policy {
        let mut policy = Policy { lookup: Cut::default(), tables: BTreeMap::new() };
        for map in maps.iter().filter(|map| scope.model(map.model.id)) {
            for (at, table) in map.tables.iter().enumerate() {
                let own = |wanted| readings(map, table, scope, wanted);
                let (of_parent, of_lookup) = (variable("$parent"), variable("$lookup"));
                let parent = Cut { wanted: paths(&own(true), &of_parent), ..Cut::default() };
                policy.lookup.wanted.extend(paths(&own(true), &of_lookup));
                let input = input(map, table, maps, original, scope);
                policy.tables.insert((map.model.id, at), OfTable { input, parent });
            }
        }
        policy
    }

    /// What may be kept of the raw value that a table made a record of.
    #[must_use]
    pub fn keep<'v>(
        &self,
        (model, table): (&'static str, usize),
        raw: &'v Value,
        parent: Option<&Value>,
    ) -> Kept<'v> {
        let Some(cut) = self.tables.get(&(model, table)) else {
            return Kept { value: Cow::Owned(Value::Null), parent: Value::Null };
        };
        let parent = parent.map_or(Value::Null, |parent| cut.parent.of(parent));
        let whole = cut.input.others && cut.input.barred.is_empty();
        let value = if whole { Cow::Borrowed(raw) } else { Cow::Owned(cut.input.of(raw)) };
        Kept { value, parent }
    }

    /// What may be kept of the lookups, which records are made with.
    #[must_use]
    pub fn keep_lookup(&self, lookup: &Value) -> Value {
        self.lookup.of(lookup)
    }
}

/// What is wanted and barred of the input of a table, by all tables of its stream.
fn input(
    map: &Mapping,
    table: &Table,
    maps: &[Mapping],
    original: &[Mapping],
    scope: &dyn Scope,
) -> Cut {
    let within = prefixes(table);
    let mut cut = Cut { others: scope.others(map.model.id), ..Cut::default() };
    for (maps, wanted) in [(maps, true), (maps, false), (original, false)] {
        for other in maps {
            for of in other.tables.iter().filter(|of| of.from == table.from) {
                let found = readings(other, of, scope, wanted);
                for path in paths(&found, &From::Input) {
                    for before in prefixes(of) {
                        let whole: Vec<Into> = before.iter().chain(&path).cloned().collect();
                        let into = if wanted { &mut cut.wanted } else { &mut cut.barred };
                        into.extend(within.iter().filter_map(|prefix| below(prefix, &whole)));
                    }
                }
            }
        }
    }
    cut
}

/// What a path is seen from a value at `prefix`: the rest of it, or all where the value is inside of it.
fn below(prefix: &[Into], path: &[Into]) -> Option<Vec<Into>> {
    let shared = prefix.len().min(path.len());
    let meets = prefix.iter().zip(path).all(|(a, b)| a == b || *a == Into::Any || *b == Into::Any);
    meets.then(|| path[shared..].to_vec())
}

/// Where the values that records of a table are made of stand in the raw record.
fn prefixes(table: &Table) -> Vec<Vec<Into>> {
    match &table.each {
        None => vec![Vec::new()],
        Some(each) => {
            let found = paths(&each.reads(), &From::Input);
            if found.is_empty() { vec![Vec::new()] } else { found }
        }
    }
}

/// What the expressions of a table read for what is enabled, or for what is switched off.
fn readings(map: &Mapping, table: &Table, scope: &dyn Scope, wanted: bool) -> Vec<Reading> {
    let model = map.model;
    let on = scope.model(model.id);
    let mut found = Vec::new();
    if on == wanted && wanted {
        let own = [Some(&table.remote_id), table.when.as_ref(), table.deleted.as_ref()];
        found.extend(own.into_iter().flatten().flat_map(Expr::reads));
        found.extend(of_zone(table.zone.as_ref()));
    }
    for field in &table.fields {
        let Source::Value { expr, how } = &field.source else { continue };
        let name = field.target.name();
        let required = model.shape.field(name).is_some_and(|field| !field.nullable);
        let enabled = on && (required || scope.field(model.id, name));
        if enabled == wanted {
            found.extend(expr.reads());
            found.extend(of_zone(how.zone.as_ref()));
        }
    }
    found
}

fn of_zone(zone: Option<&Zone>) -> Vec<Reading> {
    match zone {
        Some(Zone::Computed(expr)) => expr.reads(),
        _ => Vec::new(),
    }
}

fn variable(name: &str) -> From {
    From::Variable(name.to_owned())
}

fn paths(readings: &[Reading], from: &From) -> Vec<Vec<Into>> {
    readings.iter().filter(|one| one.from == *from).map(|one| one.path.clone()).collect()
}

impl Cut {
    fn of(&self, value: &Value) -> Value {
        // Who reads all of a value cannot save what is barred in it.
        let wanted = self.wanted.iter().filter(|path| self.barred.is_empty() || !path.is_empty());
        let wanted: Vec<&[Into]> = wanted.map(Vec::as_slice).collect();
        let barred: Vec<&[Into]> = self.barred.iter().map(Vec::as_slice).collect();
        cut(value, &wanted, &barred, self.others).unwrap_or(Value::Null)
    }
}

/// What stays of a value, given the rest of the paths from here; `None` when nothing does.
fn cut(value: &Value, wanted: &[&[Into]], barred: &[&[Into]], others: bool) -> Option<Value> {
    if wanted.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let others = others && !barred.iter().any(|path| path.is_empty());
    if wanted.is_empty() && (barred.is_empty() || !others) {
        return others.then(|| value.clone());
    }
    match value {
        Value::Object(fields) => {
            let kept: Map<String, Value> = fields
                .iter()
                .filter_map(|(name, value)| {
                    let step = Some(name.as_str());
                    let (wanted, barred) = (after(wanted, step), after(barred, step));
                    Some((name.clone(), cut(value, &wanted, &barred, others)?))
                })
                .collect();
            (!kept.is_empty() || others || fields.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(items) => {
            let (wanted, barred) = (after(wanted, None), after(barred, None));
            let kept = items
                .iter()
                // An item that goes leaves its place: others are found by theirs.
                .map(|item| cut(item, &wanted, &barred, others).unwrap_or(Value::Null))
                .collect();
            Some(Value::Array(kept))
        }
        // A plain value where a path goes on: the path finds nothing here.
        plain => (others || !wanted.is_empty()).then(|| plain.clone()),
    }
}

/// The rest of the paths after a step into a field, or into an item.
fn after<'p>(paths: &[&'p [Into]], name: Option<&str>) -> Vec<&'p [Into]> {
    paths
        .iter()
        .filter_map(|path| match path.split_first()? {
            (Into::Any, rest) => Some(rest),
            (Into::Key(key), rest) => (Some(key.as_str()) == name).then_some(rest),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Policy, Scope};
    use crate::Mapping;

    struct Config {
        off: &'static [&'static str],
        others: bool,
    }

    impl Scope for Config {
        fn field(&self, model: &str, field: &str) -> bool {
            !self.off.contains(&format!("{model}.{field}").as_str())
        }
        fn model(&self, model: &str) -> bool {
            !self.off.contains(&model)
        }
        fn others(&self, _: &str) -> bool {
            self.others
        }
    }

    fn maps() -> Vec<Mapping> {
        let employees = "
from: people
remote_id: .id
fields:
  first_name: .name.first
  last_name: .name.last
  ssn: .personal.ssn
  date_of_birth: .personal.born
  home_address: '{street_1: .home.street, city: .home.city}'
  gender: .personal.gender
";
        let employments = "
from: people
each: .jobs[]
remote_id: .id
fields:
  employee_id: $parent.id
  job_title: .title
  pay_rate: .pay
";
        vec![
            Mapping::parse("hris_employees.yaml", employees).expect("a mapping"),
            Mapping::parse("hris_employments.yaml", employments).expect("a mapping"),
        ]
    }

    fn kept(off: &'static [&'static str], others: bool, model: &'static str, raw: &Value) -> Value {
        let maps = maps();
        Policy::new(&maps, &maps, &Config { off, others })
            .keep((model, 0), raw, None)
            .value
            .into_owned()
    }

    #[test]
    fn what_a_switched_off_field_is_made_of_goes() {
        let raw = json!({"id": 1, "name": {"first": "A", "last": "B"}, "shoe_size": 42,
            "personal": {"ssn": "078", "born": "1990-01-01", "gender": "f", "faith": "x"},
            "home": {"street": "S", "city": "C"},
            "jobs": [{"id": 9, "title": "T", "pay": 100, "note": "n"}]});
        assert_eq!(kept(&[], true, "hris_employees", &raw), raw);
        let without = kept(&["hris_employees.ssn"], true, "hris_employees", &raw);
        let expected = json!({"born": "1990-01-01", "gender": "f", "faith": "x"});
        assert_eq!(without["personal"], expected);
        assert_eq!(without["shoe_size"], 42);
        // The other model's fields stand in the same raw record.
        let without = kept(&["hris_employments.pay_rate"], true, "hris_employees", &raw);
        assert_eq!(without["jobs"], json!([{"id": 9, "title": "T", "note": "n"}]));
        let job = &raw["jobs"][0];
        let without = kept(&["hris_employments.pay_rate"], true, "hris_employments", job);
        assert_eq!(without, json!({"id": 9, "title": "T", "note": "n"}));
        let without = kept(&["hris_employments"], true, "hris_employees", &raw);
        assert_eq!(without["jobs"], json!([{"id": 9, "note": "n"}]));
    }

    #[test]
    fn without_others_only_what_fields_read_stays() {
        let raw = json!({"id": 1, "name": {"first": "A", "last": "B", "nick": "N"}, "shoe_size": 42,
            "personal": {"ssn": "078", "faith": "x"}, "home": {"street": "S", "zip": "1"}, "jobs": []});
        let few = kept(&["hris_employees.ssn"], false, "hris_employees", &raw);
        assert_eq!(
            few,
            json!({"id": 1, "name": {"first": "A", "last": "B"}, "home": {"street": "S"}, "jobs": []})
        );
    }
}
