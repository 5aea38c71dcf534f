//! What applicant tracking systems can be told of the assessments that they ordered.

use super::input::{FILE, REMOTE_FIELDS, may, must};
use super::{About, Action, Answer, Bulk, Input, InputField, Preset};
use crate::model::Category::Assessment;

/// What a path names that is no record of a model: an order.
pub const ORDERS: &str = "assessment_orders";

/// The action that hands a result over.
pub const RESULT: &str = "assessment_update_order_result";

static TEXT: &[InputField] = &[
    must("label", Input::Text, "What it is called."),
    must("value", Input::Text, "What it says."),
];

static SUB_RESULT: &[InputField] = &[
    must("id", Input::Text, "Its id."),
    must("label", Input::Text, "What it is called."),
    must(
        "score",
        Input::Object(&[
            must("value", Input::Number(None), "Points."),
            must("max", Input::Number(Some(1)), "Most points."),
        ]),
        "How well it went.",
    ),
    must("status", Input::Choice(&["COMPLETED", "CANCELLED"]), "How it ended."),
];

/// Every action.
pub(super) static ACTIONS: &[Action] = &[Action {
    id: RESULT,
    label: "Update order result",
    category: Assessment,
    method: "PUT",
    path: "/assessment/orders/{assessment_order_id}/result",
    about: Some(About { parameter: "assessment_order_id", model: ORDERS }),
    body: &[
        must("status", Input::Choice(&["COMPLETED", "CANCELLED", "OPEN"]), "How the order stands."),
        must("result_url", Input::Url, "Where the result can be seen."),
        may("completed_at", Input::Moment, "When it ended; needed unless it is open."),
        may("score", Input::Number(None), "Points."),
        may("max_score", Input::Number(None), "Most points."),
        may(
            "attributes",
            Input::List(&Input::OneOf(&[("TEXT", TEXT), ("SUB_RESULT", SUB_RESULT)]), 100),
            "What else is to be said.",
        )
        .preset(Preset::Empty),
        may("attachments", Input::List(&Input::File(FILE), 5), "Files.").preset(Preset::Empty),
        REMOTE_FIELDS,
    ],
    answer: Answer::Nothing,
    deprecated: false,
    bulk: Bulk::No,
}];
