//! Taking secrets out of what is shown: by value, and by the name of the header.

use std::borrow::Cow;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use serde_json::Value;
use url::{Url, form_urlencoded};

/// What stands in place of a secret.
const REDACTED: &str = "[redacted]";

/// Most bytes of a body that are shown.
const MOST: usize = 64 << 10;

/// Shortest value that is looked for: shorter ones would tear holes into everything.
const SHORTEST: usize = 4;

/// Headers whose value is never shown.
const HEADERS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "api-key",
    "apikey",
    "x-auth-token",
    "x-access-token",
    "x-session-token",
    "x-csrf-token",
];

/// Keys of JSON and form bodies, and of queries, whose value is never shown.
const KEYS: &[&str] = &[
    "access_token",
    "refresh_token",
    "id_token",
    "client_secret",
    "assertion",
    "password",
    "api_key",
    "apikey",
    "secret",
    "session_token",
    "session_id",
];

/// Knows the secrets of one account.
#[derive(Clone, Default)]
pub(crate) struct Redactor {
    /// Longest first, so that a secret inside another one leaves nothing behind.
    values: Vec<String>,
    /// Finds any of the values in one pass.
    any: Option<Regex>,
}

impl Redactor {
    /// Knows these values, and the forms in which they are sent.
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut redactor = Redactor::default();
        redactor.learn(secrets);
        redactor
    }

    /// Learns more values: what a log-in returned.
    pub(crate) fn learn<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        let known = self.values.len();
        for secret in secrets {
            if secret.len() >= SHORTEST && !self.values.iter().any(|value| value == secret) {
                self.values.extend(forms(secret));
            }
        }
        if self.values.len() == known {
            return;
        }
        self.values.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        self.values.dedup();
        let literals: Vec<String> = self.values.iter().map(|value| regex::escape(value)).collect();
        self.any = Regex::new(&literals.join("|")).ok();
    }

    /// Learns what a request is signed with, because a vendor may echo it.
    pub(crate) fn learn_signature(&mut self, headers: &[(String, String)]) {
        self.learn(signatures(headers));
    }

    /// Whether everything that a request is signed with is known.
    pub(crate) fn knows_signature(&self, headers: &[(String, String)]) -> bool {
        let mut long = signatures(headers).filter(|signature| signature.len() >= SHORTEST);
        long.all(|signature| self.values.iter().any(|value| value == signature))
    }

    /// Learns every text of a value: `$session`.
    pub(crate) fn learn_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn([text.as_str()]),
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.learn_value(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        if let Some(any) = &self.any {
            return any.replace_all(text, REDACTED).into_owned();
        }
        // Secrets that are too long for one expression are looked for one by one.
        let mut clean = Cow::Borrowed(text);
        for value in self.values.iter().filter(|value| text.contains(value.as_str())) {
            clean = Cow::Owned(clean.replace(value.as_str(), REDACTED));
        }
        clean.into_owned()
    }

    /// A URL without secrets.
    pub(crate) fn url(&self, url: &Url) -> String {
        let mut url = url.clone();
        if url.password().is_some() {
            let _ = url.set_password(None);
        }
        if url.query_pairs().any(|(name, _)| is_secret(KEYS, &name)) {
            let clean: Vec<(String, String)> = url
                .query_pairs()
                .map(|(name, value)| {
                    let value = if is_secret(KEYS, &name) {
                        "redacted".to_owned()
                    } else {
                        value.into_owned()
                    };
                    (name.into_owned(), value)
                })
                .collect();
            url.query_pairs_mut().clear().extend_pairs(clean);
        }
        self.text(url.as_str())
    }

    /// Headers without secrets.
    pub(crate) fn headers(&self, headers: &[(String, String)]) -> Vec<(String, String)> {
        headers
            .iter()
            .map(|(name, value)| {
                let value =
                    if is_secret(HEADERS, name) { REDACTED.to_owned() } else { self.text(value) };
                (name.clone(), value)
            })
            .collect()
    }

    /// The beginning of a body, without secrets.
    pub(crate) fn body(&self, body: &[u8]) -> String {
        // A secret that the cut would part must be found whole: so much more is looked at.
        let longest = self.values.first().map_or(0, String::len);
        let looked_at = &body[..body.len().min(MOST + longest)];
        let clean = self.text(&String::from_utf8_lossy(looked_at));
        let clean = keyed(clean);
        let mut end = clean.len().min(MOST);
        while !clean.is_char_boundary(end) {
            end -= 1;
        }
        if end == clean.len() && body.len() <= looked_at.len() {
            return clean;
        }
        format!("{}… [shortened; {} bytes in all]", &clean[..end], body.len())
    }
}

/// The forms in which a secret is sent.
fn forms(secret: &str) -> [String; 8] {
    let json = Value::String(secret.to_owned()).to_string();
    [
        secret.to_owned(),
        form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        json[1..json.len() - 1].to_owned(),
        crate::request::escaped(secret),
        STANDARD.encode(secret),
        STANDARD.encode(format!("{secret}:")),
        STANDARD.encode(format!(":{secret}")),
    ]
}

/// What a request is signed with: the credentials in its headers, without the name of their scheme.
fn signatures(headers: &[(String, String)]) -> impl Iterator<Item = &str> {
    headers.iter().filter(|(name, _)| is_secret(HEADERS, name)).map(|(_, value)| {
        value.split_once(' ').map_or(value.as_str(), |(_, credentials)| credentials)
    })
}

fn is_secret(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Takes the values out of `"password": "…"` and `password=…`.
fn keyed(text: String) -> String {
    static ANY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&KEYS.join("|")).ok());
    if ANY.as_ref().is_some_and(|any| !any.is_match(&text)) {
        return text;
    }
    let mut clean = text;
    for key in KEYS {
        for (before, end) in [
            (format!("\"{key}\":\""), '"'),
            (format!("\"{key}\": \""), '"'),
            (format!("{key}="), '&'),
        ] {
            let mut from = 0;
            while let Some(at) = clean[from..].find(&before) {
                let start = from + at + before.len();
                let length = clean[start..].find(end).unwrap_or(clean.len() - start);
                clean.replace_range(start..start + length, REDACTED);
                from = start + REDACTED.len();
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_form_of_a_secret_is_left() {
        let mut redactor = Redactor::new(["s3cr&t key", "abc"]);
        redactor.learn_value(&serde_json::json!({"token": "tok-12345", "uid": 7}));
        for (text, expected) in [
            ("key=s3cr&t key;", "key=[redacted];"),
            ("key=s3cr%26t+key", "key=[redacted]"),
            ("key=s3cr%26t%20key", "key=[redacted]"),
            ("Basic czNjciZ0IGtleTo=", "Basic [redacted]"),
            ("Bearer tok-12345", "Bearer [redacted]"),
            ("abc stays, it is too short", "abc stays, it is too short"),
        ] {
            assert_eq!(redactor.text(text), expected);
        }
    }

    #[test]
    fn headers_go_by_name_and_by_value() {
        let redactor = Redactor::new(["hidden"]);
        let headers =
            [("X-Api-Key", "a"), ("COOKIE", "b"), ("X-Other", "is hidden"), ("Accept", "c")];
        let headers: Vec<_> =
            headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let shown: Vec<String> =
            redactor.headers(&headers).into_iter().map(|(_, value)| value).collect();
        assert_eq!(shown, ["[redacted]", "[redacted]", "is [redacted]", "c"]);
    }

    #[test]
    fn bodies_are_shortened_after_they_are_redacted() {
        let redactor = Redactor::new(["long-secret-value"]);
        let mut body = vec![b'x'; MOST - 5];
        body.extend(b"long-secret-value and more");
        let shown = redactor.body(&body);
        assert!(!shown.contains("long-"), "{}", &shown[shown.len() - 80..]);
        assert!(shown.ends_with("bytes in all]"));
        let answer = r#"{"access_token":"eyJh","expires_in":3600,"password": "p"}"#;
        let expected =
            r#"{"access_token":"[redacted]","expires_in":3600,"password": "[redacted]"}"#;
        assert_eq!(redactor.body(answer.as_bytes()), expected);
        assert_eq!(
            redactor.body(b"grant=x&client_secret=abc&b=c"),
            "grant=x&client_secret=[redacted]&b=c"
        );
    }

    #[test]
    fn urls_lose_their_secrets() {
        let redactor = Redactor::new(["hidden"]);
        let url = Url::parse("https://u:p@a.example/x?api_key=q&b=hidden").expect("url");
        assert_eq!(redactor.url(&url), "https://u@a.example/x?api_key=redacted&b=[redacted]");
    }
}
