//! Every model, in one list.
//!
//! To add a model: declare it in a file of its own under `hris/`, `ats/` or `lms/`, and name it here. The
//! list endpoint, its filters, the OpenAPI document, the mapping's checks and the coverage follow.

use crate::model::{Model, ModelDef};
use crate::{ats, hris, lms};

macro_rules! list {
    ($($ty:ty),* $(,)?) => {
        &[$(&<$ty as Model>::MODEL),*]
    };
}

static MODELS: &[&ModelDef] = list![
    hris::Employee,
    hris::Employment,
    hris::Group,
    hris::LegalEntity,
    hris::Location,
    hris::AbsenceType,
    hris::Absence,
    hris::TimeOffBalance,
    hris::Timesheet,
    hris::EmployeeDocumentCategory,
    hris::PerformanceReviewCycle,
    hris::PerformanceReview,
    hris::StaffingEntity,
    hris::StaffingEntitySkill,
    hris::JobPosition,
    hris::Skill,
    hris::SkillProficiencyRating,
    hris::EmployeeSkillAssignment,
    hris::PayRun,
    hris::Payslip,
    hris::PayslipLineItem,
    ats::User,
    ats::Role,
    ats::Job,
    ats::JobPosting,
    ats::ScreeningQuestion,
    ats::ApplicationStage,
    ats::Candidate,
    ats::Tag,
    ats::Application,
    ats::RejectionReason,
    ats::Interview,
    ats::Offer,
    ats::Note,
    ats::Scorecard,
    ats::Attachment,
    lms::Learner,
    lms::CourseProvider,
    lms::Course,
    lms::CourseRevision,
    lms::CourseProgression,
    lms::CourseSkill,
];

/// Every model.
#[must_use]
pub fn models() -> &'static [&'static ModelDef] {
    MODELS
}

/// The model of that id.
#[must_use]
pub fn model(id: &str) -> Option<&'static ModelDef> {
    MODELS.iter().copied().find(|model| model.id == id)
}

/// Older paths below `/v1` that list the records of a model, without filters of their own.
#[must_use]
pub fn older_paths() -> &'static [(&'static str, &'static str)] {
    &[("/hris/teams", "hris_teams")]
}
