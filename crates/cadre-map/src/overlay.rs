//! An integration's own mapping, which goes over the connector's field by field.
//!
//! People who upload files have columns of their own; they say which column holds what, without jq:
//! `{"hris_employees": {"first_name": {"column": "Vorname"}}}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use cadre_jq::Expr;
use cadre_model::registry::model;
use serde_json::{Map, Value};

use crate::check::{self, Reader};
use crate::problem::Problem;
use crate::{Column, Mapping};

/// What a line of an integration's own mapping may say.
const KEYS: &[&str] = &["column", "jq", "format", "enum", "zone"];

/// An integration's own mapping.
#[derive(Clone, Default)]
pub struct Overlay {
    models: BTreeMap<&'static str, Lines>,
}

#[derive(Clone, Default)]
struct Lines {
    remote_id: Option<Expr>,
    columns: Vec<Column>,
}

impl Overlay {
    /// Reads an integration's own mapping.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn parse(value: &Value) -> Result<Overlay, Vec<Problem>> {
        let mut reader = Reader::new("mapping", "");
        let mut overlay = Overlay::default();
        let Value::Object(models) = value else {
            let message = "expected an object from model to fields".to_owned();
            reader.problem(
                None,
                message,
                Some(r#"{"hris_employees": {"first_name": {"column": "…"}}}"#.into()),
            );
            return Err(reader.problems);
        };
        for (id, lines) in models {
            let Some(model) = model(id) else {
                reader.problem(None, format!("`{id}` is no model"), None);
                continue;
            };
            let Value::Object(lines) = lines else {
                reader.problem(
                    None,
                    format!("`{id}`: expected an object from field to column"),
                    None,
                );
                continue;
            };
            let mut own = Lines::default();
            for (name, line) in lines {
                let Some((expr, keys)) = self::line(&mut reader, id, name, line) else { continue };
                if name == "remote_id" {
                    own.remote_id = Some(expr);
                } else if let Some(target) = check::target(&mut reader, model, name) {
                    let zone = keys.get("zone").and_then(|zone| reader.zone("zone", zone));
                    let rules = check::rules(&mut reader, name, target, keys, zone.as_ref());
                    own.columns.push(Column { target, value: expr, rules });
                }
            }
            overlay.models.insert(model.id, own);
        }
        if reader.problems.is_empty() { Ok(overlay) } else { Err(reader.problems) }
    }

    /// The mapping with these lines over it, in every table of the model.
    pub(crate) fn over(&self, mapping: &Mapping) -> Mapping {
        let Some(own) = self.models.get(mapping.model.id) else { return mapping.clone() };
        let mut tables = mapping.tables.as_ref().clone();
        for table in &mut tables {
            if let Some(remote_id) = &own.remote_id {
                table.remote_id = remote_id.clone();
            }
            for column in &own.columns {
                let name = column.target.name();
                match table.columns.iter_mut().find(|old| old.target.name() == name) {
                    Some(old) => *old = column.clone(),
                    None => table.columns.push(column.clone()),
                }
            }
        }
        Mapping { model: mapping.model, tables: Arc::new(tables) }
    }
}

fn line<'a>(
    reader: &mut Reader<'_>,
    model: &str,
    name: &str,
    line: &'a Value,
) -> Option<(Expr, &'a Map<String, Value>)> {
    let Value::Object(keys) = line else {
        reader.problem(
            None,
            format!(r#"`{model}.{name}`: expected {{"column": "…"}} or {{"jq": "…"}}"#),
            None,
        );
        return None;
    };
    for key in keys.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        let hint = Some(format!("known are {}", KEYS.join(", ")));
        reader.problem(None, format!("`{model}.{name}`: unknown key `{key}`"), hint);
    }
    let source = match (keys.get("column"), keys.get("jq")) {
        // A JSON text is a jq text: JSON escapes every backslash, so nothing in it is interpolated.
        (Some(Value::String(column)), None) => format!(".[{}]", Value::from(column.as_str())),
        (None, Some(Value::String(source))) => source.clone(),
        _ => {
            reader.problem(
                None,
                format!("`{model}.{name}`: expected `column` or `jq`, as text"),
                None,
            );
            return None;
        }
    };
    let expr = reader.expression(&format!("{model}.{name}"), &Value::String(source))?;
    Some((expr, keys))
}
