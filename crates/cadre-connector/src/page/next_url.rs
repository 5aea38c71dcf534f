//! The body holds the URL of the next page.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Position, Stuck};
use crate::manifest::Expression;

/// The body holds the URL of the next page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextUrl {
    /// Yields the URL, absolute or relative; `null` or `""` ends.
    pub url: Expression,
    /// Yields how many records there are in all.
    pub total: Option<Expression>,
    /// Most pages; more are an error.
    pub max_pages: Option<u64>,
}

impl NextUrl {
    pub(super) fn next(
        &self,
        _: &Position,
        answer: &Answer<'_>,
    ) -> Result<Option<Position>, Stuck> {
        match answer.value("url", &self.url)? {
            Value::Null | Value::Bool(false) => Ok(None),
            Value::String(url) if url.is_empty() => Ok(None),
            Value::String(url) => {
                Ok(Some(Position { url: Some(answer.follow(&url)?), ..Position::default() }))
            }
            value => Err(Stuck(format!(
                "`paging.url: {}` gave {value}, which is not a URL",
                self.url.expr().source()
            ))),
        }
    }
}
