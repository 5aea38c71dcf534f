//! The connect form: what the end customer typed becomes an account, or says what is wrong.

use std::collections::BTreeMap;

use cadre_model::secret::Secret;
use regex::Regex;
use serde_json::{Map, Value};

use super::{ConnectField, Manifest, SetupStep};
use crate::problem::did_you_mean;
use crate::session::Account;

/// Most characters of one value.
const LONGEST: usize = 65_536;

/// What is wrong with one field of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Name of the field.
    pub field: String,
    /// What is wrong, for the person who fills in the form.
    pub message: String,
}

impl std::fmt::Display for FieldProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

impl Manifest {
    /// Reads what the end customer typed. Fields with a default, and optional ones, may be left out.
    ///
    /// # Errors
    ///
    /// One problem for each field that cannot be taken.
    pub fn accept(&self, input: &Map<String, Value>) -> Result<Account, Vec<FieldProblem>> {
        accept(&self.connect.fields, &self.label, input)
    }
}

impl SetupStep {
    /// Reads what the end customer typed into the form of the step.
    ///
    /// # Errors
    ///
    /// One problem for each field that cannot be taken.
    pub fn accept(&self, input: &Map<String, Value>) -> Result<Account, Vec<FieldProblem>> {
        accept(&self.fields, &self.label, input)
    }
}

fn accept(
    fields: &[ConnectField],
    label: &str,
    input: &Map<String, Value>,
) -> Result<Account, Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let mut settings = Map::new();
    let mut secrets = BTreeMap::new();
    for name in input.keys().filter(|name| !fields.iter().any(|field| field.name == **name)) {
        let known = fields.iter().map(|field| field.name.as_str());
        let message = match did_you_mean(name, known) {
            Some(meant) => format!("There is no such field; did you mean `{meant}`?"),
            None => format!("There is no such field for {label}."),
        };
        problems.push(FieldProblem { field: name.clone(), message });
    }
    for field in fields {
        match field.accept(input.get(&field.name)) {
            Ok(None) => {}
            Ok(Some(text)) if field.secret => {
                secrets.insert(field.name.clone(), Secret::new(text));
            }
            Ok(Some(text)) => {
                settings.insert(field.name.clone(), Value::String(text));
            }
            Err(message) => problems.push(FieldProblem { field: field.name.clone(), message }),
        }
    }
    problems.extend(missing(fields, &settings, &secrets));
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(Account { settings: Value::Object(settings), secrets })
}

/// Fields that were left out although another field's value asks for them.
fn missing(
    fields: &[ConnectField],
    settings: &Map<String, Value>,
    secrets: &BTreeMap<String, Secret>,
) -> Vec<FieldProblem> {
    let left_out = fields.iter().filter(|field| {
        let asked = !field.required_when.is_empty()
            && field.required_when.iter().all(|(name, value)| {
                settings.get(name).and_then(Value::as_str) == Some(value.as_str())
            });
        asked && !settings.contains_key(&field.name) && !secrets.contains_key(&field.name)
    });
    let problem = |field: &ConnectField| FieldProblem {
        field: field.name.clone(),
        message: format!("{} is required.", field.label),
    };
    left_out.map(problem).collect()
}

impl ConnectField {
    fn accept(&self, given: Option<&Value>) -> Result<Option<String>, String> {
        let text = match given {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err(format!("{} must be text.", self.label));
            }
        };
        if text.is_empty() {
            return match &self.default {
                Some(default) => Ok(Some(default.clone())),
                None if self.optional => Ok(None),
                None => Err(format!("{} is required.", self.label)),
            };
        }
        if text.chars().count() > LONGEST {
            return Err(format!(
                "{} is too long: at most {LONGEST} characters are taken.",
                self.label
            ));
        }
        if text.contains('\0') {
            return Err(format!("{} holds a character that cannot be typed.", self.label));
        }
        if !self.options.is_empty() && !self.options.contains(&text) {
            return Err(format!("{} must be one of: {}.", self.label, self.options.join(", ")));
        }
        if let Some(pattern) = &self.pattern
            && !whole(pattern).is_ok_and(|pattern| pattern.is_match(&text))
        {
            let example =
                self.example.as_ref().map(|example| format!(" It looks like this: {example}."));
            return Err(format!(
                "{} does not have the right form.{}",
                self.label,
                example.unwrap_or_default()
            ));
        }
        Ok(Some(text))
    }
}

/// The pattern, made to match the whole value.
pub(super) fn whole(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&format!("^(?:{pattern})$"))
}
