//! The values of a record's own fields.

use std::ops::Index;

use serde_json::{Map, Value};

use crate::shape::Structure;

/// Own fields of a record by name; one that is absent is null.
///
/// Names are those of the model, so that none is copied for a record, and there are few enough of them to be
/// looked through one by one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    /// No fields, with room for as many.
    #[must_use]
    pub fn with_capacity(room: usize) -> Fields {
        Fields(Vec::with_capacity(room))
    }

    /// Fields of a structure from an object; what the structure does not have is left out.
    #[must_use]
    pub fn of(shape: &Structure, mut values: Map<String, Value>) -> Fields {
        let mut take = |name: &'static str| Some((name, values.remove(name)?));
        Fields(shape.fields.iter().filter_map(|field| take(field.name)).collect())
    }

    /// The value of a field.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// Whether a field has a value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets a field.
    pub fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(own, _)| *own == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    /// Keeps the fields whose names pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.0.retain(|(name, _)| keep(name));
    }

    /// The fields as an object.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl Index<&str> for Fields {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name).unwrap_or(&Value::Null)
    }
}
