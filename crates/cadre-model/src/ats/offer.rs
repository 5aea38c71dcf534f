//! Offers.

use super::Application;
use super::application::JOB;
use super::candidate::NAMED;
use crate::model::{Join, Relation, Touches, View, model};
use crate::shape::{choice, structure};
use crate::values::{Midnight, Moment, Ref};

choice! {
    /// Where an offer stands.
    pub closed OfferStatus {
        Accepted = "ACCEPTED", Declined = "DECLINED", Sent = "SENT", Approved = "APPROVED", Draft = "DRAFT",
        Abandoned = "ABANDONED",
    }
}

structure! {
    /// An offer to employ a candidate.
    pub struct Offer {
        /// Where it stands.
        pub status: Option<OfferStatus>,
        /// First day of the employment offered.
        pub employment_start_date: Option<Midnight>,
        /// The application it is made on.
        pub application_id: Option<Ref<Application>>,
        /// When the tool made the record.
        pub remote_created_at: Option<Moment>,
        /// When the tool last changed the record.
        pub remote_updated_at: Option<Moment>,
    }
}

model! {
    Offer: "ats_offers", "Offers", Ats, Some("/ats/offers"),
    remote_id_nullable: true,
    extensions: [custom_fields, integration_fields, remote_data],
    relations: &[Relation {
        name: "application", doc: "The application it is made on.",
        target: "ats_applications", join: Join::Field("application_id"), nullable: true, touches: Touches::LINKED,
        view: View::with(&[], &[("candidate", NAMED), ("job", JOB)]),
    }],
    filters: &[],
}
