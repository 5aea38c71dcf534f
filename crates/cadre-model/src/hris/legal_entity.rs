//! Legal entities: the companies that employ people.

use crate::model::{Filter, FilterRule, model};
use crate::shape::structure;
use crate::values::Address;

structure! {
    /// A company that employs people.
    pub struct LegalEntity {
        /// Name.
        pub name: Option<String>,
        /// Registered address.
        pub address: Option<Address>,
    }
}

model! {
    LegalEntity: "hris_legal_entities", "Legal entities", Hris, Some("/hris/legal-entities"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[
        Filter { name: "name_contains", doc: "Part of the name, without regard to case.", rule: FilterRule::Contains { key: "name" }, deprecated: false },
    ],
}
