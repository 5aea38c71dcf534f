//! Files for pages and clients: the style sheet, the scripts, and a sign for each tool.

use axum::response::{IntoResponse, Response};
use cadre_model::fault::Code;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::refuse::Refused;
use crate::scope::PathPart;
use crate::state::AppState;

use std::sync::LazyLock;

use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../static/cadre.css");
const SCRIPT: &str = include_str!("../static/console.js");
/// htmx 2.0.11, under the Zero-Clause BSD licence (`static/htmx-LICENSE.txt`).
const HTMX: &str = include_str!("../static/htmx-2.0.11.min.js");

/// Changes with the files, so that browsers may keep them.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let digest = Sha256::new().chain_update(STYLE).chain_update(SCRIPT).chain_update(HTMX);
    digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
});

/// What pages add to the addresses of these files.
pub(crate) fn version() -> &'static str {
    &VERSION
}

fn file(content_type: &'static str, body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    response
}

/// The style sheet of the pages.
pub async fn style() -> Response {
    file("text/css; charset=utf-8", STYLE)
}

/// The script of the pages: times, theme, copying.
pub async fn script() -> Response {
    file("text/javascript; charset=utf-8", SCRIPT)
}

/// The script that lets a page take over parts of another.
pub async fn htmx() -> Response {
    file("text/javascript; charset=utf-8", HTMX)
}

/// Where the sign of a tool is.
pub(crate) fn logo_url(state: &AppState, tool: &str) -> String {
    format!("{}/assets/tools/{tool}/logo.svg", state.public_url)
}

/// The sign of a tool: its first letters on a colour of its own.
pub async fn logo(
    axum::extract::State(state): axum::extract::State<AppState>,
    PathPart(tool): PathPart,
) -> Result<Response, Refused> {
    let entry = state.catalog.get(&tool).ok_or_else(|| {
        Refused::new(Code::PlatformInputInvalid, "There is no connector of that name.")
    })?;
    Ok(file("image/svg+xml", sign(&tool, &entry.connector.manifest().label)))
}

fn sign(tool: &str, label: &str) -> String {
    let hue = tool.bytes().fold(7_u32, |sum, byte| (sum * 31 + u32::from(byte)) % 360);
    let letters: String =
        label.chars().filter(|letter| letter.is_ascii_alphanumeric()).take(2).collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 64 64\" role=\"img\">\
         <rect width=\"64\" height=\"64\" rx=\"14\" fill=\"hsl({hue} 45% 40%)\"/>\
         <text x=\"32\" y=\"41\" font-family=\"sans-serif\" font-size=\"26\" font-weight=\"600\" \
         text-anchor=\"middle\" fill=\"#fff\">{letters}</text></svg>"
    )
}
