//! Bodies of requests: JSON, bounded, and every failure with a name.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use cadre_model::fault::Code;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};

use crate::recorder::Call;
use crate::refuse::Refused;
use crate::state::AppState;

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);

/// A JSON object. No body at all is an empty one.
#[derive(Debug)]
pub struct JsonBody(pub Map<String, Value>);

impl FromRequest<AppState> for JsonBody {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Refused> {
        let limit = state.body_limit_bytes;
        let (parts, body) = request.into_parts();
        let reading = Limited::new(body, limit).collect();
        let Ok(read) = tokio::time::timeout(BODY_TIME, reading).await else {
            let seconds = BODY_TIME.as_secs();
            return Err(invalid(format!(
                "The body of the request did not arrive within {seconds} seconds."
            )));
        };
        let bytes = match read {
            Ok(collected) => collected.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return Err(invalid(format!(
                    "The body of the request is larger than the {limit} bytes that this server \
                     accepts."
                )));
            }
            Err(error) => {
                return Err(invalid(format!(
                    "The body of the request could not be read: {error}."
                )));
            }
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(JsonBody(Map::new()));
        }
        json_type(&parts.headers)?;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => {
                if let Some(call) = parts.extensions.get::<Arc<Call>>() {
                    call.with_body(Value::Object(object.clone()));
                }
                Ok(JsonBody(object))
            }
            Ok(other) => {
                let kind = kind_of(&other);
                Err(invalid(format!("Invalid request: `body`: expected an object, got {kind}.")))
            }
            Err(error) => {
                Err(invalid(format!("The body of the request is not valid JSON: {error}.")))
            }
        }
    }
}

impl JsonBody {
    /// A refusal that names one property of the body.
    pub fn wrong(&self, property: &str, expected: &str) -> Refused {
        invalid(format!("Invalid request: {}.", self.problem(property, expected)))
    }

    fn problem(&self, property: &str, expected: &str) -> String {
        let got = self.0.get(property).map_or("nothing", kind_of);
        let got = match self.0.get(property) {
            Some(Value::String(text)) if text.len() <= 100 => format!("{text:?}"),
            Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
            _ => got.to_owned(),
        };
        format!("`body.{property}`: expected {expected}, got {got}")
    }
}

/// Reads the properties of a body one by one, and keeps what is wrong for one refusal that names it
/// all.
#[derive(Debug)]
pub struct Asked<'a> {
    body: &'a JsonBody,
    problems: Vec<String>,
}

impl<'a> Asked<'a> {
    /// Begins to read.
    #[must_use]
    pub fn of(body: &'a JsonBody) -> Self {
        Self { body, problems: Vec::new() }
    }

    /// Notes that a property is wrong.
    pub fn wrong(&mut self, property: &str, expected: &str) {
        self.problems.push(self.body.problem(property, expected));
    }

    /// Text that must be there and fit.
    pub fn text(
        &mut self,
        property: &str,
        expected: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Option<&'a str> {
        let text = self.body.0.get(property).and_then(Value::as_str).filter(|text| fits(text));
        if text.is_none() {
            self.wrong(property, expected);
        }
        text
    }

    /// Text, which is not empty, or nothing.
    pub fn text_or_null(&mut self, property: &str, expected: &str) -> Option<&'a str> {
        match self.body.0.get(property) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            Some(_) => {
                self.wrong(property, expected);
                None
            }
        }
    }

    /// One of some words, if there is one.
    pub fn choice(&mut self, property: &str, words: &[&str]) -> Option<&'a str> {
        let value = self.body.0.get(property)?;
        let word = value.as_str().filter(|word| words.contains(word));
        if word.is_none() {
            self.wrong(property, &format!("one of {}", words.join(", ")));
        }
        word
    }

    /// One of some words, if there is one; `null` is none.
    pub fn choice_or_null(&mut self, property: &str, words: &[&str]) -> Option<&'a str> {
        if self.body.0.get(property) == Some(&Value::Null) {
            return None;
        }
        self.choice(property, words)
    }

    /// Whether a property is `true`; it may be absent.
    pub fn flag(&mut self, property: &str) -> bool {
        match self.body.0.get(property) {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(property, "`true` or `false`");
                false
            }
        }
    }

    /// Ends the reading.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` that names everything that is wrong.
    pub fn end(self) -> Result<(), Refused> {
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(invalid(format!("Invalid request: {}.", self.problems.join("; "))))
    }
}

fn invalid(message: String) -> Refused {
    Refused::new(Code::PlatformInputInvalid, message)
}

fn json_type(headers: &HeaderMap) -> Result<(), Refused> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(invalid(
            "The request has a body but no Content-Type. Send `Content-Type: application/json`."
                .to_owned(),
        ));
    };
    let text = value.to_str().unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
    {
        return Ok(());
    }
    Err(invalid(format!(
        "The body of the request has the type {essence:?}. Send `Content-Type: application/json`."
    )))
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
