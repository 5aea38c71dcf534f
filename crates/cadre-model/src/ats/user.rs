//! Users of the tool and the roles they have.

use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::Email;

choice! {
    /// Whether an account can be used.
    pub closed UserStatus { Active = "ACTIVE", Inactive = "INACTIVE" }
}

choice! {
    /// What somebody with the role does.
    pub closed UnifiedRole {
        HiringManager = "HIRING_MANAGER", Recruiter = "RECRUITER", Coordinator = "COORDINATOR", Sourcer = "SOURCER",
        Interviewer = "INTERVIEWER", Admin = "ADMIN",
    }
}

choice! {
    /// Where a role holds.
    pub closed RoleScope { System = "SYSTEM", Job = "JOB" }
}

structure! {
    /// Somebody with an account in the tool.
    pub struct User {
        /// First name.
        pub first_name: Option<String>,
        /// Last name.
        pub last_name: Option<String>,
        /// E-mail address.
        pub email: Option<Email>,
        /// Whether the account can be used.
        pub status: Option<UserStatus>,
    }
}

/// What other records show of a user.
pub(super) const PERSON: View = View::of(&["id", "remote_id", "first_name", "last_name", "email"]);

model! {
    User: "ats_users", "Users", Ats, Some("/ats/users"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[Relation {
        name: "system_roles", doc: "Roles that hold everywhere in the tool.",
        target: "ats_roles", join: Join::Links { attributes: None }, nullable: false, touches: Touches::BOTH,
        view: View {
            fields: &["remote_id", "remote_label", "unified_type"],
            relations: &[], constants: &[("scope", "SYSTEM")], wrapped: None,
        },
    }],
    filters: &[
        Filter { name: "emails", doc: "E-mail address, without regard to case.", rule: FilterRule::AnyOfFolded { key: "email" }, deprecated: false },
    ],
}

structure! {
    /// A role that users can have.
    pub struct Role {
        /// What the tool calls it.
        pub remote_label: Option<String>,
        /// Where it holds.
        pub scope: Option<RoleScope>,
        /// What somebody with the role does.
        pub unified_type: Option<UnifiedRole>,
    }
}

model! {
    Role: "ats_roles", "Roles", Ats, Some("/ats/roles"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[
        Filter { name: "scopes", doc: "Where the role holds.", rule: FilterRule::AnyOf { key: "scope" }, deprecated: false },
    ],
}
