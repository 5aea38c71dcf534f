//! Scorecards: what interviewers thought.

use super::user::PERSON;
use super::{Application, Candidate, Interview, User};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, model};
use crate::shape::{structure, union};
use crate::values::{Day, Moment, Ref};

structure! {
    /// An option of a question.
    pub struct ScorecardOption {
        /// Its id in the tool.
        pub remote_id: Option<String>,
        /// What it says.
        pub label: String,
    }
}

structure! {
    /// A response of the kind `TEXT`.
    pub struct TextResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// The text.
        pub answer: Option<String>,
    }
}

structure! {
    /// A response of the kind `SINGLE_SELECT`.
    pub struct SingleSelectResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// The options.
        pub options: Vec<ScorecardOption>,
        /// The option chosen.
        pub answer: Option<ScorecardOption>,
    }
}

structure! {
    /// A response of the kind `MULTI_SELECT`.
    pub struct MultiSelectResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// The options.
        pub options: Vec<ScorecardOption>,
        /// The options chosen.
        pub answer: Option<Vec<ScorecardOption>>,
    }
}

structure! {
    /// A response of the kind `BOOLEAN`.
    pub struct BooleanResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// Yes or no.
        pub answer: Option<bool>,
    }
}

structure! {
    /// A response of the kind `NUMBER`.
    pub struct NumberResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// The number.
        pub answer: Option<f64>,
    }
}

structure! {
    /// A response of the kind `DATE`.
    pub struct DateResponse {
        /// Id of the question in the tool.
        pub remote_id: Option<String>,
        /// The question.
        pub label: String,
        /// What explains it.
        pub description: Option<String>,
        /// Whether it had to be answered.
        pub required: Option<bool>,
        /// The day.
        pub answer: Option<Day>,
    }
}

union! {
    /// A question of a scorecard and its answer.
    pub enum ScorecardResponse {
        /// A text.
        Text(TextResponse) = "TEXT",
        /// One of several options.
        SingleSelect(SingleSelectResponse) = "SINGLE_SELECT",
        /// Any of several options.
        MultiSelect(MultiSelectResponse) = "MULTI_SELECT",
        /// Yes or no.
        Boolean(BooleanResponse) = "BOOLEAN",
        /// A number.
        Number(NumberResponse) = "NUMBER",
        /// A day.
        Date(DateResponse) = "DATE",
    }
}

structure! {
    /// What somebody thought of a candidate.
    pub struct Scorecard {
        /// The candidate.
        pub candidate_id: Option<Ref<Candidate>>,
        /// The application.
        pub application_id: Option<Ref<Application>>,
        /// The interview.
        pub interview_id: Option<Ref<Interview>>,
        /// Who filled it in.
        pub author_id: Option<Ref<User>>,
        /// Questions and answers.
        pub responses: Option<Vec<ScorecardResponse>>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Scorecard: "ats_scorecards", "Scorecards", Ats, Some("/ats/scorecards"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[Relation {
        name: "author", doc: "Who filled it in.",
        target: "ats_users", join: Join::Field("author_id"), nullable: true, touches: Touches::NONE,
        view: PERSON,
    }],
    filters: &[
        Filter { name: "candidate_ids", doc: "On one of these candidates.", rule: FilterRule::RefersTo { field: "candidate_id" }, deprecated: false },
        Filter { name: "application_ids", doc: "On one of these applications.", rule: FilterRule::RefersTo { field: "application_id" }, deprecated: false },
    ],
}
