//! Skills, and how well somebody has them.

use super::Employee;
use crate::model::{Filter, FilterRule, model};
use crate::shape::{choice, structure, union};
use crate::values::Ref;

structure! {
    /// A step of a scale.
    pub struct ScaleOption {
        /// Its id, unique within the scale.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: Option<String>,
        /// What it is called.
        pub name: String,
    }
}

structure! {
    /// A scale of numbers.
    pub struct NumericScale {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// Least value.
        pub min: Option<f64>,
        /// Greatest value.
        pub max: Option<f64>,
        /// Distance of two values.
        pub step: Option<f64>,
    }
}

structure! {
    /// A scale of named steps.
    pub struct SelectScale {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: String,
        /// The steps from worst to best.
        pub ordered_options: Vec<ScaleOption>,
    }
}

union! {
    /// What a skill is measured by.
    pub enum ProficiencyScale {
        /// By number.
        Numeric(NumericScale) = "NUMERIC",
        /// By named step.
        SingleSelect(SelectScale) = "SINGLE_SELECT",
    }
}

structure! {
    /// Something that people can be good at.
    pub struct Skill {
        /// Name.
        pub name: String,
        /// What it means.
        pub description: Option<String>,
        /// Names of the levels from worst to best.
        pub ordered_levels: Option<Vec<String>>,
        /// What it is measured by. Seen inside staffing entities.
        pub proficiency_scale: Option<ProficiencyScale>,
    }
}

model! {
    Skill: "hris_skills", "Skills", Hris, Some("/hris/skills"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[],
    filters: &[
        Filter { name: "name_contains", doc: "Part of the name, without regard to case.", rule: FilterRule::Contains { key: "name" }, deprecated: false },
    ],
}

structure! {
    /// A step that was chosen, with the scale it is of.
    pub struct SelectProficiency {
        /// The steps.
        pub options: Vec<ProficiencyOption>,
        /// Id of the step chosen.
        pub selected_option_id: String,
    }
}

structure! {
    /// A step of the scale that a rating was given on.
    pub struct ProficiencyOption {
        /// Its id.
        pub id: String,
        /// Its id in the tool.
        pub remote_id: Option<String>,
        /// What it is called.
        pub name: Option<String>,
    }
}

structure! {
    /// A number, with the scale it is of.
    pub struct NumericProficiency {
        /// Least value of the scale.
        pub min: Option<f64>,
        /// Greatest value of the scale.
        pub max: Option<f64>,
        /// The value.
        pub value: f64,
    }
}

union! {
    /// How well somebody has a skill.
    pub enum Proficiency {
        /// By named step.
        SingleSelect(SelectProficiency) = "SINGLE_SELECT",
        /// By number.
        Numeric(NumericProficiency) = "NUMERIC",
    }
}

choice! {
    /// Who said how well.
    pub open RatingSource { OneSelf = "SELF", Manager = "MANAGER", External = "EXTERNAL" }
}

structure! {
    /// How well an employee has a skill, as somebody sees it.
    pub struct SkillProficiencyRating {
        /// Whose skill it is.
        pub employee_id: Ref<Employee>,
        /// The skill.
        pub skill_id: Ref<Skill>,
        /// How well.
        pub proficiency: Option<Proficiency>,
        /// Who said so.
        pub rating_source: Option<RatingSource>,
    }
}

model! {
    SkillProficiencyRating: "hris_employee_skill_proficiency_ratings", "Skill proficiency ratings", Hris,
    Some("/hris/skill-proficiency-ratings"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[],
}
