//! Reading a value by the type of its field.
//!
//! Everything that does not fit becomes an issue with the path of the value, and the value null:
//! what is kept is right or absent.

use cadre_model::ats::answer::ANSWER_FORMS;
use cadre_model::mapped::{ISSUE_VALUE_CHARS, Issue, Link};
use cadre_model::shape::{Choices, Field, Kind, Structure, Union};
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::form::{email, folded, plain_number, printed, web_address, whole_float};
use crate::table::Zone;
use crate::{moment, places};

/// Most characters of an id: longer ones are something else, and would not fit an index.
const ID_CHARS: usize = 500;

/// Deepest nesting of JSON that is kept as it is.
const JSON_DEPTH: usize = 64;

/// What a mapping says about how a value is to be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct How {
    /// strptime format of dates and times.
    pub(crate) format: Option<String>,
    /// Zone of times without an offset, where it is not the one of the table.
    pub(crate) zone: Option<Zone>,
    /// The tool's values, in lower case, and ours.
    pub(crate) table: Vec<(String, Value)>,
}

/// Reads the values of one record.
pub(crate) struct Reader<'a> {
    pub(crate) model: &'a str,
    pub(crate) remote_id: Option<&'a str>,
    pub(crate) how: &'a How,
    /// Zone of times without an offset.
    pub(crate) zone: &'a TimeZone,
    pub(crate) issues: &'a mut Vec<Issue>,
}

/// Where a value stands inside a record.
#[derive(Clone, Copy)]
pub(crate) struct Path<'p> {
    outer: Option<&'p Path<'p>>,
    last: Last<'p>,
}

#[derive(Clone, Copy)]
enum Last<'p> {
    Field(&'p str),
    Item(usize),
}

impl<'p> Path<'p> {
    pub(crate) fn of(field: &'p str) -> Path<'p> {
        Path { outer: None, last: Last::Field(field) }
    }

    fn field(&'p self, name: &'p str) -> Path<'p> {
        Path { outer: Some(self), last: Last::Field(name) }
    }

    fn item(&'p self, at: usize) -> Path<'p> {
        Path { outer: Some(self), last: Last::Item(at) }
    }
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}")?;
        }
        match self.last {
            Last::Field(name) if self.outer.is_some() => write!(f, ".{name}"),
            Last::Field(name) => f.write_str(name),
            Last::Item(at) => write!(f, "[{at}]"),
        }
    }
}

impl Reader<'_> {
    /// The value in wire form; `None` stands for null.
    pub(crate) fn read(&mut self, kind: &Kind, value: &Value, path: &Path<'_>) -> Option<Value> {
        if value.is_null() {
            return None;
        }
        let translated;
        let value = match self.translate(value) {
            Some(Value::Null) => return None,
            Some(new) => {
                translated = new;
                &translated
            }
            None => value,
        };
        match kind {
            Kind::Json => self.json(value, path),
            Kind::Object(shape) => self.object(shape, value, path).map(Value::Object),
            Kind::Union(union) => self.union(union, value, path),
            Kind::List(item) => self.list(item, value, path),
            // An empty cell says nothing.
            _ if value.as_str().is_some_and(|text| text.trim().is_empty()) => None,
            Kind::Text => self.text(value, path).map(Value::String),
            Kind::Ref(_) => self.id(value, path).map(Value::String),
            Kind::Number => self.number(value, path),
            Kind::Integer => self.integer(value, path),
            Kind::Boolean => self.boolean(value, path),
            Kind::Choice(choices) => self.choice(choices, value, path),
            Kind::Timestamp | Kind::Midnight | Kind::Date if no_date(value) => None,
            Kind::Timestamp => self.timestamp(value, path),
            Kind::Midnight => self.day(value, path).map(|day| moment::print_midnight(day).into()),
            Kind::Date => self.day(value, path).map(|day| moment::print_day(day).into()),
            Kind::TimeOfDay => {
                let format = self.how.format.as_deref();
                let read = |text: &str| moment::time_of_day(text, format).map(moment::print_time);
                self.parsed(value, path, "invalid_date", "a time of day, HH:MM:SS", read)
            }
            Kind::Offset => {
                let read = |text: &str| moment::offset(text).map(moment::print_offset);
                self.parsed(value, path, "invalid_date", "an offset from UTC, +HH:MM", read)
            }
            Kind::Email => self.parsed(value, path, "invalid_email", "an e-mail address", email),
            Kind::Url => self.parsed(value, path, "invalid_url", "an http(s) URL", web_address),
            Kind::Currency => {
                let read = |text: &str| places::currency(text).map(str::to_owned);
                self.parsed(value, path, "unknown_currency", "a currency of ISO 4217", read)
            }
            Kind::Country => {
                let read = |text: &str| places::country(text).map(str::to_owned);
                self.parsed(value, path, "unknown_country", "a country of ISO 3166-1", read)
            }
        }
    }

    /// The links of a relation: each item an id, or an object with `remote_id` and what the link
    /// carries.
    pub(crate) fn links(
        &mut self,
        attributes: Option<&Structure>,
        value: &Value,
        path: &Path<'_>,
    ) -> Vec<Link> {
        let items = match value {
            Value::Null => return Vec::new(),
            Value::Array(items) => items,
            other => {
                self.wrong_type(other, path, "a list of ids");
                return Vec::new();
            }
        };
        let mut links: Vec<Link> = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let path = path.item(at);
            let link = match item {
                Value::Object(entries) => self.link(entries, attributes, &path),
                item if blank(item) => None,
                item => {
                    self.id(item, &path).map(|remote_id| Link { remote_id, attributes: Map::new() })
                }
            };
            // Two links to the same record are one, as far as anybody can see.
            links.extend(link.filter(|new| links.iter().all(|old| old.remote_id != new.remote_id)));
        }
        links
    }

    fn link(
        &mut self,
        entries: &Map<String, Value>,
        attributes: Option<&Structure>,
        path: &Path<'_>,
    ) -> Option<Link> {
        let inner = path.field("remote_id");
        let remote_id = match entries.get("remote_id") {
            Some(id) if !blank(id) => self.id(id, &inner)?,
            _ => {
                self.issue(
                    path,
                    "missing_remote_id",
                    "the remote id of the linked record",
                    &Value::Null,
                );
                return None;
            }
        };
        let fields = attributes.map_or(&[][..], |shape| shape.fields);
        let mut attributes = self.fields(fields, entries, path, "remote_id")?;
        for field in fields {
            attributes.entry(field.name).or_insert(Value::Null);
        }
        Some(Link { remote_id, attributes })
    }

    /// The value that the table has for the tool's one.
    fn translate(&self, value: &Value) -> Option<Value> {
        if self.how.table.is_empty() {
            return None;
        }
        let text = printed(value)?;
        let text = folded(text.trim());
        self.how.table.iter().find(|(theirs, _)| *theirs == text).map(|(_, ours)| ours.clone())
    }

    fn text(&mut self, value: &Value, path: &Path<'_>) -> Option<String> {
        match printed(value) {
            // Neither database keeps it, and no text of a person has it.
            Some(text) if text.contains('\0') => {
                self.issue(path, "invalid_text", "text without zero characters", value);
                None
            }
            Some(text) => Some(text.into_owned()),
            None => {
                self.wrong_type(value, path, "text");
                None
            }
        }
    }

    /// The remote id of another record.
    pub(crate) fn id(&mut self, value: &Value, path: &Path<'_>) -> Option<String> {
        let text = match value {
            Value::Bool(_) => {
                self.wrong_type(value, path, "an id");
                return None;
            }
            value => self.text(value, path)?,
        };
        let id = text.trim();
        if id.is_empty() {
            return None;
        }
        if id.chars().nth(ID_CHARS).is_some() {
            let expected = format!("an id of at most {ID_CHARS} characters");
            self.issue(path, "invalid_id", &expected, value);
            return None;
        }
        Some(id.to_owned())
    }

    fn number(&mut self, value: &Value, path: &Path<'_>) -> Option<Value> {
        match value {
            Value::Number(_) => return Some(value.clone()),
            Value::String(text) => {
                if let Some(number) = plain_number(text.trim()) {
                    return Some(Value::Number(number));
                }
            }
            _ => {}
        }
        self.wrong_type(value, path, "a number, with a point and without separators");
        None
    }

    fn integer(&mut self, value: &Value, path: &Path<'_>) -> Option<Value> {
        let number = match value {
            Value::Number(number) => Some(number.clone()),
            Value::String(text) => plain_number(text.trim()),
            _ => None,
        };
        let whole = number.and_then(|number| match number.as_i64() {
            Some(whole) => Some(whole),
            None => number.as_f64().and_then(whole_float),
        });
        if whole.is_none() {
            self.wrong_type(value, path, "a whole number");
        }
        whole.map(Value::from)
    }

    fn boolean(&mut self, value: &Value, path: &Path<'_>) -> Option<Value> {
        let text = printed(value).unwrap_or_default();
        match &*folded(text.trim()) {
            "true" | "yes" | "1" | "y" | "on" => Some(Value::Bool(true)),
            "false" | "no" | "0" | "n" | "off" => Some(Value::Bool(false)),
            _ => {
                self.wrong_type(value, path, "true or false");
                None
            }
        }
    }

    fn choice(&mut self, choices: &Choices, value: &Value, path: &Path<'_>) -> Option<Value> {
        let Some(text) = printed(value) else {
            self.wrong_type(value, path, &format!("one of {}", choices.values.join(", ")));
            return None;
        };
        let text = text.trim();
        if let Some(known) = choices.values.iter().find(|known| known.eq_ignore_ascii_case(text)) {
            return Some(Value::from(*known));
        }
        self.issue(path, "unknown_value", &format!("one of {}", choices.values.join(", ")), value);
        let passes = choices.open && !text.contains('\0');
        passes.then(|| Value::from(text))
    }

    fn timestamp(&mut self, value: &Value, path: &Path<'_>) -> Option<Value> {
        let read = match value {
            Value::Number(number) => number.as_f64().and_then(moment::moment_of_number),
            Value::String(text) => {
                moment::moment(text.trim(), self.how.format.as_deref(), self.zone)
            }
            _ => None,
        };
        if read.is_none() {
            let expected = self.expected("a time stamp, YYYY-MM-DDTHH:MM:SS with or without zone");
            self.issue(path, "invalid_date", &expected, value);
        }
        read.map(|milliseconds| cadre_model::time::wire(milliseconds).into())
    }

    fn day(&mut self, value: &Value, path: &Path<'_>) -> Option<jiff::civil::Date> {
        let day = match value {
            Value::String(text) => moment::day(text.trim(), self.how.format.as_deref()),
            // `%Y%m%d` may come as a number; without a format a number is no date.
            Value::Number(_) if self.how.format.is_some() => {
                printed(value).and_then(|text| moment::day(&text, self.how.format.as_deref()))
            }
            _ => None,
        };
        if day.is_none() {
            let expected = self.expected("a date, YYYY-MM-DD");
            self.issue(path, "invalid_date", &expected, value);
        }
        day
    }

    fn expected(&self, plain: &str) -> String {
        match &self.how.format {
            Some(format) => format!("a date in the format {format}"),
            None => plain.to_owned(),
        }
    }

    /// A text that must read as something.
    fn parsed(
        &mut self,
        value: &Value,
        path: &Path<'_>,
        problem: &str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<String>,
    ) -> Option<Value> {
        let Value::String(text) = value else {
            self.wrong_type(value, path, expected);
            return None;
        };
        let good = read(text.trim());
        if good.is_none() {
            self.issue(path, problem, expected, value);
        }
        good.map(Value::String)
    }

    fn list(&mut self, kind: &Kind, value: &Value, path: &Path<'_>) -> Option<Value> {
        let Value::Array(items) = value else {
            if !blank(value) {
                self.wrong_type(value, path, "a list");
            }
            return None;
        };
        let read = |(at, item)| self.read(kind, item, &path.item(at));
        Some(Value::Array(items.iter().enumerate().filter_map(read).collect()))
    }

    fn object(
        &mut self,
        shape: &Structure,
        value: &Value,
        path: &Path<'_>,
    ) -> Option<Map<String, Value>> {
        let Value::Object(entries) = value else {
            if !blank(value) {
                self.wrong_type(value, path, "an object");
            }
            return None;
        };
        if entries.values().all(nothing) {
            return None;
        }
        let mut object = self.fields(shape.fields, entries, path, "")?;
        if shape.name == "ScreeningQuestionAnswer" {
            let answer = self.answer(&object, path)?;
            object.insert("answer".to_owned(), answer);
        }
        // Every part was refused: there is no such thing, not one without parts.
        if object.values().all(nothing) {
            return None;
        }
        Some(object)
    }

    /// The form of an answer follows from the kind of its question, which the type cannot say.
    fn answer(&mut self, object: &Map<String, Value>, path: &Path<'_>) -> Option<Value> {
        let question = object.get("question").and_then(|question| question.get("type"));
        let kind = question.and_then(Value::as_str)?;
        let (_, form) = ANSWER_FORMS.iter().find(|(name, _)| *name == kind)?;
        let given = object.get("answer").and_then(Value::as_object);
        let given = given.cloned().unwrap_or_default();
        let mut answer = self.fields(form.fields, &given, &path.field("answer"), "")?;
        for field in form.fields {
            let empty = if matches!(field.kind, Kind::List(_)) && !field.nullable {
                Value::Array(Vec::new())
            } else {
                Value::Null
            };
            answer.entry(field.name).or_insert(empty);
        }
        Some(Value::Object(answer))
    }

    fn union(&mut self, union: &Union, value: &Value, path: &Path<'_>) -> Option<Value> {
        let Value::Object(entries) = value else {
            if !blank(value) {
                self.wrong_type(value, path, "an object");
            }
            return None;
        };
        if entries.values().all(nothing) {
            return None;
        }
        let given = entries.get("type").unwrap_or(&Value::Null);
        let folded = given.as_str().unwrap_or_default().trim();
        let variant = union.variants.iter().find(|(name, _)| name.eq_ignore_ascii_case(folded));
        let Some((tag, shape)) = variant else {
            let names: Vec<&str> = union.variants.iter().map(|(name, _)| *name).collect();
            let expected = format!("one of {}", names.join(", "));
            self.issue(&path.field("type"), "unknown_value", &expected, given);
            return None;
        };
        let fields = self.fields(shape.fields, entries, path, "type")?;
        let mut object = Map::with_capacity(fields.len() + 1);
        object.insert("type".to_owned(), Value::from(*tag));
        object.extend(fields);
        Some(Value::Object(object))
    }

    /// The fields of a structure; `None` when one that must be there is not. `besides` names an
    /// entry that is read elsewhere.
    fn fields(
        &mut self,
        fields: &[Field],
        entries: &Map<String, Value>,
        path: &Path<'_>,
        besides: &str,
    ) -> Option<Map<String, Value>> {
        let known = |name: &String| fields.iter().any(|field| field.name == *name);
        for (name, value) in entries.iter().filter(|(name, _)| *name != besides && !known(name)) {
            self.issue(&path.field(name), "unknown_field", "a field of the unified model", value);
        }
        let mut object = Map::with_capacity(fields.len());
        let mut complete = true;
        for field in fields {
            let path = path.field(field.name);
            let given = entries.get(field.name).unwrap_or(&Value::Null);
            let before = self.issues.len();
            match self.read(&field.kind, given, &path) {
                Some(value) => {
                    object.insert(field.name.to_owned(), value);
                }
                None if may_be_absent(field) => {}
                None => {
                    complete = false;
                    if self.issues.len() == before {
                        self.issue(&path, "missing_required", "a value", &Value::Null);
                    }
                }
            }
        }
        complete.then_some(object)
    }

    fn json(&mut self, value: &Value, path: &Path<'_>) -> Option<Value> {
        if deeper_than(value, JSON_DEPTH) {
            let expected = format!("JSON nested at most {JSON_DEPTH} deep");
            self.issue(path, "invalid_json", &expected, &Value::Null);
            return None;
        }
        Some(value.clone())
    }

    fn wrong_type(&mut self, value: &Value, path: &Path<'_>, expected: &str) {
        self.issue(path, "wrong_type", expected, value);
    }

    pub(crate) fn issue(&mut self, path: &Path<'_>, problem: &str, expected: &str, got: &Value) {
        self.issues.push(Issue {
            model: self.model.to_owned(),
            remote_id: self.remote_id.map(str::to_owned),
            field: Some(path.to_string()),
            problem: problem.to_owned(),
            expected: expected.to_owned(),
            got: shown(got),
        });
    }
}

/// Whether a field without a value is completed when the record is stored: lists, and structures
/// that can be without any part.
pub(crate) fn may_be_absent(field: &Field) -> bool {
    field.nullable
        || match field.kind {
            Kind::List(_) => true,
            Kind::Object(shape) => shape.fields.iter().all(may_be_absent),
            _ => false,
        }
}

/// A value as an issue quotes it.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => Issue::shorten(text),
        Value::Array(items) if items.len() > ISSUE_VALUE_CHARS => {
            format!("a list of {} items", items.len())
        }
        Value::Object(entries) if entries.len() > ISSUE_VALUE_CHARS => {
            format!("an object of {} fields", entries.len())
        }
        other => Issue::shorten(&other.to_string()),
    }
}

fn blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// How some databases write that there is no date.
fn no_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.trim_start().starts_with("0000-00-00"))
}

/// Whether a value says nothing: null, an empty text, or a list or object of nothing.
fn nothing(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.values().all(nothing),
        other => blank(other),
    }
}

fn deeper_than(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth == 0 || items.iter().any(|item| deeper_than(item, depth - 1)),
        Value::Object(entries) => {
            depth == 0 || entries.values().any(|item| deeper_than(item, depth - 1))
        }
        _ => false,
    }
}
