//! Filters and paths (RFC 7644, sections 3.4.2.2 and 3.5.2), read.

use cadre_store::DirectoryKind;
use serde_json::Value;

use super::refusal::Refusal;
use super::schema;

/// Deepest nesting of a filter.
const DEEPEST: usize = 20;

/// Longest filter or path, in bytes.
const LONGEST: usize = 8 * 1024;

/// An attribute, or a part of it. Names are as they were given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// The schema of an extension; `None` for the resource's own attributes.
    pub(super) urn: Option<String>,
    /// `None` is the extension as a whole.
    pub(super) attribute: Option<String>,
    pub(super) part: Option<String>,
}

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    Compare(Place, Op, Value),
    Present(Place),
    /// Of the values of an attribute, one meets the condition.
    Within(Place, Box<Filter>),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Contains,
    Starts,
    Ends,
    Greater,
    GreaterEq,
    Less,
    LessEq,
}

/// What an operation of a PATCH is about.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Target {
    pub(super) place: Place,
    /// Which values of it.
    pub(super) filter: Option<Filter>,
}

impl Place {
    /// Reads `name`, `name.part`, `urn:…:name` or `urn:…:name.part`.
    pub(super) fn read(kind: DirectoryKind, text: &str) -> Result<Place, Refusal> {
        let wrong = || Refusal::path(format!("`{text}` is no path of an attribute."));
        let (urn, rest) = match split_urn(kind, text) {
            Some(found) => found,
            None => (None, text),
        };
        if rest.is_empty() && urn.is_some() {
            return Ok(Place { urn, attribute: None, part: None });
        }
        let mut names = rest.splitn(2, '.');
        let name = names.next().filter(|name| is_name(name)).ok_or_else(wrong)?;
        let part = match names.next() {
            Some(part) if is_name(part) => Some(part.to_owned()),
            Some(_) => return Err(wrong()),
            None => None,
        };
        Ok(Place { urn, attribute: Some(name.to_owned()), part })
    }
}

/// Parts a schema from what follows; the core schema is none.
fn split_urn(kind: DirectoryKind, text: &str) -> Option<(Option<String>, &str)> {
    let lower = text.to_ascii_lowercase();
    if !lower.starts_with("urn:") {
        return None;
    }
    for (id, urn) in [
        (schema::core(kind).id, None),
        (schema::ENTERPRISE.id, Some(schema::ENTERPRISE.id.to_owned())),
    ] {
        if let Some(rest) = lower.strip_prefix(&id.to_ascii_lowercase()) {
            let at = text.len() - rest.len();
            if rest.is_empty() {
                return Some((urn, ""));
            }
            if rest.starts_with(':') {
                return Some((urn, &text[at + 1..]));
            }
        }
    }
    // An extension that nobody here knows: its name ends at the last colon.
    let at = text.rfind(':')?;
    Some((Some(text[..at].to_owned()), &text[at + 1..]))
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '$')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '$'))
}

impl Target {
    /// Reads the path of an operation.
    pub(super) fn read(kind: DirectoryKind, text: &str) -> Result<Target, Refusal> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(Refusal::path("The path is too long.".to_owned()));
        }
        let Some(open) = text.find('[') else {
            return Ok(Target { place: Place::read(kind, text)?, filter: None });
        };
        let wrong = || Refusal::path(format!("`{text}` has no matching bracket."));
        let close = text.rfind(']').filter(|close| *close > open).ok_or_else(wrong)?;
        let mut place = Place::read(kind, &text[..open])?;
        match text[close + 1..].strip_prefix('.') {
            Some(part) if is_name(part) => place.part = Some(part.to_owned()),
            None if text[close + 1..].is_empty() => {}
            _ => return Err(wrong()),
        }
        let filter = Filter::read(kind, &text[open + 1..close]);
        // Within a path a filter that is wrong makes the path wrong.
        let filter = filter.map_err(|refusal| Refusal { word: Some("invalidPath"), ..refusal })?;
        Ok(Target { place, filter: Some(filter) })
    }
}

impl Filter {
    /// Reads a filter.
    pub(super) fn read(kind: DirectoryKind, text: &str) -> Result<Filter, Refusal> {
        if text.len() > LONGEST {
            return Err(Refusal::filter("The filter is too long."));
        }
        let mut words = Words { kind, rest: text, depth: 0 };
        let filter = words.any()?;
        words.skip();
        match words.rest {
            "" => Ok(filter),
            rest => Err(Refusal::filter(format!("`{rest}` is not expected there."))),
        }
    }

    /// The conditions that all have to hold, where it consists of `attribute eq value` alone.
    pub(super) fn equalities(&self) -> Option<Vec<(&str, &Value)>> {
        match self {
            Filter::Compare(
                Place { urn: None, attribute: Some(name), part: None },
                Op::Eq,
                value,
            ) => Some(vec![(name, value)]),
            Filter::All(all) => {
                let each: Option<Vec<_>> = all.iter().map(Filter::equalities).collect();
                each.map(|found| found.into_iter().flatten().collect())
            }
            _ => None,
        }
    }
}

/// What is left to be read of a filter.
struct Words<'t> {
    kind: DirectoryKind,
    rest: &'t str,
    depth: usize,
}

impl<'t> Words<'t> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Takes a word if it is the next one.
    fn takes(&mut self, word: &str) -> bool {
        self.skip();
        let Some(head) = self.rest.get(..word.len()) else { return false };
        let after = self.rest[word.len()..].chars().next();
        let ends = after.is_none_or(|letter| letter.is_whitespace() || letter == '(');
        let is_it =
            head.eq_ignore_ascii_case(word) && (ends || !word.ends_with(char::is_alphabetic));
        if is_it {
            self.rest = &self.rest[word.len()..];
        }
        is_it
    }

    fn any(&mut self) -> Result<Filter, Refusal> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Refusal::filter("The filter is too deep."));
        }
        let mut found = vec![self.all()?];
        while self.takes("or") {
            found.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if found.len() == 1 { found.remove(0) } else { Filter::Any(found) })
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut found = vec![self.one()?];
        while self.takes("and") {
            found.push(self.one()?);
        }
        Ok(if found.len() == 1 { found.remove(0) } else { Filter::All(found) })
    }

    fn one(&mut self) -> Result<Filter, Refusal> {
        if self.takes("not") {
            let inner = self.group()?;
            return Ok(Filter::Not(Box::new(inner)));
        }
        self.skip();
        if self.rest.starts_with('(') {
            return self.group();
        }
        let name = self.name()?;
        let place = Place::read(self.kind, name)
            .map_err(|refusal| Refusal { word: Some("invalidFilter"), ..refusal })?;
        if self.rest.starts_with('[') {
            self.rest = &self.rest[1..];
            let inner = self.any()?;
            self.close(']')?;
            return Ok(Filter::Within(place, Box::new(inner)));
        }
        if self.takes("pr") {
            return Ok(Filter::Present(place));
        }
        const OPS: &[(&str, Op)] = &[
            ("eq", Op::Eq),
            ("ne", Op::Ne),
            ("co", Op::Contains),
            ("sw", Op::Starts),
            ("ew", Op::Ends),
            ("gt", Op::Greater),
            ("ge", Op::GreaterEq),
            ("lt", Op::Less),
            ("le", Op::LessEq),
        ];
        let op = OPS.iter().find(|(word, _)| self.takes(word)).map(|(_, op)| *op);
        let Some(op) = op else {
            let words = format!(
                "An operator is expected after `{name}`: eq, ne, co, sw, ew, gt, ge, lt, le, pr."
            );
            return Err(Refusal::filter(words));
        };
        let value = self.value()?;
        Ok(Filter::Compare(place, op, value))
    }

    fn group(&mut self) -> Result<Filter, Refusal> {
        self.skip();
        let Some(rest) = self.rest.strip_prefix('(') else {
            return Err(Refusal::filter("`(` is expected after `not`."));
        };
        self.rest = rest;
        let inner = self.any()?;
        self.close(')')?;
        Ok(inner)
    }

    fn close(&mut self, bracket: char) -> Result<(), Refusal> {
        self.skip();
        match self.rest.strip_prefix(bracket) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(Refusal::filter(format!("`{bracket}` is missing."))),
        }
    }

    fn name(&mut self) -> Result<&'t str, Refusal> {
        self.skip();
        let ends = |letter: char| letter.is_whitespace() || "[]()\"".contains(letter);
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        if name.is_empty() { Err(Refusal::filter("An attribute is expected.")) } else { Ok(name) }
    }

    fn value(&mut self) -> Result<Value, Refusal> {
        self.skip();
        let wrong = || {
            Refusal::filter("A value is expected: text in quotes, a number, true, false or null.")
        };
        let mut stream = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        if let Some(Ok(value)) = stream.next()
            && !value.is_object()
            && !value.is_array()
        {
            self.rest = &self.rest[stream.byte_offset()..];
            return Ok(value);
        }
        // Some clients write True and False.
        for (word, value) in [("true", true), ("false", false)] {
            if self.rest.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word)) {
                self.rest = &self.rest[word.len()..];
                return Ok(value.into());
            }
        }
        Err(wrong())
    }
}
