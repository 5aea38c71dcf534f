//! Staffing entities: jobs, positions and requisitions that people are planned for.

use super::choices::UnifiedEmploymentType;
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure, union};
use crate::values::{Moment, Ref, Url};

choice! {
    /// What the tool calls the thing.
    pub closed StaffingEntityType { Job = "JOB", Position = "POSITION", Requisition = "REQUISITION" }
}

choice! {
    /// Whether somebody can be hired for it.
    pub closed StaffingEntityStatus {
        OpenLimited = "OPEN_LIMITED", OpenUnlimited = "OPEN_UNLIMITED", Pending = "PENDING", Frozen = "FROZEN",
        Filled = "FILLED", Closed = "CLOSED",
    }
}

structure! {
    /// A kind of employment, in the tool's words and in ours.
    pub struct StaffingEmploymentType {
        /// In the tool's words.
        pub remote_label: String,
        /// In ours.
        pub unified_type: Option<UnifiedEmploymentType>,
    }
}

structure! {
    /// How well a skill is expected, by number.
    pub struct ExpectedNumber {
        /// The value.
        pub value: f64,
    }
}

structure! {
    /// How well a skill is expected, by named step.
    pub struct ExpectedOption {
        /// Id of the step.
        pub selected_option_id: String,
    }
}

union! {
    /// How well a skill is expected.
    pub enum ExpectedProficiency {
        /// By number.
        Numeric(ExpectedNumber) = "NUMERIC",
        /// By named step.
        SingleSelect(ExpectedOption) = "SINGLE_SELECT",
    }
}

structure! {
    /// What a staffing entity says of a skill.
    pub struct StaffingSkillLink {
        /// How well it is expected.
        pub expected_proficiency: Option<ExpectedProficiency>,
    }
}

structure! {
    /// A job, position or requisition.
    pub struct StaffingEntity {
        /// Name.
        pub name: Option<String>,
        /// What the tool calls it.
        pub model_type: Option<StaffingEntityType>,
        /// What it is about.
        pub description: Option<String>,
        /// Whether somebody can be hired for it.
        pub status: Option<StaffingEntityStatus>,
        /// Kinds of employment it is meant for.
        pub employment_types: Option<Vec<StaffingEmploymentType>>,
        /// How many people are wanted.
        pub number_of_openings: Option<f64>,
        /// The one above.
        pub parent_id: Option<Ref<StaffingEntity>>,
        /// Where it can be seen in the tool.
        pub remote_url: Option<Url>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    StaffingEntity: "hris_staffing_entities", "Staffing entities", Hris, Some("/hris/staffing-entities"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "locations", doc: "Where the work is done.",
            target: "hris_locations", join: Join::Links { attributes: None }, nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "name", "type"]),
        },
        Relation {
            name: "legal_entities", doc: "Who would employ the person.",
            target: "hris_legal_entities", join: Join::Links { attributes: None }, nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "name"]),
        },
        Relation {
            name: "groups", doc: "Where in the organisation it is.",
            target: "hris_teams", join: Join::Links { attributes: None }, nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "name", "type"]),
        },
        Relation {
            name: "skills", doc: "What the person should be good at.",
            target: "hris_skills", join: Join::Links { attributes: Some(&<StaffingSkillLink as crate::shape::Shape>::SHAPE) },
            nullable: false, touches: Touches::BOTH,
            view: View {
                fields: &["id", "remote_id", "name", "proficiency_scale"],
                relations: &[], constants: &[], wrapped: Some(("skill_id", "skill")),
            },
        },
    ],
    filters: &[
        Filter { name: "model_types", doc: "What the tool calls it.", rule: FilterRule::AnyOf { key: "model_type" }, deprecated: false },
        Filter { name: "statuses", doc: "Whether somebody can be hired for it.", rule: FilterRule::AnyOf { key: "status" }, deprecated: false },
    ],
}
