//! Course progressions: who takes which course, and how far the person is.

use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::{Moment, Ref};

use super::{CourseRevision, Learner};

choice! {
    /// How far somebody is.
    pub closed ProgressionStatus {
        Enrolled = "ENROLLED", InProgress = "IN_PROGRESS", Completed = "COMPLETED", Dropped = "DROPPED",
    }
}

structure! {
    /// Somebody takes a course.
    pub struct CourseProgression {
        /// Who takes it.
        pub user_id: Ref<Learner>,
        /// What is taken.
        pub course_revision_id: Ref<CourseRevision>,
        /// How far the person is.
        pub status: Option<ProgressionStatus>,
        /// When it was taken up.
        pub enrolled_at: Option<Moment>,
        /// When it was completed.
        pub completed_at: Option<Moment>,
    }
}

model! {
    CourseProgression: "lms_course_progressions", "Course progressions", Lms, Some("/lms/course-progressions"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[
        Relation {
            name: "user", doc: "Who takes it.",
            target: "lms_users", join: Join::Field("user_id"), nullable: false, touches: Touches::NONE,
            view: View::of(&["id", "remote_id", "first_name", "last_name", "work_email"]),
        },
        Relation {
            name: "course_revision", doc: "What is taken.",
            target: "lms_course_revisions", join: Join::Field("course_revision_id"), nullable: false,
            touches: Touches::NONE,
            view: View::with(&["id", "remote_id", "title"], &[("course", View::of(&["id", "remote_id"]))]),
        },
    ],
    filters: &[
        Filter { name: "user_ids", doc: "Of one of these users.", rule: FilterRule::RefersTo { field: "user_id" }, deprecated: false },
        Filter {
            name: "course_ids", doc: "One of these courses.", deprecated: false,
            rule: FilterRule::RefersThrough { field: "course_revision_id", model: "lms_course_revisions", then: "course_id" },
        },
    ],
}
