//! Job positions: the older form of staffing entities.

use super::{Group, LegalEntity, Location, Skill};
use crate::model::model;
use crate::shape::structure;
use crate::values::Ref;

structure! {
    /// A skill that a position asks for.
    pub struct JobPositionSkill {
        /// The skill.
        pub id: Ref<Skill>,
        /// Its id in the tool.
        pub remote_id: String,
        /// Its name.
        pub name: String,
        /// Whether nobody is hired without it.
        pub required: Option<bool>,
        /// The level asked for.
        pub required_level: Option<String>,
    }
}

structure! {
    /// A position in the organisation. Newer clients read staffing entities.
    pub struct JobPosition {
        /// Name.
        pub name: Option<String>,
        /// What it is about.
        pub description: Option<String>,
        /// The company it belongs to.
        pub legal_entity_id: Option<Ref<LegalEntity>>,
        /// Where the work is done.
        pub location_id: Option<Ref<Location>>,
        /// The department it belongs to.
        pub department_id: Option<Ref<Group>>,
        /// All groups it belongs to.
        pub group_ids: Vec<Ref<Group>>,
        /// The position above.
        pub parent_position_id: Option<Ref<JobPosition>>,
        /// Skills that it asks for.
        pub skills: Option<Vec<JobPositionSkill>>,
    }
}

model! {
    JobPosition: "hris_job_positions", "Job positions", Hris, Some("/hris/job-positions"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}
