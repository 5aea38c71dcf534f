//! An application form: what it asks, and what an answer must be.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// An application form. What changes from visit to visit (hidden tokens) is not part of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Form {
    pub(crate) questions: Vec<Question>,
}

/// A question of a form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// Unique within the form, and the same each time the same page is read.
    pub id: String,
    /// The name of its control.
    pub(crate) name: String,
    /// What the candidate reads.
    pub label: String,
    /// The format of its answer.
    pub kind: Kind,
    /// It must be answered while it is visible.
    pub required: bool,
    /// The contract's key of what is asked.
    pub unified_key: Option<String>,
    /// It must not decide the application.
    pub equality: bool,
    /// What can be chosen.
    pub options: Vec<Choice>,
    /// The help text beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The heading that it stands under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// What the vocabulary calls it, also where the contract has no key for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The files that it takes: endings and media types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// How a date is written on the page, where that is not the usual way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) written: Option<String>,
    /// The answer that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) when: Option<Condition>,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// A text of one or more lines.
    Text,
    /// A number.
    Number,
    /// Yes or no.
    Boolean,
    /// A file.
    File,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// The id of one option.
    SingleSelect,
    /// The ids of any number of options.
    MultiSelect,
}

/// One choice of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// Unique within the question; what an answer names.
    pub id: String,
    /// What the candidate reads.
    pub label: String,
    /// What is sent for it.
    pub(crate) value: String,
    /// The contract's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unified_key: Option<String>,
}

impl Choice {
    pub(crate) fn of(value: &str, label: &str) -> Choice {
        let label = if label.is_empty() { value } else { label };
        let (id, label, value) = (short(value), label.to_owned(), value.to_owned());
        Choice { id, label, value, unified_key: None }
    }
}

/// The answer to another question that shows a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Condition {
    pub(crate) question_id: String,
    pub(crate) answer_equals: Value,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The id of the question.
    pub question_id: String,
    /// Text, a number, a boolean, a list of ids of options, or a file.
    pub answer: Value,
}

/// A digest of texts, each with its length, so that no two lists run together.
fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(hasher.finalize())
}

/// A short name for a text.
pub(crate) fn short(text: &str) -> String {
    digest(&[text])[..16].to_owned()
}

pub(crate) fn is_nothing(answer: &Value) -> bool {
    match answer {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
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

    /// What it asks, in order.
    #[must_use]
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// The blocks of the form, as callers know them: questions under the same heading are a section.
    #[must_use]
    pub fn blocks(&self) -> Value {
        let mut blocks: Vec<Value> = Vec::new();
        for question in &self.questions {
            let block = question.block();
            let Some(section) = &question.section else {
                blocks.push(block);
                continue;
            };
            let open = blocks.last_mut().filter(|last| {
                last["block_type"] == "SECTION" && last["label"] == section.as_str()
            });
            match open.and_then(|open| open["children"].as_array_mut()) {
                Some(children) => children.push(block),
                None => blocks.push(json!({
                    "block_type": "SECTION", "label": section, "children": [block],
                })),
            }
        }
        blocks.into()
    }

    /// Ids and words of the questions of which nobody knows what they ask for.
    #[must_use]
    pub fn unsure(&self) -> Vec<(String, String)> {
        let unsure = self.questions.iter().filter(|question| question.subject.is_none());
        unsure.map(|question| (question.id.clone(), question.label.clone())).collect()
    }

    /// Says what a question asks for.
    pub fn set_unified_key(&mut self, id: &str, key: &str) {
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
            if !question.is_visible(answers) {
                wrong.push(format!(
                    "{place}.question_id`: expected no answer to \"{}\", which the other answers hide",
                    question.label
                ));
            }
            if let Err(expected) = question.takes(&answer.answer) {
                wrong.push(format!(
                    "{place}.answer`: expected {expected} for \"{}\"",
                    question.label
                ));
            }
        }
        let must = self.questions.iter().filter(|one| one.required && one.is_visible(answers));
        for question in must {
            let answer = answers.iter().find(|answer| answer.question_id == question.id);
            if answer.is_none_or(|answer| is_nothing(&answer.answer)) {
                wrong.push(format!(
                    "`body.screening_question_answers`: expected an answer to the required question `{}` \
                     (\"{}\")",
                    question.id, question.label
                ));
            }
        }
        wrong
    }

    /// The answers to a further step of the form: what was answered before and is asked for again.
    ///
    /// # Errors
    ///
    /// What the step must have an answer to, and nobody has given one.
    pub fn carried(&self, answers: &[Answer], next: &Form) -> Result<Vec<Answer>, String> {
        let mut carried = Vec::new();
        for asked in &next.questions {
            let same = self
                .questions
                .iter()
                .find(|one| one.name == asked.name && one.label == asked.label);
            let alike = || self.questions.iter().find(|one| one.asks_like(asked));
            let answer = same.or_else(alike).and_then(|known| {
                let given = answers.iter().find(|answer| answer.question_id == known.id)?;
                asked.converted(known, &given.answer)
            });
            match answer {
                Some(answer) => carried.push(Answer { question_id: asked.id.clone(), answer }),
                None if asked.required => {
                    return Err(format!(
                        "A further step requires an answer to \"{}\".",
                        asked.label
                    ));
                }
                None => {}
            }
        }
        Ok(carried)
    }

    /// This form and a further step of it as one, with the answers to both.
    #[must_use]
    pub fn joined(&self, answers: &[Answer], next: Form, more: Vec<Answer>) -> (Form, Vec<Answer>) {
        let mut form = next;
        let mut all = more;
        for question in &self.questions {
            if form.question(&question.id).is_none() {
                form.questions.push(question.clone());
                all.extend(answers.iter().find(|one| one.question_id == question.id).cloned());
            }
        }
        (form, all)
    }

    fn question(&self, id: &str) -> Option<&Question> {
        self.questions.iter().find(|question| question.id == id)
    }

    /// What the page asks now and did not ask before, or no longer asks; in words.
    #[must_use]
    pub fn changed(&self, now: &Form, answers: &[Answer]) -> Option<String> {
        let mut gone = answers.iter().filter_map(|answer| self.question(&answer.question_id));
        if let Some(gone) = gone.find(|one| now.question(&one.id).is_none()) {
            return Some(format!("The page no longer asks \"{}\".", gone.label));
        }
        let answered = |id: &str| answers.iter().any(|answer| answer.question_id == id);
        let mut visible =
            now.questions.iter().filter(|one| one.required && one.is_visible(answers));
        let new = visible.find(|one| !answered(&one.id));
        new.map(|new| format!("The page now requires an answer to \"{}\".", new.label))
    }
}

impl Question {
    /// The question as callers know it.
    fn block(&self) -> Value {
        let options = self
            .options
            .iter()
            .map(|one| json!({ "id": one.id, "label": one.label, "unified_key": one.unified_key }));
        let chosen = matches!(self.kind, Kind::SingleSelect | Kind::MultiSelect);
        json!({
            "block_type": "QUESTION",
            "question_id": self.id,
            "label": self.label,
            "description": self.description,
            "required": self.required,
            "category": self.equality.then_some("EEO"),
            "question_type": self.kind,
            "unified_key": self.unified_key,
            "options": chosen.then(|| options.collect::<Vec<_>>()),
            "display_when": self.when,
        })
    }

    /// Whether another question asks for the same. Nobody agrees to one text by agreeing to another.
    fn asks_like(&self, other: &Question) -> bool {
        let alike = self.subject.is_some() && self.subject == other.subject;
        (alike || self.label == other.label) && self.kind != Kind::Boolean
    }

    /// The answer to another question as this one takes it.
    fn converted(&self, known: &Question, answer: &Value) -> Option<Value> {
        if self.kind == known.kind && self.takes(answer).is_ok() {
            return Some(answer.clone());
        }
        let chosen = known.options.iter().find(|one| *answer == one.id.as_str())?;
        let mut own = self.options.iter();
        let own = own.find(|one| one.value == chosen.value || one.label == chosen.label)?;
        (self.kind == Kind::SingleSelect).then(|| own.id.clone().into())
    }

    fn is_visible(&self, answers: &[Answer]) -> bool {
        self.when.as_ref().is_none_or(|when| {
            let given = answers.iter().find(|answer| answer.question_id == when.question_id);
            given.is_some_and(|given| given.answer == when.answer_equals)
        })
    }

    /// Whether an answer fits.
    ///
    /// # Errors
    ///
    /// What was expected.
    fn takes(&self, answer: &Value) -> Result<(), String> {
        let is_option = |value: &Value| self.options.iter().any(|one| *value == one.id.as_str());
        let (fits, expected) = match self.kind {
            Kind::Text => (answer.is_string(), "text"),
            Kind::Number => (answer.is_number(), "a number"),
            Kind::Boolean => (answer.is_boolean(), "`true` or `false`"),
            Kind::Date => (day(answer).is_some(), "a day (2026-01-31)"),
            Kind::SingleSelect => (is_option(answer), "the id of one of the options"),
            Kind::MultiSelect => (
                answer.as_array().is_some_and(|list| list.iter().all(is_option)),
                "a list of ids of options",
            ),
            Kind::File => (
                is_file(answer),
                "a file: an object with `name`, `content_type` and `data` in base64",
            ),
        };
        if !fits {
            return Err(expected.to_owned());
        }
        if self.kind == Kind::File && !self.takes_file(answer) {
            return Err(format!("a file of one of the kinds {}", self.accept.join(", ")));
        }
        Ok(())
    }

    /// Whether a file is of a kind that the page lets people choose, by its name or its media type.
    fn takes_file(&self, file: &Value) -> bool {
        let text = |name: &str| file[name].as_str().unwrap_or_default().to_ascii_lowercase();
        let (name, kind) = (text("name"), text("content_type"));
        let ending = name.rsplit_once('.').map(|(_, ending)| ending).unwrap_or_default();
        let by_name = FILE_KINDS.iter().find(|(known, _)| *known == ending).map(|(_, kind)| *kind);
        let is_kind = |one: &str| {
            let mut kinds = [Some(kind.as_str()), by_name].into_iter().flatten();
            kinds.any(|kind| match one.strip_suffix("/*") {
                Some(family) => kind.split('/').next() == Some(family),
                None => kind == one,
            })
        };
        let is_ending = |one: &str| {
            let kind_of = FILE_KINDS.iter().find(|(known, _)| *known == one).map(|(_, kind)| *kind);
            ending == one || kind_of == Some(kind.as_str())
        };
        self.accept.is_empty()
            || self.accept.iter().any(|one| match one.strip_prefix('.') {
                Some(one) => is_ending(one),
                None => one == "*/*" || is_kind(one),
            })
    }
}

/// Endings of files that come with applications, and their media types.
const FILE_KINDS: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("rtf", "application/rtf"),
    ("txt", "text/plain"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("zip", "application/zip"),
];

fn is_file(answer: &Value) -> bool {
    let texts = ["name", "content_type", "data"].map(|name| answer[name].as_str());
    texts.iter().all(Option::is_some) && texts[2].is_some_and(|data| STANDARD.decode(data).is_ok())
}

/// The day of an answer.
pub(crate) fn day(answer: &Value) -> Option<jiff::civil::Date> {
    answer.as_str()?.get(..10)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Answer, Form};

    fn form() -> Form {
        let text = json!({ "questions": [
            { "id": "car", "name": "car", "label": "Do you drive?", "kind": "BOOLEAN", "required": true,
              "unified_key": null, "equality": false, "options": [] },
            { "id": "since", "name": "since", "label": "Since when?", "kind": "DATE", "required": true,
              "unified_key": null, "equality": false, "options": [], "section": "Driving",
              "when": { "question_id": "car", "answer_equals": true } },
            { "id": "cv", "name": "cv", "label": "CV", "kind": "FILE", "required": false,
              "unified_key": "RESUME", "equality": false, "options": [], "accept": [".pdf", "image/*"] },
        ] });
        Form::read(&text.to_string()).expect("a form")
    }

    fn answers(values: &[(&str, serde_json::Value)]) -> Vec<Answer> {
        let answer = |(id, value): &(&str, serde_json::Value)| Answer {
            question_id: (*id).to_owned(),
            answer: value.clone(),
        };
        values.iter().map(answer).collect()
    }

    #[test]
    fn hidden_questions_are_not_answered() {
        let form = form();
        assert!(form.check(&answers(&[("car", json!(false))])).is_empty());
        let missing = form.check(&answers(&[("car", json!(true))]));
        assert!(missing[0].contains("Since when?"), "{missing:?}");
        let hidden = form.check(&answers(&[("car", json!(false)), ("since", json!("2020-01-01"))]));
        assert!(hidden[0].contains("which the other answers hide"), "{hidden:?}");
        assert_eq!(form.blocks()[1]["children"][0]["display_when"]["answer_equals"], json!(true));
    }

    #[test]
    fn files_are_of_the_kinds_that_are_taken() {
        let file =
            |name: &str, kind: &str| json!({ "name": name, "content_type": kind, "data": "QQ==" });
        for (name, kind, fits) in [
            ("a.pdf", "application/octet-stream", true),
            ("a.PDF", "application/pdf", true),
            ("a.png", "image/png", true),
            ("a", "application/pdf", true),
            ("a.jpg", "application/octet-stream", true),
            ("a.exe", "application/x-msdownload", false),
            ("a.docx", "application/octet-stream", false),
        ] {
            let wrong = form().check(&answers(&[("car", json!(false)), ("cv", file(name, kind))]));
            assert_eq!(wrong.is_empty(), fits, "{name}: {wrong:?}");
        }
    }
}
