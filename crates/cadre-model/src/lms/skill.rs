//! Skills that courses teach.

use crate::model::model;
use crate::shape::structure;
use crate::values::Moment;

structure! {
    /// Something that people can learn.
    pub struct CourseSkill {
        /// Name.
        pub name: Option<String>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

model! {
    CourseSkill: "lms_skills", "Skills", Lms, Some("/lms/skills"),
    remote_id_nullable: true,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[],
    filters: &[],
}
