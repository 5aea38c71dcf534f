//! Cookies, as far as a form needs them: what one page sets, the next request to the same host carries.

use cadre_connector::{HttpRequest, HttpResponse};

/// Cookies by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Jar(Vec<(String, String)>);

impl Jar {
    /// What an answer sets.
    pub(super) fn of(response: &HttpResponse) -> Jar {
        let mut jar = Jar::default();
        jar.take(response);
        jar
    }

    /// Takes in what an answer sets.
    pub(super) fn take(&mut self, response: &HttpResponse) {
        let set =
            response.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        for (_, cookie) in set {
            let pair = cookie.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim());
            self.0.retain(|(known, _)| known != name);
            if !name.is_empty() {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    /// Puts the cookies into a request, beside those that it has.
    pub(super) fn add_to(&self, request: &mut HttpRequest) {
        let mut pairs: Vec<String> = request
            .header("cookie")
            .into_iter()
            .flat_map(|text| text.split("; "))
            .filter(|pair| {
                let name = pair.split('=').next().unwrap_or_default();
                self.0.iter().all(|(known, _)| known != name)
            })
            .map(str::to_owned)
            .collect();
        pairs.extend(self.0.iter().map(|(name, value)| format!("{name}={value}")));
        if !pairs.is_empty() {
            request.set_header("Cookie", &pairs.join("; "));
        }
    }
}
