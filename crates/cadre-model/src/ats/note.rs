//! Notes on candidates.

use super::user::PERSON;
use super::{Application, Candidate, User};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, model};
use crate::shape::structure;
use crate::values::{Moment, Ref};

structure! {
    /// A note on a candidate or application.
    pub struct Note {
        /// The candidate.
        pub candidate_id: Ref<Candidate>,
        /// The application, if it is about one.
        pub application_id: Option<Ref<Application>>,
        /// Who wrote it.
        pub author_id: Option<Ref<User>>,
        /// Title.
        pub title: Option<String>,
        /// What it says, as HTML.
        pub content_html: Option<String>,
        /// Whether only some may read it.
        pub is_private: Option<bool>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Note: "ats_notes", "Notes", Ats, Some("/ats/notes"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[Relation {
        name: "author", doc: "Who wrote it.",
        target: "ats_users", join: Join::Field("author_id"), nullable: true, touches: Touches::NONE,
        view: PERSON,
    }],
    filters: &[
        Filter { name: "candidate_ids", doc: "On one of these candidates.", rule: FilterRule::RefersTo { field: "candidate_id" }, deprecated: false },
        Filter { name: "application_ids", doc: "On one of these applications.", rule: FilterRule::RefersTo { field: "application_id" }, deprecated: false },
    ],
}
