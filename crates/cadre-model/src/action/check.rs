//! Holding a body against its declaration: everything that is wrong with it, at once.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde_json::{Map, Value};

use super::{Input, InputField, Preset};
use crate::time::wire;

/// Most problems that are named; a body with more of them has been understood.
const MOST: usize = 50;
/// Deepest value of what is taken as it is.
const DEEPEST: usize = 32;

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The way to it: `body.candidate.email_address`.
    pub path: String,
    /// What is expected there.
    pub expected: String,
    /// What came, shortened.
    pub got: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`: expected {}, got {}", self.path, self.expected, self.got)
    }
}

/// An id that names a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The way to it, for people.
    pub path: String,
    /// The way to it, as a JSON pointer.
    pub pointer: String,
    /// Id of the model.
    pub model: &'static str,
    /// What came.
    pub id: String,
}

/// A file in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAt {
    /// The way to it, for people.
    pub path: String,
    /// The way to it, as a JSON pointer.
    pub pointer: String,
}

/// What came of holding a body against its declaration.
#[derive(Debug, Default)]
pub struct Checked {
    /// The body, in one form: days as days, moments in UTC, what was left out filled in.
    pub value: Value,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
    /// Fields that are not known, by path.
    pub unknown: Vec<String>,
    /// The ids in it.
    pub references: Vec<Reference>,
    /// The files in it.
    pub files: Vec<FileAt>,
}

/// Holds a body against its declaration.
#[must_use]
pub fn check(fields: &'static [InputField], body: &Map<String, Value>) -> Checked {
    let mut checked = Checked::default();
    let at = Way { path: "body".to_owned(), pointer: String::new() };
    checked.value = Value::Object(checked.object(fields, body, &at));
    checked.wrong.truncate(MOST);
    checked.unknown.truncate(MOST);
    checked
}

/// Where a value stands.
struct Way {
    path: String,
    pointer: String,
}

impl Way {
    fn field(&self, name: &str) -> Way {
        let shown: String = name.chars().take(60).collect();
        let step = name.replace('~', "~0").replace('/', "~1");
        Way { path: format!("{}.{shown}", self.path), pointer: format!("{}/{step}", self.pointer) }
    }

    fn item(&self, at: usize) -> Way {
        Way { path: format!("{}[{at}]", self.path), pointer: format!("{}/{at}", self.pointer) }
    }
}

impl Checked {
    fn object(
        &mut self,
        fields: &'static [InputField],
        given: &Map<String, Value>,
        at: &Way,
    ) -> Map<String, Value> {
        let mut taken = Map::new();
        let of_tools = fields.iter().any(|field| matches!(field.kind, Input::OfTool));
        for field in fields.iter().filter(|field| !matches!(field.kind, Input::OfTool)) {
            let here = at.field(field.name);
            match given.get(field.name) {
                None if field.required => self.refuse(&here, expected(&field.kind), None),
                None => {
                    let preset = match field.preset {
                        Preset::Nothing => continue,
                        Preset::Text(text) => Value::from(text),
                        Preset::False => Value::Bool(false),
                        Preset::Empty => Value::Array(Vec::new()),
                    };
                    taken.insert(field.name.to_owned(), preset);
                }
                Some(Value::Null) if field.nullable => {
                    taken.insert(field.name.to_owned(), Value::Null);
                }
                Some(value) => {
                    let value = self.value(&field.kind, value, &here);
                    taken.insert(field.name.to_owned(), value);
                }
            }
        }
        let unknown = given.keys().filter(|name| !fields.iter().any(|field| field.name == **name));
        for name in unknown {
            match &given[name] {
                // Which tools there are is not known here.
                value @ Value::Object(_) if of_tools && depth(value) <= DEEPEST => {
                    taken.insert(name.clone(), value.clone());
                }
                _ => self.unknown.push(at.field(name).path),
            }
        }
        taken
    }

    fn value(&mut self, kind: &'static Input, value: &Value, at: &Way) -> Value {
        match (kind, value) {
            (Input::Object(fields), Value::Object(given)) => {
                return Value::Object(self.object(fields, given, at));
            }
            (Input::File(fields), Value::Object(given)) => return self.file(fields, given, at),
            (Input::Reply, Value::Object(given)) => return self.file(super::FILE, given, at),
            (Input::List(kind, most), Value::Array(items)) if items.len() <= *most => {
                let items = items.iter().enumerate();
                return items.map(|(n, item)| self.value(kind, item, &at.item(n))).collect();
            }
            (Input::OneOf(variants), Value::Object(given)) => {
                let tag = given.get("type").and_then(Value::as_str);
                let Some((tag, fields)) = variants.iter().find(|(known, _)| Some(*known) == tag)
                else {
                    let known: Vec<&str> = variants.iter().map(|(tag, _)| *tag).collect();
                    let words = format!("one of {}", known.join(", "));
                    self.refuse(&at.field("type"), words, given.get("type"));
                    return Value::Null;
                };
                let mut rest = given.clone();
                rest.remove("type");
                let mut taken = self.object(fields, &rest, at);
                taken.insert("type".to_owned(), (*tag).into());
                return Value::Object(taken);
            }
            (Input::Id(model), Value::String(id)) if is_reference(id) => {
                let (path, pointer) = (at.path.clone(), at.pointer.clone());
                self.references.push(Reference { path, pointer, model, id: id.clone() });
                return value.clone();
            }
            _ => {}
        }
        match plain(kind, value) {
            Some(value) => value,
            None => {
                self.refuse(at, expected(kind), Some(value));
                Value::Null
            }
        }
    }

    fn file(
        &mut self,
        fields: &'static [InputField],
        given: &Map<String, Value>,
        at: &Way,
    ) -> Value {
        let file = self.object(fields, given, at);
        match (given.get("data"), given.get("data_url")) {
            (None, None) => self.refuse(at, "`data` or `data_url`".to_owned(), None),
            (Some(_), Some(_)) => {
                let words = "one of `data` and `data_url`".to_owned();
                self.wrong.push(Wrong {
                    path: at.path.clone(),
                    expected: words,
                    got: "both".into(),
                });
            }
            (Some(_), None) if !given.contains_key("content_type") => {
                self.refuse(&at.field("content_type"), expected(&Input::MediaType), None);
            }
            _ => {}
        }
        self.files.push(FileAt { path: at.path.clone(), pointer: at.pointer.clone() });
        Value::Object(file)
    }

    fn refuse(&mut self, at: &Way, expected: String, got: Option<&Value>) {
        let got = got.map_or_else(|| "nothing".to_owned(), shown);
        self.wrong.push(Wrong { path: at.path.clone(), expected, got });
    }
}

/// A value that holds no other, in the one form that it is handed on in.
fn plain(kind: &Input, value: &Value) -> Option<Value> {
    let text = value.as_str();
    match kind {
        Input::Text => text.map(Value::from),
        Input::Filled => text.filter(|text| !text.trim().is_empty()).map(Value::from),
        Input::Number(least) => {
            let number = value.as_f64()?;
            #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
            let fits = least.is_none_or(|least| number >= least as f64);
            fits.then(|| value.clone())
        }
        Input::Whole(least, most) => {
            let fits = value.as_i64().is_some_and(|number| (*least..=*most).contains(&number));
            fits.then(|| value.clone())
        }
        Input::Language => text.filter(|text| is_language(text)).map(Value::from),
        Input::Boolean => value.is_boolean().then(|| value.clone()),
        Input::Choice(values) => text.filter(|text| values.contains(text)).map(Value::from),
        Input::Open(_) => text.filter(|text| !text.trim().is_empty()).map(Value::from),
        Input::NumberOrText => (value.is_number() || value.is_string()).then(|| value.clone()),
        Input::Email => text.filter(|text| is_email(text)).map(Value::from),
        Input::Url => text.filter(|text| is_url(text)).map(Value::from),
        Input::Country => {
            let two = |text: &&str| text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
            text.filter(two).map(Value::from)
        }
        Input::Day => moment(text?).map(|(day, _)| day.to_string().into()),
        Input::Moment => moment(text?).map(|(_, at)| wire(at.as_millisecond()).into()),
        Input::TimeOfDay => time_of_day(text?).map(Value::from),
        Input::MediaType => text.filter(|text| is_media_type(text)).map(Value::from),
        Input::Base64 => text.filter(|text| is_base64(text)).map(Value::from),
        Input::Free => (value.is_object() && depth(value) <= DEEPEST).then(|| value.clone()),
        Input::Any => (!value.is_null() && depth(value) <= DEEPEST).then(|| value.clone()),
        Input::Reply => match value {
            Value::String(_) | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
            Value::Array(items) if items.iter().all(Value::is_string) => Some(value.clone()),
            _ => None,
        },
        Input::Id(_)
        | Input::Object(_)
        | Input::File(_)
        | Input::List(..)
        | Input::OneOf(_)
        | Input::OfTool => None,
    }
}

/// What is expected, in words.
fn expected(kind: &Input) -> String {
    match kind {
        Input::Text => "text".to_owned(),
        Input::Filled => "text that is not empty".to_owned(),
        Input::Number(None) => "a number".to_owned(),
        Input::Number(Some(least)) => format!("a number from {least} on"),
        Input::Whole(least, i64::MAX) => format!("a whole number from {least} on"),
        Input::Whole(least, most) => format!("a whole number from {least} to {most}"),
        Input::Language => "a language, like de or en-GB".to_owned(),
        Input::Boolean => "true or false".to_owned(),
        Input::Choice(values) => format!("one of {}", values.join(", ")),
        Input::Open(values) => format!("a word, such as {}", values.join(", ")),
        Input::NumberOrText => "a number or text".to_owned(),
        Input::Email => "an e-mail address".to_owned(),
        Input::Url => "a URL that begins with https:// or http://".to_owned(),
        Input::Country => "a country as two capital letters (ISO 3166-1 alpha-2)".to_owned(),
        Input::Day => "a day (YYYY-MM-DD)".to_owned(),
        Input::Moment => "a moment (YYYY-MM-DDTHH:mm:ss.sssZ)".to_owned(),
        Input::TimeOfDay => "a time of day (HH:mm or HH:mm:ss)".to_owned(),
        Input::MediaType => "a media type, like application/pdf".to_owned(),
        Input::Base64 => "a file as base64".to_owned(),
        Input::Id(_) => "the id of a record".to_owned(),
        Input::Object(_) | Input::Free | Input::OneOf(_) | Input::OfTool => "an object".to_owned(),
        Input::File(_) => "a file, as an object".to_owned(),
        Input::List(_, usize::MAX) => "a list".to_owned(),
        Input::List(_, most) => format!("a list of at most {most}"),
        Input::Any => "a value".to_owned(),
        Input::Reply => "text, a number, true or false, a list of texts, or a file".to_owned(),
    }
}

/// What came, short enough to be read.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if text.chars().count() <= 60 => format!("{text:?}"),
        Value::String(text) => format!("text of {} characters", text.chars().count()),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

fn is_reference(id: &str) -> bool {
    let remote = id.strip_prefix("remote:").unwrap_or(id);
    !remote.trim().is_empty() && id.len() <= 500 && !id.contains('\0')
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |text: &str| !text.chars().any(|c| c.is_whitespace() || c.is_control());
    !local.is_empty()
        && text.len() <= 320
        && !local.contains('@')
        && plain(text)
        && domain.contains('.')
        && domain.split('.').all(|part| !part.is_empty())
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = |rest: &str| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':']);
    rest.is_some_and(host)
        && text.len() <= 8_000
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_media_type(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    text.split_once('/').is_some_and(|(kind, sub)| word(kind) && word(sub))
}

fn is_language(text: &str) -> bool {
    let (language, country) = text.split_once('-').map_or((text, None), |(l, c)| (l, Some(c)));
    (2..=3).contains(&language.len())
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && country.is_none_or(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_uppercase()))
}

fn is_base64(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - bare.len() <= 2
        && bare.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// A day or a moment: `2026-01-31`, `2026-01-31Z`, `2026-01-31T08:15:00.5Z`, the last `Z` at will.
fn moment(text: &str) -> Option<(Date, Timestamp)> {
    let bare = text.strip_suffix('Z').unwrap_or(text);
    let (day, time) = bare.split_once('T').map_or((bare, None), |(day, time)| (day, Some(time)));
    let digits = |at: std::ops::Range<usize>| {
        day.get(at).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    if day.len() != 10 || !digits(0..4) || !digits(5..7) || !digits(8..10) {
        return None;
    }
    let day: Date = day.parse().ok()?;
    let time: Time = match time {
        Some(time) if time.len() >= 8 && !time.contains(['+', '-', '[']) => time.parse().ok()?,
        Some(_) => return None,
        None => Time::midnight(),
    };
    let at = day.to_datetime(time).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((day, at))
}

/// A time of day, as `HH:mm:ss`.
fn time_of_day(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let mut numbers = [0_u8; 3];
    for (at, part) in parts.iter().enumerate() {
        if !(1..=2).contains(&part.len()) || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        numbers[at] = part.parse().ok()?;
    }
    let [hour, minute, second] = numbers;
    (hour < 24 && minute < 60 && second < 60).then(|| format!("{hour:02}:{minute:02}:{second:02}"))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;
    use crate::action::action;

    fn wrong(id: &str, body: &Value) -> Vec<String> {
        let body = body.as_object().expect("an object");
        check(action(id).expect("an action").body, body)
            .wrong
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn everything_that_is_wrong_is_named_at_once() {
        let body = json!({
            "candidate": {"first_name": 7, "email_address": "nobody", "location": {"country": "Germany"}},
            "attachments": [{"name": "cv.pdf", "type": "PHOTO", "data": "aGk="}, {"name": "x", "type": "CV"}],
            "stage_id": "",
        });
        assert_eq!(
            wrong("ats_create_application", &body),
            [
                "`body.stage_id`: expected the id of a record, got \"\"",
                "`body.candidate.first_name`: expected text, got 7",
                "`body.candidate.last_name`: expected text, got nothing",
                "`body.candidate.email_address`: expected an e-mail address, got \"nobody\"",
                "`body.candidate.location.country`: expected a country as two capital letters (ISO 3166-1 \
                 alpha-2), got \"Germany\"",
                "`body.attachments[0].type`: expected one of CV, COVER_LETTER, OTHER, got \"PHOTO\"",
                "`body.attachments[0].content_type`: expected a media type, like application/pdf, got nothing",
                "`body.attachments[1]`: expected `data` or `data_url`, got nothing",
            ]
        );
    }

    #[test]
    fn values_come_out_in_one_form() {
        let body = json!({
            "employee_id": "remote:7", "absence_type_id": "a", "start_date": "2026-01-31T23:30:00Z",
            "end_date": "2026-02-01", "employee_note": null, "start_time": "8:5", "colour": "red",
        });
        let checked = check(
            action("hris_create_absence").expect("an action").body,
            body.as_object().expect("an object"),
        );
        assert_eq!(checked.wrong, []);
        assert_eq!(checked.unknown, ["body.colour"]);
        let expected = json!({
            "employee_id": "remote:7", "absence_type_id": "a", "start_date": "2026-01-31",
            "end_date": "2026-02-01", "employee_note": null, "status": "REQUESTED",
            "start_half_day": false, "end_half_day": false, "start_time": "08:05:00",
        });
        assert_eq!(checked.value, expected);
        let references: Vec<_> =
            checked.references.iter().map(|one| (one.pointer.as_str(), one.model)).collect();
        assert_eq!(
            references,
            [("/employee_id", "hris_employees"), ("/absence_type_id", "hris_absence_types")]
        );
    }
}
