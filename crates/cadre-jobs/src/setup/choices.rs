//! What employees can be chosen by: values and how many have them, counted while employees pass by.

use std::collections::{BTreeMap, HashMap};

use cadre_model::ids::record_id;
use cadre_model::mapped::Mapped;
use cadre_store::FilterChoice;
use serde_json::Value;

use super::limit::{EMPLOYEES, FIELDS};

/// Most values of one field that are kept.
const MOST: usize = 2_000;

/// The values that were seen. Nothing of a single employee is kept.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    counts: BTreeMap<(&'static str, String), u64>,
    names: HashMap<String, String>,
    /// How many employees passed by.
    pub(crate) employees: u64,
}

impl Choices {
    /// Looks at a record.
    pub(crate) fn see(&mut self, mapped: &Mapped, integration_id: &str) {
        let model = mapped.model.id;
        if model == EMPLOYEES {
            self.employees += 1;
            for field in FIELDS {
                let mut values = field.values(mapped, integration_id);
                values.sort();
                values.dedup();
                if values.is_empty() {
                    values.push(String::new());
                }
                for value in values {
                    *self.counts.entry((field.id, value)).or_default() += 1;
                }
            }
        } else if FIELDS.iter().any(|field| field.model == Some(model)) {
            let name = mapped.fields.get("name").and_then(Value::as_str);
            let name = name.unwrap_or(&mapped.remote_id);
            let id = record_id(integration_id, model, &mapped.remote_id);
            self.names.insert(id, name.to_owned());
        }
    }

    /// What is offered. A field in which everybody is alike, or nobody has a value, is none.
    pub(crate) fn found(&self) -> Vec<FilterChoice> {
        let mut found = Vec::new();
        for field in FIELDS {
            let mut of: Vec<FilterChoice> = self
                .counts
                .range((field.id, String::new())..)
                .take_while(|((id, _), _)| *id == field.id)
                .map(|((_, value), employees)| FilterChoice {
                    field: field.id.to_owned(),
                    label: self.names.get(value).unwrap_or(value).clone(),
                    value: value.clone(),
                    employees: *employees,
                })
                .collect();
            of.sort_by(|a, b| b.employees.cmp(&a.employees).then(a.label.cmp(&b.label)));
            of.truncate(MOST);
            if of.iter().any(|choice| !choice.value.is_empty()) {
                found.extend(of);
            }
        }
        found
    }
}
