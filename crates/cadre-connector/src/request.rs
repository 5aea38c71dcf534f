//! A request of the manifest becomes one that can be sent.

mod form;

pub use form::multipart;

use bytes::Bytes;
use cadre_jq::{EvalError, Vars};
use serde_json::Value;
use url::Url;

pub use crate::exchange::HttpRequest;
use crate::manifest::{Manifest, Parameter, Redirects, Request};
use crate::page::{Paging, Position};

/// Where the header of a SOAP envelope stands until a request is signed.
pub(crate) const ENVELOPE_HEADER: &str = "<soapenv:Header/>";

/// The result of building a request.
pub(crate) type Built<T> = Result<T, BuildError>;

/// Why a request cannot be built: a sentence without its end.
#[derive(Debug)]
pub(crate) struct BuildError(pub(crate) String);

impl From<EvalError> for BuildError {
    fn from(error: EvalError) -> Self {
        Self(error.to_string())
    }
}

impl From<String> for BuildError {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Builds a request, at a position of its paging where it has one.
pub(crate) fn build(
    manifest: &Manifest,
    request: &Request,
    place: Option<(&Paging, &Position)>,
    vars: &Vars<'_>,
) -> Built<HttpRequest> {
    let followed = place.and_then(|(_, position)| position.url.as_deref());
    let url = match followed {
        Some(url) => Url::parse(url).map_err(|error| format!("`{url}` is not a URL: {error}"))?,
        None => fresh_url(manifest, request, place, vars)?,
    };
    let mut built = HttpRequest::new(request.method.as_str(), url);
    built.unsigned = !request.signed;
    built.takes_redirects = request.redirects == Redirects::Take;
    built.set_header("Accept", "application/json, */*;q=0.5");
    for (name, parameter) in manifest.headers.iter().chain(&request.headers) {
        if let Some(value) = header(name, parameter, vars)? {
            built.set_header(name, &value);
        }
    }
    if let Some(body) = &request.body {
        let body = body.value(&Value::Null, vars)?;
        if built.header("content-type").is_none() {
            built.set_header("Content-Type", "application/json");
        }
        built.body = Some(Bytes::from(body.to_string()));
    }
    if let Some(text) = xml_body(request, vars)? {
        if built.header("content-type").is_none() {
            built.set_header("Content-Type", "text/xml; charset=utf-8");
        }
        built.body = Some(Bytes::from(text));
    }
    if let Some(fields) = &request.form {
        let body = form::fields(&fields.value(&Value::Null, vars)?)?;
        built.set_header("Content-Type", "application/x-www-form-urlencoded");
        built.body = Some(Bytes::from(body));
    }
    if let Some(parts) = &request.multipart {
        let (kind, body) = form::parts(&parts.value(&Value::Null, vars)?)?;
        built.set_header("Content-Type", &kind);
        built.body = Some(Bytes::from(body));
    }
    Ok(built)
}

/// A body of XML, in an envelope where it is meant for one.
fn xml_body(request: &Request, vars: &Vars<'_>) -> Built<Option<String>> {
    const START: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
    if let Some(text) = &request.xml {
        return Ok(Some(text.text(vars)?));
    }
    let Some(content) = &request.soap else { return Ok(None) };
    let content = content.text(vars)?;
    Ok(Some(format!(
        "{START}<soapenv:Envelope xmlns:soapenv=\"{ENVELOPE}\">{ENVELOPE_HEADER}<soapenv:Body>{}\
         </soapenv:Body></soapenv:Envelope>",
        content.trim()
    )))
}

/// A text that can stand in XML, inside of an element or of an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

fn fresh_url(
    manifest: &Manifest,
    request: &Request,
    place: Option<(&Paging, &Position)>,
    vars: &Vars<'_>,
) -> Built<Url> {
    let path = request.path.text(vars)?;
    let whole = if path.starts_with("https://") || path.starts_with("http://") {
        path
    } else {
        let base = match &manifest.base_url {
            Some(base) => base.text(vars)?,
            None => String::new(),
        };
        format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'))
    };
    let mut url = Url::parse(&whole).map_err(|error| format!("`{whole}` is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(BuildError(format!("`{whole}` is not an http or https URL")));
    }
    let mut query: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    for (name, parameter) in &request.query {
        query.extend(parameter.values(vars)?.into_iter().map(|value| (name.clone(), value)));
    }
    if let Some((paging, position)) = place {
        paging.place(position, &mut query);
    }
    url.set_query(None);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url)
}

fn header(name: &str, parameter: &Parameter, vars: &Vars<'_>) -> Built<Option<String>> {
    let mut values = parameter.values(vars)?;
    if values.iter().any(|value| value.contains(['\r', '\n', '\0'])) {
        return Err(BuildError(format!("the header `{name}` would hold a line break")));
    }
    Ok(if values.is_empty() { None } else { Some(values.swap_remove(0)) })
}
