//! The mapping of an integration's own, which goes over the connector's field by field.

use cadre_jq::Expr;
use cadre_model::model::ModelDef;
use cadre_model::registry;
use serde_json::Value;

use crate::check;
use crate::file::Parsing;
use crate::node::Node;
use crate::problem::{Problem, known_words};
use crate::table::{FieldMap, Source, Table};

const KEYS: &[&str] = &["column", "path", "jq", "format", "zone", "enum"];

/// A mapping of an integration's own.
///
/// By model and field: `{"column": "Vorname"}`, `{"path": "work.email"}` or `{"jq": ".Title // .Position"}`, each with
/// `format`, `zone` and `enum` as in a file; null takes the field away.
#[derive(Debug, Clone, Default)]
pub struct Overlay {
    models: Vec<Layer>,
}

#[derive(Debug, Clone)]
struct Layer {
    model: &'static ModelDef,
    remote_id: Option<Expr>,
    fields: Vec<FieldMap>,
}

impl Overlay {
    /// Reads and checks a mapping.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(value: &Value) -> Result<Overlay, Vec<Problem>> {
        let mut parsing = Parsing::new("mapping");
        let mut models = Vec::new();
        match value {
            Value::Null => {}
            Value::Object(entries) => {
                for (id, fields) in entries {
                    models.extend(layer(&mut parsing, id, fields));
                }
            }
            _ => {
                let hint =
                    "write {\"hris_employees\": {\"first_name\": {\"column\": \"Vorname\"}}}";
                parsing.problem(None, "an object by model is expected", Some(hint.to_owned()));
            }
        }
        if parsing.problems.is_empty() { Ok(Overlay { models }) } else { Err(parsing.problems) }
    }

    /// The tables of a model with this mapping over them.
    pub(crate) fn over(&self, model: &'static ModelDef, tables: &[Table]) -> Vec<Table> {
        let mut tables = tables.to_vec();
        for layer in self.models.iter().filter(|layer| layer.model.id == model.id) {
            for table in &mut tables {
                if let Some(remote_id) = &layer.remote_id {
                    table.remote_id = remote_id.clone();
                }
                for field in &layer.fields {
                    let name = field.target.name();
                    match table.fields.iter_mut().find(|old| old.target.name() == name) {
                        Some(old) => *old = field.clone(),
                        None => table.fields.push(field.clone()),
                    }
                }
            }
        }
        tables
    }
}

fn layer(parsing: &mut Parsing, id: &str, fields: &Value) -> Option<Layer> {
    let Some(model) = registry::model(id) else {
        let known: Vec<&str> = registry::models().iter().map(|model| model.id).collect();
        parsing.problem(None, format!("`{id}` is no model"), Some(known_words(id, &known)));
        return None;
    };
    let Value::Object(entries) = fields else {
        parsing.problem(None, format!("`{id}` holds an object by field"), None);
        return None;
    };
    let mut layer = Layer { model, remote_id: None, fields: Vec::new() };
    for (name, source) in entries {
        if name == "remote_id" {
            layer.remote_id = expression(parsing, &format!("{id}.{name}"), source);
            continue;
        }
        let Some(target) = check::target(model, name) else {
            let hint = known_words(name, &check::names(model));
            parsing.problem(None, format!("unknown field `{id}.{name}`"), Some(hint));
            continue;
        };
        if source.is_null() {
            let source = Source::None("taken away by the integration's own mapping".to_owned());
            layer.fields.push(FieldMap { target, source });
            continue;
        }
        let node =
            |key: &str| source.get(key).filter(|value| !value.is_null()).map(Node::from_json);
        let expr = expression(parsing, &format!("{id}.{name}"), source);
        let (format, zone, table) = (node("format"), node("zone"), node("enum"));
        let how = parsing.how(target, format.as_ref(), zone.as_ref(), table.as_ref());
        if let (Some(expr), Some(how)) = (expr, how) {
            layer.fields.push(FieldMap { target, source: Source::Value { expr, how } });
        }
    }
    Some(layer)
}

/// The expression of `{"column": …}`, `{"path": …}` or `{"jq": …}`.
fn expression(parsing: &mut Parsing, name: &str, source: &Value) -> Option<Expr> {
    let Value::Object(entries) = source else {
        let hint = "write {\"column\": \"…\"}, {\"path\": \"a.b\"} or {\"jq\": \"…\"}";
        parsing.problem(None, format!("`{name}` is an object"), Some(hint.to_owned()));
        return None;
    };
    for key in entries.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        parsing.problem(None, format!("unknown key `{name}.{key}`"), Some(known_words(key, KEYS)));
    }
    let text = |key: &str| entries.get(key).and_then(Value::as_str);
    let node = match (text("column"), text("path"), text("jq")) {
        // JSON's quotes are jq's quotes.
        (Some(column), None, None) => Value::String(format!(".[{}]", Value::from(column))),
        (None, Some(path), None) => {
            let steps = path.split('.').map(|name| format!("[{}]?", Value::from(name)));
            Value::String(format!(".{}", steps.collect::<String>()))
        }
        (None, None, Some(jq)) => Value::from(jq),
        _ => {
            let message = format!("`{name}` has one of `column`, `path` and `jq`, a text");
            parsing.problem(None, message, None);
            return None;
        }
    };
    parsing.expression(name, &Node::from_json(&node))
}
