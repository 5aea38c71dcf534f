//! What a tool prepares before it can be fetched: a report that is started, and waited for.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expression, Request};

/// What the tool is told to prepare before the stream's request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Starts it.
    pub start: ReportStep,
    /// Asks whether it is ready; without it, it is ready when it was started.
    pub poll: Option<Poll>,
}

/// A request, and what is kept of its answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportStep {
    /// The request.
    pub request: Request,
    /// How its answer is read.
    #[serde(default)]
    pub response: super::Response,
    /// Yields an object whose keys `$report` has from then on.
    pub save: Expression,
}

/// How often, and how long, a tool is asked whether it is ready.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The request; `$report` holds what the start saved.
    pub request: Request,
    /// How its answer is read.
    #[serde(default)]
    pub response: super::Response,
    /// Holds when the report is ready.
    pub ready: Expression,
    /// Holds when there will be none.
    pub failed: Option<Expression>,
    /// Yields an object whose keys `$report` has from then on.
    pub save: Option<Expression>,
    /// Seconds between two questions.
    #[serde(default = "five")]
    pub every_seconds: u64,
    /// Seconds after which waiting ends with an error.
    #[serde(default = "half_an_hour")]
    pub at_most_seconds: u64,
}

fn five() -> u64 {
    5
}

fn half_an_hour() -> u64 {
    1800
}
