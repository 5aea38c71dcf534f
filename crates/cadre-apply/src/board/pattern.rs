//! Patterns of addresses: `https://{company}.board.example/jobs/{id}-*`.

use serde_json::{Map, Value};
use url::Url;

/// A pattern of addresses.
#[derive(Debug)]
pub(super) struct Pattern {
    scheme: String,
    /// Host and port.
    host: String,
    segments: Vec<String>,
    /// Parameters that the address must have.
    query: Vec<(String, String)>,
}

impl Pattern {
    pub(super) fn read(text: &str) -> Result<Pattern, String> {
        let wrong =
            || format!("`{text}` is no pattern such as `https://{{company}}.x.example/{{id}}`");
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = place.split_once('/').ok_or_else(wrong)?;
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query: Option<Vec<_>> = pairs
            .map(|pair| {
                pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
            })
            .collect();
        Ok(Pattern {
            scheme: scheme.to_owned(),
            host: host.to_owned(),
            segments: path.split('/').map(str::to_owned).collect(),
            query: query.ok_or_else(wrong)?,
        })
    }

    /// What an address has in the places of the names; `None` where it does not fit.
    pub(super) fn fits(&self, url: &Url) -> Option<Value> {
        let mut named = Map::new();
        let host = url.host_str()?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut path: Vec<&str> = url.path_segments()?.collect();
        if path.len() > 1 && path.last() == Some(&"") {
            path.pop();
        }
        let fits = self.scheme == url.scheme()
            && piece(&self.host, &host, &mut named)
            && self.segments.len() == path.len()
            && self.segments.iter().zip(path).all(|(one, text)| piece(one, text, &mut named))
            && self.query.iter().all(|(name, one)| {
                let value = url.query_pairs().find(|(known, _)| known == name.as_str());
                value.is_some_and(|(_, value)| piece(one, &value, &mut named))
            });
        fits.then(|| named.into())
    }
}

/// Whether a text fits a piece of a pattern: plain letters, `{name}` for what is taken, and at the end `*`
/// for whatever follows.
fn piece(pattern: &str, text: &str, named: &mut Map<String, Value>) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else {
        return match pattern.strip_suffix('*') {
            Some(begin) => text.starts_with(begin),
            None => pattern == text,
        };
    };
    let Some((name, after)) = rest.split_once('}') else { return false };
    let Some(text) = text.strip_prefix(before) else { return false };
    let plain = after.split(['{', '*']).next().unwrap_or_default();
    let end = if plain.is_empty() { Some(text.len()) } else { text.find(plain) };
    let Some((value, left)) = end.map(|end| text.split_at(end)) else { return false };
    let is_safe =
        !value.is_empty() && value.chars().all(|one| one.is_alphanumeric() || "-_~%".contains(one));
    named.insert(name.to_owned(), value.into());
    is_safe && piece(after, left, named)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::Pattern;

    #[test]
    fn addresses_fit_or_not() {
        for (pattern, url, named) in [
            (
                "https://{c}.b.example/jobs/{id}-*",
                "https://acme.b.example/jobs/12-baker",
                Some("acme 12"),
            ),
            ("https://{c}.b.example/jobs/{id}", "https://acme.b.example/jobs/12/", Some("acme 12")),
            ("https://{c}.b.example/jobs/{id}", "https://x.acme.b.example/jobs/12", None),
            ("https://{c}.b.example/jobs/{id}", "https://acme.b.example/jobs/12/apply", None),
            (
                "https://b.example/app?for={c}&token={id}",
                "https://b.example/app?token=7&for=acme",
                Some("acme 7"),
            ),
            ("https://b.example/app?for={c}&token={id}", "https://b.example/app?for=acme", None),
            ("https://b.example/{c}/{id}", "https://b.example/acme/a@evil.example", None),
            ("http://127.0.0.1:{c}/{id}", "http://127.0.0.1:4000/x", Some("4000 x")),
        ] {
            let found = Pattern::read(pattern)
                .expect("a pattern")
                .fits(&Url::parse(url).expect("an address"));
            let shown = found.map(|named| {
                format!(
                    "{} {}",
                    named["c"].as_str().unwrap_or("-"),
                    named["id"].as_str().unwrap_or("-")
                )
            });
            assert_eq!(shown.as_deref(), named, "{pattern} {url}");
        }
    }
}
