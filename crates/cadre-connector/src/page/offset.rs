//! Records are skipped.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Position, Stuck, set};
use crate::manifest::Expression;

/// Records are skipped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    /// Query name of the offset; left out when the body uses `$page.offset`.
    pub param: Option<String>,
    /// Query name of the page size.
    pub size_param: Option<String>,
    /// Records a page.
    pub size: u64,
    /// The number of the first record: 0, or 1 with vendors that count so.
    #[serde(default)]
    pub start: u64,
    /// Yields the total of records.
    pub total: Option<Expression>,
    /// Yields whether there are more.
    pub more: Option<Expression>,
    /// Most pages; more are an error.
    pub max_pages: Option<u64>,
}

impl Offset {
    pub(super) fn place(&self, position: &Position, query: &mut Vec<(String, String)>) {
        if let Some(param) = &self.param {
            set(query, param, position.offset.to_string());
        }
        if let Some(param) = &self.size_param {
            set(query, param, self.size.to_string());
        }
    }

    pub(super) fn next(
        &self,
        position: &Position,
        answer: &Answer<'_>,
    ) -> Result<Option<Position>, Stuck> {
        if let Some(more) = &self.more
            && !answer.flag("more", more)?
        {
            return Ok(None);
        }
        let total = match &self.total {
            Some(total) => answer.count("total", total)?.or(position.total),
            None => None,
        };
        if self.total.is_some() && self.more.is_none() && total.is_none() {
            return Err(Stuck("the answer does not state the total".to_owned()));
        }
        // A vendor that hands out fewer records than asked for while it says there are more caps the
        // page size: the next page starts where this one ended.
        let step = if answer.records == 0 { self.size } else { answer.records.min(self.size) };
        let next = Position {
            offset: position.offset + step,
            size: Some(self.size),
            total,
            ..Position::default()
        };
        Ok(match total {
            Some(total) => (next.offset - self.start < total).then_some(next),
            None if self.more.is_some() => Some(next),
            None => (answer.records >= self.size).then_some(next),
        })
    }

    pub(super) fn ahead(&self, position: &Position) -> Option<Position> {
        let offset = position.offset + self.size;
        (offset - self.start < position.total?).then(|| Position { offset, ..position.clone() })
    }
}
