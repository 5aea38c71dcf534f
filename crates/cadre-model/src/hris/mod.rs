//! The unified HRIS models, one file per model.

pub mod absence;
pub mod absence_type;
pub mod choices;
pub mod document_category;
pub mod employee;
pub mod employment;
pub mod group;
pub mod job_position;
pub mod legal_entity;
pub mod location;
pub mod payroll;
pub mod performance_review;
pub mod skill;
pub mod skill_assignment;
pub mod staffing_entity;
pub mod time_off_balance;
pub mod timesheet;

pub use absence::Absence;
pub use absence_type::AbsenceType;
pub use document_category::EmployeeDocumentCategory;
pub use employee::Employee;
pub use employment::Employment;
pub use group::Group;
pub use job_position::JobPosition;
pub use legal_entity::LegalEntity;
pub use location::Location;
pub use payroll::{PayRun, Payslip, PayslipLineItem};
pub use performance_review::{PerformanceReview, PerformanceReviewCycle};
pub use skill::{Skill, SkillProficiencyRating};
pub use skill_assignment::{EmployeeSkillAssignment, StaffingEntitySkill};
pub use staffing_entity::StaffingEntity;
pub use time_off_balance::TimeOffBalance;
pub use timesheet::Timesheet;
