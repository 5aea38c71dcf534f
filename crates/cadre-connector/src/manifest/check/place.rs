//! Where an expression stands, and what it may use there.

/// Where an expression stands: decides which variables mean something there.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A path: no secrets, because paths are shown.
    Path { parent: bool },
    /// Another part of a request.
    Request { parent: bool },
    /// Something looked up in an answer.
    Answer { parent: bool },
    /// The condition or message of a rule.
    Rule { parent: bool },
    /// The path of a read of what changed.
    DeltaPath,
    /// Another part of the request of a read of what changed.
    DeltaRequest,
    /// The path of a live read.
    LivePath,
    /// Another part of a live read's request.
    LiveRequest,
    /// The answer of a live read.
    LiveAnswer,
    /// A message of the tool.
    Message,
    /// The path of a step of an action.
    StepPath,
    /// Another part of a step's request.
    StepRequest,
    /// The answer to a step.
    StepAnswer,
    /// What decides about a step, or is made of all of them.
    Steps,
    /// Which records of a parent stream are asked for.
    Each,
    /// For which accounts a stream is read.
    Settings,
    /// The key of a lookup.
    Key,
    /// A log-in, or a signature without one.
    LogIn,
    /// The answer of a log-in.
    LogInAnswer,
    /// The answer of a log-in of several steps.
    LogInStepAnswer,
    /// The path of a request about a report.
    ReportPath,
    /// Another part of a request about a report.
    ReportRequest,
    /// An answer about a report.
    ReportAnswer,
    /// A signature after a log-in.
    Signature,
    /// A server other than HTTP.
    Server,
}

impl Place {
    /// The variables that mean something here.
    pub(super) fn offers(self) -> Vec<&'static str> {
        let (mut variables, parent) = match self {
            Place::Path { parent } => {
                (vec!["$settings", "$session", "$page", "$lookup", "$now"], parent)
            }
            Place::Request { parent } => {
                (vec!["$settings", "$secrets", "$session", "$page", "$lookup", "$now"], parent)
            }
            Place::Answer { parent } | Place::Rule { parent } => (
                vec!["$settings", "$session", "$status", "$headers", "$page", "$lookup", "$now"],
                parent,
            ),
            Place::DeltaPath => {
                (vec!["$settings", "$session", "$page", "$lookup", "$now", "$since"], false)
            }
            Place::DeltaRequest => (
                vec!["$settings", "$secrets", "$session", "$page", "$lookup", "$now", "$since"],
                false,
            ),
            Place::LivePath => (vec!["$settings", "$session", "$page", "$record", "$now"], false),
            Place::LiveRequest => {
                (vec!["$settings", "$secrets", "$session", "$page", "$record", "$now"], false)
            }
            Place::LiveAnswer => (
                vec!["$settings", "$session", "$status", "$headers", "$page", "$record", "$now"],
                false,
            ),
            Place::Message => (vec!["$settings", "$headers"], false),
            Place::StepPath => (with_step(&["$settings", "$session"]), false),
            Place::StepRequest => (with_step(&["$settings", "$secrets", "$session"]), false),
            Place::StepAnswer => {
                (with_step(&["$settings", "$session", "$status", "$headers"]), false)
            }
            Place::Steps => (with_step(&["$settings"]), false),
            Place::Each => (vec!["$settings", "$lookup", "$now"], false),
            Place::Settings => (vec!["$settings"], false),
            Place::Key => (vec!["$settings", "$now"], false),
            Place::LogIn => (vec!["$settings", "$secrets", "$now"], false),
            Place::LogInAnswer => (vec!["$settings", "$status", "$headers", "$now"], false),
            Place::LogInStepAnswer => {
                (vec!["$settings", "$session", "$status", "$headers", "$now"], false)
            }
            Place::ReportPath => {
                (vec!["$settings", "$session", "$page", "$lookup", "$now", "$report"], false)
            }
            Place::ReportRequest => (
                vec!["$settings", "$secrets", "$session", "$page", "$lookup", "$now", "$report"],
                false,
            ),
            Place::ReportAnswer => {
                (vec!["$settings", "$session", "$status", "$headers", "$now", "$report"], false)
            }
            Place::Signature => (vec!["$settings", "$secrets", "$session", "$now"], false),
            Place::Server => (vec!["$settings", "$secrets", "$lookup", "$now"], false),
        };
        if parent {
            variables.push("$parent");
        }
        variables
    }

    /// The place, for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Place::Path { .. } => "a path",
            Place::Request { .. } => "a request",
            Place::Answer { .. } => "an answer",
            Place::Rule { .. } => "an error rule",
            Place::DeltaPath => "the path of a read of what changed",
            Place::DeltaRequest => "the request of a read of what changed",
            Place::LivePath => "the path of a live read",
            Place::LiveRequest => "the request of a live read",
            Place::LiveAnswer => "the answer of a live read",
            Place::Message => "a message of the tool",
            Place::StepPath => "the path of a step",
            Place::StepRequest => "the request of a step",
            Place::StepAnswer => "the answer of a step",
            Place::Steps => "an action",
            Place::Each => "`each`",
            Place::Settings => "`when` of a stream",
            Place::Key => "the key of a lookup",
            Place::LogIn => "a log-in",
            Place::LogInAnswer | Place::LogInStepAnswer => "the answer of a log-in",
            Place::ReportPath => "the path of a request about a report",
            Place::ReportRequest => "a request about a report",
            Place::ReportAnswer => "an answer about a report",
            Place::Signature => "the signature of a request",
            Place::Server => "this section",
        }
    }
}

/// What every expression of an action may use, and these beside it.
fn with_step(more: &[&'static str]) -> Vec<&'static str> {
    let own = ["$input", "$record", "$steps", "$item", "$once", "$started", "$now"];
    more.iter().copied().chain(own).collect()
}
