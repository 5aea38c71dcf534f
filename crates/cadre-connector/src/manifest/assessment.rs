//! How a tool orders assessments: the section `assessment`.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expression, Method, Proof};

/// How a tool orders assessments of us. It calls `<the integration's address>/<request>`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentSection {
    /// How a call proves that it is the tool's.
    pub proof: Proof,
    /// What the tool may ask, by the last part of the address.
    pub requests: IndexMap<String, AssessmentRequest>,
    /// Whether people may order by hand in the dashboard: for tools in which nobody can.
    #[serde(default)]
    pub by_hand: bool,
}

/// Something that a tool asks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssessmentRequest {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// What is asked.
    pub does: AssessmentCall,
    /// For an order, an object: `package_id`, `candidate`, `application`, `job`, `inline`, and `context`,
    /// which comes back as `$record.context` when the result is handed over.
    pub order: Option<Expression>,
    /// For a question about an order, its id.
    pub order_id: Option<Expression>,
    /// The answer.
    pub answer: Option<Expression>,
    /// The answer to an order that was rejected.
    pub rejected: Option<Expression>,
    /// The status of that answer.
    #[serde(default = "unprocessable")]
    pub rejected_status: u16,
}

const fn unprocessable() -> u16 {
    422
}

/// What a tool asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssessmentCall {
    /// What can be ordered: `$packages`.
    ListPackages,
    /// It orders something: `$order`.
    Order,
    /// How an order stands: `$order`.
    Status,
    /// It tells that an answer of ours did not suit it; that is kept in the log.
    Complaint,
}
