//! Reading a map file.
//!
//! The YAML is read as plain values first and walked by hand: that way every mistake is named in the
//! words of the format, all of them at once.

use std::path::Path;
use std::sync::Arc;

use cadre_model::model::ModelDef;
use cadre_model::registry::{model, models};
use serde_json::{Map, Value};

use crate::check::{self, Reader};
use crate::problem::{Problem, nearest};
use crate::{Column, Mapping, Table};

const TABLE_KEYS: &[&str] = &["from", "each", "when", "remote_id", "zone", "fields"];
const LINE_KEYS: &[&str] = &["value", "enum", "format", "zone"];

pub(crate) fn parse(file: &str, text: &str) -> Result<Mapping, Vec<Problem>> {
    let mut reader = Reader::new(file, text);
    let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
    let Some(model) = model(&stem) else {
        let known = nearest(&stem, models().iter().map(|model| model.id));
        let hint = known.map_or("see the list of models in the reference".to_owned(), |name| {
            format!("did you mean `{name}.yaml`?")
        });
        reader.problem(
            None,
            format!("the file's name must be a model; `{stem}` is none"),
            Some(hint),
        );
        return Err(reader.problems);
    };
    let value: Value = match serde_saphyr::from_str(text) {
        Ok(value) => value,
        Err(error) => {
            let line = error.location().map(|at| usize::try_from(at.line()).unwrap_or(0));
            reader.problems.push(Problem {
                file: file.to_owned(),
                line,
                message: format!("not valid YAML: {}", first_line(&error.to_string())),
                hint: Some(
                    "quote expressions that hold `: `, ` #` or begin with `{`, `[`, `\"`".into(),
                ),
            });
            return Err(reader.problems);
        }
    };
    let tables = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    let tables: Vec<Table> =
        tables.iter().filter_map(|value| table(&mut reader, model, value)).collect();
    if tables.is_empty() && reader.problems.is_empty() {
        reader.problem(None, "there is no table in the file".into(), None);
    }
    if reader.problems.is_empty() {
        Ok(Mapping { model, tables: Arc::new(tables) })
    } else {
        Err(reader.problems)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn table(reader: &mut Reader<'_>, model: &'static ModelDef, value: &Value) -> Option<Table> {
    let Value::Object(table) = value else {
        reader.problem(None, "a table is a map with `from`, `remote_id` and `fields`".into(), None);
        return None;
    };
    reader.enter_table();
    unknown_keys(reader, table, TABLE_KEYS);
    let from = match table.get("from").and_then(Value::as_str) {
        Some(from) => from.to_owned(),
        None => {
            reader.problem(None, "`from` is missing: it names the stream".into(), None);
            return None;
        }
    };
    let each = table.get("each").and_then(|value| reader.expression("each", value));
    let when = table.get("when").and_then(|value| reader.expression("when", value));
    let remote_id = match table.get("remote_id") {
        Some(value) => reader.expression("remote_id", value),
        None => {
            let hint = "it yields the record's id in the tool";
            reader.problem(Some("from"), "`remote_id` is missing".into(), Some(hint.into()));
            None
        }
    };
    let zone = table.get("zone").and_then(|value| reader.zone("zone", value));
    let empty = Map::new();
    let fields = match table.get("fields") {
        Some(Value::Object(fields)) => fields,
        None | Some(Value::Null) => &empty,
        Some(_) => {
            reader.problem(
                Some("fields"),
                "`fields` is a map from field to expression".into(),
                None,
            );
            &empty
        }
    };
    let mut columns = Vec::new();
    for (name, line) in fields {
        columns.extend(column(reader, model, name, line, zone.as_ref()));
    }
    check::required(reader, model, &columns);
    Some(Table { from, each, when, remote_id: remote_id?, columns })
}

/// One line of the table: an expression, a list of expressions, or a map with one.
fn column(
    reader: &mut Reader<'_>,
    model: &'static ModelDef,
    name: &str,
    line: &Value,
    zone: Option<&jiff::tz::TimeZone>,
) -> Option<Column> {
    let target = check::target(reader, model, name)?;
    let empty = Map::new();
    let (source, keys) = match line {
        Value::Object(keys) if keys.contains_key("none") => {
            if !keys["none"].is_string() || keys.len() > 1 {
                let message = format!("`{name}`: `none` stands alone and says why, as text");
                reader.problem(Some(name), message, None);
            }
            return None;
        }
        Value::Object(keys) => {
            unknown_keys(reader, keys, LINE_KEYS);
            match keys.get("value") {
                Some(source) => (source, keys),
                None => {
                    let hint = Some("quote an expression that begins with `{`".into());
                    reader.problem(Some(name), format!("`{name}` has no `value`"), hint);
                    return None;
                }
            }
        }
        source => (source, &empty),
    };
    let value = reader.expression(name, source)?;
    let rules = check::rules(reader, name, target, keys, zone);
    Some(Column { target, value, rules })
}

fn unknown_keys(reader: &mut Reader<'_>, map: &Map<String, Value>, known: &[&str]) {
    for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
        let hint = match nearest(key, known.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("known are {}", known.join(", ")),
        };
        reader.problem(Some(key), format!("unknown key `{key}`"), Some(hint));
    }
}
