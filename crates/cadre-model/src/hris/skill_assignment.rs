//! Skill assignments: the older form of skill proficiency ratings and of skills of staffing entities.

use super::staffing_entity::ExpectedProficiency;
use super::{Employee, Skill, StaffingEntity};
use crate::model::{Filter, FilterRule, model};
use crate::shape::structure;
use crate::values::Ref;

structure! {
    /// A skill that an employee has. Newer clients read skill proficiency ratings.
    pub struct EmployeeSkillAssignment {
        /// Whose skill it is.
        pub employee_id: Ref<Employee>,
        /// The skill.
        pub skill_id: Ref<Skill>,
        /// The level, in the tool's own words.
        pub current_level: Option<String>,
    }
}

model! {
    EmployeeSkillAssignment: "hris_employee_skill_assignments", "Employee skill assignments", Hris,
    Some("/hris/employee-skill-assignments"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[
        Filter { name: "employee_ids", doc: "Of one of these employees.", rule: FilterRule::RefersTo { field: "employee_id" }, deprecated: false },
        Filter { name: "skill_ids", doc: "One of these skills.", rule: FilterRule::RefersTo { field: "skill_id" }, deprecated: false },
    ],
}

structure! {
    /// A skill that a staffing entity asks for. Newer clients read it inside the staffing entity.
    pub struct StaffingEntitySkill {
        /// What asks for the skill.
        pub staffing_entity_id: Ref<StaffingEntity>,
        /// The skill.
        pub skill_id: Ref<Skill>,
        /// How well it is expected.
        pub expected_proficiency: Option<ExpectedProficiency>,
    }
}

model! {
    StaffingEntitySkill: "hris_join_staffing_entities_skills", "Staffing entity skills", Hris,
    Some("/hris/staffing-entity-skills"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[],
}
