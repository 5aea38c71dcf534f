//! Courses, their revisions, and who provides them.
//!
//! What people see of a course stands in its revisions; a tool without revisions has one of each course.

use crate::model::{Join, Relation, Touches, View, model};
use crate::shape::structure;
use crate::values::{Moment, Ref};

use super::user::InUse;

structure! {
    /// Who provides courses.
    pub struct CourseProvider {
        /// Name.
        pub name: Option<String>,
    }
}

model! {
    CourseProvider: "lms_course_providers", "Course providers", Lms, None,
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[],
}

structure! {
    /// Something that people can take.
    pub struct Course {
        /// Who provides it.
        pub provider_id: Option<Ref<CourseProvider>>,
        /// The id that the software which made it has for it.
        pub origin_id: Option<String>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

model! {
    Course: "lms_courses", "Courses", Lms, Some("/lms/courses"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "provider", doc: "Who provides it.",
            target: "lms_course_providers", join: Join::Field("provider_id"), nullable: true, touches: Touches::NONE,
            view: View::of(&["id", "remote_id", "name"]),
        },
        Relation {
            name: "revisions", doc: "What people see of it, now and before.",
            target: "lms_course_revisions", join: Join::Back("course_id"), nullable: false, touches: Touches::BOTH,
            view: View::with(
                &[
                    "id", "remote_id", "course_id", "title", "description", "remote_url", "status",
                    "remote_created_at", "remote_deleted_at", "changed_at", "remote_data", "custom_fields",
                    "integration_fields",
                ],
                &[(
                    "skill_assignments",
                    View {
                        fields: &["id", "remote_id", "name"],
                        relations: &[], constants: &[], wrapped: Some(("skill_id", "skill")),
                    },
                )],
            ),
        },
    ],
    filters: &[],
}

structure! {
    /// A course as people see it for a time.
    pub struct CourseRevision {
        /// The course.
        pub course_id: Option<Ref<Course>>,
        /// Title.
        pub title: Option<String>,
        /// What it is about, HTML or text as the tool has it.
        pub description: Option<String>,
        /// Where it can be seen in the tool.
        pub remote_url: Option<String>,
        /// Whether it can be taken.
        pub status: Option<InUse>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

model! {
    CourseRevision: "lms_course_revisions", "Course revisions", Lms, None,
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "course", doc: "The course.",
            target: "lms_courses", join: Join::Field("course_id"), nullable: true, touches: Touches::NONE,
            view: View::of(&["id", "remote_id"]),
        },
        Relation {
            name: "skill_assignments", doc: "What it teaches.",
            target: "lms_skills", join: Join::Links { attributes: None }, nullable: false, touches: Touches::NONE,
            view: View {
                fields: &["id", "remote_id", "name"],
                relations: &[], constants: &[], wrapped: Some(("skill_id", "skill")),
            },
        },
    ],
    filters: &[],
}
