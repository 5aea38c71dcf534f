//! Absences: time off, asked for or granted.

use super::absence_type::NESTED;
use super::choices::TimeUnit;
use super::{AbsenceType, Employee};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, model};
use crate::shape::{choice, structure};
use crate::values::{Day, Moment, Ref, TimeOfDay};

choice! {
    /// Where the request for an absence stands.
    pub open AbsenceStatus {
        Requested = "REQUESTED", Approved = "APPROVED", Declined = "DECLINED", Cancelled = "CANCELLED",
        Deleted = "DELETED",
    }
}

structure! {
    /// A time that an employee is away.
    pub struct Absence {
        /// Who is away.
        pub employee_id: Ref<Employee>,
        /// Who decides about it.
        pub approver_id: Option<Ref<Employee>>,
        /// First day.
        pub start_date: Option<Day>,
        /// Last day, which counts as well.
        pub end_date: Option<Day>,
        /// Whether it begins at noon.
        pub start_half_day: Option<bool>,
        /// Whether it ends at noon.
        pub end_half_day: Option<bool>,
        /// Time of day at which it begins.
        pub start_time: Option<TimeOfDay>,
        /// Time of day at which it ends.
        pub end_time: Option<TimeOfDay>,
        /// How much of the entitlement it uses.
        pub amount: Option<f64>,
        /// Unit of the amount.
        pub unit: Option<TimeUnit>,
        /// Where the request stands.
        pub status: Option<AbsenceStatus>,
        /// What the employee wrote.
        pub employee_note: Option<String>,
        /// Kind of absence.
        pub type_id: Option<Ref<AbsenceType>>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Absence: "hris_absences", "Absences", Hris, Some("/hris/absences"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[Relation {
        name: "type", doc: "Kind of absence.",
        target: "hris_absence_types", join: Join::Field("type_id"), nullable: true, touches: Touches::LINKED,
        view: NESTED,
    }],
    filters: &[
        Filter { name: "date_from", doc: "Still going on at this day: ends on it or later.", rule: FilterRule::After { key: "end_date", or_equal: true }, deprecated: false },
        Filter { name: "date_until", doc: "Begun by this day: starts on it or earlier.", rule: FilterRule::Before { key: "start_date", or_equal: true }, deprecated: false },
        Filter { name: "type_ids", doc: "Kind of absence.", rule: FilterRule::RefersTo { field: "type_id" }, deprecated: false },
        Filter { name: "employee_id", doc: "Who is away.", rule: FilterRule::RefersToOne { field: "employee_id" }, deprecated: false },
        Filter { name: "time_from", doc: "As `date_from`.", rule: FilterRule::After { key: "end_date", or_equal: true }, deprecated: true },
        Filter { name: "time_until", doc: "As `date_until`.", rule: FilterRule::Before { key: "start_date", or_equal: true }, deprecated: true },
    ],
}
