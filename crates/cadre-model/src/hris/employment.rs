//! Employments: the contracts of an employee, one per change.

use super::Employee;
use super::choices::EmploymentType;
use crate::model::model;
use crate::shape::{choice, structure};
use crate::values::{Currency, Midnight, Ref};

choice! {
    /// The time that a rate of pay is for.
    pub open PayPeriod {
        Hour = "HOUR", Day = "DAY", Week = "WEEK", TwoWeeks = "TWO_WEEKS", HalfMonth = "HALF_MONTH", Month = "MONTH",
        TwoMonths = "TWO_MONTHS", Quarter = "QUARTER", HalfYear = "HALF_YEAR", Year = "YEAR",
    }
}

choice! {
    /// How often wages are paid.
    pub open PayFrequency {
        Daily = "DAILY", Weekly = "WEEKLY", Biweekly = "BIWEEKLY", Monthly = "MONTHLY", Semimonthly = "SEMIMONTHLY",
        Quarterly = "QUARTERLY", Semiannually = "SEMIANNUALLY", Annually = "ANNUALLY", ProRata = "PRO_RATA",
    }
}

structure! {
    /// A contract of an employee, from a day on.
    pub struct Employment {
        /// Whose contract it is.
        pub employee_id: Ref<Employee>,
        /// Title of the job.
        pub job_title: Option<String>,
        /// Pay per period, in units of the currency.
        pub pay_rate: Option<f64>,
        /// The period that the rate is for.
        pub pay_period: Option<PayPeriod>,
        /// How often wages are paid.
        pub pay_frequency: Option<PayFrequency>,
        /// Kind of employment.
        pub employment_type: Option<EmploymentType>,
        /// Currency of the rate.
        pub pay_currency: Option<Currency>,
        /// First day on which the contract holds.
        pub effective_date: Option<Midnight>,
    }
}

model! {
    Employment: "hris_employments", "Employments", Hris, Some("/hris/employments"),
    remote_id_nullable: true,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[],
    filters: &[],
}
