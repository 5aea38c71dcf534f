//! Time-off balances: what an employee has left.

use super::absence_type::NESTED;
use super::choices::TimeUnit;
use super::{AbsenceType, Employee};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, model};
use crate::shape::structure;
use crate::values::Ref;

structure! {
    /// What an employee has left of one kind of time off.
    pub struct TimeOffBalance {
        /// Whose balance it is.
        pub employee_id: Ref<Employee>,
        /// Kind of time off.
        pub type_id: Ref<AbsenceType>,
        /// What is left.
        pub balance: Option<f64>,
        /// Unit of what is left.
        pub balance_unit: Option<TimeUnit>,
        /// What has been used.
        pub used: Option<f64>,
        /// Unit of what has been used.
        pub used_unit: Option<TimeUnit>,
    }
}

model! {
    TimeOffBalance: "hris_time_off_balances", "Time-off balances", Hris, Some("/hris/time-off-balances"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[Relation {
        name: "type", doc: "Kind of time off.",
        target: "hris_absence_types", join: Join::Field("type_id"), nullable: false, touches: Touches::LINKED,
        view: NESTED,
    }],
    filters: &[
        Filter { name: "employee_id", doc: "Whose balance.", rule: FilterRule::RefersToOne { field: "employee_id" }, deprecated: false },
    ],
}
