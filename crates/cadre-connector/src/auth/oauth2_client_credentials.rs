//! OAuth 2, client credentials (RFC 6749, 4.4).

use bytes::Bytes;
use cadre_jq::{EvalError, Expr, Vars};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};

use super::{Place, SendAs, basic, sign_with_token};
use crate::manifest::{ErrorRule, Expression, Template};
use crate::request::{Built, HttpRequest};

/// OAuth 2, client credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    /// Where the token is asked for.
    pub token_url: Template,
    /// Who asks.
    pub client_id: Template,
    /// Their secret.
    pub client_secret: Template,
    /// What for; an empty one is left out.
    pub scope: Option<Template>,
    /// Where the credentials are sent.
    #[serde(default)]
    pub credentials_in: CredentialsIn,
    /// How the body is written.
    #[serde(default)]
    pub body: BodyForm,
    /// What else is in the body.
    #[serde(default)]
    pub extra: IndexMap<String, Template>,
    /// Finds the token in the answer.
    #[serde(default = "super::access_token")]
    pub token: Expression,
    /// Finds the token's life in the answer, in seconds.
    #[serde(default = "super::expires_in")]
    pub expires_in: Expression,
    /// How the token is sent.
    pub send_as: Option<SendAs>,
    /// How the log-in's answer is judged.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// What requests carry when `send_as` says nothing else.
    #[serde(skip, default = "super::bearer_value")]
    default_value: Template,
}

/// Where the client's credentials are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsIn {
    /// In the body.
    #[default]
    Body,
    /// As HTTP Basic.
    Basic,
}

/// How the body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyForm {
    /// As a form.
    #[default]
    Form,
    /// As JSON.
    Json,
}

impl OAuth2 {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        sign_with_token(self.send_as.as_ref(), &self.default_value, request, vars)
    }

    /// The request for a token.
    pub(crate) fn log_in(&self, vars: &Vars<'_>) -> Built<HttpRequest> {
        let url = self.token_url.text(vars)?;
        let mut fields = vec![("grant_type".to_owned(), "client_credentials".to_owned())];
        if let Some(scope) = &self.scope {
            fields.push(("scope".to_owned(), scope.text(vars)?));
        }
        let client = (self.client_id.text(vars)?, self.client_secret.text(vars)?);
        token_request(vars, &url, client, (self.credentials_in, self.body), fields, &self.extra)
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = vec![
            ("token_url".to_owned(), self.token_url.expr(), Place::LogIn),
            ("client_id".to_owned(), self.client_id.expr(), Place::LogIn),
            ("client_secret".to_owned(), self.client_secret.expr(), Place::LogIn),
            ("token".to_owned(), self.token.expr(), Place::Answer),
            ("expires_in".to_owned(), self.expires_in.expr(), Place::Answer),
        ];
        all.extend(self.scope.iter().map(|scope| ("scope".to_owned(), scope.expr(), Place::LogIn)));
        all.extend(
            self.extra
                .iter()
                .map(|(name, text)| (format!("extra/{name}"), text.expr(), Place::LogIn)),
        );
        let sent = self.send_as.iter().filter_map(|send_as| send_as.value.as_ref());
        all.extend(sent.map(|value| ("send_as/value".to_owned(), value.expr(), Place::Signature)));
        all
    }
}

/// The request for a token: what every kind of grant has in common.
pub(super) fn token_request(
    vars: &Vars<'_>,
    url: &str,
    (id, secret): (String, String),
    (credentials_in, form): (CredentialsIn, BodyForm),
    mut fields: Vec<(String, String)>,
    extra: &IndexMap<String, Template>,
) -> Built<HttpRequest> {
    let mut authorization = None;
    match credentials_in {
        CredentialsIn::Body => {
            let rest = fields.split_off(1.min(fields.len()));
            fields.push(("client_id".to_owned(), id));
            fields.push(("client_secret".to_owned(), secret));
            fields.extend(rest);
        }
        // RFC 6749, 2.3.1: both parts are form-encoded before they become user name and password.
        CredentialsIn::Basic => {
            let encode =
                |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            authorization = Some(basic::value(&encode(&id), &encode(&secret)));
        }
    }
    let mut request = form_request(vars, url, form, fields, extra)?;
    if let Some(authorization) = authorization {
        request.set_header("Authorization", &authorization);
    }
    Ok(request)
}

/// A request for a token with these fields, and further ones that go over them; empty ones are left out.
pub(super) fn form_request(
    vars: &Vars<'_>,
    url: &str,
    form: BodyForm,
    mut fields: Vec<(String, String)>,
    extra: &IndexMap<String, Template>,
) -> Built<HttpRequest> {
    let url = Url::parse(url).map_err(|error| format!("`auth.token_url` is not a URL: {error}"))?;
    let mut request = HttpRequest::new("POST", url);
    for (name, template) in extra {
        fields.retain(|(known, _)| known != name);
        fields.push((name.clone(), template.text(vars)?));
    }
    fields.retain(|(_, value)| !value.is_empty());
    request.set_header("Accept", "application/json");
    match form {
        BodyForm::Form => {
            request.set_header("Content-Type", "application/x-www-form-urlencoded");
            let body =
                form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
            request.body = Some(Bytes::from(body));
        }
        BodyForm::Json => {
            request.set_header("Content-Type", "application/json");
            let body: Map<String, Value> =
                fields.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
            request.body = Some(Bytes::from(Value::Object(body).to_string()));
        }
    }
    Ok(request)
}
