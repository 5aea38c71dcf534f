//! One exchange of a case: what was said, without what must not be kept.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use cadre_connector::{HttpRequest, HttpResponse, SendError};
use regex::Regex;
use serde_json::{Map, Value, json};
use url::{Url, form_urlencoded};

use super::Said;
use crate::authoring::scrub::{Scrub, place_of};
use crate::catalog::Entry;

/// The headers of answers that the connector looks at, in lower case.
pub(super) fn headers_that_count(folder: &Path, entry: &Entry) -> BTreeSet<String> {
    static USED: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"\$headers(?:\.([A-Za-z0-9_]+)|\["([^"]+)"\])"#).ok());
    let mut names: BTreeSet<String> = ["link", "location", "retry-after"].map(str::to_owned).into();
    let limits = &entry.connector.manifest().limits.headers;
    let told = [Some(&limits.retry_after), limits.remaining.as_ref(), limits.reset.as_ref()];
    names.extend(told.into_iter().flatten().map(|name| name.to_ascii_lowercase()));
    let text = std::fs::read_to_string(folder.join("connector.yaml")).unwrap_or_default();
    if let Some(used) = USED.as_ref() {
        let found = used.captures_iter(&text).filter_map(|found| found.get(1).or(found.get(2)));
        names.extend(found.map(|name| name.as_str().to_ascii_lowercase()));
    }
    names
}

/// The form of a body.
enum Body {
    Empty,
    Json(Value),
    Lines(Vec<Value>),
    Xml(String),
    Other(String),
    Binary,
}

impl Body {
    fn of(bytes: &[u8]) -> Body {
        let Ok(text) = std::str::from_utf8(bytes) else { return Body::Binary };
        let text = text.trim_start_matches('\u{feff}');
        if text.trim().is_empty() {
            return Body::Empty;
        }
        if let Ok(value) = serde_json::from_str(text) {
            return Body::Json(value);
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        if let Ok(lines) = lines.map(serde_json::from_str).collect() {
            return Body::Lines(lines);
        }
        if text.trim_start().starts_with("<?xml") || text.contains("</") && !text.contains("<html")
        {
            return Body::Xml(text.to_owned());
        }
        Body::Other(text.to_owned())
    }
}

/// Learns what stands in a request and its answer.
pub(super) fn learn(said: &Said, scrub: &mut Scrub) {
    let answer = said.answer.as_ref().ok().map(|answer| &answer.body);
    for bytes in [said.request.body.as_ref(), answer].into_iter().flatten() {
        match Body::of(bytes) {
            Body::Json(value) => scrub.learn(&value),
            Body::Lines(lines) => scrub.learn(&Value::Array(lines)),
            Body::Xml(text) => {
                scrub.xml(&text);
                scrub.learn(&Value::Null);
            }
            Body::Empty | Body::Other(_) | Body::Binary => {}
        }
    }
}

/// The exchange as a case has it; `None` if it cannot be kept. `warn` hears what a person must look at.
pub(super) fn clean(
    said: &Said,
    kept: &BTreeSet<String>,
    scrub: &mut Scrub,
    warn: &mut dyn FnMut(&str),
) -> Option<Value> {
    let request = request(&said.request, scrub);
    let failed = match &said.answer {
        Ok(answer) => {
            let response = response(answer, kept, scrub, warn);
            return Some(json!({"request": request, "response": response}));
        }
        Err(SendError::Timeout(_)) => "timeout",
        Err(SendError::Cut(_) | SendError::Unanswered(_)) => "cut",
        Err(SendError::Connect(_)) => "refused",
        Err(error) => {
            warn(&format!("left out: {error}"));
            return None;
        }
    };
    Some(json!({"request": request, "connect_error": failed}))
}

fn request(request: &HttpRequest, scrub: &mut Scrub) -> Value {
    let mut made = Map::new();
    if request.method != "GET" {
        made.insert("method".to_owned(), request.method.clone().into());
    }
    made.insert("url".to_owned(), url(&request.url, scrub).into());
    let body = request.body.as_deref().unwrap_or_default();
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(body).map(|(name, value)| (name.into(), value.into())).collect();
        // What is signed is another text at every log-in.
        if !pairs.iter().any(|(name, _)| name.contains("assertion")) {
            let path = request.url.path();
            let fields = pairs.iter().map(|(name, value)| {
                (name.clone(), Value::from(scrub.pair(name, value, &place_of(path, name))))
            });
            made.insert("body".to_owned(), Value::Object(fields.collect()));
        }
    } else if let Body::Json(value) = Body::of(body) {
        made.insert("body".to_owned(), scrub.json(&value));
    }
    Value::Object(made)
}

fn url(url: &Url, scrub: &mut Scrub) -> String {
    // Settings stand in hosts too.
    let mut made = Url::parse(&scrub.text(url.as_str())).unwrap_or_else(|_| url.clone());
    let path = made.path().to_owned();
    if made.query().is_some() {
        let pairs: Vec<(String, String)> = made
            .query_pairs()
            .map(|(name, value)| {
                let value = scrub.pair(&name, &value, &place_of(&path, &name));
                (name.into_owned(), value)
            })
            .collect();
        made.query_pairs_mut().clear().extend_pairs(pairs);
    }
    let _ = made.set_password(None);
    made.into()
}

fn response(
    answer: &HttpResponse,
    kept: &BTreeSet<String>,
    scrub: &mut Scrub,
    warn: &mut dyn FnMut(&str),
) -> Value {
    let mut made = Map::new();
    if answer.status != 200 {
        made.insert("status".to_owned(), answer.status.into());
    }
    let mut headers = Map::new();
    for (name, value) in &answer.headers {
        if kept.contains(&name.to_ascii_lowercase()) {
            headers.insert(name.clone(), scrub.text(value).into());
        }
    }
    let body = Body::of(&answer.body);
    if !matches!(body, Body::Json(_) | Body::Empty)
        && let Some(kind) = answer.header("content-type")
    {
        headers.insert("Content-Type".to_owned(), kind.into());
    }
    if !headers.is_empty() {
        made.insert("headers".to_owned(), Value::Object(headers));
    }
    match body {
        Body::Empty => {}
        Body::Json(value) => {
            made.insert("body".to_owned(), scrub.json(&value));
        }
        Body::Lines(lines) => {
            let lines: Vec<String> =
                lines.iter().map(|line| scrub.json(line).to_string()).collect();
            made.insert("text".to_owned(), (lines.join("\n") + "\n").into());
        }
        Body::Xml(text) => {
            made.insert("text".to_owned(), scrub.xml(&text).into());
        }
        Body::Other(text) => {
            warn(
                "the body is neither JSON nor XML: only addresses, numbers, tokens and known names were \
                 looked for; read it",
            );
            made.insert("text".to_owned(), scrub.text(&text).into());
        }
        Body::Binary => warn("the body is no text and was left out"),
    }
    Value::Object(made)
}
