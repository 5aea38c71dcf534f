//! A query string as pairs, and what is wrong with it.

use std::fmt;

use cadre_model::fault::{Code, Fault};

/// Longest piece of a wrong value that an error message repeats, in characters.
const SHOWN_CHARS: usize = 100;

/// A parameter that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Name of the parameter.
    pub parameter: String,
    /// What it must be.
    pub expected: String,
    /// What came, shortened.
    pub got: String,
}

impl Problem {
    /// A problem with a parameter's value.
    pub fn new(parameter: &str, expected: impl Into<String>, got: &str) -> Self {
        let got = match got.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", &got[..end]),
            None => got.to_owned(),
        };
        Self { parameter: parameter.to_owned(), expected: expected.into(), got }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The debug form of text escapes what would make the message unreadable.
        write!(f, "`query.{}`: expected {}, got {:?}", self.parameter, self.expected, self.got)
    }
}

/// The fault for all problems of one request together.
#[must_use]
pub fn fault(problems: &[Problem]) -> Fault {
    let listed: Vec<String> = problems.iter().map(Problem::to_string).collect();
    Fault::new(Code::PlatformInputInvalid, format!("Invalid request: {}.", listed.join("; ")))
}

/// The parameters of a query string in the order they came, decoded.
#[derive(Debug, Default)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Takes a query string apart. A pair that cannot be decoded is a problem of its own.
    pub fn parse(query: Option<&str>, problems: &mut Vec<Problem>) -> Self {
        let mut pairs = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Ok(name), Ok(value)) => pairs.push((name, value)),
                (Ok(name), Err(expected)) => problems.push(Problem::new(&name, expected, value)),
                // A name that nobody can read is a parameter that nobody knows; those are ignored.
                (Err(_), _) => {}
            }
        }
        Self(pairs)
    }

    /// Every value that the parameter came with.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The one value of a parameter. Given twice with different values, it is a problem.
    pub fn one<'a>(&'a self, name: &'a str, problems: &mut Vec<Problem>) -> Option<&'a str> {
        let mut values = self.all(name);
        let first = values.next()?;
        if let Some(other) = values.find(|value| *value != first) {
            let got = format!("{first} and {other}");
            problems.push(Problem::new(name, "the parameter once", &got));
            return None;
        }
        Some(first)
    }
}

/// Decodes one part, strictly: a stray `%` or bytes that are not UTF-8 are refused.
fn decode(part: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match (rest.next().and_then(hex), rest.next().and_then(hex)) {
                (Some(high), Some(low)) => bytes.push(high << 4 | low),
                _ => return Err("percent-encoded text, with two hex digits after every %"),
            },
            other => bytes.push(other),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err("text without NUL characters"),
        Ok(text) => Ok(text),
        Err(_) => Err("percent-encoded UTF-8"),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::{Pairs, Problem};

    #[test]
    fn pairs_are_decoded() {
        let mut problems = Vec::new();
        let pairs = Pairs::parse(Some("a=1%2C2&b=x+y&c&&a=3"), &mut problems);
        assert_eq!(pairs.all("a").collect::<Vec<_>>(), ["1,2", "3"]);
        assert_eq!(pairs.one("b", &mut problems), Some("x y"));
        assert_eq!(pairs.one("c", &mut problems), Some(""));
        assert_eq!(pairs.one("d", &mut problems), None);
        assert!(problems.is_empty());
        assert_eq!(pairs.one("a", &mut problems), None);
        assert_eq!(problems, [Problem::new("a", "the parameter once", "1,2 and 3")]);
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        for broken in ["ids=%zz", "ids=%e4", "ids=%", "ids=a%00b"] {
            let mut problems = Vec::new();
            Pairs::parse(Some(broken), &mut problems);
            assert_eq!(problems.len(), 1, "{broken}");
            assert_eq!(problems[0].parameter, "ids");
        }
    }
}
