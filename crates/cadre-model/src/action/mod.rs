//! Actions: what callers may have a tool do.
//!
//! An action is declared once: its path, the body it takes, what it answers with. Route, validation,
//! OpenAPI document and coverage follow. How a tool does it stands in `connectors/<tool>/actions/`.
//!
//! To add one: a row in `ats.rs`, `hris.rs` or `lms.rs`.

mod assessment;
mod ats;
mod check;
mod hris;
mod input;
mod lms;
pub mod schema;

pub use assessment::{ORDERS, RESULT};
pub use check::{Checked, FileAt, Reference, Wrong, check};
pub use input::{FILE, Input, InputField, MULTIPART, Preset, TYPED_FILE};

use crate::model::Category;
use crate::shape::Structure;

/// A write.
#[derive(Debug)]
pub struct Action {
    /// Its id, by which connectors and scope configurations name it.
    pub id: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// The kind of tool it belongs to.
    pub category: Category,
    /// The method, in upper case.
    pub method: &'static str,
    /// Its path below `/v1`.
    pub path: &'static str,
    /// The record that the path names.
    pub about: Option<About>,
    /// What the body may hold.
    pub body: &'static [InputField],
    /// What it answers with.
    pub answer: Answer,
    /// Whether other software should use another one instead.
    pub deprecated: bool,
    /// Whether many can be ordered at once, at `<path>/bulk`.
    pub bulk: Bulk,
}

/// Whether many actions of a kind can be ordered at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bulk {
    /// One by one.
    No,
    /// Both ways.
    Also,
    /// Only many at once: nothing is served at the path itself.
    Only,
}

impl Action {
    /// Whether it answers with something that no list shows.
    #[must_use]
    pub fn answers_of_its_own(&self) -> bool {
        matches!(self.answer, Answer::Own(_))
    }
}

/// The record that a path names.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// The variable part of the path.
    pub parameter: &'static str,
    /// Id of the model, or [`ORDERS`].
    pub model: &'static str,
}

/// What an action answers with.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// An empty object.
    Nothing,
    /// A record of the model with this id, as its list shows it.
    Record(&'static str),
    /// A record of the first model, in whose field the linked record of the second model is shown whole.
    RecordWith(&'static str, &'static str, &'static str),
    /// Something of its own.
    Own(&'static Structure),
    /// Something of its own about a record of the model, or about a thing that no list shows; its `id` and
    /// `remote_id` are added, and references become ids.
    Made(&'static str, &'static Structure),
}

/// Every action.
pub fn actions() -> impl Iterator<Item = &'static Action> {
    ats::ACTIONS.iter().chain(hris::ACTIONS).chain(lms::ACTIONS).chain(assessment::ACTIONS)
}

/// The actions that can be asked for one by one.
pub fn single_actions() -> impl Iterator<Item = &'static Action> {
    actions().filter(|action| action.bulk != Bulk::Only)
}

/// The action of that id.
#[must_use]
pub fn action(id: &str) -> Option<&'static Action> {
    actions().find(|action| action.id == id)
}

/// Actions of which many can be ordered at once.
pub fn bulk_actions() -> impl Iterator<Item = &'static Action> {
    actions().filter(|action| action.bulk != Bulk::No)
}

/// Actions whose files may be restricted: those that callers can ask about.
#[must_use]
pub fn restricted_actions() -> Vec<&'static Action> {
    let takes_files = |action: &&Action| {
        action.category == Category::Ats
            && action.body.iter().any(|field| matches!(field.name, "attachments" | "attachment"))
    };
    actions().filter(takes_files).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Answer, Bulk, ORDERS, actions};
    use crate::registry;

    #[test]
    fn declarations_hold_together() {
        let (mut ids, mut paths) = (BTreeSet::new(), BTreeSet::new());
        for action in actions() {
            assert!(ids.insert(action.id), "{}", action.id);
            let only_many = action.bulk == Bulk::Only;
            assert!(paths.insert((action.method, action.path, only_many)), "{}", action.path);
            let category = action.category.as_str().to_ascii_lowercase();
            assert!(action.id.starts_with(&category), "{}", action.id);
            assert!(action.path.starts_with(&format!("/{category}/")), "{}", action.path);
            let named = action.path.contains('{');
            assert_eq!(named, action.about.is_some(), "{}", action.path);
            assert!(action.method != "GET" || action.answers_of_its_own(), "{}", action.id);
            if let Some(about) = action.about {
                assert!(action.path.contains(&format!("{{{}}}", about.parameter)));
                let known = registry::model(about.model).is_some() || about.model == ORDERS;
                assert!(known, "{}", about.model);
            }
            if let Answer::Record(model) | Answer::RecordWith(model, _, _) = action.answer {
                assert!(registry::model(model).is_some(), "{model}");
            }
        }
    }
}
