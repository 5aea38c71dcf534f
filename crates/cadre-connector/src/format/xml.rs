//! One XML document, as a tree of JSON values that expressions read.
//!
//! The convention is documented in the guide and stable: names lose their namespace prefix, attributes
//! become `@name`, an element with nothing but text becomes that text, an empty one `null`. An element
//! that repeats is a list; one that is named as a list is a list even when it is there once.

use std::io::Read;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value};

use super::{FormatError, MAX_WHOLE_BYTES, Source};

/// Deepest nesting of elements.
const DEEPEST: usize = 200;
/// The text of an element that has attributes or children too.
const TEXT: &str = "#text";

/// Why a document cannot be read: a clause, and where it is.
#[derive(Debug)]
pub(crate) struct Broken {
    /// The line, counted from 1.
    pub(crate) line: u64,
    /// A clause.
    pub(crate) why: String,
    /// Whether the document ends in the middle.
    pub(crate) cut: bool,
}

/// An element that is open.
#[derive(Default)]
struct Open {
    name: String,
    fields: Map<String, Value>,
    text: String,
}

/// Reads a document: an object with one key, the name of its root.
pub(crate) fn read(bytes: &[u8], lists: &[String]) -> Result<Value, Broken> {
    let text = decoded(bytes);
    let mut reader = Reader::from_str(&text);
    let line = |at: u64| {
        let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
        text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() as u64 + 1
    };
    let broken = |at: u64, why: String| Broken { line: line(at), why, cut: false };
    let mut open = vec![Open::default()];
    loop {
        let event = reader.read_event();
        let at = reader.buffer_position();
        match event.map_err(|error| broken(reader.error_position(), error.to_string()))? {
            Event::Start(start) => {
                if open.len() > DEEPEST {
                    return Err(broken(at, format!("more than {DEEPEST} elements in each other")));
                }
                open.push(begun(&start).map_err(|why| broken(at, why))?);
            }
            Event::Empty(start) => {
                let element = begun(&start).map_err(|why| broken(at, why))?;
                close(element, &mut open, lists);
            }
            Event::End(_) => {
                if let Some(element) = open.pop() {
                    close(element, &mut open, lists);
                }
            }
            Event::Text(part) => add(&mut open, &part.xml10_content()),
            Event::CData(part) => add(&mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                let named = reference.xml10_content();
                let character = reference
                    .resolve_char_ref()
                    .map_err(|error| broken(at, error.to_string()))?
                    .map(String::from);
                let known = resolve_predefined_entity(&named).map(str::to_owned);
                let Some(text) = character.or(known) else {
                    return Err(broken(at, format!("the entity `&{named};` is not known")));
                };
                add(&mut open, &text);
            }
            // Entities of a document type are not expanded: nothing is fetched, and nothing grows.
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    let ended = line(text.len() as u64);
    let whole = open.len() == 1;
    match open.into_iter().next().map(|root| root.fields) {
        Some(root) if whole && root.len() == 1 => Ok(Value::Object(root)),
        Some(root) if whole && root.is_empty() => {
            Err(Broken { line: ended, why: "there is no element".to_owned(), cut: false })
        }
        Some(_) if whole => {
            Err(Broken { line: ended, why: "there are several roots".to_owned(), cut: false })
        }
        _ => Err(Broken {
            line: ended,
            why: "the document ends in the middle".to_owned(),
            cut: true,
        }),
    }
}

/// The text of a document, by its mark or by what its first line says.
fn decoded(bytes: &[u8]) -> String {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    let declared = head.starts_with("<?xml").then(|| {
        let (_, rest) = head.split_once("encoding=")?;
        let quote = rest.chars().next()?;
        rest[1..].split(quote).next().map(str::to_owned)
    });
    let named =
        declared.flatten().and_then(|name| encoding_rs::Encoding::for_label(name.as_bytes()));
    let (text, _, _) = named.unwrap_or(encoding_rs::UTF_8).decode(bytes);
    text.into_owned()
}

fn begun(start: &BytesStart<'_>) -> Result<Open, String> {
    let mut fields = Map::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let full: &str = attribute.key.as_ref();
        if full == "xmlns" || full.starts_with("xmlns:") {
            continue;
        }
        let name = local(full);
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        // `xsi:nil` says of an empty element that it is empty.
        if name == "nil" && full.contains(':') {
            continue;
        }
        fields.insert(format!("@{name}"), Value::String(value.into_owned()));
    }
    let name = local(start.name().0).to_owned();
    Ok(Open { name, fields, text: String::new() })
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn add(open: &mut [Open], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// An element has ended: it becomes a value of the one around it.
fn close(element: Open, open: &mut [Open], lists: &[String]) {
    let Some(around) = open.last_mut() else { return };
    let Open { name, mut fields, text } = element;
    let text = text.trim();
    let value = match (fields.is_empty(), text.is_empty()) {
        (true, true) => Value::Null,
        (true, false) => Value::String(text.to_owned()),
        (false, true) => Value::Object(fields),
        (false, false) => {
            fields.insert(TEXT.to_owned(), Value::String(text.to_owned()));
            Value::Object(fields)
        }
    };
    let is_list = lists.contains(&name);
    match around.fields.get_mut(&name) {
        None if is_list => {
            around.fields.insert(name, Value::Array(vec![value]));
        }
        None => {
            around.fields.insert(name, value);
        }
        // An element never becomes an array by itself: an array here is the ones before.
        Some(Value::Array(items)) => items.push(value),
        Some(first) => *first = Value::Array(vec![first.take(), value]),
    }
}

/// The one row of a document.
pub(super) struct XmlRows {
    row: Option<Value>,
}

impl XmlRows {
    /// Reads the document, whole: `length` bytes.
    pub(super) fn open(
        file: &str,
        mut source: impl Read,
        length: u64,
        lists: &[String],
    ) -> Result<Self, FormatError> {
        if length > MAX_WHOLE_BYTES {
            let limit = MAX_WHOLE_BYTES >> 20;
            let words = format!(
                "An XML document is read as a whole, and this one is larger than {limit} MiB."
            );
            return Err(FormatError::new(file, None, words));
        }
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map_err(|error| FormatError::unreadable(file, &error))?;
        let row = read(&bytes, lists).map_err(|broken| {
            FormatError::new(file, broken.line, format!("The file is not XML: {}.", broken.why))
        })?;
        Ok(Self { row: Some(row) })
    }
}

impl Source for XmlRows {
    fn next(&mut self) -> Result<Option<Result<Value, FormatError>>, FormatError> {
        Ok(self.row.take().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::read;

    fn tree(text: &str, lists: &[&str]) -> Value {
        let lists: Vec<String> = lists.iter().map(|name| (*name).to_owned()).collect();
        read(text.as_bytes(), &lists).unwrap_or_else(|broken| panic!("{broken:?}"))
    }

    #[test]
    fn elements_become_values() {
        let text = r#"<?xml version="1.0" encoding="UTF-8"?>
            <!-- note --><wd:A xmlns:wd="urn:x" wd:version="v1">
              <wd:Ref><wd:ID wd:type="WID">1 &amp; 2</wd:ID><wd:ID wd:type="E">&#x41;<![CDATA[<b>]]></wd:ID></wd:Ref>
              <wd:Name> Ana </wd:Name><wd:Gone/><wd:Empty></wd:Empty><wd:Nil xmlns:xsi="s" xsi:nil="true"/>
            </wd:A>"#;
        let expected = json!({"A": {
            "@version": "v1",
            "Ref": {"ID": [{"@type": "WID", "#text": "1 & 2"}, {"@type": "E", "#text": "A<b>"}]},
            "Name": "Ana", "Gone": null, "Empty": null, "Nil": null,
        }});
        assert_eq!(tree(text, &[]), expected);
    }

    #[test]
    fn named_elements_are_lists_even_alone() {
        assert_eq!(tree("<a><b/></a>", &["b"]), json!({"a": {"b": [null]}}));
        assert_eq!(tree("<a><b>1</b><b>2</b></a>", &["b"]), json!({"a": {"b": ["1", "2"]}}));
        assert_eq!(
            tree("<a><b>1</b><c/><b>2</b></a>", &[]),
            json!({"a": {"b": ["1", "2"], "c": null}})
        );
    }

    #[test]
    fn what_is_no_document_says_where() {
        for (text, line, cut) in [
            ("", 1, false),
            ("plain", 1, false),
            ("<a>\n<b></a>", 2, false),
            ("<a>\n<b>", 2, true),
            ("<a>&nbsp;</a>", 1, false),
            ("<a/><b/>", 1, false),
        ] {
            let broken = read(text.as_bytes(), &[]).expect_err(text);
            assert_eq!((broken.line, broken.cut), (line, cut), "{text}: {}", broken.why);
        }
        let deep = "<a>".repeat(300);
        assert!(read(deep.as_bytes(), &[]).expect_err("deep").why.contains("200"));
    }

    #[test]
    fn entities_of_a_document_type_are_not_expanded() {
        let text = "<!DOCTYPE a [<!ENTITY x \"yyyy\">]><a>&x;</a>";
        assert!(read(text.as_bytes(), &[]).expect_err("unknown").why.contains("&x;"));
    }

    #[test]
    fn other_encodings_are_read() {
        let mut text = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>J".to_vec();
        text.extend([0xfc]);
        text.extend(b"rgen</a>");
        assert_eq!(read(&text, &[]).expect("a document"), json!({"a": "Jürgen"}));
    }
}
