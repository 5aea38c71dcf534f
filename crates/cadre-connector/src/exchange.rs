//! One exchange with a vendor over HTTP: the door to the outside, and what is told about it.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::{Map, Value};
use url::Url;

use crate::format::{Format, xml};

/// A request, ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRequest {
    /// The method, in upper case.
    pub method: String,
    /// The whole URL.
    pub url: Url,
    /// The headers; a name is there once.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
    /// Most bytes of the answer's body, uncompressed.
    pub max_body_bytes: u64,
    /// Whether a redirect to another host is an answer instead of being followed.
    pub stays: bool,
    /// Whether any redirect is the answer that was asked for.
    pub takes_redirects: bool,
    /// Whether it is sent without the account's signature.
    pub unsigned: bool,
    /// What the connection is opened with, where the tool asks for a certificate.
    pub identity: Option<ClientIdentity>,
}

/// A certificate and its private key, as PEM text. Neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    pem: String,
}

impl ClientIdentity {
    /// Of a certificate (or a chain of them, the client's first) and its key.
    #[must_use]
    pub fn new(certificate: &str, private_key: &str) -> Self {
        Self { pem: format!("{}\n{}\n", certificate.trim(), private_key.trim()) }
    }

    /// Certificates and key, one after the other.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }
}

impl std::fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientIdentity([redacted])")
    }
}

impl HttpRequest {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: &str, url: Url) -> Self {
        Self {
            method: method.to_owned(),
            url,
            headers: Vec::new(),
            body: None,
            max_body_bytes: 64 << 20,
            stays: false,
            takes_redirects: false,
            unsigned: false,
            identity: None,
        }
    }

    /// The value of a header; its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Sets a header in place of what was there under the name.
    pub fn set_header(&mut self, name: &str, value: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
    }

    /// Sets a query parameter in place of what was there under the name.
    pub fn set_query(&mut self, name: &str, value: &str) {
        let others: Vec<(String, String)> = self
            .url
            .query_pairs()
            .filter(|(known, _)| known != name)
            .map(|(k, v)| (k.into(), v.into()))
            .collect();
        self.url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    }
}

/// An answer, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpResponse {
    /// The status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body, uncompressed.
    pub body: Bytes,
}

impl HttpResponse {
    /// The headers as `$headers`: names in lower case, repeated ones joined with a comma.
    #[must_use]
    pub fn headers_value(&self) -> Value {
        let mut all = Map::new();
        for (name, value) in &self.headers {
            match all.entry(name.to_ascii_lowercase()).or_insert(Value::Null) {
                Value::String(known) => {
                    known.push_str(", ");
                    known.push_str(value);
                }
                slot => *slot = Value::String(value.clone()),
            }
        }
        Value::Object(all)
    }

    /// The value of a header; its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No connection: name not found, refused, TLS failed.
    #[error("the connection failed: {0}")]
    Connect(String),
    /// The connection was there, and ended before an answer.
    #[error("the connection ended without an answer: {0}")]
    Unanswered(String),
    /// No whole answer within the deadline.
    #[error("there was no complete answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The answer ended early.
    #[error("the answer broke off: {0}")]
    Cut(String),
    /// The answer is longer than what is taken.
    #[error("the answer is longer than {0} bytes")]
    TooLarge(u64),
    /// The server does not take the client's certificate.
    #[error("the client certificate was refused: {0}")]
    CertificateRefused(String),
    /// The address may not be asked.
    #[error("{0}")]
    Blocked(String),
    /// The request cannot be sent as it is.
    #[error("the request cannot be sent: {0}")]
    Unsendable(String),
}

/// Sends requests: over the network, or out of a recording.
#[async_trait]
pub trait HttpSend: Send + Sync {
    /// Sends a request and takes the whole answer in.
    ///
    /// # Errors
    ///
    /// When there is no whole answer within the deadline; an answer with an error status is an answer.
    async fn send(
        &self,
        request: HttpRequest,
        deadline: Duration,
    ) -> Result<HttpResponse, SendError>;

    /// What stands in for the servers that are not asked over HTTP; `None` asks the real ones.
    fn recorded(&self) -> Option<&Recorded> {
        None
    }
}

/// What stands in for servers that are not asked over HTTP.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    /// Files of an SFTP server: name and content, the one changed first before the others.
    pub files: Vec<(String, Bytes)>,
    /// Entries of a directory, as a search returns them.
    pub entries: Vec<Value>,
}

/// Hears what happens while a tool is read.
pub trait Observer: Send + Sync {
    /// An exchange took place. Everything in it is redacted.
    fn exchange(&self, exchange: &Exchange);

    /// Whether the bodies of an exchange that went well are looked at; cleaning them of secrets costs.
    fn wants_bodies(&self) -> bool {
        true
    }

    /// The run waits: for a budget, for a vendor, before it tries again.
    fn wait(&self, why: &str, ms: u64);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn exchange(&self, _: &Exchange) {}
    fn wait(&self, _: &str, _: u64) {}
}

/// An exchange, redacted: no secret is in it, and bodies are shortened.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exchange {
    /// What the request was for: `auth`, `check`, or the name of the stream.
    pub purpose: String,
    /// The method; for SFTP and LDAP what was done.
    pub method: String,
    /// The URL.
    pub url: String,
    /// The request's headers.
    pub request_headers: Vec<(String, String)>,
    /// The request's body.
    pub request_body: Option<String>,
    /// The answer's status.
    pub status: Option<u16>,
    /// The answer's headers.
    pub response_headers: Vec<(String, String)>,
    /// The answer's body.
    pub response_body: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The rule that judged the answer, when it is an error.
    pub rule: Option<String>,
    /// What was made of it, when it is an error.
    pub error: Option<String>,
}

/// The body of an answer, as rules and expressions see it.
pub(crate) enum Body {
    /// It is what was declared.
    Parsed(Value),
    /// It is not: what is seen of it, and why.
    Other {
        /// The JSON it happens to be, or its text.
        seen: Value,
        /// Why it is not what was declared; a clause.
        why: String,
        /// Whether it ends in the middle.
        cut: bool,
    },
}

impl Body {
    /// Reads a body that is declared to have the format.
    pub(crate) fn read(format: Format, lists: &[String], response: &HttpResponse) -> Body {
        let bytes = response.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&response.body);
        match format {
            Format::Auto | Format::Json => Self::json(bytes),
            Format::Xml => Self::xml(bytes, lists),
            Format::Csv | Format::Xlsx | Format::Ndjson => {
                if looks_like_markup(bytes) && format != Format::Xlsx || response.status >= 400 {
                    return Self::json(bytes);
                }
                match rows(format, response.body.clone()) {
                    Ok(rows) => Body::Parsed(Value::Array(rows)),
                    Err(why) => Body::Other { seen: text(bytes), why, cut: false },
                }
            }
        }
    }

    fn json(bytes: &[u8]) -> Body {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Body::Parsed(Value::Null);
        }
        match serde_json::from_slice(bytes) {
            Ok(value) => Body::Parsed(value),
            Err(error) => {
                let markup = looks_like_markup(bytes);
                let why = if markup {
                    "the body is a web page, not JSON".to_owned()
                } else if error.is_eof() {
                    format!("the JSON of the body ends in the middle, after {} bytes", bytes.len())
                } else {
                    format!("the body is not JSON: {error}")
                };
                Body::Other { seen: text(bytes), why, cut: error.is_eof() && !markup }
            }
        }
    }

    fn xml(bytes: &[u8], lists: &[String]) -> Body {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Body::Parsed(Value::Null);
        }
        match xml::read(bytes, lists) {
            Ok(tree) => Body::Parsed(tree),
            Err(broken) => {
                let xml::Broken { line, why, cut } = broken;
                let why = format!("the body is not XML: line {line}: {why}");
                Body::Other { seen: text(bytes), why, cut }
            }
        }
    }

    /// What rules and expressions see as `.`.
    pub(crate) fn seen(&self) -> &Value {
        match self {
            Body::Parsed(value) => value,
            Body::Other { seen, .. } => seen,
        }
    }
}

fn rows(format: Format, body: Bytes) -> Result<Vec<Value>, String> {
    let say = |error: crate::format::FormatError| {
        let line = error.line.map(|line| format!(", line {line}")).unwrap_or_default();
        format!("the body cannot be read{line}: {}", error.message.trim_end_matches('.'))
    };
    let options = crate::format::DecodeOptions { allow_empty: true, ..Default::default() };
    let source = std::io::Cursor::new(body);
    let mut reader = crate::format::decode(format, "body", source, &options).map_err(say)?;
    let mut all = Vec::new();
    while let Some(batch) = reader.next_batch(10_000).map_err(say)? {
        if let Some(problem) = batch.problems.into_iter().next() {
            return Err(say(problem));
        }
        all.extend(batch.rows);
    }
    Ok(all)
}

fn looks_like_markup(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// The beginning of a body that is only looked at.
fn text(bytes: &[u8]) -> Value {
    const MOST: usize = 64 << 10;
    Value::String(String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned())
}
