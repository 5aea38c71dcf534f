//! HTML as a list of tokens. It never fails: what is broken is text, or nothing.

/// A piece of a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// Text, its entities resolved.
    Text(String),
    /// The beginning of an element.
    Start(Tag),
    /// The end of an element.
    End(String),
}

/// The beginning of an element.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tag {
    /// Its name, in lower case.
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute; empty for one that is only named.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether an attribute is there, whatever its value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.attribute(name).is_some()
    }
}

/// Elements whose content is no markup.
const RAW: &[&str] = &["script", "style", "textarea", "title"];

/// Takes a page apart.
pub(super) fn tokens(page: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        text(&rest[..at], &mut tokens);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<!--") {
            rest = after.find("-->").map_or("", |end| &after[end + 3..]);
            continue;
        }
        let second = rest[1..].chars().next();
        if matches!(second, Some('!' | '?')) {
            rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
            continue;
        }
        if second == Some('/') {
            let end = rest.find('>').unwrap_or(rest.len());
            let name = rest[2..end].trim().to_ascii_lowercase();
            tokens.push(Token::End(name));
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        }
        if !second.is_some_and(|letter| letter.is_ascii_alphabetic()) {
            text("<", &mut tokens);
            rest = &rest[1..];
            continue;
        }
        let (tag, after) = tag(&rest[1..]);
        rest = after;
        let raw = RAW.contains(&tag.name.as_str());
        let name = tag.name.clone();
        tokens.push(Token::Start(tag));
        if raw {
            let end = find_end(rest, &name).unwrap_or(rest.len());
            let content = &rest[..end];
            // Scripts are as they are; in the others entities count.
            match name.as_str() {
                "script" | "style" => tokens.push(Token::Text(content.to_owned())),
                _ => text(content, &mut tokens),
            }
            rest = &rest[end..];
        }
    }
    text(rest, &mut tokens);
    tokens
}

/// Where `</name` begins, in any case.
fn find_end(text: &str, name: &str) -> Option<usize> {
    let wanted = format!("</{name}");
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(wanted.len() - 1))
        .find(|at| bytes[*at..*at + wanted.len()].eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Reads the beginning of an element behind its `<`; what comes after it.
fn tag(text: &str) -> (Tag, &str) {
    let end = text
        .find(|letter: char| letter.is_ascii_whitespace() || letter == '>' || letter == '/')
        .unwrap_or(text.len());
    let mut tag = Tag { name: text[..end].to_ascii_lowercase(), attributes: Vec::new() };
    let mut rest = &text[end..];
    loop {
        rest =
            rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
        if rest.is_empty() {
            return (tag, rest);
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (tag, after);
        }
        let end = rest
            .find(|letter: char| letter.is_ascii_whitespace() || "=>/".contains(letter))
            .unwrap_or(rest.len())
            .max(rest.chars().next().map_or(0, char::len_utf8));
        let name = rest[..end].to_ascii_lowercase();
        rest = rest[end..].trim_start();
        let mut value = String::new();
        if let Some(after) = rest.strip_prefix('=') {
            let after = after.trim_start();
            let quote = after.chars().next().filter(|letter| matches!(letter, '"' | '\''));
            let (given, left) = match quote {
                Some(quote) => {
                    let inner = &after[1..];
                    let end = inner.find(quote).unwrap_or(inner.len());
                    (&inner[..end], inner.get(end + 1..).unwrap_or_default())
                }
                None => {
                    let stop = |letter: char| letter.is_ascii_whitespace() || letter == '>';
                    let end = after.find(stop).unwrap_or(after.len());
                    after.split_at(end)
                }
            };
            value = decoded(given);
            rest = left;
        }
        if !tag.has(&name) {
            tag.attributes.push((name, value));
        }
    }
}

fn text(text: &str, tokens: &mut Vec<Token>) {
    if !text.is_empty() {
        tokens.push(Token::Text(decoded(text)));
    }
}

/// Resolves the entities that pages use.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let letter = end.and_then(|end| entity(&rest[1..end]));
        match (letter, end) {
            (Some(letter), Some(end)) => {
                out.push(letter);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    const NAMED: &[(&str, char)] = &[
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", ' '),
        ("auml", 'ä'),
        ("ouml", 'ö'),
        ("uuml", 'ü'),
        ("Auml", 'Ä'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("eacute", 'é'),
        ("egrave", 'è'),
        ("agrave", 'à'),
        ("ccedil", 'ç'),
        ("ntilde", 'ñ'),
        ("oacute", 'ó'),
        ("iacute", 'í'),
        ("aacute", 'á'),
        ("ndash", '–'),
        ("mdash", '—'),
        ("rsquo", '’'),
        ("hellip", '…'),
    ];
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code).filter(|letter| *letter != '\0');
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, letter)| *letter)
}

/// Text in one line: runs of white space are one space.
pub(super) fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Tag, Token, line, tokens};

    fn start(token: &Token) -> &Tag {
        match token {
            Token::Start(tag) => tag,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn elements_attributes_and_text() {
        let all = tokens(
            "<!doctype html><!-- <p> --><INPUT type=file NAME='a&amp;b' required>x &lt; y&#39;s<br/>",
        );
        let input = start(&all[0]);
        assert_eq!(
            (
                input.name.as_str(),
                input.attribute("name"),
                input.attribute("type"),
                input.has("required")
            ),
            ("input", Some("a&b"), Some("file"), true)
        );
        assert_eq!(all[1], Token::Text("x < y's".to_owned()));
        assert_eq!(start(&all[2]).name, "br");
    }

    #[test]
    fn what_is_broken_is_no_end() {
        for page in [
            "<",
            "<a",
            "<a b='",
            "a < b",
            "</",
            "<script>x",
            "&",
            "&#0;",
            "<a =b>",
            "<!--",
            "<é",
            "<a é='1'>",
        ] {
            let _ = tokens(page);
        }
        let all = tokens("<script>if (a < b) {}</script><p>z");
        assert_eq!(all[1], Token::Text("if (a < b) {}".to_owned()));
        assert_eq!(line("  a \n b "), "a b");
    }
}
