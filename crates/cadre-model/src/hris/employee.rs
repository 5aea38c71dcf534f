//! Employees.

use super::choices::EmploymentType;
use super::{LegalEntity, Location};
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::{Address, Email, Midnight, Moment, Ref};

choice! {
    /// Where somebody stands in the life of the employment.
    pub open EmploymentStatus { Active = "ACTIVE", Pending = "PENDING", Inactive = "INACTIVE", Leave = "LEAVE" }
}

choice! {
    /// Gender, as the tool has it.
    pub open Gender { Male = "MALE", Female = "FEMALE", NonBinary = "NON_BINARY", NotSpecified = "NOT_SPECIFIED" }
}

choice! {
    /// Ethnicity, in the terms of US reporting.
    pub open Ethnicity {
        White = "WHITE", Asian = "ASIAN", HispanicLatino = "HISPANIC_LATINO", Hawaiian = "HAWAIIAN",
        NativeAmerican = "NATIVE_AMERICAN", BlackAfricanAmerican = "BLACK_AFRICAN_AMERICAN",
        MultipleEthnicities = "MULTIPLE_ETHNICITIES", DeclineToSpecify = "DECLINE_TO_SPECIFY",
    }
}

choice! {
    /// Marital status.
    pub open MaritalStatus {
        Single = "SINGLE", Married = "MARRIED", DomesticPartnership = "DOMESTIC_PARTNERSHIP", Widowed = "WIDOWED",
        Divorced = "DIVORCED", Separated = "SEPARATED", NotMarried = "NOT_MARRIED",
    }
}

choice! {
    /// What a domestic routing number is.
    pub closed RoutingType {
        GbSortCode = "GB_SORT_CODE", DeBankleitzahl = "DE_BANKLEITZAHL",
        UsAba = "US_ABA_ROUTING_TRANSIT_NUMBER", CaRouting = "CA_ROUTING_NUMBER", AuBsb = "AU_BSB_CODE", FrRib = "FR_RIB",
    }
}

structure! {
    /// How a country routes payments inside its borders.
    pub struct DomesticBankRouting {
        /// The number.
        pub number: String,
        /// What kind of number it is.
        pub r#type: Option<RoutingType>,
    }
}

structure! {
    /// An account that wages are paid to.
    pub struct BankAccount {
        /// International account number.
        pub iban: Option<String>,
        /// Code of the bank (SWIFT).
        pub bic: Option<String>,
        /// Domestic account number.
        pub account_number: Option<String>,
        /// Whose account it is.
        pub holder_name: Option<String>,
        /// Name of the bank.
        pub bank_name: Option<String>,
        /// Domestic routing.
        pub domestic_bank_routing: Option<DomesticBankRouting>,
    }
}

structure! {
    /// A person who works, worked or will work for the connected company.
    pub struct Employee {
        /// The number people use for the person, as printed on payslips.
        pub employee_number: Option<String>,
        /// First name.
        pub first_name: Option<String>,
        /// Last name.
        pub last_name: Option<String>,
        /// Nationality as the tool writes it.
        pub nationality: Option<String>,
        /// The whole name as the tool shows it.
        pub display_full_name: Option<String>,
        /// Title of the job held now.
        pub job_title: Option<String>,
        /// E-mail address at work.
        pub work_email: Option<Email>,
        /// Private e-mail address.
        pub personal_email: Option<Email>,
        /// Mobile phone number as the tool has it.
        pub mobile_phone_number: Option<String>,
        /// Social security number.
        pub ssn: Option<String>,
        /// Tax number.
        pub tax_id: Option<String>,
        /// Gender.
        pub gender: Option<Gender>,
        /// Ethnicity.
        pub ethnicity: Option<Ethnicity>,
        /// Marital status.
        pub marital_status: Option<MaritalStatus>,
        /// Standing of the employment.
        pub employment_status: Option<EmploymentStatus>,
        /// Kind of employment held now.
        pub employment_type: Option<EmploymentType>,
        /// Hours agreed per week.
        pub weekly_hours: Option<f64>,
        /// URL of a picture.
        pub avatar: Option<String>,
        /// Where the person works.
        pub work_location_id: Option<Ref<Location>>,
        /// The company that employs the person.
        pub legal_entity_id: Option<Ref<LegalEntity>>,
        /// Who the person reports to.
        pub manager_id: Option<Ref<Employee>>,
        /// Where the person lives.
        pub home_address: Option<Address>,
        /// Accounts that wages are paid to.
        pub bank_accounts: Option<Vec<BankAccount>>,
        /// Day of birth.
        pub date_of_birth: Option<Midnight>,
        /// First day of the employment.
        pub start_date: Option<Midnight>,
        /// Last day of the employment.
        pub termination_date: Option<Midnight>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

const GROUPS: View = View::of(&["id", "remote_id", "name", "type"]);

model! {
    Employee: "hris_employees", "Employees", Hris, Some("/hris/employees"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "employments", doc: "Contracts held, now and before.",
            target: "hris_employments", join: Join::Back("employee_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "employee_id", "job_title", "pay_rate", "pay_period", "pay_frequency",
                "employment_type", "pay_currency", "effective_date", "changed_at", "remote_deleted_at",
                "custom_fields", "integration_fields", "remote_data"]),
        },
        Relation {
            name: "time_off_balances", doc: "Time off left, per type.",
            target: "hris_time_off_balances", join: Join::Back("employee_id"), nullable: false, touches: Touches::BOTH,
            view: View::of(&["id", "remote_id", "employee_id", "type_id", "balance", "balance_unit", "used", "used_unit",
                "changed_at", "remote_deleted_at", "remote_data"]),
        },
        Relation {
            name: "manager", doc: "Who the person reports to.",
            target: "hris_employees", join: Join::Field("manager_id"), nullable: true, touches: Touches::LINKED,
            view: View::of(&["first_name", "last_name", "display_full_name", "id", "employee_number", "remote_id",
                "work_email", "employment_status", "termination_date"]),
        },
        Relation {
            name: "groups", doc: "Departments, teams and cost centres of the person.",
            target: "hris_teams", join: Join::Links { attributes: None }, nullable: false, touches: Touches::LINKS,
            view: GROUPS,
        },
        Relation {
            name: "teams", doc: "The older name of `groups`.",
            target: "hris_teams", join: Join::SameAs("groups"), nullable: false, touches: Touches::NONE,
            view: GROUPS,
        },
        Relation {
            name: "legal_entity", doc: "The company that employs the person.",
            target: "hris_legal_entities", join: Join::Field("legal_entity_id"), nullable: true, touches: Touches::LINKED,
            view: View::of(&["id", "remote_id", "name", "address"]),
        },
        Relation {
            name: "work_location", doc: "Where the person works.",
            target: "hris_locations", join: Join::Field("work_location_id"), nullable: true, touches: Touches::LINKED,
            view: View::of(&["id", "remote_id", "name", "type", "address", "changed_at", "remote_deleted_at", "remote_data"]),
        },
    ],
    filters: &[
        Filter { name: "employment_statuses", doc: "Standing of the employment.", rule: FilterRule::AnyOf { key: "employment_status" }, deprecated: false },
        Filter { name: "group_ids", doc: "Member of one of these groups.", rule: FilterRule::RefersTo { field: "groups" }, deprecated: false },
        Filter { name: "legal_entity_ids", doc: "Employed by one of these companies.", rule: FilterRule::RefersTo { field: "legal_entity_id" }, deprecated: false },
        Filter { name: "work_location_ids", doc: "Working at one of these locations.", rule: FilterRule::RefersTo { field: "work_location_id" }, deprecated: false },
        Filter { name: "work_emails", doc: "E-mail address at work, without regard to case.", rule: FilterRule::AnyOfFolded { key: "work_email" }, deprecated: false },
        Filter { name: "personal_emails", doc: "Private e-mail address, without regard to case.", rule: FilterRule::AnyOfFolded { key: "personal_email" }, deprecated: false },
        Filter { name: "custom_fields", doc: "A JSON object with one pair: a custom field's key and its value.", rule: FilterRule::CustomField, deprecated: false },
        Filter { name: "employment_status", doc: "Standing of the employment; use `employment_statuses`.",
            rule: FilterRule::OneOf { key: "employment_status", values: EmploymentStatus::CHOICES.values }, deprecated: true },
    ],
}
