//! `actions/<action>.yaml`: a write, as named steps.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ErrorRule, Expression, Request, Response};

/// A write, as the tool wants it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionSection {
    /// Where the facts in the file come from: URLs.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Which files the tool takes.
    pub attachments: Option<Restrictions>,
    /// What callers may say for this tool alone: JSON schemas by name.
    #[serde(default)]
    pub remote_fields: IndexMap<String, Value>,
    /// What the body holds under the tool's own name, in actions whose body differs from tool to tool: a
    /// JSON schema.
    pub own_input: Option<Value>,
    /// The requests, in order.
    pub steps: IndexMap<String, Step>,
    /// How answers are judged, after the rules of a step and before those of the connector.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Raw records that the mirror learns, by stream: a record, or a list of them.
    #[serde(default)]
    pub records: IndexMap<String, Expression>,
    /// The remote id of the record that is answered with.
    pub id: Option<Expression>,
    /// What is answered with, where that is no record.
    pub answer: Option<Expression>,
    /// Whether the record that is answered with is gone afterwards.
    #[serde(default)]
    pub deletes: bool,
}

/// One request of an action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Whether the step is taken; by default it is.
    pub when: Option<Expression>,
    /// A list: the step is taken once for each item, which is `$item`.
    pub each: Option<Expression>,
    /// What is asked.
    pub request: Request,
    /// How the answer is read.
    #[serde(default)]
    pub response: Response,
    /// What later steps see of the answer, as `$steps.<name>`; by default all of it.
    pub save: Option<Expression>,
    /// How answers are judged, before everything else.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// Whether asking twice does no more than asking once; by default so for GET, PUT and DELETE.
    pub repeatable: Option<bool>,
    /// How to look whether a request of unknown outcome had its effect.
    pub read_back: Option<ReadBack>,
    /// Whether a failure is a warning, because what counts is done without it.
    #[serde(default)]
    pub may_fail: bool,
}

/// How to look whether a request had its effect.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadBack {
    /// What is asked.
    pub request: Request,
    /// Finds the effect in the answer, as `save` would have had it; `null` and `false`: it did not happen.
    pub found: Expression,
    /// How answers are judged, before everything else.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// How long the tool may need to finish what it began, in seconds, before the look.
    #[serde(default = "two")]
    pub wait_seconds: u64,
}

fn two() -> u64 {
    2
}

/// Which files the tool takes.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restrictions {
    /// Most bytes of all files together.
    pub total_size_bytes: Option<u64>,
    /// By kind of file; one that is not there is not taken.
    pub types: IndexMap<String, Restriction>,
}

/// Which files of a kind the tool takes.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// Fewest files.
    pub min_amount: Option<u64>,
    /// Most files.
    pub max_amount: Option<u64>,
    /// Most bytes of one file.
    pub max_file_size_bytes: Option<u64>,
    /// The media types.
    pub accepted_mime_types: Option<Vec<String>>,
}

impl Step {
    /// Whether asking twice does no more than asking once.
    #[must_use]
    pub fn is_repeatable(&self) -> bool {
        use super::Method;
        self.repeatable.unwrap_or(match self.request.method {
            Method::Get | Method::Put | Method::Delete => true,
            Method::Post | Method::Patch => false,
        })
    }
}

impl ActionSection {
    /// Whether a word stands in one of the expressions: how a field of the input is known to be used.
    #[must_use]
    pub fn names(&self, word: &str) -> bool {
        let has = |source: &str| {
            source
                .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
                .any(|part| part == word)
        };
        self.sources_of_expressions().iter().any(|source| has(source))
    }

    fn sources_of_expressions(&self) -> Vec<&str> {
        let mut found = Vec::new();
        for step in self.steps.values() {
            found.extend(step.when.iter().chain(&step.each).map(|one| one.expr().source()));
            let request = &step.request;
            found.push(request.path.expr().source());
            let parts = request.query.values().chain(request.headers.values());
            found.extend(parts.map(|part| part.expr().source()));
            let bodies = [&request.body, &request.multipart, &request.form];
            found.extend(bodies.into_iter().flatten().map(|one| one.expr().source()));
            let texts = [&request.xml, &request.soap];
            found.extend(texts.into_iter().flatten().map(|one| one.expr().source()));
        }
        found
    }
}
