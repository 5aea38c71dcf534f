//! Locations: where people work.

use crate::model::{Filter, FilterRule, model};
use crate::shape::structure;
use crate::values::Address;

structure! {
    /// A place where people work.
    pub struct Location {
        /// Name.
        pub name: Option<String>,
        /// Kind of place, in the tool's own words.
        pub r#type: Option<String>,
        /// Address.
        pub address: Option<Address>,
    }
}

model! {
    Location: "hris_locations", "Locations", Hris, Some("/hris/locations"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[
        Filter { name: "name_contains", doc: "Part of the name, without regard to case.", rule: FilterRule::Contains { key: "name" }, deprecated: false },
    ],
}
