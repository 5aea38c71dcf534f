//! Performance reviews and the cycles they belong to.

use super::Employee;
use crate::model::{Filter, FilterRule, Join, Relation, Touches, View, model};
use crate::shape::{choice, structure, union};
use crate::values::{Midnight, Ref};

structure! {
    /// A round of performance reviews.
    pub struct PerformanceReviewCycle {
        /// Name.
        pub name: Option<String>,
        /// First day of the time that is reviewed.
        pub review_period_start_date: Option<Midnight>,
    }
}

model! {
    PerformanceReviewCycle: "hris_performance_review_cycles", "Performance review cycles", Hris,
    Some("/hris/performance-review-cycles"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[],
    filters: &[],
}

choice! {
    /// Who reviews whom.
    pub closed ReviewType { Manager = "MANAGER", DirectReport = "DIRECT_REPORT", Peer = "PEER", OneSelf = "SELF" }
}

structure! {
    /// A rating by number.
    pub struct NumericRating {
        /// Least value of the scale.
        pub min: Option<f64>,
        /// Greatest value of the scale.
        pub max: Option<f64>,
        /// The rating.
        pub value: Option<f64>,
    }
}

structure! {
    /// A rating by choice.
    pub struct SelectRating {
        /// The options from worst to best.
        pub ordered_options: Option<Vec<String>>,
        /// The option chosen.
        pub value: Option<String>,
    }
}

union! {
    /// The rating that sums a review up.
    pub enum SummaryRating {
        /// By number.
        Numeric(NumericRating) = "NUMERIC",
        /// By choice.
        SingleSelect(SelectRating) = "SINGLE_SELECT",
    }
}

structure! {
    /// A review of one employee by somebody.
    pub struct PerformanceReview {
        /// Who is reviewed. The wire shows the person, not the id alone.
        pub reviewee_id: Ref<Employee>,
        /// Who reviews.
        pub reviewer_id: Option<Ref<Employee>>,
        /// The round it belongs to.
        pub review_cycle_id: Option<Ref<PerformanceReviewCycle>>,
        /// Who reviews whom.
        pub r#type: Option<ReviewType>,
        /// The words that sum it up.
        pub summary_comment: Option<String>,
        /// The rating that sums it up.
        pub summary_rating: Option<SummaryRating>,
    }
}

const PERSON: View = View::of(&[
    "id",
    "remote_id",
    "first_name",
    "last_name",
    "display_full_name",
    "work_email",
    "remote_deleted_at",
]);

model! {
    PerformanceReview: "hris_performance_reviews", "Performance reviews", Hris, Some("/hris/performance-reviews"),
    remote_id_nullable: false,
    extensions: [remote_data],
    relations: &[
        Relation {
            name: "reviewee", doc: "Who is reviewed.",
            target: "hris_employees", join: Join::Field("reviewee_id"), nullable: false, touches: Touches::LINKED,
            view: PERSON,
        },
        Relation {
            name: "reviewer", doc: "Who reviews.",
            target: "hris_employees", join: Join::Field("reviewer_id"), nullable: true, touches: Touches::LINKED,
            view: PERSON,
        },
        Relation {
            name: "review_cycle", doc: "The round it belongs to.",
            target: "hris_performance_review_cycles", join: Join::Field("review_cycle_id"), nullable: true, touches: Touches::LINKED,
            view: View::of(&["id", "remote_id", "name", "review_period_start_date", "changed_at", "remote_deleted_at", "remote_data"]),
        },
    ],
    filters: &[
        Filter { name: "types", doc: "Who reviews whom.", rule: FilterRule::AnyOf { key: "type" }, deprecated: false },
        Filter { name: "review_cycle_ids", doc: "One of these rounds.", rule: FilterRule::RefersTo { field: "review_cycle_id" }, deprecated: false },
        Filter { name: "reviewee_ids", doc: "About one of these employees.", rule: FilterRule::RefersTo { field: "reviewee_id" }, deprecated: false },
    ],
}
