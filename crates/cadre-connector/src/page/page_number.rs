//! Pages are numbered.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Position, Stuck, set};
use crate::manifest::Expression;

/// Pages are numbered.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageNumber {
    /// Query name of the number; left out when the body uses `$page.number`.
    pub param: Option<String>,
    /// Query name of the page size.
    pub size_param: Option<String>,
    /// Number of the first page.
    #[serde(default = "one")]
    pub start: u64,
    /// Records a page.
    pub size: u64,
    /// Yields the total of records.
    pub total: Option<Expression>,
    /// Yields the number of pages.
    pub pages: Option<Expression>,
    /// Yields whether there are more.
    pub more: Option<Expression>,
    /// Most pages; more are an error.
    pub max_pages: Option<u64>,
}

fn one() -> u64 {
    1
}

impl PageNumber {
    pub(super) fn place(&self, position: &Position, query: &mut Vec<(String, String)>) {
        if let Some(param) = &self.param {
            set(query, param, position.number.unwrap_or(self.start).to_string());
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
        let stated = |key, expression: &Option<Expression>| match expression {
            Some(expression) => answer.count(key, expression),
            None => Ok(None),
        };
        let total = stated("total", &self.total)?;
        let pages = stated("pages", &self.pages)?;
        // Every page but the last is full, so the first one tells the size that the vendor keeps to.
        let first = position.before == 0 && answer.records > 0;
        let size =
            if first { answer.records.min(self.size) } else { position.size.unwrap_or(self.size) };
        let pages = pages.or_else(|| total.map(|total| total.div_ceil(size.max(1))));
        let total = pages.map(|pages| pages * size).or(position.total);
        if (self.total.is_some() || self.pages.is_some()) && self.more.is_none() && total.is_none()
        {
            return Err(Stuck(
                "the answer states neither the total nor the number of pages".to_owned(),
            ));
        }
        let number = position.number.unwrap_or(self.start) + 1;
        let next =
            Position { number: Some(number), size: Some(size), total, ..Position::default() };
        Ok(match total {
            Some(total) => (self.skipped(&next) < total).then_some(next),
            None if self.more.is_some() => Some(next),
            None => (answer.records >= self.size).then_some(next),
        })
    }

    pub(super) fn ahead(&self, position: &Position) -> Option<Position> {
        let next = Position { number: Some(position.number? + 1), ..position.clone() };
        (self.skipped(&next) < position.total?).then_some(next)
    }

    /// Records before the page.
    fn skipped(&self, position: &Position) -> u64 {
        let pages = position.number.unwrap_or(self.start).saturating_sub(self.start);
        pages.saturating_mul(position.size.unwrap_or(self.size))
    }
}
