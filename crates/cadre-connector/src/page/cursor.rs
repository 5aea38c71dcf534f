//! The body holds a token for the next page.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Position, Stuck, set};
use crate::manifest::{Expression, printed};

/// The body holds a token for the next page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// Yields the token; `null`, `""` or `false` ends.
    pub next: Expression,
    /// Query name of the token; left out when the body uses `$page.cursor`.
    pub param: Option<String>,
    /// Whether the token must be the only query parameter.
    #[serde(default)]
    pub alone: bool,
    /// Records a page, for `$page.size`.
    pub size: Option<u64>,
    /// Yields how many records there are in all.
    pub total: Option<Expression>,
    /// Most pages; more are an error.
    pub max_pages: Option<u64>,
}

impl Cursor {
    pub(super) fn place(&self, position: &Position, query: &mut Vec<(String, String)>) {
        let Some(token) = position.cursor.as_ref().and_then(printed) else { return };
        let Some(param) = &self.param else { return };
        if self.alone {
            query.clear();
        }
        set(query, param, token);
    }

    pub(super) fn next(
        &self,
        position: &Position,
        answer: &Answer<'_>,
    ) -> Result<Option<Position>, Stuck> {
        match answer.value("next", &self.next)? {
            Value::Null | Value::Bool(false) => Ok(None),
            Value::String(token) if token.is_empty() => Ok(None),
            token if position.cursor.as_ref() == Some(&token) => {
                Err(Stuck("the page names its own cursor as the next one".to_owned()))
            }
            token => Ok(Some(Position { cursor: Some(token), ..Position::default() })),
        }
    }
}
