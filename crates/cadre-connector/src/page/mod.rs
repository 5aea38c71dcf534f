//! How the next page is found: one file per scheme.
//!
//! A scheme is a section of the manifest that knows two things: what a [`Position`] adds to a
//! request, and which position follows an [`Answer`]. It does no input or output. To add one: a file
//! beside these with the section and its rules, a variant of [`Paging`], and a line in the guide.

mod cursor;
mod link_header;
mod next_url;
mod offset;
mod page_number;

use cadre_jq::Vars;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::manifest::Expression;

pub use cursor::Cursor;
pub use link_header::LinkHeader;
pub use next_url::NextUrl;
pub use offset::Offset;
pub use page_number::PageNumber;

/// Most pages of one stream, where the manifest states nothing else.
const MAX_PAGES: u64 = 100_000;

/// How the next page is found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(tag = "type")]
pub enum Paging {
    /// There is one page.
    None(Single),
    /// A `Link` header names the next page.
    LinkHeader(LinkHeader),
    /// The body holds the URL of the next page.
    NextUrl(NextUrl),
    /// The body holds a token for the next page.
    Cursor(Cursor),
    /// Records are skipped.
    Offset(Offset),
    /// Pages are numbered.
    PageNumber(PageNumber),
    /// A directory hands out its entries in pages (RFC 2696).
    SearchPages(SearchPages),
}

/// One page, stated.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Single {}

/// Simple paged results of a directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchPages {
    /// Entries a page.
    #[serde(default = "five_hundred")]
    pub size: u64,
}

fn five_hundred() -> u64 {
    500
}

/// Where a page is: what asks for it, and what resumes a run there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Pages before this one.
    #[serde(default)]
    pub before: u64,
    /// Records to skip.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub offset: u64,
    /// Number of the page, as the vendor counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Records a page, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The vendor's token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<Value>,
    /// The page's whole URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Where the pages end, in records, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Records in the pages before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub seen: u64,
    /// How many records there are in all, as the tool said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<u64>,
    /// Fingerprint of the page before, if it held records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<u64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a page answered, as far as paging looks at it.
pub struct Answer<'a> {
    /// The parsed body.
    pub body: &'a Value,
    /// The response headers, as `$headers`.
    pub headers: &'a Value,
    /// How many records were found.
    pub records: u64,
    /// Where the page came from.
    pub url: &'a Url,
    /// The variables of the answer.
    pub vars: &'a Vars<'a>,
}

/// The answer does not let the paging go on, or end: a sentence without subject, ready to follow
/// "cannot go on after page 3: ".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck(pub String);

impl Paging {
    /// The first page.
    #[must_use]
    pub fn start(&self) -> Position {
        let mut position = Position::default();
        match self {
            Paging::Offset(scheme) => {
                position.size = Some(scheme.size);
                position.offset = scheme.start;
            }
            Paging::PageNumber(scheme) => {
                position.number = Some(scheme.start);
                position.size = Some(scheme.size);
            }
            Paging::None(_)
            | Paging::LinkHeader(_)
            | Paging::NextUrl(_)
            | Paging::Cursor(_)
            | Paging::SearchPages(_) => {}
        }
        position
    }

    /// `$page` at a position.
    #[must_use]
    pub fn page(&self, position: &Position) -> Value {
        let number = position.number.unwrap_or(position.before + 1);
        let size = match self {
            Paging::Offset(scheme) => Some(scheme.size),
            Paging::PageNumber(scheme) => Some(scheme.size),
            Paging::Cursor(scheme) => scheme.size,
            Paging::SearchPages(scheme) => Some(scheme.size),
            Paging::None(_) | Paging::LinkHeader(_) | Paging::NextUrl(_) => None,
        };
        json!({"number": number, "offset": position.offset, "size": size, "cursor": position.cursor})
    }

    /// Puts the position into the request's URL. The flag says that the scheme wants the query for
    /// itself alone.
    pub(crate) fn place(&self, position: &Position, query: &mut Vec<(String, String)>) {
        match self {
            Paging::Cursor(scheme) => scheme.place(position, query),
            Paging::Offset(scheme) => scheme.place(position, query),
            Paging::PageNumber(scheme) => scheme.place(position, query),
            Paging::None(_)
            | Paging::LinkHeader(_)
            | Paging::NextUrl(_)
            | Paging::SearchPages(_) => {}
        }
    }

    /// The position after an answer; `None` when it was the last page.
    pub fn next(
        &self,
        position: &Position,
        answer: &Answer<'_>,
    ) -> Result<Option<Position>, Stuck> {
        let next = match self {
            Paging::None(_) | Paging::SearchPages(_) => None,
            Paging::LinkHeader(scheme) => scheme.next(position, answer)?,
            Paging::NextUrl(scheme) => scheme.next(position, answer)?,
            Paging::Cursor(scheme) => scheme.next(position, answer)?,
            Paging::Offset(scheme) => scheme.next(position, answer)?,
            Paging::PageNumber(scheme) => scheme.next(position, answer)?,
        };
        let Some(mut next) = next else { return Ok(None) };
        next.before = position.before + 1;
        if next.before >= self.max_pages() {
            return Err(Stuck(format!("more than {} pages", self.max_pages())));
        }
        Ok(Some(next))
    }

    /// The position after another one, as far as it is known before the answer is: pages to read
    /// ahead within a stated total.
    #[must_use]
    pub fn ahead(&self, position: &Position) -> Option<Position> {
        let mut next = match self {
            Paging::Offset(scheme) => scheme.ahead(position),
            Paging::PageNumber(scheme) => scheme.ahead(position),
            Paging::None(_)
            | Paging::LinkHeader(_)
            | Paging::NextUrl(_)
            | Paging::Cursor(_)
            | Paging::SearchPages(_) => None,
        }?;
        next.before = position.before + 1;
        (next.before < self.max_pages()).then_some(next)
    }

    /// How many records there are in all, as the answer states it.
    pub(crate) fn stated(&self, answer: &Answer<'_>) -> Result<Option<u64>, Stuck> {
        let total = match self {
            Paging::None(_) | Paging::SearchPages(_) => None,
            Paging::LinkHeader(scheme) => scheme.total.as_ref(),
            Paging::NextUrl(scheme) => scheme.total.as_ref(),
            Paging::Cursor(scheme) => scheme.total.as_ref(),
            Paging::Offset(scheme) => scheme.total.as_ref(),
            Paging::PageNumber(scheme) => scheme.total.as_ref(),
        };
        total.map_or(Ok(None), |total| answer.count("total", total))
    }

    /// Whether a page without records, with others after it, has lost some: where only the number of
    /// pages is stated, nothing else tells.
    pub(crate) fn has_hole(&self, answer: &Answer<'_>, next: Option<&Position>) -> bool {
        let Paging::PageNumber(scheme) = self else { return false };
        scheme.pages.is_some() && answer.records == 0 && next.is_some()
    }

    /// Most pages before the run ends with an error.
    #[must_use]
    pub fn max_pages(&self) -> u64 {
        let stated = match self {
            Paging::None(_) | Paging::SearchPages(_) => None,
            Paging::LinkHeader(scheme) => scheme.max_pages,
            Paging::NextUrl(scheme) => scheme.max_pages,
            Paging::Cursor(scheme) => scheme.max_pages,
            Paging::Offset(scheme) => scheme.max_pages,
            Paging::PageNumber(scheme) => scheme.max_pages,
        };
        stated.unwrap_or(MAX_PAGES)
    }

    /// The expressions of the section, by key.
    pub(crate) fn expressions(&self) -> Vec<(&'static str, &Expression)> {
        let found: Vec<(&'static str, Option<&Expression>)> = match self {
            Paging::None(_) | Paging::SearchPages(_) => Vec::new(),
            Paging::LinkHeader(scheme) => vec![("total", scheme.total.as_ref())],
            Paging::NextUrl(scheme) => {
                vec![("url", Some(&scheme.url)), ("total", scheme.total.as_ref())]
            }
            Paging::Cursor(scheme) => {
                vec![("next", Some(&scheme.next)), ("total", scheme.total.as_ref())]
            }
            Paging::Offset(scheme) => {
                vec![("total", scheme.total.as_ref()), ("more", scheme.more.as_ref())]
            }
            Paging::PageNumber(scheme) => vec![
                ("total", scheme.total.as_ref()),
                ("pages", scheme.pages.as_ref()),
                ("more", scheme.more.as_ref()),
            ],
        };
        found.into_iter().filter_map(|(key, expression)| Some((key, expression?))).collect()
    }
}

impl Answer<'_> {
    fn value(&self, key: &str, expression: &Expression) -> Result<Value, Stuck> {
        expression.value(self.body, self.vars).map_err(|error| {
            Stuck(format!("`paging.{key}: {}` failed: {error}", expression.expr().source()))
        })
    }

    /// A count that the answer states; `None` where it states none.
    fn count(&self, key: &str, expression: &Expression) -> Result<Option<u64>, Stuck> {
        let value = self.value(key, expression)?;
        let count = match &value {
            Value::Null => return Ok(None),
            Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        match count {
            Some(count) => Ok(Some(count)),
            None => Err(Stuck(format!(
                "`paging.{key}: {}` gave {value}, which is not a count",
                expression.expr().source()
            ))),
        }
    }

    /// A flag that the answer states.
    fn flag(&self, key: &str, expression: &Expression) -> Result<bool, Stuck> {
        match self.value(key, expression)? {
            Value::Bool(flag) => Ok(flag),
            Value::Null => Ok(false),
            Value::Number(number) => Ok(number.as_f64() != Some(0.0)),
            Value::String(text) if matches!(text.as_str(), "true" | "1") => Ok(true),
            Value::String(text) if matches!(text.as_str(), "false" | "0" | "") => Ok(false),
            value => Err(Stuck(format!(
                "`paging.{key}: {}` gave {value}, which is neither true nor false",
                expression.expr().source()
            ))),
        }
    }

    /// The next URL that an answer names, as an absolute one on the same host.
    fn follow(&self, named: &str) -> Result<String, Stuck> {
        let mut next = self
            .url
            .join(named)
            .map_err(|error| Stuck(format!("the next URL cannot be read: {error}")))?;
        if next.host_str() != self.url.host_str() {
            return Err(Stuck(format!(
                "the next URL points at another host ({}) than the page ({})",
                next.host_str().unwrap_or("none"),
                self.url.host_str().unwrap_or("none"),
            )));
        }
        // Servers behind a proxy often name themselves with the scheme and port they are reached by inside.
        if next.scheme() == "http" && self.url.scheme() == "https" {
            let upgraded = next.set_scheme("https").and_then(|()| next.set_port(self.url.port()));
            upgraded.map_err(|()| Stuck("the next URL cannot be read over https".to_owned()))?;
        }
        if next.scheme() != self.url.scheme()
            || next.port_or_known_default() != self.url.port_or_known_default()
        {
            return Err(Stuck(
                "the next URL points at another port or scheme than the page".to_owned(),
            ));
        }
        next.set_fragment(None);
        if next == *self.url {
            return Err(Stuck("the next URL is the page's own".to_owned()));
        }
        Ok(next.into())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "checked to be whole, not negative and in range"
)]
fn whole(number: f64) -> Option<u64> {
    (number >= 0.0 && number.fract() == 0.0 && number < u64::MAX as f64).then_some(number as u64)
}

fn set(query: &mut Vec<(String, String)>, name: &str, value: String) {
    query.retain(|(known, _)| known != name);
    query.push((name.to_owned(), value));
}

#[cfg(test)]
mod tests;
