//! Applying a mapping to a raw record.

use std::borrow::Cow;

use cadre_jq::Vars;
use cadre_model::mapped::{Issue, Mapped};
use cadre_model::model::{Join, ModelDef};
use cadre_model::shape::{Field, Kind};
use serde_json::{Map, Value};

use crate::value::{self, Trail};
use crate::{Mapping, Table, Target};

/// What an expression can see beside the raw record.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// `$settings`.
    pub settings: &'a Value,
    /// `$parent`: the raw parent record of a sub-request.
    pub parent: Option<&'a Value>,
    /// `$lookup`.
    pub lookup: &'a Value,
    /// `$now`: the moment the run started, RFC 3339.
    pub now: &'a Value,
}

/// What a raw record became.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The records.
    pub records: Vec<Mapped>,
    /// Issues of records that could not be made. Those of a record that was made are with it.
    pub issues: Vec<Issue>,
}

/// Whether a record cannot be without the field. Lists, and structures whose every part may be null,
/// have a natural empty value.
pub(crate) fn is_required(field: &Field) -> bool {
    !field.nullable
        && match field.kind {
            Kind::List(_) => false,
            Kind::Object(shape) => shape.fields.iter().any(is_required),
            _ => true,
        }
}

impl Mapping {
    /// Maps a raw record of a stream. A stream that the mapping does not read yields nothing.
    #[must_use]
    pub fn apply(&self, stream: &str, raw: &Value, context: &Context<'_>) -> Outcome {
        let vars = Vars::new()
            .with("$settings", context.settings)
            .with("$parent", context.parent.unwrap_or(&Value::Null))
            .with("$lookup", context.lookup)
            .with("$now", context.now);
        let mut outcome = Outcome::default();
        for table in self.tables.iter().filter(|table| table.from == stream) {
            match &table.each {
                None => table.record(self.model, raw, &vars, &mut outcome),
                Some(each) => match each.all(raw, &vars) {
                    Ok(items) => {
                        for item in items {
                            table.record(self.model, &item, &vars, &mut outcome);
                        }
                    }
                    Err(error) => {
                        outcome.issues.push(failed(self.model, None, "each", &error, raw))
                    }
                },
            }
        }
        outcome
    }
}

impl Table {
    fn record(
        &self,
        model: &'static ModelDef,
        raw: &Value,
        vars: &Vars<'_>,
        outcome: &mut Outcome,
    ) {
        if let Some(when) = &self.when {
            match when.first(raw, vars) {
                Ok(Some(answer)) if !matches!(*answer, Value::Null | Value::Bool(false)) => {}
                Ok(_) => return,
                Err(error) => return outcome.issues.push(failed(model, None, "when", &error, raw)),
            }
        }
        let remote_id = match self.remote_id(model, raw, vars) {
            Ok(remote_id) => remote_id,
            Err(issue) => return outcome.issues.push(*issue),
        };
        let mut mapped =
            Mapped { model, remote_id, fields: Map::new(), links: Vec::new(), issues: Vec::new() };
        for column in &self.columns {
            let name = column.target.name();
            let came = match column.value.first(raw, vars) {
                Ok(came) => came.unwrap_or(Cow::Owned(Value::Null)),
                Err(error) => {
                    mapped.issues.push(failed(model, Some(&mapped.remote_id), name, &error, raw));
                    continue;
                }
            };
            if came.is_null() {
                continue;
            }
            let mut trail = Trail::new(name, &column.rules);
            match column.target {
                Target::Field(field) => {
                    let value = value::read(&field.kind, &came, &mut trail);
                    if !value.is_null() {
                        mapped.fields.insert(name.to_owned(), value);
                    }
                }
                Target::Links(relation) => {
                    let attributes = match relation.join {
                        Join::Links { attributes } => attributes,
                        _ => None,
                    };
                    mapped.links.push((relation.name, value::links(attributes, &came, &mut trail)));
                }
            }
            let found = trail.into_issues();
            mapped.issues.extend(found.into_iter().map(|found| Issue {
                model: model.id.to_owned(),
                remote_id: Some(mapped.remote_id.clone()),
                field: Some(found.path),
                problem: found.problem.to_owned(),
                expected: found.expected,
                got: found.got,
            }));
        }
        finish(model, mapped, outcome);
    }

    fn remote_id(
        &self,
        model: &'static ModelDef,
        raw: &Value,
        vars: &Vars<'_>,
    ) -> Result<String, Box<Issue>> {
        let came = match self.remote_id.first(raw, vars) {
            Ok(came) => came.unwrap_or(Cow::Owned(Value::Null)),
            Err(error) => return Err(Box::new(failed(model, None, "remote_id", &error, raw))),
        };
        value::remote_id(&came).ok_or_else(|| {
            Box::new(Issue {
                model: model.id.to_owned(),
                remote_id: None,
                field: Some("remote_id".into()),
                problem: "missing_remote_id".into(),
                expected: "the record's id in the tool, as text or number".into(),
                got: Issue::shorten(&came.to_string()),
            })
        })
    }
}

/// A record without something that it must have is not stored; its issues say so.
fn finish(model: &'static ModelDef, mapped: Mapped, outcome: &mut Outcome) {
    let mut missing = model
        .shape
        .fields
        .iter()
        .filter(|field| is_required(field) && !mapped.fields.contains_key(field.name))
        .peekable();
    if missing.peek().is_none() {
        outcome.records.push(mapped);
        return;
    }
    for field in missing {
        outcome.issues.push(Issue {
            model: model.id.to_owned(),
            remote_id: Some(mapped.remote_id.clone()),
            field: Some(field.name.to_owned()),
            problem: "missing_required".into(),
            expected: format!(
                "{}; without it the record is not stored",
                value::expected(&field.kind)
            ),
            got: "null".into(),
        });
    }
    outcome.issues.extend(mapped.issues);
}

fn failed(
    model: &ModelDef,
    remote_id: Option<&str>,
    field: &str,
    error: &cadre_jq::EvalError,
    raw: &Value,
) -> Issue {
    // The record itself may hold personal data; what is shown is only its outline.
    let got = match raw {
        Value::Object(map) => {
            format!("a record with {}", map.keys().take(12).cloned().collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    };
    Issue {
        model: model.id.to_owned(),
        remote_id: remote_id.map(str::to_owned),
        field: Some(field.to_owned()),
        problem: "expression_failed".into(),
        expected: Issue::shorten(&format!("the expression to yield a value; it failed: {error}")),
        got: Issue::shorten(&got),
    }
}
