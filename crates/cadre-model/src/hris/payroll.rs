//! Pay runs, payslips and their lines.

use super::{Employee, LegalEntity};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::structure;
use crate::values::{Day, Money, Ref};

structure! {
    /// What a pay run or payslip adds up to.
    pub struct PayTotals {
        /// Before deductions.
        pub gross_pay: Option<Money>,
        /// After deductions.
        pub net_pay: Option<Money>,
        /// What was paid out.
        pub paid_amount: Option<Money>,
    }
}

structure! {
    /// A run of payroll over a period.
    pub struct PayRun {
        /// First day of the period.
        pub start_date: Option<Day>,
        /// Last day of the period.
        pub end_date: Option<Day>,
        /// The company that pays.
        pub legal_entity_id: Option<Ref<LegalEntity>>,
        /// What it adds up to.
        pub totals: PayTotals,
    }
}

model! {
    PayRun: "hris_pay_runs", "Pay runs", Hris, Some("/hris/pay-runs"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[
        Filter { name: "legal_entity_ids", doc: "Paid by one of these companies.", rule: FilterRule::RefersTo { field: "legal_entity_id" }, deprecated: false },
    ],
}

structure! {
    /// What one employee got in one pay run.
    pub struct Payslip {
        /// Whose payslip it is. The wire shows the person, not the id alone.
        pub employee_id: Ref<Employee>,
        /// The run it belongs to.
        pub pay_run_id: Option<Ref<PayRun>>,
        /// What it adds up to.
        pub totals: PayTotals,
    }
}

model! {
    Payslip: "hris_payslips", "Payslips", Hris, Some("/hris/payslips"),
    remote_id_nullable: false,
    extensions: [],
    relations: &[
        Relation {
            name: "employee", doc: "Whose payslip it is.",
            target: "hris_employees", join: Join::Field("employee_id"), nullable: false, touches: Touches::NONE,
            view: View::of(&["id", "remote_id", "first_name", "last_name", "display_full_name", "work_email", "remote_deleted_at"]),
        },
        Relation {
            name: "pay_run", doc: "The run it belongs to.",
            target: "hris_pay_runs", join: Join::Field("pay_run_id"), nullable: true, touches: Touches::NONE,
            view: View::of(&["id", "remote_id", "start_date", "end_date", "legal_entity_id"]),
        },
        Relation {
            name: "line_items", doc: "What it is made of.",
            target: "hris_payslip_line_items", join: Join::Back("payslip_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "name", "amount"]),
        },
    ],
    filters: &[
        Filter { name: "legal_entity_ids", doc: "Of a run paid by one of these companies.",
            rule: FilterRule::RefersThrough { field: "pay_run_id", model: "hris_pay_runs", then: "legal_entity_id" }, deprecated: false },
        Filter { name: "employee_ids", doc: "Of one of these employees.", rule: FilterRule::RefersTo { field: "employee_id" }, deprecated: false },
        Filter { name: "payrun_ids", doc: "Of one of these runs.", rule: FilterRule::RefersTo { field: "pay_run_id" }, deprecated: false },
    ],
}

structure! {
    /// One line of a payslip.
    pub struct PayslipLineItem {
        /// The payslip it stands on.
        pub payslip_id: Ref<Payslip>,
        /// What the line is for.
        pub name: Option<String>,
        /// Its amount.
        pub amount: Option<Money>,
    }
}

model! {
    PayslipLineItem: "hris_payslip_line_items", "Payslip line items", Hris, None,
    remote_id_nullable: false,
    extensions: [],
    relations: &[],
    filters: &[],
}
