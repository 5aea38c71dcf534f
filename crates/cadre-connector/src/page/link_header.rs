//! A `Link` header names the next page (RFC 8288).

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Answer, Position, Stuck};
use crate::manifest::Expression;

/// A `Link` header names the next page.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkHeader {
    /// The relation of the link.
    #[serde(default = "next")]
    pub rel: String,
    /// Yields how many records there are in all.
    pub total: Option<Expression>,
    /// Most pages; more are an error.
    pub max_pages: Option<u64>,
}

fn next() -> String {
    "next".to_owned()
}

impl LinkHeader {
    pub(super) fn next(
        &self,
        _: &Position,
        answer: &Answer<'_>,
    ) -> Result<Option<Position>, Stuck> {
        let Some(header) = answer.headers.get("link").and_then(|value| value.as_str()) else {
            return Ok(None);
        };
        match target(header, &self.rel) {
            Some(url) => {
                Ok(Some(Position { url: Some(answer.follow(url)?), ..Position::default() }))
            }
            None => Ok(None),
        }
    }
}

/// The target of the first link with the relation: `<url>; rel="next", <url>; rel="last"`.
fn target<'a>(header: &'a str, rel: &str) -> Option<&'a str> {
    let mut rest = header;
    while let Some(open) = rest.find('<') {
        let after = &rest[open + 1..];
        let close = after.find('>')?;
        let url = &after[..close];
        let parameters = &after[close + 1..];
        let end = end_of_link(parameters);
        let matches = parameters[..end].split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let value = value.trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel")
                && value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case(rel))
        });
        if matches {
            return Some(url);
        }
        rest = &parameters[end..];
    }
    None
}

/// Where the parameters of a link end: at a comma outside of quotes.
fn end_of_link(parameters: &str) -> usize {
    let mut quoted = false;
    for (at, letter) in parameters.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => return at,
            _ => {}
        }
    }
    parameters.len()
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn links_are_found() {
        for (header, expected) in [
            ("<https://a.example/x?page=2>; rel=\"next\"", Some("https://a.example/x?page=2")),
            (
                "</x?a=1,2>; rel=prev, </x?a=3,4>; title=\"a, b\"; rel=\"last next\"",
                Some("/x?a=3,4"),
            ),
            ("<https://a.example/x>; rel=\"last\"", None),
            ("<https://a.example/x", None),
            ("", None),
        ] {
            assert_eq!(target(header, "next"), expected, "{header}");
        }
    }
}
