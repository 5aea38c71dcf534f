//! Judging a mapping against the model, before any record is seen.

use std::collections::HashMap;

use cadre_jq::Expr;
use cadre_model::model::{Join, ModelDef};
use cadre_model::shape::{Choices, Kind};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::problem::{Problem, nearest};
use crate::value::Rules;
use crate::{Column, Target};

/// Variables that an expression of a mapping may use.
const VARIABLES: &[&str] = &["$settings", "$parent", "$lookup", "$now"];

/// Reads parts of a file and collects what is wrong with them.
pub(crate) struct Reader<'a> {
    file: &'a str,
    lines: Vec<&'a str>,
    /// Line (from 0) at which the present table begins.
    table_at: usize,
    tables: usize,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, lines: text.lines().collect(), table_at: 0, tables: 0, problems: Vec::new() }
    }

    /// Goes on to the next table: lines are looked for from its `from` on.
    pub(crate) fn enter_table(&mut self) {
        let from = |line: &&str| line.trim_start_matches([' ', '-']).starts_with("from:");
        let starts = self.lines.iter().enumerate().filter(|(_, line)| from(line)).map(|(at, _)| at);
        self.table_at = starts.clone().nth(self.tables).unwrap_or(0);
        if self.tables == 0 {
            self.table_at = 0;
        }
        self.tables += 1;
    }

    /// Notes a problem at the line of a key of the present table.
    pub(crate) fn problem(&mut self, key: Option<&str>, message: String, hint: Option<String>) {
        let line = key.and_then(|key| {
            let begins = |line: &&str| {
                let line = line.trim_start_matches([' ', '-', '{']);
                line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'))
            };
            let at = self.lines.iter().skip(self.table_at).position(|line| begins(line))?;
            Some(self.table_at + at + 1)
        });
        self.problems.push(Problem { file: self.file.to_owned(), line, message, hint });
    }

    /// Compiles the expression of a key.
    pub(crate) fn expression(&mut self, key: &str, value: &Value) -> Option<Expr> {
        let source = match value {
            Value::String(source) => source.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            // A YAML list of expressions is the jq array of what they yield.
            Value::Array(items) if items.iter().all(Value::is_string) => {
                let parts: Vec<String> = items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|part| format!("({part})"))
                    .collect();
                format!("[{}]", parts.join(", "))
            }
            _ => {
                let hint = Some("quote an expression that begins with `{`".into());
                self.problem(Some(key), format!("`{key}` is no expression"), hint);
                return None;
            }
        };
        match Expr::compile(&source) {
            Ok(compiled) => {
                for name in
                    compiled.variables().into_iter().filter(|name| !VARIABLES.contains(name))
                {
                    let hint = Some(format!("a mapping may use {}", VARIABLES.join(", ")));
                    self.problem(
                        Some(key),
                        format!("`{key}`: {name} is not there in a mapping"),
                        hint,
                    );
                }
                Some(compiled)
            }
            Err(error) => {
                let message =
                    format!("`{key}`: the expression `{source}` is wrong: {}", error.message);
                self.problem(Some(key), message, error.hint);
                None
            }
        }
    }

    /// Reads the name of a time zone.
    pub(crate) fn zone(&mut self, key: &str, value: &Value) -> Option<TimeZone> {
        let name = value.as_str().unwrap_or_default();
        match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                let hint = Some("names look like `Europe/Berlin`".into());
                self.problem(Some(key), format!("`{name}` is no time zone"), hint);
                None
            }
        }
    }
}

/// The field or relation that a line fills.
pub(crate) fn target(
    reader: &mut Reader<'_>,
    model: &'static ModelDef,
    name: &str,
) -> Option<Target> {
    if let Some(field) = model.shape.field(name) {
        return Some(Target::Field(field));
    }
    if let Some(relation) = model.relation(name) {
        if let Join::Links { .. } = relation.join {
            return Some(Target::Links(relation));
        }
        let hint = match relation.join {
            Join::Field(field) => format!("map `{field}`, the remote id"),
            Join::Back(field) => format!("map `{field}` in map/{}.yaml", relation.target),
            Join::SameAs(other) => format!("map `{other}`"),
            Join::Links { .. } => String::new(),
        };
        reader.problem(Some(name), format!("`{name}` is joined in, not mapped"), Some(hint));
        return None;
    }
    let known = model.shape.fields.iter().map(|field| field.name);
    let known: Vec<&str> = known.chain(model.links().map(|relation| relation.name)).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the fields are {}", known.join(", ")),
    };
    reader.problem(Some(name), format!("{} has no field `{name}`", model.id), Some(hint));
    None
}

/// What a line says beside its expression.
pub(crate) fn rules(
    reader: &mut Reader<'_>,
    name: &str,
    target: Target,
    keys: &Map<String, Value>,
    zone: Option<&TimeZone>,
) -> Rules {
    let kind = match target {
        Target::Field(field) => Some(field.kind),
        Target::Links(_) => None,
    };
    let mut rules = Rules { zone: zone.cloned(), ..Rules::default() };
    if let Some(own) = keys.get("zone") {
        rules.zone = reader.zone("zone", own);
    }
    if let Some(format) = keys.get("format") {
        let dated =
            matches!(kind, Some(Kind::Timestamp | Kind::Midnight | Kind::Date | Kind::TimeOfDay));
        match format.as_str() {
            Some(format) if dated => rules.format = Some(format.to_owned()),
            _ => {
                let message = format!("`{name}`: `format` is text, and for dates and times only");
                reader.problem(Some(name), message, None);
            }
        }
    }
    if let Some(table) = keys.get("enum") {
        match (kind.and_then(choices), table) {
            (Some(choices), Value::Object(table)) => {
                rules.values = Some(value_table(reader, name, choices, table));
            }
            (None, _) => {
                let message = format!("`{name}`: `enum` is for fields that are a choice");
                reader.problem(Some(name), message, None);
            }
            (Some(_), _) => {
                let message = format!("`{name}`: `enum` is a map from the tool's value to ours");
                reader.problem(Some(name), message, None);
            }
        }
    }
    rules
}

fn choices(kind: Kind) -> Option<&'static Choices> {
    match kind {
        Kind::Choice(choices) => Some(choices),
        Kind::List(item) => choices(*item),
        _ => None,
    }
}

fn value_table(
    reader: &mut Reader<'_>,
    name: &str,
    choices: &'static Choices,
    table: &Map<String, Value>,
) -> HashMap<String, Option<&'static str>> {
    let mut values = HashMap::new();
    for (came, ours) in table {
        let ours = match ours {
            Value::Null => None,
            Value::String(ours) => match choices.values.iter().find(|known| *known == ours) {
                Some(known) => Some(*known),
                None => {
                    let near = nearest(ours, choices.values.iter().copied());
                    let hint = near.map_or_else(
                        || format!("the values are {}", choices.values.join(", ")),
                        |near| format!("did you mean {near}?"),
                    );
                    let message = format!("`{name}`: {ours} is no value of {}", choices.name);
                    reader.problem(Some(name), message, Some(hint));
                    continue;
                }
            },
            _ => {
                reader.problem(Some(name), format!("`{name}`: `enum` yields text or null"), None);
                continue;
            }
        };
        values.insert(came.to_lowercase(), ours);
    }
    values
}

/// A field that every record must have needs a line.
pub(crate) fn required(reader: &mut Reader<'_>, model: &'static ModelDef, columns: &[Column]) {
    for field in model.shape.fields {
        let filled = columns.iter().any(|column| column.target.name() == field.name);
        if crate::apply::is_required(field) && !filled {
            let message =
                format!("`{}` is missing: every record of {} has it", field.name, model.id);
            reader.problem(Some("fields"), message, None);
        }
    }
}
