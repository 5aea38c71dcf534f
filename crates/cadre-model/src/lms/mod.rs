//! The unified LMS models, one file per model.

pub mod course;
pub mod progression;
pub mod skill;
pub mod user;

pub use course::{Course, CourseProvider, CourseRevision};
pub use progression::CourseProgression;
pub use skill::CourseSkill;
pub use user::Learner;
