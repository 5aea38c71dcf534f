//! Absence types: vacation, illness and the like.

use super::choices::TimeUnit;
use crate::model::{View, model};
use crate::shape::structure;

structure! {
    /// A kind of absence.
    pub struct AbsenceType {
        /// Name.
        pub name: Option<String>,
        /// What absences of the type are counted in.
        pub unit: Option<TimeUnit>,
        /// Whether half days can be taken.
        pub half_days_supported: Option<bool>,
        /// Whether a time of day can be given.
        pub exact_times_supported: Option<bool>,
    }
}

/// What other records show of an absence type.
pub(super) const NESTED: View = View::of(&[
    "id",
    "remote_id",
    "name",
    "unit",
    "half_days_supported",
    "exact_times_supported",
    "custom_fields",
    "changed_at",
    "remote_deleted_at",
    "remote_data",
]);

model! {
    AbsenceType: "hris_absence_types", "Absence types", Hris, Some("/hris/absence-types"),
    remote_id_nullable: false,
    extensions: [custom_fields, remote_data],
    relations: &[],
    filters: &[],
}
