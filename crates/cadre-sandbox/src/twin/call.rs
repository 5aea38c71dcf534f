//! What a caller sent and what goes back, in the form in which a twin reads and writes them.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A request that came in whole.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: String,
    /// The path, as it was sent.
    pub(crate) path: String,
    /// The query, as it was sent.
    pub(crate) query: String,
    /// Names and values of the query, in order; names may repeat.
    pub(crate) params: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Where the twin is, as the caller knows it: `http://127.0.0.1:4020`.
    pub(crate) base: String,
}

/// A file or field of a form of several parts.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) bytes: Vec<u8>,
}

impl Call {
    /// Reads a request to its end.
    pub(crate) async fn read(request: Request) -> Call {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default().to_owned();
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
        Call {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            params: pairs(query.as_bytes()),
            query,
            base: format!("http://{host}"),
            headers: parts.headers,
            // A body that broke off on its way is a shorter body.
            body: to_bytes(body, usize::MAX).await.unwrap_or_default(),
        }
    }

    /// Method and the segments of the path, decoded: what a twin matches on.
    pub(crate) fn segments(&self) -> Vec<String> {
        let parts = self.path.split('/').filter(|part| !part.is_empty());
        parts.map(decoded).collect()
    }

    /// The first value of a parameter of the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let mut found = self.params.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// All values of a parameter: repeated, or with `[]` behind its name.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let fits = |key: &str| key.strip_suffix("[]").unwrap_or(key) == name;
        self.params.iter().filter(|(key, _)| fits(key)).map(|(_, value)| value.as_str()).collect()
    }

    /// A whole number of the query, or the default when it is not given; `None` when it is no number.
    pub(crate) fn number(&self, name: &str, default: usize) -> Option<usize> {
        self.param(name).map_or(Some(default), |text| text.parse().ok())
    }

    /// The text of a header; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// User name and password of basic authentication.
    pub(crate) fn basic(&self) -> Option<(String, String)> {
        let given = self.header(AUTHORIZATION.as_str()).strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(given.trim()).ok()?).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header(AUTHORIZATION.as_str()).strip_prefix("Bearer ").map(str::trim)
    }

    /// The body as JSON; `None` when it is none.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Names and values of a form in the body.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        pairs(&self.body)
    }

    /// The parts of a form of several parts; empty when the body is none.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let kind = self.header(CONTENT_TYPE.as_str());
        let Some((_, boundary)) = kind.split_once("boundary=") else { return Vec::new() };
        let mark = format!("--{}", boundary.trim_matches('"'));
        let mut found = Vec::new();
        let mut rest: &[u8] = &self.body;
        while let Some(start) = place(rest, mark.as_bytes()) {
            rest = &rest[start + mark.len()..];
            let Some(end) = place(rest, mark.as_bytes()) else { break };
            found.extend(part(&rest[..end]));
        }
        found
    }
}

/// One part, without the lines around it.
fn part(bytes: &[u8]) -> Option<Part> {
    let head_end = place(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..head_end]);
    let quoted = |name: &str| {
        let (_, rest) = head.split_once(&format!("; {name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let body = bytes[head_end + 4..].strip_suffix(b"\r\n")?;
    Some(Part { name: quoted("name")?, file_name: quoted("filename"), bytes: body.to_vec() })
}

fn place(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len().max(1)).position(|window| window == wanted)
}

fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(bytes).into_owned().collect()
}

/// A segment of a path; a plus is a plus there.
fn decoded(segment: &str) -> String {
    let safe = format!("s={}", segment.replace('+', "%2B").replace('&', "%26"));
    pairs(safe.as_bytes()).pop().map_or_else(String::new, |(_, value)| value)
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// JSON.
    pub(crate) fn json(status: u16, body: &Value) -> Reply {
        Reply::text(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Text of some type.
    pub(crate) fn text(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, headers: vec![("content-type", kind.to_owned())], body: body.into() }
    }

    /// No body.
    pub(crate) fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Reply {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The same, ready to be sent.
    pub(crate) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;

    use super::Call;

    #[tokio::test]
    async fn a_form_of_several_parts_is_taken_apart() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nPay\r\n\
            --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\n\
            Content-Type: application/pdf\r\n\r\n%PDF\r\n\r\n\r\n--b--\r\n";
        let request = Request::post("/a%20b/c+d?x=1&x=2&y[]=3")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from(body))
            .expect("a request");
        let call = Call::read(request).await;
        assert_eq!(call.segments(), ["a b", "c+d"]);
        assert_eq!((call.all("x"), call.all("y")), (vec!["1", "2"], vec!["3"]));
        let parts = call.parts();
        let names: Vec<_> = parts.iter().map(|part| (&*part.name, &*part.bytes)).collect();
        assert_eq!(names, [("title", &b"Pay"[..]), ("file", b"%PDF\r\n\r\n")]);
        assert_eq!(parts[1].file_name.as_deref(), Some("a.pdf"));
    }
}
