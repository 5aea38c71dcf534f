//! Applying a mapping to a raw record: synchronous, total, without side effects.

use std::borrow::Cow;

use cadre_jq::{EvalError, Expr, Vars};
use cadre_model::fields::Fields;
use cadre_model::mapped::{Issue, Mapped};
use cadre_model::model::{Join, ModelDef};
use cadre_model::shape::Kind;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::table::{FieldMap, Source, Table, Target, Zone};
use crate::value::{How, Path, Reader, may_be_absent, shown};
use crate::{Context, Outcome};

/// Most records that `each` may make out of one.
const EACH_LIMIT: usize = 100_000;

/// What one table makes of one raw record; `take` is handed each record and the raw value it was made of.
pub(crate) fn apply(
    model: &'static ModelDef,
    table: &Table,
    raw: &Value,
    context: &Context<'_>,
    outcome: &mut Outcome,
    take: &mut dyn FnMut(Mapped, &Value),
) {
    let vars = vars(context);
    let Some(each) = &table.each else {
        return item(model, table, raw, context, outcome, take);
    };
    match each.all(raw, &vars) {
        Ok(items) if items.len() > EACH_LIMIT => {
            let message = format!("{} records out of one", items.len());
            outcome.issues.push(failed(model, None, Some("each"), each, &message));
        }
        Ok(items) => {
            for one in &items {
                item(model, table, one, context, outcome, take);
            }
        }
        Err(error) => outcome.issues.push(failed(model, None, Some("each"), each, &error.message)),
    }
}

/// What one table makes of a raw value that stands for one record, whatever `each` says.
pub(crate) fn item(
    model: &'static ModelDef,
    table: &Table,
    raw: &Value,
    context: &Context<'_>,
    outcome: &mut Outcome,
    take: &mut dyn FnMut(Mapped, &Value),
) {
    if let Some(mapped) = (Applying { model, table, vars: vars(context) }).record(raw, outcome) {
        take(mapped, raw);
    }
}

fn vars<'a>(context: &Context<'a>) -> Vars<'a> {
    Vars::new()
        .with("$settings", context.settings)
        .with("$parent", context.parent.unwrap_or(&Value::Null))
        .with("$lookup", context.lookup)
        .with("$now", context.now)
}

/// A zone is said, and is none.
struct Unknown;

struct Applying<'a> {
    model: &'static ModelDef,
    table: &'a Table,
    vars: Vars<'a>,
}

impl Applying<'_> {
    fn record(&self, raw: &Value, outcome: &mut Outcome) -> Option<Mapped> {
        if !self.holds("when", self.table.when.as_ref(), true, raw, &mut outcome.issues) {
            return None;
        }
        let mut issues = Vec::new();
        let found = self.identify(raw, &mut issues);
        let Some((remote_id, zone)) = found else {
            outcome.issues.append(&mut issues);
            return None;
        };
        if self.holds("deleted", self.table.deleted.as_ref(), false, raw, &mut issues) {
            outcome.issues.append(&mut issues);
            outcome.deleted.push(remote_id);
            return None;
        }
        let fields = Fields::with_capacity(self.table.fields.len());
        let mut mapped = Mapped { model: self.model, remote_id, fields, links: Vec::new(), issues };
        for field in &self.table.fields {
            self.field(field, raw, &zone, &mut mapped);
        }
        if self.complete(&mut mapped) {
            return Some(mapped);
        }
        outcome.issues.append(&mut mapped.issues);
        None
    }

    /// The record's id in the tool, and the zone of its times.
    fn identify(&self, raw: &Value, issues: &mut Vec<Issue>) -> Option<(String, TimeZone)> {
        let zone = self.zone(self.table.zone.as_ref(), (None, "zone"), raw, issues).ok()?;
        let zone = zone.unwrap_or(TimeZone::UTC);
        Some((self.remote_id(raw, &zone, issues)?, zone))
    }

    /// Whether a condition of the table holds; one that fails is an issue, and does not hold.
    fn holds(
        &self,
        key: &str,
        condition: Option<&Expr>,
        without: bool,
        raw: &Value,
        issues: &mut Vec<Issue>,
    ) -> bool {
        let Some(condition) = condition else { return without };
        match condition.one(raw, &self.vars) {
            Ok(holds) => holds.is_some_and(|v| !matches!(*v, Value::Null | Value::Bool(false))),
            Err(error) => {
                issues.push(failed(self.model, None, Some(key), condition, &error.message));
                false
            }
        }
    }

    /// A zone; `None` where it is not said. One that is not known would make every time wrong: an
    /// issue of the field, and an error.
    fn zone(
        &self,
        zone: Option<&Zone>,
        (remote_id, field): (Option<&str>, &str),
        raw: &Value,
        issues: &mut Vec<Issue>,
    ) -> Result<Option<TimeZone>, Unknown> {
        let expr = match zone {
            None => return Ok(None),
            Some(Zone::Known(zone)) => return Ok(Some(zone.clone())),
            Some(Zone::Computed(expr)) => expr,
        };
        let name = match expr.one(raw, &self.vars) {
            Ok(name) => name.map(Cow::into_owned).unwrap_or_default(),
            Err(error) => {
                issues.push(failed(self.model, remote_id, Some(field), expr, &error.message));
                return Err(Unknown);
            }
        };
        let text = match &name {
            Value::Null => return Ok(None),
            name => name.as_str().map(str::trim),
        };
        if text == Some("") {
            return Ok(None);
        }
        let zone = text.and_then(crate::moment::zone);
        if zone.is_none() {
            let expected = "a zone such as Europe/Berlin or +01:00";
            let got = shown(&name);
            let problem = "invalid_zone";
            issues.push(issue(self.model, remote_id, Some(field), problem, expected, got));
            return Err(Unknown);
        }
        Ok(zone)
    }

    fn remote_id(&self, raw: &Value, zone: &TimeZone, issues: &mut Vec<Issue>) -> Option<String> {
        let expr = &self.table.remote_id;
        let value = match expr.one(raw, &self.vars) {
            Ok(value) => value,
            Err(error) => {
                issues.push(failed(self.model, None, Some("remote_id"), expr, &error.message));
                return None;
            }
        };
        let value = value.as_deref().unwrap_or(&Value::Null);
        let how = How::default();
        let mut reader = Reader { model: self.model.id, remote_id: None, how: &how, zone, issues };
        let id = match value {
            Value::Null => None,
            value => reader.id(value, &Path::of("remote_id")),
        };
        if id.is_none() && issues.is_empty() {
            let expected = "the id of the record in the tool";
            let field = Some("remote_id");
            issues.push(issue(
                self.model,
                None,
                field,
                "missing_remote_id",
                expected,
                shown(value),
            ));
        }
        id
    }

    fn field(&self, map: &FieldMap, raw: &Value, zone: &TimeZone, mapped: &mut Mapped) {
        let Source::Value { expr, how } = &map.source else { return };
        let name = map.target.name();
        let value = match self.evaluate(map, expr, raw) {
            Ok(value) => value,
            Err(error) => {
                let remote_id = Some(mapped.remote_id.as_str());
                let issue = failed(self.model, remote_id, Some(name), expr, &error.message);
                return mapped.issues.push(issue);
            }
        };
        if value.is_null() {
            return;
        }
        let place = (Some(mapped.remote_id.as_str()), name);
        let own = self.zone(how.zone.as_ref(), place, raw, &mut mapped.issues);
        let Ok(own) = own else { return };
        let mut reader = Reader {
            model: self.model.id,
            remote_id: Some(&mapped.remote_id),
            how,
            zone: own.as_ref().unwrap_or(zone),
            issues: &mut mapped.issues,
        };
        match map.target {
            Target::Own(field) => {
                if let Some(value) = reader.read(&field.kind, &value, &Path::of(name)) {
                    mapped.fields.set(field.name, value);
                }
            }
            Target::Links(relation) => {
                let attributes = match relation.join {
                    Join::Links { attributes } => attributes,
                    _ => None,
                };
                let links = reader.links(attributes, &value, &Path::of(name));
                if !links.is_empty() {
                    mapped.links.push((relation.name, links));
                }
            }
        }
    }

    /// One value; for a list, an array or any number of outputs.
    fn evaluate<'v>(
        &'v self,
        map: &FieldMap,
        expr: &Expr,
        raw: &'v Value,
    ) -> Result<Cow<'v, Value>, EvalError> {
        let listed = match map.target {
            Target::Own(field) => matches!(field.kind, Kind::List(_)),
            Target::Links(_) => true,
        };
        if !listed {
            return Ok(expr.one(raw, &self.vars)?.unwrap_or(Cow::Owned(Value::Null)));
        }
        let mut outputs = expr.all(raw, &self.vars)?;
        let single = match &outputs[..] {
            [] => return Ok(Cow::Owned(Value::Null)),
            [one] => matches!(**one, Value::Array(_) | Value::Null),
            _ => false,
        };
        Ok(match outputs.pop() {
            Some(one) if single => one,
            last => {
                let items = outputs.into_iter().chain(last).map(Cow::into_owned);
                Cow::Owned(Value::Array(items.collect()))
            }
        })
    }

    /// Whether everything that must be there is; says so where it is not.
    fn complete(&self, mapped: &mut Mapped) -> bool {
        let mut complete = true;
        for field in self.model.shape.fields.iter().filter(|field| !may_be_absent(field)) {
            if !mapped.fields.contains(field.name) {
                complete = false;
                let remote_id = Some(mapped.remote_id.as_str());
                let expected = "a value: a record without it is not stored";
                let name = Some(field.name);
                let missing =
                    issue(self.model, remote_id, name, "missing_required", expected, "null".into());
                mapped.issues.push(missing);
            }
        }
        complete
    }
}

fn issue(
    model: &ModelDef,
    remote_id: Option<&str>,
    field: Option<&str>,
    problem: &str,
    expected: &str,
    got: String,
) -> Issue {
    Issue {
        model: model.id.to_owned(),
        remote_id: remote_id.map(str::to_owned),
        field: field.map(str::to_owned),
        problem: problem.to_owned(),
        expected: expected.to_owned(),
        got,
    }
}

fn failed(
    model: &ModelDef,
    remote_id: Option<&str>,
    field: Option<&str>,
    expr: &Expr,
    message: &str,
) -> Issue {
    let expected = format!("a value of {}", Issue::shorten(expr.source()));
    issue(model, remote_id, field, "expression_failed", &expected, Issue::shorten(message))
}
