//! Recorded exchanges in place of a vendor: what a case of a connector runs against.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::exchange::{HttpRequest, HttpResponse, HttpSend, Recorded, SendError};
use crate::manifest::printed;

/// Recorded exchanges. Each is used once, in order, except that a failing one answers again when
/// nothing else matches: a reader that tries again gets the same failure.
#[derive(Debug, Default)]
pub struct Replay {
    state: Mutex<State>,
    recorded: Option<Recorded>,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Entry>,
    unmatched: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    request: RecordedRequest,
    response: Option<RecordedResponse>,
    connect_error: Option<ConnectError>,
    #[serde(skip)]
    used: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedRequest {
    #[serde(default = "get")]
    method: String,
    url: Url,
    body: Option<Value>,
    #[serde(default)]
    headers: IndexMap<String, String>,
    /// Texts that the body has somewhere.
    #[serde(default)]
    body_has: Vec<String>,
    /// Whether the connection is opened with a certificate.
    client_certificate: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedResponse {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: IndexMap<String, String>,
    body: Option<Value>,
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ConnectError {
    Refused,
    Timeout,
    Cut,
}

fn get() -> String {
    "GET".to_owned()
}

fn ok() -> u16 {
    200
}

impl Replay {
    /// Reads `exchanges.json`, `files/` and `entries.json` of a case, as far as they are there.
    ///
    /// # Errors
    ///
    /// When one of them cannot be read, with its name.
    pub fn load(case: &Path) -> Result<Replay, String> {
        let read = |name: &str| -> Result<Option<String>, String> {
            match std::fs::read_to_string(case.join(name)) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(format!("{name} cannot be read: {error}")),
            }
        };
        let mut replay = match read("exchanges.json")? {
            Some(text) => {
                Replay::parse(&text).map_err(|error| format!("exchanges.json: {error}"))?
            }
            None => Replay::default(),
        };
        let mut recorded = Recorded::default();
        if let Some(text) = read("entries.json")? {
            recorded.entries =
                serde_json::from_str(&text).map_err(|error| format!("entries.json: {error}"))?;
        }
        recorded.files = files(&case.join("files"))
            .map_err(|error| format!("files/ cannot be read: {error}"))?;
        if case.join("entries.json").exists() || case.join("files").is_dir() {
            replay.recorded = Some(recorded);
        }
        Ok(replay)
    }

    /// Reads the text of an `exchanges.json`.
    ///
    /// # Errors
    ///
    /// When it is not a list of exchanges.
    pub fn parse(text: &str) -> Result<Replay, String> {
        let exchanges: Vec<Entry> =
            serde_json::from_str(text).map_err(|error| error.to_string())?;
        for (at, entry) in exchanges.iter().enumerate() {
            if entry.response.is_some() == entry.connect_error.is_some() {
                return Err(format!(
                    "exchange {} needs either `response` or `connect_error`",
                    at + 1
                ));
            }
        }
        Ok(Replay { state: Mutex::new(State { exchanges, unmatched: Vec::new() }), recorded: None })
    }

    /// What did not fit: requests without a recorded answer, and exchanges that were not used.
    #[must_use]
    pub fn leftovers(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = state.exchanges.iter().enumerate().filter(|(_, entry)| !entry.used).map(
            |(at, entry)| {
                format!(
                    "exchange {} ({} {}) was not used",
                    at + 1,
                    entry.request.method,
                    entry.request.url
                )
            },
        );
        state.unmatched.iter().cloned().chain(unused).collect()
    }
}

#[async_trait]
impl HttpSend for Replay {
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |entry: &Entry| entry.request.mismatch(&request).is_none();
        let unused = state.exchanges.iter().position(|entry| !entry.used && fits(entry));
        let again = || state.exchanges.iter().rposition(|entry| entry.failed() && fits(entry));
        match unused.or_else(again) {
            Some(at) => {
                let entry = &mut state.exchanges[at];
                entry.used = true;
                entry.answer(deadline)
            }
            None => {
                let why = unmatched(&state.exchanges, &request);
                state.unmatched.push(why.clone());
                Err(SendError::Unsendable(why))
            }
        }
    }

    fn recorded(&self) -> Option<&Recorded> {
        self.recorded.as_ref()
    }
}

/// Says why nothing fits, by the exchange that comes nearest.
fn unmatched(exchanges: &[Entry], request: &HttpRequest) -> String {
    let asked = format!("no recorded exchange answers {} {}", request.method, request.url);
    let near = exchanges.iter().enumerate().filter(|(_, entry)| {
        entry.request.url.path() == request.url.path()
            && entry.request.url.host() == request.url.host()
    });
    let mut reasons: Vec<String> = near
        .map(|(at, entry)| match entry.request.mismatch(request) {
            Some(why) => format!("exchange {}: {why}", at + 1),
            None => format!("exchange {}: used already", at + 1),
        })
        .collect();
    reasons.truncate(3);
    if reasons.is_empty() { asked } else { format!("{asked}; {}", reasons.join("; ")) }
}

impl Entry {
    /// Whether a reader may ask for this again: an error, no answer, or JSON that is cut.
    fn failed(&self) -> bool {
        let Some(response) = &self.response else { return true };
        let cut = response.text.as_deref().is_some_and(|text| {
            text.trim_start().starts_with(['{', '['])
                && serde_json::from_str::<Value>(text).is_err()
        });
        response.status >= 400 || cut
    }

    fn answer(&self, deadline: Duration) -> Result<HttpResponse, SendError> {
        let response = match (&self.response, self.connect_error) {
            (Some(response), _) => response,
            (None, Some(ConnectError::Timeout)) => return Err(SendError::Timeout(deadline)),
            (None, Some(ConnectError::Cut)) => {
                return Err(SendError::Cut(
                    "the connection was closed in the middle of the answer".to_owned(),
                ));
            }
            (None, Some(ConnectError::Refused) | None) => {
                return Err(SendError::Connect("connection refused".to_owned()));
            }
        };
        let mut headers: Vec<(String, String)> =
            response.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let body = match (&response.text, &response.body) {
            (Some(text), _) => Bytes::from(text.clone()),
            (None, Some(body)) => {
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                    headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
                }
                Bytes::from(body.to_string())
            }
            (None, None) => Bytes::new(),
        };
        Ok(HttpResponse { status: response.status, headers, body })
    }
}

impl RecordedRequest {
    /// Why a request is not the recorded one; `None` when it is.
    fn mismatch(&self, request: &HttpRequest) -> Option<String> {
        if !self.method.eq_ignore_ascii_case(&request.method) {
            return Some(format!("the method is {}", self.method));
        }
        let bare = |url: &Url| {
            let mut url = url.clone();
            url.set_query(None);
            url
        };
        if bare(&self.url) != bare(&request.url) {
            return Some(format!("the URL is {}", self.url));
        }
        if pairs(self.url.query_pairs()) != pairs(request.url.query_pairs()) {
            return Some(format!("the query is {}", self.url.query().unwrap_or("empty")));
        }
        for (name, value) in &self.headers {
            match request.header(name) {
                Some(sent) if sent == value => {}
                Some(_) => return Some(format!("the header {name} has another value")),
                None => return Some(format!("the header {name} is not sent")),
            }
        }
        let sent = String::from_utf8_lossy(request.body.as_deref().unwrap_or_default());
        if let Some(missing) = self.body_has.iter().find(|text| !sent.contains(text.as_str())) {
            return Some(format!("the body has no `{missing}`"));
        }
        if self.client_certificate.is_some_and(|there| there != request.identity.is_some()) {
            return Some("the client certificate is there or not, unlike stated".to_owned());
        }
        match &self.body {
            Some(body) if !same_body(body, request.body.as_deref().unwrap_or_default()) => {
                Some("the body is another one".to_owned())
            }
            _ => None,
        }
    }
}

fn same_body(recorded: &Value, sent: &[u8]) -> bool {
    if serde_json::from_slice::<Value>(sent).is_ok_and(|sent| sent == *recorded) {
        return true;
    }
    let form = pairs(form_urlencoded::parse(sent));
    match recorded {
        Value::String(text) => {
            text.as_bytes() == sent || pairs(form_urlencoded::parse(text.as_bytes())) == form
        }
        Value::Object(fields) => {
            let mut fields: Vec<(String, String)> = fields
                .iter()
                .map(|(name, value)| (name.clone(), printed(value).unwrap_or_default()))
                .collect();
            fields.sort();
            fields == form
        }
        _ => false,
    }
}

fn pairs(parsed: form_urlencoded::Parse<'_>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> =
        parsed.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    all.sort();
    all
}

/// The files of a folder, by name; none when there is no folder.
fn files(folder: &Path) -> std::io::Result<Vec<(String, Bytes)>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push((
                entry.file_name().to_string_lossy().into_owned(),
                std::fs::read(entry.path())?.into(),
            ));
        }
    }
    files.sort_by(|a: &(String, Bytes), b| a.0.cmp(&b.0));
    Ok(files)
}
