//! The answers that are not errors.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use cadre_store::Freshness;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue};
use serde::Serialize;

use crate::refuse::Refused;
use cadre_model::fault::Fault;

/// `{"status": "success", "data": …}`.
#[derive(Debug)]
pub struct Data<T>(pub T);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Envelope<T> {
            status: &'static str,
            data: T,
        }
        match serde_json::to_vec(&Envelope { status: "success", data: self.0 }) {
            Ok(body) => json(body),
            Err(error) => Refused::from(Fault::unknown(error)).into_response(),
        }
    }
}

/// `{"status": "success", "data": …, "warnings": […]}`.
#[derive(Debug)]
pub struct Warned<T> {
    /// The answer.
    pub data: T,
    /// What the caller should know beside it.
    pub warnings: Vec<String>,
}

impl<T: Serialize> IntoResponse for Warned<T> {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Warning {
            message: String,
        }
        #[derive(Serialize)]
        struct Envelope<T> {
            status: &'static str,
            data: T,
            warnings: Vec<Warning>,
        }
        let warnings = self.warnings.into_iter().map(|message| Warning { message }).collect();
        match serde_json::to_vec(&Envelope { status: "success", data: self.data, warnings }) {
            Ok(body) => json(body),
            Err(error) => Refused::from(Fault::unknown(error)).into_response(),
        }
    }
}

/// A page of records, rendered already.
#[derive(Debug)]
pub struct Page {
    /// The whole body.
    pub body: Bytes,
    /// Up to when the model is known, and when it last changed.
    pub freshness: Option<Freshness>,
}

/// The tool's records of the model are known as they stood at this moment.
const SYNCED_AT: HeaderName = HeaderName::from_static("x-cadre-synced-at");
/// When a record of the model last changed here, or something that it shows.
const CHANGED_AT: HeaderName = HeaderName::from_static("x-cadre-changed-at");

impl Page {
    /// The body of a page: records as the text of a JSON array, and the cursor of the next page.
    #[must_use]
    pub fn body(results: &str, next: Option<&str>) -> Bytes {
        // Cursors are of the base64url alphabet, so that the text is JSON with quotes around it.
        let next = next.map_or_else(|| "null".to_owned(), |next| format!("\"{next}\""));
        let mut body = String::with_capacity(results.len() + next.len() + 64);
        body.push_str(r#"{"status":"success","data":{"next":"#);
        body.push_str(&next);
        body.push_str(r#","results":"#);
        body.push_str(results);
        body.push_str("}}");
        body.into()
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let mut response = json(self.body);
        let Freshness { synced_at, changed_at, .. } = self.freshness.unwrap_or_default();
        for (name, at) in [(SYNCED_AT, synced_at), (CHANGED_AT, changed_at)] {
            let value = at.and_then(|at| HeaderValue::try_from(cadre_model::time::wire(at)).ok());
            if let Some(value) = value {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// An answer of JSON text.
pub fn json(body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
