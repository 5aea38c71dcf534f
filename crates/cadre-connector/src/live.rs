//! Asking a tool at the moment of a call: live reads, files, and requests that are passed through.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use cadre_jq::Vars;
use cadre_model::fault::{Code, Fault};
use serde_json::{Map, Value};
use url::Url;

use crate::auth::Auth;
use crate::classify::{Failure, Verdict};
use crate::connector::{SUBSCRIBE, UNSUBSCRIBE, one_of};
use crate::exchange::{HttpRequest, HttpResponse};
use crate::manifest::PassthroughSection;
use crate::request::{BuildError, Built};
use crate::send::Call;
use crate::session::{Inner, Session};

/// Headers that a caller may not set: they belong to the connection, or to the credentials.
const KEPT: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "keep-alive",
    "proxy-connection",
];
/// How many of them, the first ones, a connector can give free.
const CAN_BE_FREED: usize = 3;

/// A request that a caller wants passed through to the tool.
#[derive(Debug, Clone)]
pub struct PassRequest {
    /// The API of the tool, as the manifest names it.
    pub api: String,
    /// The method, in upper case.
    pub method: String,
    /// What is appended to the API's base URL.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Query parameters, beside those of the path.
    pub params: Vec<(String, String)>,
    /// The body, and its type where the headers name none.
    pub body: Option<(Bytes, String)>,
}

/// What the tool answered to a request that was passed through.
#[derive(Debug, Clone)]
pub struct Passed {
    /// The URL that was asked, without secrets.
    pub url: String,
    /// The status.
    pub status: u16,
    /// The headers, names in lower case; repeated ones as a list. Without credentials.
    pub headers: Map<String, Value>,
    /// The body as it came.
    pub body: Bytes,
}

impl Passed {
    /// The body: as base64 when that is wanted or nothing else is possible (then the flag says so),
    /// as JSON where it is JSON, otherwise as text.
    #[must_use]
    pub fn data(&self, as_base64: bool) -> (Value, bool) {
        if self.body.is_empty() {
            return (Value::Null, false);
        }
        if as_base64 {
            return (STANDARD.encode(&self.body).into(), false);
        }
        match serde_json::from_slice(&self.body) {
            Ok(value) => (value, false),
            Err(_) => match std::str::from_utf8(&self.body) {
                Ok(text) => (text.into(), false),
                Err(_) => (STANDARD.encode(&self.body).into(), true),
            },
        }
    }
}

impl Session {
    /// Asks a live read about a record: every record of the tool's answer.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn live(&self, operation: &str, record: &Value) -> Result<Vec<Value>, Failure> {
        let Some(at) = self.inner.connector.live_index(operation) else {
            let label = &self.inner.connector.manifest().label;
            let message = format!("{label} does not offer `{operation}`.");
            let code = Code::IntegrationActionNotAvailable;
            return Err(Failure::new(code, "connector.yaml live", message));
        };
        self.inner.all_pages(at, record).await
    }

    /// Asks for one record of a stream by its id; `None` where the tool says that it does not have it, by
    /// the status 404 or 410.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn one(&self, stream: &str, remote_id: &str) -> Result<Option<Value>, Failure> {
        let record = serde_json::json!({ "remote_id": remote_id });
        match self.aside(&one_of(stream), &record).await {
            Ok(records) => Ok(records.into_iter().next()),
            Err(failure) if matches!(failure.status, Some(404 | 410)) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Asks the tool to tell what happens, at an address, signed with a secret. What it answered.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn subscribe(&self, url: &str, secret: &str) -> Result<Value, Failure> {
        let record = serde_json::json!({ "url": url, "secret": secret });
        let answers = self.aside(SUBSCRIBE, &record).await?;
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Asks the tool not to tell any more: the subscription by its id in the tool, and the address.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn unsubscribe(&self, id: Option<&str>, url: &str) -> Result<(), Failure> {
        let record = serde_json::json!({ "id": id, "url": url });
        match self.aside(UNSUBSCRIBE, &record).await {
            Err(failure) if !matches!(failure.status, Some(404 | 410)) => Err(failure),
            _ => Ok(()),
        }
    }

    async fn aside(&self, name: &str, record: &Value) -> Result<Vec<Value>, Failure> {
        let Some(at) = self.inner.connector.aside_index(name) else {
            let message = format!("The connector has no `{name}`.");
            return Err(Failure::new(Code::PlatformUnknownError, "connector.yaml", message));
        };
        self.inner.all_pages(at, record).await
    }

    /// Fetches a file with the account's credentials, from a path below the connector's `base_url`.
    ///
    /// # Errors
    ///
    /// What the tool said, classified; also when the file is larger than `most` bytes.
    pub async fn file(&self, path: &str, most: u64) -> Result<Bytes, Failure> {
        let inner = &self.inner;
        let build = |vars: &Vars<'_>| {
            let base = match &inner.connector.manifest().base_url {
                Some(base) => base.text(vars)?,
                None => return Err(BuildError("the connector has no `base_url`".to_owned())),
            };
            let mut request = HttpRequest::new("GET", below(&base, path)?);
            request.set_header("Accept", "*/*");
            request.max_body_bytes = most;
            Ok(request)
        };
        let call = raw("file", &build);
        inner.call(&call).await.map(|answer| answer.response.body)
    }

    /// Passes a request through to the tool. An answer is an answer, whatever its status.
    ///
    /// # Errors
    ///
    /// `PLATFORM.INPUT_INVALID` when the request may not be sent as it is, and what went wrong where
    /// there is no answer.
    pub async fn pass(&self, request: &PassRequest) -> Result<Passed, Failure> {
        let inner = &self.inner;
        let manifest = inner.connector.manifest();
        let Some(api) = manifest.passthrough.get(&request.api) else {
            let message = format!("{} has no API `{}`.", manifest.label, request.api);
            let code = Code::PlatformInputInvalid;
            return Err(Failure::new(code, "connector.yaml passthrough", message));
        };
        inner.may_be_sent(api, request)?;
        let build = |vars: &Vars<'_>| inner.passed_on(api, request, vars);
        let call = raw("passthrough", &build);
        let mut stale = None;
        loop {
            let token = inner.token(&call, stale).await?;
            let generation = token.as_ref().map(|token| token.generation);
            let exchanged = inner.exchange(&call, token.as_ref()).await?;
            if let (Verdict::LogInEnded(_), None, Some(_)) = (&exchanged.verdict, stale, generation)
            {
                stale = generation;
                continue;
            }
            return match (exchanged.result, exchanged.verdict) {
                (Ok(response), _) => Ok(inner.handed_back(&exchanged.url, response)),
                (Err(_), Verdict::Failed { failure, .. } | Verdict::LogInEnded(failure)) => {
                    Err(failure)
                }
                (Err(error), Verdict::Fine | Verdict::NoRecords) => {
                    let code = Code::PlatformUnknownError;
                    Err(Failure::new(code, "internal", error.to_string()))
                }
            };
        }
    }
}

impl Inner {
    /// Headers of the connection and of the credentials are not the caller's.
    fn may_be_sent(&self, api: &PassthroughSection, request: &PassRequest) -> Result<(), Failure> {
        let signature = match self.auth() {
            Some(Auth::Header(header)) => Some(header.name.as_str()),
            _ => None,
        };
        for (name, value) in &request.headers {
            let kept = KEPT.iter().position(|kept| kept.eq_ignore_ascii_case(name));
            let freed = api.allow_headers.iter().any(|free| free.eq_ignore_ascii_case(name))
                && kept.is_none_or(|at| at < CAN_BE_FREED);
            let signs = signature.is_some_and(|own| own.eq_ignore_ascii_case(name));
            let why = if signs || kept.is_some() && !freed {
                "is set here, from the credentials of the integration or for the connection"
            } else if value.contains(['\r', '\n', '\0']) {
                "would hold a line break"
            } else if name.is_empty() || !name.bytes().all(is_token) {
                "is no name of a header"
            } else {
                continue;
            };
            let message = format!("Invalid request: `body.headers.{name}` {why}.");
            let fault = Fault::new(Code::PlatformInputInvalid, message);
            let rule = "limit: headers of a request that is passed through".to_owned();
            return Err(Failure { fault, rule, status: None, retry: false });
        }
        Ok(())
    }

    fn passed_on(
        &self,
        api: &PassthroughSection,
        asked: &PassRequest,
        vars: &Vars<'_>,
    ) -> Built<HttpRequest> {
        let mut url = below(&api.base_url.text(vars)?, &asked.path)?;
        if !asked.params.is_empty() {
            url.query_pairs_mut().extend_pairs(&asked.params);
        }
        let mut request = HttpRequest::new(&asked.method, url);
        request.stays = true;
        for (name, parameter) in &self.connector.manifest().headers {
            if let Some(value) = parameter.values(vars)?.into_iter().next() {
                request.set_header(name, &value);
            }
        }
        for (name, value) in &asked.headers {
            request.set_header(name, value);
        }
        if let Some((body, kind)) = &asked.body {
            if request.header("content-type").is_none() {
                request.set_header("Content-Type", kind);
            }
            request.body = Some(body.clone());
        }
        Ok(request)
    }

    fn handed_back(&self, url: &Url, response: HttpResponse) -> Passed {
        let redactor = self.redactor();
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in redactor.headers(&response.headers) {
            let name = name.to_ascii_lowercase();
            match headers.entry(name).or_insert(Value::Null) {
                Value::Array(values) => values.push(value.into()),
                slot @ Value::Null => *slot = value.into(),
                slot => *slot = Value::Array(vec![slot.take(), value.into()]),
            }
        }
        Passed { url: redactor.url(url), status: response.status, headers, body: response.body }
    }
}

fn raw<'a>(
    purpose: &'a str,
    build: &'a (dyn Fn(&Vars<'_>) -> Built<HttpRequest> + Sync),
) -> Call<'a> {
    Call { raw: true, ..Call::new(purpose, build) }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A URL below a base: on its host, and not above its path.
fn below(base: &str, path: &str) -> Built<Url> {
    let base = base.trim_end_matches('/');
    let root = Url::parse(base).map_err(|error| format!("`{base}` is not a URL: {error}"))?;
    let path = path.trim_start_matches('/');
    let url = Url::parse(&format!("{base}/{path}"))
        .map_err(|error| format!("`{path}` is not a path: {error}"))?;
    let above = root.path().trim_end_matches('/');
    let inside = url.path().strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
    if !matches!(url.scheme(), "http" | "https") || url.origin() != root.origin() || !inside {
        return Err(BuildError(format!("`{path}` leads out of {base}")));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn a_path_stays_below_its_base() {
        let base = "https://api.example/v1";
        for (path, expected) in [
            ("/people?x=1", "https://api.example/v1/people?x=1"),
            ("people/1", "https://api.example/v1/people/1"),
            ("//evil.example/x", "https://api.example/v1/evil.example/x"),
            ("https://evil.example/", "https://api.example/v1/https://evil.example/"),
            ("@evil.example/", "https://api.example/v1/@evil.example/"),
        ] {
            assert_eq!(below(base, path).expect("inside").as_str(), expected);
        }
        for path in ["../admin", "x/../../admin", "%2e%2e/admin", "..\\admin", "x/%2E%2E/../y"] {
            assert!(below(base, path).is_err(), "{path}");
        }
    }
}
