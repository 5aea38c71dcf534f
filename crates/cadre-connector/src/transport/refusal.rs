//! What a transport other than HTTP says when it cannot deliver.

use cadre_model::fault::{Code, Fault};

/// A failure of a transport, classified, with the rule that did so.
///
/// There is no HTTP status to classify by, so the transport itself is the most specific place that
/// knows what a failure means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Code, message and hint.
    pub fault: Fault,
    /// Which rule decided, as the log shows it: `default: LDAP result 49`.
    pub rule: String,
}

impl Refusal {
    /// A refusal; `rule` is printed after `default: `.
    pub fn new(code: Code, rule: impl std::fmt::Display, message: impl Into<String>) -> Self {
        Self { fault: Fault::new(code, message), rule: format!("default: {rule}") }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.fault = self.fault.hint(hint);
        self
    }

    /// Adds what only the operator's log may know.
    #[must_use]
    pub fn context(mut self, context: impl std::fmt::Display) -> Self {
        self.fault = self.fault.context(context.to_string());
        self
    }
}
