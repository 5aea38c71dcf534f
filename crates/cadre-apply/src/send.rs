//! A filled form as a browser would send it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use encoding_rs::Encoding;
use serde_json::Value;
use url::Url;

use crate::question::{Answer, Form, Kind, Question, day, is_nothing, short};
use crate::sheet::{Control, Sheet, Written};

/// A request that sends a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Where it goes to.
    pub url: Url,
    /// The type of its body, where it has one.
    pub content_type: Option<String>,
    /// The values, as the form wants them written.
    pub body: Vec<u8>,
}

/// A value of a form as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String, String),
    File { name: String, file_name: String, content_type: String, bytes: Vec<u8> },
}

impl Sheet {
    /// The form with answers; `None` where it cannot be sent. The answers are those that `form`, as it was
    /// handed out, asks for.
    #[must_use]
    pub fn submission(&self, form: &Form, answers: &[Answer]) -> Option<Submission> {
        let parts = self.filled(form, answers);
        let mut url = self.target.clone()?;
        if !self.is_post {
            let pairs = self.pairs(&parts);
            url.set_query(Some(&pairs).filter(|pairs| !pairs.is_empty()).map(String::as_str));
            return Some(Submission { method: "GET", url, content_type: None, body: Vec::new() });
        }
        let (content_type, body) = match self.encoding {
            Written::Multipart => self.multipart(&parts),
            Written::Pairs => {
                ("application/x-www-form-urlencoded".to_owned(), self.pairs(&parts).into_bytes())
            }
            Written::Plain => return None,
        };
        url.set_fragment(None);
        Some(Submission { method: "POST", url, content_type: Some(content_type), body })
    }

    /// The values in the order of the page: what it fills in itself, the answers, and the button.
    fn filled(&self, form: &Form, answers: &[Answer]) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut answered: Vec<&str> = Vec::new();
        for control in self.controls.iter().filter(|control| !control.name.is_empty()) {
            let question = form.questions.iter().find(|one| one.name == control.name);
            let answer = question.and_then(|question| {
                let answer = answers.iter().find(|answer| answer.question_id == question.id)?;
                (!is_nothing(&answer.answer)).then_some((question, &answer.answer))
            });
            // Of several texts with one name only the first was asked for.
            let first = control.is_box() || !answered.contains(&control.name.as_str());
            match answer.filter(|_| first && control.is_asked()) {
                Some((question, answer)) => {
                    answered.push(&control.name);
                    control.answered(question, answer, &mut parts);
                }
                None => control.unanswered(self.charset.name(), &mut parts),
            }
        }
        if let Some(button) = &self.button {
            if button.is_image {
                let dot = if button.name.is_empty() { "" } else { "." };
                for axis in ["x", "y"] {
                    parts.push(Part::Text(format!("{}{dot}{axis}", button.name), "0".to_owned()));
                }
            } else if !button.name.is_empty() {
                parts.push(Part::Text(button.name.clone(), button.value.clone()));
            }
        }
        parts
    }

    fn bytes(&self, text: &str) -> Vec<u8> {
        self.charset.encode(text).0.into_owned()
    }

    fn pairs(&self, parts: &[Part]) -> String {
        let encode = encoder(self.charset);
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.encoding_override(Some(&encode));
        for part in parts {
            match part {
                Part::Text(name, value) => text.append_pair(name, value),
                // A form that is not made for files sends their names.
                Part::File { name, file_name, .. } => text.append_pair(name, file_name),
            };
        }
        text.finish()
    }

    fn multipart(&self, parts: &[Part]) -> (String, Vec<u8>) {
        let mut written: Vec<u8> = Vec::new();
        let shown = |text: &str| text.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        let mut bodies: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for part in parts {
            bodies.push(match part {
                Part::Text(name, value) => {
                    let head =
                        format!("Content-Disposition: form-data; name=\"{}\"\r\n", shown(name));
                    let lines = value.replace("\r\n", "\n").replace('\n', "\r\n");
                    (self.bytes(&head), self.bytes(&lines))
                }
                Part::File { name, file_name, content_type, bytes } => {
                    let kind: String =
                        content_type.chars().filter(|one| !one.is_control()).collect();
                    let head = format!(
                        "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
                         Content-Type: {kind}\r\n",
                        shown(name),
                        shown(file_name),
                    );
                    (self.bytes(&head), bytes.clone())
                }
            });
        }
        let mut seed = format!("{}", bodies.len());
        let boundary = loop {
            let boundary = format!("----form{}", short(&seed).replace(['-', '_'], "x"));
            let clashes = |text: &[u8]| {
                text.windows(boundary.len()).any(|window| window == boundary.as_bytes())
            };
            if !bodies.iter().any(|(head, body)| clashes(head) || clashes(body)) {
                break boundary;
            }
            seed.push('.');
        };
        for (head, body) in bodies {
            written.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            written.extend_from_slice(&head);
            written.extend_from_slice(b"\r\n");
            written.extend_from_slice(&body);
            written.extend_from_slice(b"\r\n");
        }
        written.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), written)
    }
}

/// Unlike a closure's, the result of what this returns may borrow from the text.
fn encoder(charset: &'static Encoding) -> impl Fn(&str) -> Cow<'_, [u8]> {
    move |text| charset.encode(text).0
}

impl Control {
    /// What is sent for an answer.
    fn answered(&self, question: &Question, answer: &Value, parts: &mut Vec<Part>) {
        let mut put = |text: &str| parts.push(Part::Text(self.name.clone(), text.to_owned()));
        let value = |id: &Value| question.options.iter().find(|one| *id == one.id.as_str());
        let own = if self.value.is_empty() && self.is_box() { "on" } else { self.value.as_str() };
        let chosen: Vec<&str> = match answer {
            Value::Array(ids) => {
                ids.iter().filter_map(value).map(|one| one.value.as_str()).collect()
            }
            id => value(id).map(|one| one.value.as_str()).into_iter().collect(),
        };
        match question.kind {
            Kind::Boolean if *answer == true => put(own),
            Kind::Boolean => {}
            _ if self.is_box() => {
                if chosen.contains(&own) {
                    put(own);
                }
            }
            Kind::SingleSelect | Kind::MultiSelect => chosen.into_iter().for_each(put),
            Kind::Text => put(answer.as_str().unwrap_or_default()),
            Kind::Number => put(&answer.to_string()),
            Kind::Date => {
                let written = question.written.as_deref().unwrap_or("%Y-%m-%d");
                put(&day(answer).map(|day| day.strftime(written).to_string()).unwrap_or_default());
            }
            Kind::File => {
                let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
                parts.push(Part::File {
                    name: self.name.clone(),
                    file_name: text("name"),
                    content_type: text("content_type"),
                    bytes: STANDARD.decode(text("data")).unwrap_or_default(),
                });
            }
        }
    }

    /// What a browser sends where nobody has answered. A box that the page has checked counts as not
    /// checked: nobody agrees to something by saying nothing.
    fn unanswered(&self, charset: &str, parts: &mut Vec<Part>) {
        let mut put = |text: &str| parts.push(Part::Text(self.name.clone(), text.to_owned()));
        match self.kind.as_str() {
            "hidden" if self.name.eq_ignore_ascii_case("_charset_") => put(charset),
            "checkbox" => {}
            "radio" => {
                if self.checked {
                    put(&self.value);
                }
            }
            "select" => {
                let chosen: Vec<_> = self.options.iter().filter(|one| one.chosen).collect();
                match self.options.first().filter(|_| chosen.is_empty() && !self.multiple) {
                    Some(first) => put(&first.value),
                    None => chosen.into_iter().for_each(|one| put(&one.value)),
                }
            }
            "file" => parts.push(Part::File {
                name: self.name.clone(),
                file_name: String::new(),
                content_type: "application/octet-stream".to_owned(),
                bytes: Vec::new(),
            }),
            _ => put(&self.value),
        }
    }
}
