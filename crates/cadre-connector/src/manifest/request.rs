//! A request, and how the records are found in its answer.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Expression, Parameter, PathTemplate, XmlTemplate};
use crate::format::Format;

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The path, appended to `base_url`; an absolute URL replaces it.
    pub path: PathTemplate,
    /// Query parameters.
    #[serde(default)]
    pub query: IndexMap<String, Parameter>,
    /// Headers, over those of the connector.
    #[serde(default)]
    pub headers: IndexMap<String, Parameter>,
    /// The body, sent as JSON.
    pub body: Option<Expression>,
    /// The body, sent as a form with files: a list of `{name, value}` or `{name, file_name,
    /// content_type, base64}`.
    pub multipart: Option<Expression>,
    /// The body, sent as a form: an object of texts.
    pub form: Option<Expression>,
    /// The body, sent as XML.
    pub xml: Option<XmlTemplate>,
    /// What stands in the body of a SOAP envelope; the envelope is put around it.
    pub soap: Option<XmlTemplate>,
    /// What is done with an answer that leads elsewhere.
    #[serde(default)]
    pub redirects: Redirects,
    /// Whether the log-in of the account signs it; `false` where its own headers prove who asks.
    #[serde(default = "yes")]
    pub signed: bool,
}

fn yes() -> bool {
    true
}

/// What is done with an answer that leads elsewhere.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Redirects {
    /// It is followed, where the request reads.
    #[default]
    Follow,
    /// It is the answer that was asked for: its `location` is looked at.
    Take,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    #[default]
    Get,
    /// POST.
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl Method {
    /// The method as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

/// How the records are found in an answer.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// The format of the body; `auto` is JSON over HTTP, and the ending of the name for files.
    #[serde(default)]
    pub format: Format,
    /// Yields one array, or any number of records; by default the whole body.
    pub records: Option<Expression>,
    /// Names of XML elements that are lists even when they are there once.
    #[serde(default)]
    pub lists: Vec<String>,
}
