//! Timesheets: hours that were worked.

use super::Employee;
use crate::model::{Filter, FilterRule, model};
use crate::shape::structure;
use crate::values::{Moment, Offset, Ref};

structure! {
    /// A pause within a timesheet.
    pub struct Break {
        /// When it ended.
        pub ended_at: Moment,
        /// Whether it is paid.
        pub paid: bool,
        /// When it began.
        pub started_at: Moment,
    }
}

structure! {
    /// A time that an employee worked.
    pub struct Timesheet {
        /// Who worked.
        pub employee_id: Ref<Employee>,
        /// When the work began.
        pub started_at: Option<Moment>,
        /// When the work ended.
        pub ended_at: Option<Moment>,
        /// Offset of the place of work from UTC.
        pub timezone: Option<Offset>,
        /// Hours that are paid.
        pub payable_hours: Option<f64>,
        /// Minutes of pauses that are not paid.
        pub unpaid_break_minutes: Option<f64>,
        /// The pauses.
        pub breaks: Option<Vec<Break>>,
        /// Where approval stands, in the tool's own words.
        pub approval_status: Option<String>,
        /// When it was approved.
        pub approved_at: Option<Moment>,
        /// A note on it.
        pub comment: Option<String>,
    }
}

model! {
    Timesheet: "hris_timesheets", "Timesheets", Hris, Some("/hris/timesheets"),
    remote_id_nullable: true,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[],
    filters: &[
        Filter { name: "employee_id", doc: "Who worked.", rule: FilterRule::RefersToOne { field: "employee_id" }, deprecated: false },
        Filter { name: "started_before", doc: "Begun before this moment.", rule: FilterRule::Before { key: "started_at", or_equal: false }, deprecated: false },
        Filter { name: "started_after", doc: "Begun after this moment.", rule: FilterRule::After { key: "started_at", or_equal: false }, deprecated: false },
        Filter { name: "ended_before", doc: "Ended before this moment.", rule: FilterRule::Before { key: "ended_at", or_equal: false }, deprecated: false },
        Filter { name: "ended_after", doc: "Ended after this moment.", rule: FilterRule::After { key: "ended_at", or_equal: false }, deprecated: false },
    ],
}
