//! Users: the people who learn.

use crate::model::{Filter, FilterRule, model};
use crate::shape::{choice, structure};
use crate::values::{Email, Moment};

choice! {
    /// Whether something is in use.
    pub closed InUse { Active = "ACTIVE", Inactive = "INACTIVE" }
}

structure! {
    /// Somebody who can take courses.
    pub struct Learner {
        /// Given name.
        pub first_name: Option<String>,
        /// Family name.
        pub last_name: Option<String>,
        /// Address at work.
        pub work_email: Option<Email>,
        /// Whether the account is in use.
        pub status: Option<InUse>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
    }
}

model! {
    Learner: "lms_users", "Users", Lms, Some("/lms/users"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[],
    filters: &[
        Filter { name: "work_emails", doc: "Address at work, without regard to case.", rule: FilterRule::AnyOfFolded { key: "work_email" }, deprecated: false },
    ],
}
