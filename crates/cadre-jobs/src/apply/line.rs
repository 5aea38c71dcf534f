//! One line of a feed: what it says, or everything that is wrong with it.

use cadre_model::values::COUNTRIES;
use cadre_store::{FeedLine, posting_id, site_of_feed};
use serde_json::{Map, Value};
use url::Url;

/// Longest line, in bytes.
pub(super) const LINE_BYTES: usize = 64 << 10;
/// Longest URL, in bytes.
pub(super) const URL_BYTES: usize = 4_096;
/// Longest label or code, in bytes.
const TEXT_BYTES: usize = 500;
/// Longest piece of a wrong value that a message repeats, in characters.
const SHOWN_CHARS: usize = 80;

/// Whose lines they are.
pub(super) struct Feed<'a> {
    pub environment_id: &'a str,
    pub feed_id: &'a str,
}

impl Feed<'_> {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// What is wrong with it, every mistake in words.
    pub(super) fn line(&self, bytes: &[u8]) -> Result<FeedLine, Vec<String>> {
        if bytes.len() > LINE_BYTES {
            return Err(vec![format!("expected at most {LINE_BYTES} bytes, got {}", bytes.len())]);
        }
        let object = match serde_json::from_slice(bytes) {
            Ok(Value::Object(object)) => object,
            Ok(other) => {
                return Err(vec![format!("expected a JSON object, got {}", shown(&other))]);
            }
            Err(error) => {
                let at = error.column();
                return Err(vec![format!(
                    "expected a JSON object, got text that is none: see byte {at}"
                )]);
            }
        };
        let mut reading = Reading { object: &object, wrong: Vec::new() };
        let url = reading.url();
        let label = reading.label();
        let job_code = reading.code();
        let (country, postal_code) = reading.location();
        if !reading.wrong.is_empty() {
            return Err(reading.wrong);
        }
        let career_site_id = site_of_feed(self.environment_id, self.feed_id, &label);
        Ok(FeedLine {
            posting_id: posting_id(self.environment_id, &career_site_id, &url, job_code.as_deref()),
            career_site_id,
            label,
            url,
            job_code,
            country,
            postal_code,
        })
    }
}

struct Reading<'a> {
    object: &'a Map<String, Value>,
    wrong: Vec<String>,
}

impl Reading<'_> {
    fn refuse(&mut self, name: &str, expected: &str, got: Option<&Value>) {
        let got = got.map_or_else(|| "nothing".to_owned(), shown);
        self.wrong.push(format!("`{name}`: expected {expected}, got {got}"));
    }

    fn url(&mut self) -> String {
        let got = self.object.get("url");
        match got.and_then(Value::as_str).filter(|text| is_page_url(text)) {
            Some(url) => url.to_owned(),
            None => {
                let expected = format!("an http:// or https:// URL of at most {URL_BYTES} bytes");
                self.refuse("url", &expected, got);
                String::new()
            }
        }
    }

    fn label(&mut self) -> String {
        let got = self.object.get("career_site_label");
        let fits = |text: &&str| !text.trim().is_empty() && text.len() <= TEXT_BYTES;
        match got.and_then(Value::as_str).filter(fits) {
            Some(label) => label.to_owned(),
            None => {
                let expected = format!("text of 1 to {TEXT_BYTES} bytes");
                self.refuse("career_site_label", &expected, got);
                String::new()
            }
        }
    }

    fn code(&mut self) -> Option<String> {
        match self.object.get("job_code") {
            None | Some(Value::Null) => None,
            Some(Value::String(code)) if code.len() <= TEXT_BYTES => {
                Some(code.clone()).filter(|code| !code.is_empty())
            }
            got => {
                let expected = format!("text of at most {TEXT_BYTES} bytes, or null");
                self.refuse("job_code", &expected, got);
                None
            }
        }
    }

    fn location(&mut self) -> (Option<String>, Option<String>) {
        let location = match self.object.get("location") {
            None | Some(Value::Null) => return (None, None),
            Some(Value::Object(location)) => location,
            got => {
                self.refuse("location", "an object with `country`, or null", got);
                return (None, None);
            }
        };
        let country =
            location.get("country").and_then(Value::as_str).filter(|text| is_country(text));
        if country.is_none() {
            let expected = "a country as two capital letters (ISO 3166-1 alpha-2)";
            self.refuse("location.country", expected, location.get("country"));
        }
        let postal_code = match location.get("postal_code") {
            None | Some(Value::Null) => None,
            Some(Value::String(code)) if code.len() <= TEXT_BYTES => Some(code.clone()),
            got => {
                self.refuse("location.postal_code", "text, or null", got);
                None
            }
        };
        (country.map(str::to_owned), postal_code)
    }
}

/// Whether a text is the address of a page.
#[must_use]
pub fn is_page_url(text: &str) -> bool {
    let begins = text.starts_with("https://") || text.starts_with("http://");
    let url = (begins && text.len() <= URL_BYTES).then(|| Url::parse(text).ok()).flatten();
    url.is_some_and(|url| url.host_str().is_some() && url.password().is_none())
}

/// Whether a text is a country of ISO 3166-1 alpha-2.
#[must_use]
pub fn is_country(text: &str) -> bool {
    COUNTRIES.binary_search(&text).is_ok()
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Array(_) => return "a list".to_owned(),
        Value::Object(_) => return "an object".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::Feed;

    const FEED: Feed<'_> = Feed { environment_id: "e", feed_id: "f" };

    #[test]
    fn a_line_says_what_it_says() {
        let line = FEED
            .line(br#"{"url":"https://x.example/1?a=b","career_site_label":"X","job_code":"","location":{"country":"DE"}}"#)
            .expect("a line");
        assert_eq!((line.url.as_str(), line.label.as_str()), ("https://x.example/1?a=b", "X"));
        assert_eq!((line.job_code, line.country.as_deref()), (None, Some("DE")));
    }

    #[test]
    fn every_mistake_of_a_line_is_named() {
        let wrong = FEED
            .line(br#"{"url":"ftp://x","career_site_label":" ","job_code":7,"location":{"country":"Germany"}}"#)
            .expect_err("four mistakes");
        for name in ["url", "career_site_label", "job_code", "location.country"] {
            assert!(
                wrong.iter().any(|one| one.starts_with(&format!("`{name}`"))),
                "{name}: {wrong:?}"
            );
        }
        for junk in [&b"[]"[..], b"{", b"\xff", b"null"] {
            assert_eq!(FEED.line(junk).expect_err("no object").len(), 1);
        }
    }

    #[test]
    fn the_same_place_is_the_same_posting() {
        let line = |text: &str| FEED.line(text.as_bytes()).expect("a line").posting_id;
        let plain = line(r#"{"url":"https://x.example/1","career_site_label":"X"}"#);
        let placed =
            r#"{"url":"https://x.example/1","career_site_label":"X","location":{"country":"DE"}}"#;
        assert_eq!(plain, line(placed));
        let coded = r#"{"url":"https://x.example/1","career_site_label":"X","job_code":"7"}"#;
        assert_ne!(plain, line(coded));
    }
}
