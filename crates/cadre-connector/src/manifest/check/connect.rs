//! The connect form.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::Checker;
use crate::manifest::form;

impl Checker<'_> {
    pub(super) fn form(&mut self) {
        static NAME: LazyLock<Regex> =
            LazyLock::new(|| Regex::new("^[a-z][a-z0-9_]*$").expect("a constant pattern"));
        let mut seen = HashSet::new();
        let manifest = self.manifest;
        let connect = manifest.connect.fields.iter().enumerate();
        let connect = connect.map(|(at, field)| (format!("connect/fields/{at}"), field));
        let steps = manifest.setup.iter().enumerate().flat_map(|(step, of)| {
            let fields = of.fields.iter().enumerate();
            fields.map(move |(at, field)| (format!("setup/{step}/fields/{at}"), field))
        });
        let mut ids = HashSet::new();
        for (at, step) in manifest.setup.iter().enumerate() {
            let taken = ["fields", "filters", "wait"].contains(&step.id.as_str());
            if !NAME.is_match(&step.id) || taken || !ids.insert(&step.id) {
                let words = format!("`{}` is no name of its own for a step", step.id);
                self.at(&format!("setup/{at}/id"), words, None);
            }
        }
        for (place, field) in connect.chain(steps) {
            let here = |key: &str| format!("{place}/{key}");
            let name = &field.name;
            if !NAME.is_match(name) {
                self.at(
                    &here("name"),
                    format!("`{name}` is not a name: lower-case letters, digits, _"),
                    None,
                );
            }
            if !seen.insert(name) {
                self.at(&here("name"), format!("there are two fields `{name}`"), None);
            }
            if let Some(pattern) = &field.pattern
                && let Err(error) = form::whole(pattern)
            {
                let error = error.to_string();
                let error = error.lines().last().unwrap_or_default().to_owned();
                self.at(&here("pattern"), format!("not a regular expression: {error}"), None);
            }
            for (key, value) in [("default", &field.default), ("example", &field.example)] {
                let Some(value) = value else { continue };
                if !field.options.is_empty() && !field.options.contains(value) {
                    self.at(&here(key), format!("`{value}` is not among the options"), None);
                }
                let pattern = field.pattern.as_ref().and_then(|pattern| form::whole(pattern).ok());
                if pattern.is_some_and(|pattern| !pattern.is_match(value)) {
                    self.at(&here(key), format!("`{value}` does not match the pattern"), None);
                }
            }
            for (name, value) in &field.required_when {
                let other = self.manifest.connect.fields.iter().find(|other| other.name == *name);
                let path = here("required_when");
                match other {
                    None => self.at(&path, format!("there is no field `{name}`"), None),
                    Some(other) if !other.options.contains(value) => {
                        let there = Some(format!("there are: {}", other.options.join(", ")));
                        self.at(&path, format!("`{value}` is no option of `{name}`"), there);
                    }
                    Some(_) if !field.optional => {
                        let hint = Some("state `optional: true`".to_owned());
                        self.at(&path, "a field that is always required", hint);
                    }
                    Some(_) => {}
                }
            }
            if field.secret && field.default.is_some() {
                self.at(&here("default"), "a secret has no default", None);
            }
        }
    }
}
