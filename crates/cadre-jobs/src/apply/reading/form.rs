//! An application form: what it asks, what an answer must be, and what is sent for one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::controls::{Control, RawForm};
use super::words;
use crate::apply::inquire::digest;

/// An application form. What changes from visit to visit (hidden tokens) is not part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Form {
    questions: Vec<Question>,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Question {
    id: String,
    /// The name of its control.
    name: String,
    label: String,
    kind: Kind,
    required: bool,
    unified_key: Option<String>,
    equality: bool,
    options: Vec<Choice>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Kind {
    Text,
    Number,
    Boolean,
    File,
    Date,
    SingleSelect,
    MultiSelect,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Choice {
    id: String,
    label: String,
    value: String,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The id of the question.
    pub question_id: String,
    /// Text, a number, a boolean, a list of ids of options, or a file.
    pub answer: Value,
}

/// A value of a form as it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Part {
    Text(String, String),
    File { name: String, file_name: String, content_type: String, base64: String },
}

impl Form {
    /// Reads a form that was stored.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn read(text: &str) -> Result<Form, String> {
        serde_json::from_str(text).map_err(|error| format!("a stored form cannot be read: {error}"))
    }

    /// The form as it is stored.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// A digest of the form.
    #[must_use]
    pub fn id(&self) -> String {
        digest(&[&self.text()])[..24].to_owned()
    }

    /// The questions that a form of a page asks.
    pub(super) fn of(raw: &RawForm) -> Form {
        let mut questions: Vec<Question> = Vec::new();
        for control in raw.controls.iter().filter(|control| is_asked(control)) {
            let known = questions.iter_mut().find(|known| known.name == control.name);
            match known {
                Some(question) => question.join(control),
                None => questions.push(Question::of(control)),
            }
        }
        for question in &mut questions {
            question.finish();
        }
        Form { questions }
    }

    /// How many questions there are.
    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether a file or an address is asked for: what tells an application from a search.
    pub(super) fn is_application(&self) -> bool {
        let asks = |question: &Question| {
            question.kind == Kind::File || question.unified_key.as_deref() == Some("EMAIL")
        };
        self.questions.iter().any(asks) && self.questions.len() > 1
    }

    /// The blocks of the form, as callers know them.
    #[must_use]
    pub fn blocks(&self) -> Value {
        let block = |question: &Question| {
            let options = question.options.iter().map(
                |choice| json!({ "id": choice.id, "label": choice.label, "unified_key": null }),
            );
            let chosen = matches!(question.kind, Kind::SingleSelect | Kind::MultiSelect);
            json!({
                "block_type": "QUESTION",
                "question_id": question.id,
                "label": question.label,
                "description": null,
                "required": question.required,
                "category": question.equality.then_some("EEO"),
                "question_type": question.kind,
                "unified_key": question.unified_key,
                "options": chosen.then(|| options.collect::<Vec<_>>()),
                "display_when": null,
            })
        };
        self.questions.iter().map(block).collect()
    }

    /// Ids and words of the questions of which nobody knows what they ask for.
    pub(crate) fn unsure(&self) -> Vec<(String, String)> {
        let unsure = self.questions.iter().filter(|question| question.unified_key.is_none());
        unsure.map(|question| (question.id.clone(), question.label.clone())).collect()
    }

    /// Says what a question asks for.
    pub(crate) fn set_unified_key(&mut self, id: &str, key: &str) {
        if let Some(question) = self.questions.iter_mut().find(|question| question.id == id) {
            question.unified_key = Some(key.to_owned());
        }
    }

    /// Everything that is wrong with answers, each in words that name its place.
    #[must_use]
    pub fn check(&self, answers: &[Answer]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (at, answer) in answers.iter().enumerate() {
            let place = format!("`body.screening_question_answers[{at}]");
            let Some(question) = self.question(&answer.question_id) else {
                let shown: String = answer.question_id.chars().take(60).collect();
                wrong.push(format!(
                    "{place}.question_id`: expected a question of the form, got {shown:?}"
                ));
                continue;
            };
            if answers[..at].iter().any(|earlier| earlier.question_id == answer.question_id) {
                wrong.push(format!(
                    "{place}.question_id`: expected each question once, got it again"
                ));
            }
            if let Err(expected) = question.takes(&answer.answer) {
                wrong.push(format!(
                    "{place}.answer`: expected {expected} for \"{}\"",
                    question.label
                ));
            }
        }
        for question in self.questions.iter().filter(|question| question.required) {
            let answer = answers.iter().find(|answer| answer.question_id == question.id);
            if answer.is_none_or(|answer| is_nothing(&answer.answer)) {
                wrong.push(format!(
                    "`body.screening_question_answers`: expected an answer to the required question `{}` (\"{}\")",
                    question.id, question.label
                ));
            }
        }
        wrong
    }

    fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// What the page asks now and did not ask before, or no longer asks; in words.
    pub(super) fn changed(&self, now: &Form, answers: &[Answer]) -> Option<String> {
        let gone = answers.iter().filter_map(|answer| self.question(&answer.question_id));
        if let Some(gone) = gone.into_iter().find(|one| now.question(&one.id).is_none()) {
            return Some(format!("The page no longer asks \"{}\".", gone.label));
        }
        let answered = |id: &str| answers.iter().any(|answer| answer.question_id == id);
        let new = now.questions.iter().find(|one| one.required && !answered(&one.id));
        new.map(|new| format!("The page now requires an answer to \"{}\".", new.label))
    }

    /// The values that a browser would send: what the page fills in itself, and the answers.
    pub(super) fn filled(&self, raw: &RawForm, answers: &[Answer]) -> Vec<Part> {
        let own = raw
            .controls
            .iter()
            .filter(|control| control.kind == "hidden" && !control.name.is_empty());
        let mut parts: Vec<Part> =
            own.map(|control| Part::Text(control.name.clone(), control.value.clone())).collect();
        for question in &self.questions {
            let answer = answers.iter().find(|answer| answer.question_id == question.id);
            let control = raw.controls.iter().find(|control| control.name == question.name);
            match answer.filter(|answer| !is_nothing(&answer.answer)) {
                Some(answer) => question.send(&answer.answer, control, &mut parts),
                // A text that nobody filled in is sent empty, a box that nobody checked is not.
                None if matches!(question.kind, Kind::Text | Kind::Number | Kind::Date) => {
                    parts.push(Part::Text(question.name.clone(), String::new()));
                }
                None => {}
            }
        }
        let button = raw.controls.iter().find(|control| {
            matches!(control.kind.as_str(), "submit" | "button") && !control.name.is_empty()
        });
        parts.extend(button.map(|button| Part::Text(button.name.clone(), button.value.clone())));
        parts
    }
}

/// Whether a control asks a person for something.
fn is_asked(control: &Control) -> bool {
    const NOT: &[&str] = &["hidden", "submit", "button", "reset", "image", "password", "search"];
    !control.name.is_empty() && !NOT.contains(&control.kind.as_str())
}

fn is_nothing(answer: &Value) -> bool {
    match answer {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn short(text: &str) -> String {
    digest(&[text])[..16].to_owned()
}

impl Question {
    fn of(control: &Control) -> Question {
        let kind = match control.kind.as_str() {
            "select" if control.multiple => Kind::MultiSelect,
            "select" | "radio" => Kind::SingleSelect,
            "checkbox" => Kind::Boolean,
            "file" => Kind::File,
            "date" => Kind::Date,
            "number" | "range" => Kind::Number,
            _ => Kind::Text,
        };
        let label = match control.kind.as_str() {
            "radio" => &control.legend,
            _ => &control.label,
        };
        let mut question = Question {
            id: String::new(),
            name: control.name.clone(),
            label: label.clone(),
            kind,
            required: control.required,
            unified_key: (control.kind == "email").then(|| "EMAIL".to_owned()),
            equality: false,
            options: Vec::new(),
        };
        match control.kind.as_str() {
            "select" => {
                let real = control.options.iter().filter(|(value, _)| !value.is_empty());
                for (value, words) in real {
                    question.choice(value, words);
                }
            }
            "radio" | "checkbox" => question.choice(&control.value, &control.label),
            _ => {}
        }
        question
    }

    fn choice(&mut self, value: &str, label: &str) {
        let label = if label.is_empty() { value } else { label };
        let choice = Choice { id: short(value), label: label.to_owned(), value: value.to_owned() };
        self.options.push(choice);
    }

    /// Another control of the same name: one more thing to choose.
    fn join(&mut self, control: &Control) {
        self.required |= control.required;
        if matches!(control.kind.as_str(), "radio" | "checkbox") {
            self.choice(&control.value, &control.label);
            if control.kind == "checkbox" {
                self.kind = Kind::MultiSelect;
                self.label.clone_from(&control.legend);
            }
        }
    }

    fn finish(&mut self) {
        if let Some(label) = self.label.strip_suffix('*') {
            self.required = true;
            self.label = label.trim_end().to_owned();
        }
        if self.label.is_empty() {
            self.label = self.name.replace(['_', '-', '[', ']'], " ").trim().to_owned();
        }
        self.id = short(&format!("{}\n{}", self.name, self.label));
        if self.unified_key.is_none() {
            self.unified_key = words::unified_key(&self.label, &self.name).map(str::to_owned);
        }
        if self.kind == Kind::File && self.unified_key.as_deref() != Some("RESUME") {
            self.unified_key = None;
        }
        self.equality = words::is_equality(&self.label);
    }

    /// Whether an answer fits.
    ///
    /// # Errors
    ///
    /// What was expected.
    fn takes(&self, answer: &Value) -> Result<(), String> {
        let is_option = |value: &Value| self.options.iter().any(|one| *value == one.id.as_str());
        let file = |answer: &Value| {
            let texts = ["name", "content_type", "data"].map(|name| answer[name].as_str());
            texts.iter().all(Option::is_some)
                && texts[2].is_some_and(|data| STANDARD.decode(data).is_ok())
        };
        let day =
            |text: &str| text.get(..10).is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
        let (fits, expected) = match self.kind {
            Kind::Text => (answer.is_string(), "text"),
            Kind::Number => (answer.is_number(), "a number"),
            Kind::Boolean => (answer.is_boolean(), "`true` or `false`"),
            Kind::Date => (answer.as_str().is_some_and(day), "a day (2026-01-31)"),
            Kind::SingleSelect => (is_option(answer), "the id of one of the options"),
            Kind::MultiSelect => (
                answer.as_array().is_some_and(|list| list.iter().all(is_option)),
                "a list of ids of options",
            ),
            Kind::File => {
                (file(answer), "a file: an object with `name`, `content_type` and `data` in base64")
            }
        };
        if fits { Ok(()) } else { Err(expected.to_owned()) }
    }

    fn send(&self, answer: &Value, control: Option<&Control>, parts: &mut Vec<Part>) {
        let mut put = |text: &str| parts.push(Part::Text(self.name.clone(), text.to_owned()));
        let value = |id: &Value| self.options.iter().find(|one| *id == one.id.as_str());
        match self.kind {
            Kind::Text => put(answer.as_str().unwrap_or_default()),
            Kind::Date => put(answer.as_str().and_then(|text| text.get(..10)).unwrap_or_default()),
            Kind::Number => put(&answer.to_string()),
            Kind::Boolean if *answer == true => {
                let value =
                    control.map(|control| control.value.as_str()).filter(|text| !text.is_empty());
                put(value.unwrap_or("on"));
            }
            Kind::Boolean => {}
            Kind::SingleSelect => value(answer).into_iter().for_each(|one| put(&one.value)),
            Kind::MultiSelect => {
                let chosen = answer.as_array().into_iter().flatten().filter_map(value);
                chosen.for_each(|one| put(&one.value));
            }
            Kind::File => {
                let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
                parts.push(Part::File {
                    name: self.name.clone(),
                    file_name: text("name"),
                    content_type: text("content_type"),
                    base64: text("data"),
                });
            }
        }
    }
}

/// Where a form is sent to.
pub(super) fn target(raw: &RawForm, page: &Url) -> Option<Url> {
    let url = if raw.action.is_empty() { page.clone() } else { page.join(&raw.action).ok()? };
    matches!(url.scheme(), "http" | "https").then_some(url)
}
