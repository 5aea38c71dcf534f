//! OAuth 2, authorization code (RFC 6749, 4.1) with proof of possession (RFC 7636).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_jq::{EvalError, Expr, Vars};
use cadre_model::secret::Secret;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use url::Url;

use super::oauth2_client_credentials::{BodyForm, CredentialsIn, token_request};
use super::{Place, SendAs, sign_with_token};
use crate::manifest::{ErrorRule, Expression, Template};
use crate::request::{Built, HttpRequest};

/// The software that customers consent to: the operator registered it with the vendor.
#[derive(Debug, Clone)]
pub struct OAuthClient {
    /// Its id.
    pub client_id: String,
    /// Its secret; empty for one without.
    pub client_secret: Secret,
}

/// OAuth 2, authorization code: the customer consents on a page of the tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorizationCode {
    /// The page on which the customer consents.
    pub authorize_url: Template,
    /// Where codes and refresh tokens are exchanged for tokens.
    pub token_url: Template,
    /// What for; an empty one is left out.
    pub scope: Option<Template>,
    /// The client's id, where it is the customer's own; by default the operator configures it.
    pub client_id: Option<Template>,
    /// The secret of the customer's own client.
    pub client_secret: Option<Template>,
    /// Whether the request for consent proves its sender with PKCE.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// Where the client's credentials are sent.
    #[serde(default)]
    pub credentials_in: CredentialsIn,
    /// How the body of a request for a token is written.
    #[serde(default)]
    pub body: BodyForm,
    /// What else the page of consent is asked with.
    #[serde(default)]
    pub authorize_extra: IndexMap<String, Template>,
    /// What else is in the body of a request for a token.
    #[serde(default)]
    pub extra: IndexMap<String, Template>,
    /// Finds the token in the answer.
    #[serde(default = "super::access_token")]
    pub token: Expression,
    /// Finds the refresh token in the answer.
    #[serde(default = "refresh_token")]
    pub refresh_token: Expression,
    /// Finds the token's life in the answer, in seconds.
    #[serde(default = "super::expires_in")]
    pub expires_in: Expression,
    /// How the token is sent.
    pub send_as: Option<SendAs>,
    /// How the answer to a request for a token is judged.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// What requests carry when `send_as` says nothing else.
    #[serde(skip, default = "super::bearer_value")]
    default_value: Template,
}

fn yes() -> bool {
    true
}

fn refresh_token() -> Expression {
    Expression::compile(".refresh_token").expect("a constant expression")
}

/// The way to a page of consent and back.
#[derive(Debug, Clone)]
pub struct ConsentRequest {
    /// Where the tool sends the customer back to.
    pub redirect_uri: String,
    /// What the tool hands back unchanged.
    pub state: String,
    /// What proves later that the code comes back to whoever asked; PKCE's `code_verifier`.
    pub verifier: Secret,
}

/// What a token is asked for with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Proof<'a> {
    /// The code that the customer came back with.
    Code { code: &'a str, redirect_uri: &'a str, verifier: &'a str },
    /// A refresh token.
    Refresh(&'a str),
}

impl AuthorizationCode {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        sign_with_token(self.send_as.as_ref(), &self.default_value, request, vars)
    }

    /// Whether the operator must have registered a client.
    #[must_use]
    pub fn needs_client(&self) -> bool {
        self.client_id.is_none()
    }

    fn client(&self, vars: &Vars<'_>, operator: Option<&OAuthClient>) -> Built<(String, String)> {
        if let Some(client_id) = &self.client_id {
            let secret = self.client_secret.as_ref().map(|secret| secret.text(vars)).transpose()?;
            return Ok((client_id.text(vars)?, secret.unwrap_or_default()));
        }
        let client = operator.ok_or_else(|| {
            "no OAuth client is configured for this tool; set client_id and client_secret"
                .to_owned()
        })?;
        Ok((client.client_id.clone(), client.client_secret.expose().to_owned()))
    }

    /// The address of the page on which the customer consents.
    pub(crate) fn page(
        &self,
        vars: &Vars<'_>,
        operator: Option<&OAuthClient>,
        request: &ConsentRequest,
    ) -> Built<Url> {
        let text = self.authorize_url.text(vars)?;
        let mut url = Url::parse(&text)
            .map_err(|error| format!("`auth.authorize_url` is not a URL: {error}"))?;
        let (client_id, _) = self.client(vars, operator)?;
        let mut fields = vec![
            ("response_type".to_owned(), "code".to_owned()),
            ("client_id".to_owned(), client_id),
            ("redirect_uri".to_owned(), request.redirect_uri.clone()),
            ("state".to_owned(), request.state.clone()),
        ];
        if let Some(scope) = &self.scope {
            fields.push(("scope".to_owned(), scope.text(vars)?));
        }
        if self.pkce {
            let digest = Sha256::digest(request.verifier.expose().as_bytes());
            fields.push(("code_challenge".to_owned(), URL_SAFE_NO_PAD.encode(digest)));
            fields.push(("code_challenge_method".to_owned(), "S256".to_owned()));
        }
        for (name, template) in &self.authorize_extra {
            fields.retain(|(known, _)| known != name);
            fields.push((name.clone(), template.text(vars)?));
        }
        fields.retain(|(_, value)| !value.is_empty());
        url.query_pairs_mut().extend_pairs(fields);
        Ok(url)
    }

    /// The request for a token.
    pub(crate) fn ask(
        &self,
        vars: &Vars<'_>,
        operator: Option<&OAuthClient>,
        proof: Proof<'_>,
    ) -> Built<HttpRequest> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut add = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        match proof {
            Proof::Code { code, redirect_uri, verifier } => {
                add("grant_type", "authorization_code");
                add("code", code);
                add("redirect_uri", redirect_uri);
                if self.pkce {
                    add("code_verifier", verifier);
                }
            }
            Proof::Refresh(token) => {
                add("grant_type", "refresh_token");
                add("refresh_token", token);
            }
        }
        let client = self.client(vars, operator)?;
        let url = self.token_url.text(vars)?;
        token_request(vars, &url, client, (self.credentials_in, self.body), fields, &self.extra)
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = vec![
            ("authorize_url".to_owned(), self.authorize_url.expr(), Place::LogIn),
            ("token_url".to_owned(), self.token_url.expr(), Place::LogIn),
            ("token".to_owned(), self.token.expr(), Place::Answer),
            ("refresh_token".to_owned(), self.refresh_token.expr(), Place::Answer),
            ("expires_in".to_owned(), self.expires_in.expr(), Place::Answer),
        ];
        let optional = [
            ("scope", &self.scope),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
        ];
        for (name, template) in optional {
            all.extend(template.iter().map(|text| (name.to_owned(), text.expr(), Place::LogIn)));
        }
        for (key, extra) in [("authorize_extra", &self.authorize_extra), ("extra", &self.extra)] {
            let named = extra.iter();
            all.extend(
                named.map(|(name, text)| (format!("{key}/{name}"), text.expr(), Place::LogIn)),
            );
        }
        let sent = self.send_as.iter().filter_map(|send_as| send_as.value.as_ref());
        all.extend(sent.map(|value| ("send_as/value".to_owned(), value.expr(), Place::Signature)));
        all
    }
}
