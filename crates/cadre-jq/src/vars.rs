//! The fixed variables of an evaluation.

use serde_json::Value;

/// The variables that an expression may use. Which of them mean something depends on its place.
pub const VARIABLES: &[&str] = &[
    "$settings",
    "$secrets",
    "$session",
    "$status",
    "$headers",
    "$page",
    "$parent",
    "$record",
    "$lookup",
    "$now",
    "$since",
    "$input",
    "$steps",
    "$item",
    "$once",
    "$started",
    "$report",
];

const COUNT: usize = VARIABLES.len();

static NULL: Value = Value::Null;

/// The values of the variables for one evaluation. Those that are not set are null.
#[derive(Debug, Clone, Copy)]
pub struct Vars<'a>([&'a Value; COUNT]);

impl<'a> Vars<'a> {
    /// No variable set.
    #[must_use]
    pub fn new() -> Self {
        Self([&NULL; COUNT])
    }

    /// Sets one of [`VARIABLES`], with or without its `$`. Another name is ignored.
    #[must_use]
    pub fn with(mut self, name: &str, value: &'a Value) -> Self {
        if let Some(at) = index(name) {
            self.0[at] = value;
        }
        self
    }

    /// The value at a place of [`VARIABLES`].
    pub(crate) fn at(&self, index: usize) -> &'a Value {
        self.0.get(index).copied().unwrap_or(&NULL)
    }
}

impl Default for Vars<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Place of a variable in [`VARIABLES`].
pub(crate) fn index(name: &str) -> Option<usize> {
    let bare = name.strip_prefix('$').unwrap_or(name);
    VARIABLES.iter().position(|known| &known[1..] == bare)
}
