//! Groups: departments, teams and cost centres.

use crate::model::{Filter, FilterRule, model};
use crate::shape::{choice, structure};
use crate::values::Ref;

choice! {
    /// What kind of group it is.
    pub closed GroupType { Department = "DEPARTMENT", Team = "TEAM", CostCenter = "COST_CENTER" }
}

structure! {
    /// A department, team or cost centre.
    pub struct Group {
        /// Name.
        pub name: Option<String>,
        /// What kind of group it is.
        pub r#type: Option<GroupType>,
        /// The group above.
        pub parent_id: Option<Ref<Group>>,
    }
}

model! {
    Group: "hris_teams", "Groups", Hris, Some("/hris/groups"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[],
    filters: &[
        Filter { name: "types", doc: "Kind of group.", rule: FilterRule::AnyOf { key: "type" }, deprecated: false },
        Filter { name: "name_contains", doc: "Part of the name, without regard to case.", rule: FilterRule::Contains { key: "name" }, deprecated: false },
    ],
}
