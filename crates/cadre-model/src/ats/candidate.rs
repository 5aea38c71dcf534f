//! Candidates: people who applied or might.

use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::structure;
use crate::values::{Address, Email, Moment, Url};

structure! {
    /// A phone number.
    pub struct PhoneNumber {
        /// The number as the tool has it.
        pub phone_number: String,
        /// What it is for, in the tool's own words.
        pub r#type: Option<String>,
    }
}

structure! {
    /// An e-mail address.
    pub struct EmailAddress {
        /// What it is for, in the tool's own words.
        pub r#type: Option<String>,
        /// The address.
        pub email_address: Option<Email>,
    }
}

structure! {
    /// A profile elsewhere.
    pub struct SocialMedia {
        /// Where it is.
        pub link: Option<String>,
        /// Which network.
        pub r#type: Option<String>,
        /// Name there.
        pub username: Option<String>,
    }
}

structure! {
    /// A person who applied or might.
    pub struct Candidate {
        /// First name.
        pub first_name: Option<String>,
        /// Last name.
        pub last_name: Option<String>,
        /// Where the person works.
        pub company: Option<String>,
        /// As what.
        pub title: Option<String>,
        /// Whether the record is kept secret.
        pub confidential: Option<bool>,
        /// Where the person came from.
        pub source: Option<String>,
        /// Phone numbers.
        pub phone_numbers: Option<Vec<PhoneNumber>>,
        /// E-mail addresses.
        pub email_addresses: Option<Vec<EmailAddress>>,
        /// Profiles elsewhere.
        pub social_media: Option<Vec<SocialMedia>>,
        /// Where the person lives.
        pub location: Option<Address>,
        /// Where the record can be seen in the tool.
        pub remote_url: Option<Url>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

/// What other records show of a tag.
const TAG: View = View::of(&["id", "remote_id", "name"]);

/// A candidate inside an application.
pub(super) const OF_APPLICATION: View = View::with(
    &[
        "id",
        "remote_id",
        "first_name",
        "last_name",
        "source",
        "remote_url",
        "email_addresses",
        "phone_numbers",
        "social_media",
    ],
    &[("tags", TAG)],
);

/// A candidate where only the name counts.
pub(super) const NAMED: View =
    View::of(&["id", "remote_id", "first_name", "last_name", "email_addresses"]);

model! {
    Candidate: "ats_candidates", "Candidates", Ats, Some("/ats/candidates"),
    remote_id_nullable: false,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[
        Relation {
            name: "applications", doc: "What the person applied for.",
            target: "ats_applications", join: Join::Back("candidate_id"), nullable: false, touches: Touches::BOTH,
            view: View::with(
                &["id", "remote_id", "outcome", "rejection_reason_name", "rejected_at", "remote_url", "changed_at",
                    "remote_created_at", "remote_updated_at"],
                &[("current_stage", View::of(&["id", "name", "remote_id", "index"])), ("job", View::of(&["id", "name", "remote_id"]))],
            ),
        },
        Relation {
            name: "tags", doc: "Labels on the person.",
            target: "ats_tags", join: Join::Links { attributes: None }, nullable: false, touches: Touches::LINKS,
            view: TAG,
        },
    ],
    filters: &[
        Filter { name: "email", doc: "E-mail address, without regard to case.", rule: FilterRule::EqualsFolded { key: "email_addresses.email_address" }, deprecated: false },
        Filter { name: "job_ids", doc: "Applied for one of these jobs.",
            rule: FilterRule::ReferredThrough { model: "ats_applications", field: "candidate_id", then: "job_id" }, deprecated: false },
        Filter { name: "first_name", doc: "First name, without regard to case.", rule: FilterRule::EqualsFolded { key: "first_name" }, deprecated: false },
        Filter { name: "last_name", doc: "Last name, without regard to case.", rule: FilterRule::EqualsFolded { key: "last_name" }, deprecated: false },
    ],
}

structure! {
    /// A label on a candidate.
    pub struct Tag {
        /// What it says.
        pub name: Option<String>,
    }
}

model! {
    Tag: "ats_tags", "Tags", Ats, Some("/ats/tags"),
    remote_id_nullable: true,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}
