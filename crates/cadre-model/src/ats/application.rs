//! Applications: a candidate and a job.

use super::answer::ScreeningQuestionAnswer;
use super::candidate::OF_APPLICATION;
use super::{ApplicationStage, Candidate, Job};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::{Moment, Ref, Url};

choice! {
    /// How an application ended, or that it has not.
    pub closed Outcome { Pending = "PENDING", Hired = "HIRED", Declined = "DECLINED" }
}

structure! {
    /// A candidate's application for a job.
    pub struct Application {
        /// How it ended, or that it has not.
        pub outcome: Option<Outcome>,
        /// Why it was declined.
        pub rejection_reason_name: Option<String>,
        /// When it was declined.
        pub rejected_at: Option<Moment>,
        /// The stage it is in.
        pub current_stage_id: Option<Ref<ApplicationStage>>,
        /// The job.
        pub job_id: Option<Ref<Job>>,
        /// The candidate.
        pub candidate_id: Option<Ref<Candidate>>,
        /// Answers to screening questions.
        pub screening_question_answers: Option<Vec<ScreeningQuestionAnswer>>,
        /// Where it can be seen in the tool.
        pub remote_url: Option<Url>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

/// A job where only the name counts.
pub(super) const JOB: View = View::of(&["id", "remote_id", "name"]);

model! {
    Application: "ats_applications", "Applications", Ats, Some("/ats/applications"),
    remote_id_nullable: true,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "candidate", doc: "The candidate.",
            target: "ats_candidates", join: Join::Field("candidate_id"), nullable: true, touches: Touches::LINKED,
            view: OF_APPLICATION,
        },
        Relation {
            name: "current_stage", doc: "The stage it is in.",
            target: "ats_application_stages", join: Join::Field("current_stage_id"), nullable: true, touches: Touches::NONE,
            view: View::of(&["id", "remote_id", "name", "status", "index", "custom_fields"]),
        },
        Relation {
            name: "job", doc: "The job.",
            target: "ats_jobs", join: Join::Field("job_id"), nullable: true, touches: Touches::NONE,
            view: JOB,
        },
        Relation {
            name: "interviews", doc: "Interviews about it.",
            target: "ats_interviews", join: Join::Back("application_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "title", "starting_at", "ending_at", "location", "canceled"]),
        },
        Relation {
            name: "offers", doc: "Offers made on it.",
            target: "ats_offers", join: Join::Back("application_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "status"]),
        },
    ],
    filters: &[
        Filter { name: "outcomes", doc: "How it ended.", rule: FilterRule::AnyOf { key: "outcome" }, deprecated: false },
        Filter { name: "job_ids", doc: "For one of these jobs.", rule: FilterRule::RefersTo { field: "job_id" }, deprecated: false },
        Filter { name: "job_remote_ids", doc: "For one of these jobs, by their ids in the tool.", rule: FilterRule::RefersToRemote { field: "job_id" }, deprecated: false },
        Filter { name: "current_stage_ids", doc: "In one of these stages.", rule: FilterRule::RefersTo { field: "current_stage_id" }, deprecated: false },
        Filter { name: "remote_created_after", doc: "Made in the tool on this day or later.", rule: FilterRule::After { key: "remote_created_at", or_equal: true }, deprecated: false },
        Filter { name: "outcome", doc: "How it ended; use `outcomes`.",
            rule: FilterRule::OneOf { key: "outcome", values: Outcome::CHOICES.values }, deprecated: true },
    ],
}

structure! {
    /// A reason for declining applications.
    pub struct RejectionReason {
        /// What it says.
        pub name: Option<String>,
    }
}

model! {
    RejectionReason: "ats_rejection_reasons", "Rejection reasons", Ats, Some("/ats/rejection-reasons"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}
