//! Filters as conditions: every one looks at an index, none into the stored JSON.

use std::fmt::Write;

use cadre_model::mapped::{CUSTOM_FIELDS_KEY, KEY_BYTES, custom_key};
use cadre_model::model::{Filter, FilterRule, ModelDef};
use cadre_model::shape::Kind;
use serde_json::{Map, Value};
use sqlx::any::AnyRow;

use super::sql::array;
use crate::store::{Attempt, Backend, Error, Store, storable};

/// A statement that grows, with the values it binds.
pub(super) struct Query {
    pub(super) backend: Backend,
    pub(super) sql: String,
    pub(super) values: Vec<Bound>,
}

/// A bound value.
pub(crate) enum Bound {
    Text(String),
    Number(i64),
}

impl Query {
    /// A statement about records of a model: `$1` is the integration, `$2` the model.
    pub(super) fn about(backend: Backend, integration_id: &str, model: &ModelDef) -> Query {
        let values = vec![Bound::Text(integration_id.to_owned()), Bound::Text(model.id.to_owned())];
        Query { backend, sql: String::new(), values }
    }

    /// The rows that the statement finds.
    pub(super) async fn rows(self, store: &Store) -> Result<Vec<AnyRow>, Error> {
        let mut statement = sqlx::query(sqlx::AssertSqlSafe(self.sql));
        for value in self.values {
            statement = match value {
                Bound::Text(text) => statement.bind(text),
                Bound::Number(number) => statement.bind(number),
            };
        }
        statement.fetch_all(store.read()).await.attempt("list records")
    }

    /// Binds a value; its placeholder.
    pub(super) fn bind(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// The condition that a column is one of the texts.
    pub(super) fn among<T: AsRef<str>>(
        &mut self,
        column: &str,
        values: impl IntoIterator<Item = T>,
    ) -> String {
        let place = self.bind(Bound::Text(array(values)));
        self.backend.among(column, &place)
    }
}

/// Adds the condition of a filter. `$1` is the integration, `$2` the model, `r` the record.
pub(super) fn narrow(query: &mut Query, model: &ModelDef, filter: &Filter, values: &[String]) {
    let condition = match filter.rule {
        FilterRule::AnyOf { .. }
        | FilterRule::OneOf { .. }
        | FilterRule::Equals { .. }
        | FilterRule::AnyOfFolded { .. }
        | FilterRule::EqualsFolded { .. }
        | FilterRule::After { .. }
        | FilterRule::Before { .. } => match key_rule(query, model, filter, values) {
            Some((name, condition)) => key_condition(query.backend, &name, &condition),
            None => return,
        },
        FilterRule::Contains { key } => {
            let part = values.first().map(String::as_str).unwrap_or_default().to_lowercase();
            let pattern = format!("%{}%", escaped(&storable(&part)));
            let place = query.bind(Bound::Text(pattern));
            let like = format!(r"k.value LIKE {place} ESCAPE '\'");
            key_condition(query.backend, &format!("{key}~"), &like)
        }
        FilterRule::RefersTo { field } | FilterRule::RefersToOne { field } => {
            let among = query.among("f.target_id", values);
            ref_condition(field, &among)
        }
        FilterRule::RefersToRemote { field } => {
            let among = query.among("f.target_remote_id", values);
            ref_condition(field, &among)
        }
        FilterRule::RefersThrough { field, model, then } => {
            let among = query.among("t.target_id", values);
            format!(
                "EXISTS (SELECT 1 FROM record_refs f JOIN record_refs t ON t.integration_id = $1
                 AND t.model = '{model}' AND t.id = f.target_id AND t.field = '{then}'
                 AND {among}
                 WHERE f.integration_id = $1 AND f.model = $2 AND f.id = r.id AND f.field = '{field}')"
            )
        }
        FilterRule::ReferredThrough { model, field, then } => {
            let among = query.among("t.target_id", values);
            format!(
                "EXISTS (SELECT 1 FROM record_refs f
                 JOIN record_refs t ON t.integration_id = $1 AND t.model = '{model}' AND t.id = f.id
                 AND t.field = '{then}' AND {among}
                 JOIN records p ON p.integration_id = $1 AND p.model = '{model}' AND p.id = f.id
                 AND p.remote_deleted_at IS NULL
                 WHERE f.integration_id = $1 AND f.model = '{model}' AND f.field = '{field}'
                 AND f.target_id = r.id)"
            )
        }
        FilterRule::CustomField => match key_rule(query, model, filter, values) {
            Some((name, condition)) => key_condition(query.backend, &name, &condition),
            // A value that records cannot be found by.
            None => "1 = 0".to_owned(),
        },
    };
    let _ = write!(query.sql, " AND {condition}");
}

/// Which key a filter looks at, and the condition on its value `k.value`; `None` where it looks at none,
/// or at a part of the value, which no order helps to find.
fn key_rule(
    query: &mut Query,
    model: &ModelDef,
    filter: &Filter,
    values: &[String],
) -> Option<(String, String)> {
    match filter.rule {
        FilterRule::AnyOf { key } | FilterRule::OneOf { key, .. } | FilterRule::Equals { key } => {
            let among = query.among("k.value", values.iter().map(|value| key_of(value)));
            Some((key.to_owned(), among))
        }
        FilterRule::AnyOfFolded { key } | FilterRule::EqualsFolded { key } => {
            let folded = values.iter().map(|value| key_of(&value.to_lowercase()).to_owned());
            let among = query.among("k.value", folded);
            Some((format!("{key}~"), among))
        }
        FilterRule::After { key, or_equal } => {
            let operator = if or_equal { ">=" } else { ">" };
            Some((key.to_owned(), compare(query, model, key, operator, values)))
        }
        FilterRule::Before { key, or_equal } => {
            let operator = if or_equal { "<=" } else { "<" };
            Some((key.to_owned(), compare(query, model, key, operator, values)))
        }
        FilterRule::CustomField => {
            let pair: Map<String, Value> = serde_json::from_str(values.first()?).ok()?;
            let (key, value) = pair.iter().next()?;
            let wanted = custom_key(key, value)?;
            let among = query.among("k.value", [wanted.value]);
            Some((CUSTOM_FIELDS_KEY.to_owned(), among))
        }
        _ => None,
    }
}

/// The query for the ids of the records that an index lists for a filter; `None` where no index does.
/// `$1` is the integration, `$2` the model.
pub(super) fn indexed(
    query: &mut Query,
    model: &ModelDef,
    filter: &Filter,
    values: &[String],
) -> Option<String> {
    if let FilterRule::RefersTo { field } | FilterRule::RefersToOne { field } = filter.rule {
        let among = query.among("f.target_id", values);
        return Some(format!(
            "SELECT f.id FROM record_refs f WHERE f.integration_id = $1 AND f.model = $2
             AND f.field = '{field}' AND {among}"
        ));
    }
    let (name, condition) = key_rule(query, model, filter, values)?;
    Some(format!(
        "SELECT k.id FROM record_keys k WHERE k.key_id = (
             SELECT n.key_id FROM key_names n
             WHERE n.integration_id = $1 AND n.model = $2 AND n.name = '{name}')
         AND {condition}"
    ))
}

/// A value as keys are stored: long ones are cut.
fn key_of(value: &str) -> &str {
    let mut end = value.len().min(KEY_BYTES);
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    &value[..end]
}

/// Names of keys, fields and models come from the declarations of the model, never from a caller.
fn key_condition(backend: Backend, name: &str, condition: &str) -> String {
    format!("EXISTS (SELECT 1 FROM {} WHERE {condition})", backend.keys_of_record("r.keys", name))
}

fn ref_condition(field: &str, condition: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM record_refs f WHERE f.integration_id = $1 AND f.model = $2 AND f.id = r.id
         AND f.field = '{field}' AND {condition})"
    )
}

/// Moments and days compare as text, because both are printed with fixed width. A day is compared with
/// the day of the moment that was given.
fn compare(
    query: &mut Query,
    model: &ModelDef,
    key: &str,
    operator: &str,
    values: &[String],
) -> String {
    let value = values.first().cloned().unwrap_or_default();
    let is_day = model.shape.field(key).is_some_and(|field| matches!(field.kind, Kind::Date));
    let value = if is_day { value.chars().take(10).collect() } else { value };
    let place = query.bind(Bound::Text(storable(&value)));
    format!("k.value {operator} {place}")
}

/// Escapes what LIKE takes for a pattern.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
