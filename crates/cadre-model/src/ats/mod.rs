//! The unified ATS models, one file per model.

pub mod answer;
pub mod application;
pub mod attachment;
pub mod candidate;
pub mod interview;
pub mod job;
pub mod note;
pub mod offer;
pub mod scorecard;
pub mod screening_question;
pub mod stage;
pub mod user;

pub use application::{Application, RejectionReason};
pub use attachment::Attachment;
pub use candidate::{Candidate, Tag};
pub use interview::Interview;
pub use job::{Job, JobPosting};
pub use note::Note;
pub use offer::Offer;
pub use scorecard::Scorecard;
pub use screening_question::ScreeningQuestion;
pub use stage::ApplicationStage;
pub use user::{Role, User};
