//! How requests prove who sends them: one file per mechanism.
//!
//! A mechanism is a section of the manifest that signs a request; some of them ([`OAuth2`], [`JwtBearer`],
//! [`SamlBearer`], [`AuthorizationCode`] and [`SessionLogIn`]) first ask for a token, which [`Tokens`] keeps.
//! [`BySetting`] holds several, of which the customer chooses one. To add one: a file beside these with
//! the section, a variant of [`Auth`], the arms that the compiler then asks for, and a line in the guide.

mod basic;
mod bearer;
mod by_setting;
mod client_certificate;
mod header;
mod none;
mod oauth2_authorization_code;
mod oauth2_client_credentials;
mod oauth2_jwt_bearer;
mod oauth2_saml_bearer;
mod query;
mod session;
mod signing;
mod tokens;
mod ws_security;

use cadre_jq::{EvalError, Expr, Vars};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::manifest::{Expression, Template};
use crate::request::HttpRequest;

pub use basic::Basic;
pub use bearer::Bearer;
pub use by_setting::BySetting;
pub use client_certificate::ClientCertificate;
pub use header::Header;
pub use none::NoAuth;
pub(crate) use oauth2_authorization_code::Proof;
pub use oauth2_authorization_code::{AuthorizationCode, ConsentRequest, OAuthClient};
pub use oauth2_client_credentials::{BodyForm, CredentialsIn, OAuth2};
pub use oauth2_jwt_bearer::JwtBearer;
pub use oauth2_saml_bearer::SamlBearer;
pub use query::Query;
pub use session::{LogInStep, SessionLogIn};
pub(crate) use tokens::{Token, Tokens};
pub use ws_security::WsSecurity;

/// How requests prove who sends them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(tag = "type")]
pub enum Auth {
    /// Not at all.
    None(NoAuth),
    /// HTTP Basic.
    Basic(Basic),
    /// A header.
    Header(Header),
    /// A query parameter.
    Query(Query),
    /// A bearer token that the customer has.
    Bearer(Bearer),
    /// OAuth 2, client credentials (RFC 6749, 4.4).
    #[serde(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials(OAuth2),
    /// OAuth 2, authorization code (RFC 6749, 4.1).
    #[serde(rename = "oauth2_authorization_code")]
    OAuth2AuthorizationCode(AuthorizationCode),
    /// OAuth 2, a JWT as the grant (RFC 7523).
    #[serde(rename = "oauth2_jwt_bearer")]
    OAuth2JwtBearer(JwtBearer),
    /// OAuth 2, a SAML 2.0 assertion as the grant (RFC 7522).
    #[serde(rename = "oauth2_saml_bearer")]
    OAuth2SamlBearer(SamlBearer),
    /// A log-in request whose answer holds a token.
    Session(SessionLogIn),
    /// User name and password in the header of a SOAP envelope.
    WsSecurity(WsSecurity),
    /// One of several, by a field of the connect form.
    BySetting(BySetting),
}

impl Auth {
    /// Signs a request. The variables hold `$session` where there is a log-in.
    pub(crate) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        match self {
            Auth::None(_) => Ok(()),
            Auth::Basic(basic) => basic.sign(request, vars),
            Auth::Header(header) => header.sign(request, vars),
            Auth::Query(query) => query.sign(request, vars),
            Auth::Bearer(bearer) => bearer.sign(request, vars),
            Auth::OAuth2ClientCredentials(oauth) => oauth.sign(request, vars),
            Auth::OAuth2AuthorizationCode(oauth) => oauth.sign(request, vars),
            Auth::OAuth2JwtBearer(oauth) => oauth.sign(request, vars),
            Auth::OAuth2SamlBearer(oauth) => oauth.sign(request, vars),
            Auth::Session(session) => session.sign(request, vars),
            Auth::WsSecurity(security) => security.sign(request, vars),
            // The one that is chosen signs: nobody asks the choice itself.
            Auth::BySetting(_) => Ok(()),
        }
    }

    /// Whether there is a log-in that can be repeated.
    #[must_use]
    pub fn logs_in(&self) -> bool {
        match self {
            Auth::OAuth2ClientCredentials(_)
            | Auth::OAuth2AuthorizationCode(_)
            | Auth::OAuth2JwtBearer(_)
            | Auth::OAuth2SamlBearer(_)
            | Auth::Session(_) => true,
            Auth::BySetting(choice) => choice.of.values().any(Auth::logs_in),
            Auth::None(_)
            | Auth::Basic(_)
            | Auth::Header(_)
            | Auth::Query(_)
            | Auth::Bearer(_)
            | Auth::WsSecurity(_) => false,
        }
    }

    /// The mechanism of an account with these settings.
    pub(crate) fn chosen(&self, settings: &Value) -> Option<&Auth> {
        match self {
            Auth::BySetting(choice) => choice.chosen(settings),
            single => Some(single),
        }
    }

    /// Whether the customer consents on a page of the tool.
    #[must_use]
    pub fn asks_consent(&self) -> bool {
        matches!(self, Auth::OAuth2AuthorizationCode(_))
    }

    /// The computed values of the section: key, expression, and where it is evaluated.
    pub(crate) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        match self {
            Auth::None(_) => Vec::new(),
            Auth::Basic(basic) => vec![
                ("username".to_owned(), basic.username.expr(), Place::LogIn),
                ("password".to_owned(), basic.password.expr(), Place::LogIn),
            ],
            Auth::Header(header) => vec![("value".to_owned(), header.value.expr(), Place::LogIn)],
            Auth::Query(query) => vec![("value".to_owned(), query.value.expr(), Place::LogIn)],
            Auth::Bearer(bearer) => vec![("token".to_owned(), bearer.token.expr(), Place::LogIn)],
            Auth::OAuth2ClientCredentials(oauth) => oauth.expressions(),
            Auth::OAuth2AuthorizationCode(oauth) => oauth.expressions(),
            Auth::OAuth2JwtBearer(oauth) => oauth.expressions(),
            Auth::OAuth2SamlBearer(oauth) => oauth.expressions(),
            Auth::Session(session) => session.expressions(),
            Auth::WsSecurity(security) => security.expressions(),
            // Each is looked at by itself.
            Auth::BySetting(_) => Vec::new(),
        }
    }
}

/// Where a token is found, and how it is sent, where a manifest says nothing else.
fn access_token() -> Expression {
    Expression::compile(".access_token").expect("a constant expression")
}

fn expires_in() -> Expression {
    Expression::compile(".expires_in").expect("a constant expression")
}

fn bearer_value() -> Template {
    Template::compile("Bearer \\($session.token)").expect("a constant template")
}

/// Puts the token of a log-in into a request; by default as a bearer token.
fn sign_with_token(
    send_as: Option<&SendAs>,
    default: &Template,
    request: &mut HttpRequest,
    vars: &Vars<'_>,
) -> Result<(), EvalError> {
    match send_as {
        Some(send_as) => send_as.sign(request, vars, default),
        None => {
            request.set_header("Authorization", &default.text(vars)?);
            Ok(())
        }
    }
}

/// Where an expression of the section is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the log-in request, or in a request without one: `$settings`, `$secrets`, `$now`.
    LogIn,
    /// On the log-in's answer.
    Answer,
    /// In the requests that follow: `$session` too.
    Signature,
}

/// How a token is sent: in exactly one place.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendAs {
    /// Name of a header.
    pub header: Option<String>,
    /// Name of a query parameter.
    pub query: Option<String>,
    /// Name of a cookie.
    pub cookie: Option<String>,
    /// The value; by default the token itself.
    pub value: Option<Template>,
}

impl SendAs {
    pub(crate) fn places(&self) -> usize {
        [&self.header, &self.query, &self.cookie].into_iter().flatten().count()
    }

    /// Puts the token into a request.
    fn sign(
        &self,
        request: &mut HttpRequest,
        vars: &Vars<'_>,
        default: &Template,
    ) -> Result<(), EvalError> {
        let value = self.value.as_ref().unwrap_or(default).text(vars)?;
        if let Some(name) = &self.header {
            request.set_header(name, &value);
        } else if let Some(name) = &self.query {
            request.set_query(name, &value);
        } else if let Some(name) = &self.cookie {
            let cookie = format!("{name}={value}");
            let cookie = match request.header("cookie") {
                Some(others) => format!("{others}; {cookie}"),
                None => cookie,
            };
            request.set_header("Cookie", &cookie);
        }
        Ok(())
    }
}
