//! Jobs, and what is posted of them.

use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::{Address, Currency, Moment, Ref, Url};
use serde_json::Value;

use super::screening_question::ScreeningQuestion;
use super::user::{PERSON, UnifiedRole, User};
use crate::shape::Shape;

choice! {
    /// How somebody would be employed.
    pub open JobEmploymentType {
        FullTime = "FULL_TIME", PartTime = "PART_TIME", Contract = "CONTRACT", Seasonal = "SEASONAL",
        Internship = "INTERNSHIP",
    }
}

choice! {
    /// Whether people can apply.
    pub open JobStatus { Open = "OPEN", Closed = "CLOSED", Draft = "DRAFT", Archived = "ARCHIVED" }
}

choice! {
    /// Who may see the job.
    pub open JobVisibility { Public = "PUBLIC", Internal = "INTERNAL", Unlisted = "UNLISTED", Confidential = "CONFIDENTIAL" }
}

choice! {
    /// Where the work is done.
    pub open RemoteWorkStatus { Remote = "REMOTE", Hybrid = "HYBRID", Temporary = "TEMPORARY", OnSite = "ON_SITE" }
}

choice! {
    /// The time that a salary is for.
    pub open SalaryPeriod { Year = "YEAR", Month = "MONTH", TwoWeeks = "TWO_WEEKS", Week = "WEEK", Day = "DAY", Hour = "HOUR" }
}

choice! {
    /// A role in a hiring team, in the older form.
    pub closed HiringTeamRole {
        HiringManager = "HIRING_MANAGER", Recruiter = "RECRUITER", Coordinator = "COORDINATOR", Sourcer = "SOURCER",
        Interviewer = "INTERVIEWER",
    }
}

choice! {
    /// The one scope that a role in a hiring team has.
    pub closed JobScope { Job = "JOB" }
}

structure! {
    /// A role that a user has for one job.
    pub struct JobRole {
        /// Id of the role in the tool.
        pub remote_id: Option<String>,
        /// What the tool calls it.
        pub remote_label: Option<String>,
        /// What somebody with the role does.
        pub unified_type: Option<UnifiedRole>,
        /// Where it holds: always this job.
        pub scope: JobScope,
    }
}

structure! {
    /// What a job says of a member of its hiring team.
    pub struct HiringTeamLink {
        /// Roles, in the older form.
        pub hiring_team_roles: Vec<HiringTeamRole>,
        /// Roles.
        pub job_roles: Vec<JobRole>,
    }
}

structure! {
    /// What a job says of a stage.
    pub struct StageLink {
        /// Place in the order of stages, from 0.
        pub index: Option<i64>,
    }
}

structure! {
    /// What a job says of a screening question.
    pub struct ScreeningQuestionLink {
        /// Whether an application needs an answer.
        pub required: Option<bool>,
        /// Place in the order of questions, from 0.
        pub index: Option<i64>,
        /// The question whose answer decides whether this one is asked.
        pub precondition_question_id: Option<Ref<ScreeningQuestion>>,
        /// The answers to that question with which this one is asked.
        pub precondition_options: Option<Vec<Value>>,
    }
}

structure! {
    /// A job that people can be hired for.
    pub struct Job {
        /// Title.
        pub name: Option<String>,
        /// The number people use for it.
        pub job_code: Option<String>,
        /// Description, HTML or text as the tool has it.
        pub description: Option<String>,
        /// Whether it is kept secret; use `visibility`.
        pub confidential: Option<bool>,
        /// Hours per week.
        pub weekly_hours: Option<f64>,
        /// Kind of employment.
        pub employment_type: Option<JobEmploymentType>,
        /// Whether people can apply.
        pub status: Option<JobStatus>,
        /// Who may see it.
        pub visibility: Option<JobVisibility>,
        /// Category, in the tool's own words.
        pub category: Option<String>,
        /// Department, in the tool's own words.
        pub department: Option<String>,
        /// Where it is posted.
        pub post_url: Option<String>,
        /// Experience asked for, in the tool's own words.
        pub experience_level: Option<String>,
        /// Where the work is done.
        pub remote_work_status: Option<RemoteWorkStatus>,
        /// Salary, where it is one figure.
        pub salary_amount: Option<f64>,
        /// Least salary.
        pub salary_amount_from: Option<f64>,
        /// Greatest salary.
        pub salary_amount_to: Option<f64>,
        /// Currency of the salary.
        pub salary_currency: Option<Currency>,
        /// The time that the salary is for.
        pub salary_period: Option<SalaryPeriod>,
        /// Place of work.
        pub location: Option<Address>,
        /// Where it can be seen in the tool.
        pub remote_url: Option<Url>,
        /// When it was opened.
        pub opened_at: Option<Moment>,
        /// When it was closed.
        pub closed_at: Option<Moment>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
        /// Whom to ask; use `hiring_team`.
        pub contact_id: Option<Ref<User>>,
    }
}

model! {
    Job: "ats_jobs", "Jobs", Ats, Some("/ats/jobs"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "stages", doc: "Stages that applications go through.",
            target: "ats_application_stages", join: Join::Links { attributes: Some(&<StageLink as Shape>::SHAPE) },
            nullable: false, touches: Touches::LINKS,
            view: View::of(&["id", "remote_id", "name", "status", "custom_fields", "remote_data"]),
        },
        Relation {
            name: "screening_questions", doc: "Questions that an application answers.",
            target: "ats_screening_questions", join: Join::Links { attributes: Some(&<ScreeningQuestionLink as Shape>::SHAPE) },
            nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "title", "description", "category", "format"]),
        },
        Relation {
            name: "job_postings", doc: "Where and how it is posted.",
            target: "ats_job_postings", join: Join::Back("job_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "title", "description_html", "status", "visibility", "url", "remote_data"]),
        },
        Relation {
            name: "hiring_team", doc: "Who hires.",
            target: "ats_users", join: Join::Links { attributes: Some(&<HiringTeamLink as Shape>::SHAPE) },
            nullable: false, touches: Touches::LINKS,
            view: PERSON,
        },
    ],
    filters: &[
        Filter { name: "job_codes", doc: "Number of the job.", rule: FilterRule::AnyOf { key: "job_code" }, deprecated: false },
        Filter { name: "post_url", doc: "Where it is posted.", rule: FilterRule::Equals { key: "post_url" }, deprecated: false },
        Filter { name: "statuses", doc: "Whether people can apply.", rule: FilterRule::AnyOf { key: "status" }, deprecated: false },
        Filter { name: "employment_types", doc: "Kind of employment.", rule: FilterRule::AnyOf { key: "employment_type" }, deprecated: false },
        Filter { name: "visibilities", doc: "Who may see it.", rule: FilterRule::AnyOf { key: "visibility" }, deprecated: false },
        Filter { name: "remote_created_after", doc: "Made in the tool on this day or later.", rule: FilterRule::After { key: "remote_created_at", or_equal: true }, deprecated: false },
        Filter { name: "name_contains", doc: "Part of the title, without regard to case.", rule: FilterRule::Contains { key: "name" }, deprecated: false },
        Filter { name: "status", doc: "Whether people can apply; use `statuses`.",
            rule: FilterRule::OneOf { key: "status", values: JobStatus::CHOICES.values }, deprecated: true },
    ],
}

choice! {
    /// Whether a posting can be seen.
    pub closed PostingStatus { Active = "ACTIVE", Inactive = "INACTIVE", Draft = "DRAFT" }
}

choice! {
    /// Who may see a posting.
    pub closed PostingVisibility { Public = "PUBLIC", Internal = "INTERNAL", Unlisted = "UNLISTED" }
}

structure! {
    /// A job as it is posted at one place.
    pub struct JobPosting {
        /// The job.
        pub job_id: Ref<Job>,
        /// Title.
        pub title: Option<String>,
        /// Description as HTML.
        pub description_html: Option<String>,
        /// Whether it can be seen.
        pub status: Option<PostingStatus>,
        /// Who may see it.
        pub visibility: Option<PostingVisibility>,
        /// Where it can be seen.
        pub url: Option<String>,
    }
}

model! {
    JobPosting: "ats_job_postings", "Job postings", Ats, None,
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}
