//! Interviews.

use super::application::JOB;
use super::candidate::NAMED;
use super::user::PERSON;
use super::{Application, ApplicationStage};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::structure;
use crate::values::{Address, Moment, Ref};

structure! {
    /// A talk with a candidate.
    pub struct Interview {
        /// Title.
        pub title: Option<String>,
        /// When it begins.
        pub starting_at: Option<Moment>,
        /// When it ends.
        pub ending_at: Option<Moment>,
        /// Where to join by video.
        pub video_conferencing_url: Option<String>,
        /// Where it takes place.
        pub location: Option<Address>,
        /// The application it is about.
        pub application_id: Option<Ref<Application>>,
        /// The stage it belongs to.
        pub stage_id: Option<Ref<ApplicationStage>>,
        /// Whether it was called off.
        pub canceled: Option<bool>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Interview: "ats_interviews", "Interviews", Ats, Some("/ats/interviews"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[
        Relation {
            name: "users", doc: "Who talks with the candidate.",
            target: "ats_users", join: Join::Links { attributes: None }, nullable: false, touches: Touches::LINKS,
            view: PERSON,
        },
        Relation {
            name: "application", doc: "The application it is about.",
            target: "ats_applications", join: Join::Field("application_id"), nullable: true, touches: Touches::LINKED,
            view: View::with(
                &["id", "remote_id", "outcome", "rejection_reason_name"],
                &[("candidate", NAMED), ("job", JOB)],
            ),
        },
    ],
    filters: &[
        Filter { name: "job_ids", doc: "About an application for one of these jobs.",
            rule: FilterRule::RefersThrough { field: "application_id", model: "ats_applications", then: "job_id" }, deprecated: false },
    ],
}
