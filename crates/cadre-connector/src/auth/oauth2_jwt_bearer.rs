//! OAuth 2, a JWT as the grant (RFC 7523, 2.1): the customer's private key signs who asks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cadre_jq::{EvalError, Expr, Vars};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::oauth2_client_credentials::{BodyForm, form_request};
use super::signing::SigningKey;
use super::{Place, SendAs, sign_with_token};
use crate::manifest::{ErrorRule, Expression, Template};
use crate::request::{Built, HttpRequest};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// OAuth 2 with a JWT as the grant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JwtBearer {
    /// Where the token is asked for.
    pub token_url: Template,
    /// Who signs: `iss`.
    pub issuer: Template,
    /// In whose name: `sub`; an empty one is left out.
    pub subject: Option<Template>,
    /// For whom: `aud`; by default the address of the token.
    pub audience: Option<Template>,
    /// The private key: RSA, as PEM text.
    pub private_key: Template,
    /// Which of several keys it is: `kid`; an empty one is left out.
    pub key_id: Option<Template>,
    /// Further claims; an empty one is left out.
    #[serde(default)]
    pub claims: IndexMap<String, Template>,
    /// For how many seconds the JWT is good.
    #[serde(default = "five_minutes")]
    pub lifetime_seconds: i64,
    /// How the body of the request is written.
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

fn five_minutes() -> i64 {
    300
}

impl JwtBearer {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        sign_with_token(self.send_as.as_ref(), &self.default_value, request, vars)
    }

    /// The request for a token, at a moment in milliseconds since 1970.
    pub(crate) fn log_in(&self, vars: &Vars<'_>, now_ms: i64) -> Built<HttpRequest> {
        let url = self.token_url.text(vars)?;
        let assertion = self.assertion(vars, &url, now_ms)?;
        let fields =
            vec![("grant_type".to_owned(), GRANT.to_owned()), ("assertion".to_owned(), assertion)];
        form_request(vars, &url, self.body, fields, &self.extra)
    }

    fn assertion(&self, vars: &Vars<'_>, url: &str, now_ms: i64) -> Built<String> {
        let optional = |template: &Option<Template>| -> Built<String> {
            Ok(template.as_ref().map(|text| text.text(vars)).transpose()?.unwrap_or_default())
        };
        let (key_id, audience) = (optional(&self.key_id)?, optional(&self.audience)?);
        let issued = now_ms.div_euclid(1000);
        let audience = if audience.is_empty() { url.to_owned() } else { audience };
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if !key_id.is_empty() {
            header["kid"] = key_id.into();
        }
        let mut claims = Map::new();
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                claims.insert(name.to_owned(), Value::String(value));
            }
        };
        add("iss", self.issuer.text(vars)?);
        add("sub", optional(&self.subject)?);
        add("aud", audience);
        for (name, claim) in &self.claims {
            add(name, claim.text(vars)?);
        }
        claims.insert("iat".to_owned(), issued.into());
        claims.insert("exp".to_owned(), (issued + self.lifetime_seconds).into());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&Value::Object(claims)));
        let key = SigningKey::read(&self.private_key.text(vars)?)?;
        let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())?);
        Ok(format!("{signed}.{signature}"))
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = vec![
            ("token_url".to_owned(), self.token_url.expr(), Place::LogIn),
            ("issuer".to_owned(), self.issuer.expr(), Place::LogIn),
            ("private_key".to_owned(), self.private_key.expr(), Place::LogIn),
            ("token".to_owned(), self.token.expr(), Place::Answer),
            ("expires_in".to_owned(), self.expires_in.expr(), Place::Answer),
        ];
        let optional =
            [("subject", &self.subject), ("audience", &self.audience), ("key_id", &self.key_id)];
        for (name, template) in optional {
            all.extend(template.iter().map(|text| (name.to_owned(), text.expr(), Place::LogIn)));
        }
        for (key, templates) in [("claims", &self.claims), ("extra", &self.extra)] {
            let texts = templates.iter();
            all.extend(
                texts.map(|(name, text)| (format!("{key}/{name}"), text.expr(), Place::LogIn)),
            );
        }
        let sent = self.send_as.iter().filter_map(|send_as| send_as.value.as_ref());
        all.extend(sent.map(|value| ("send_as/value".to_owned(), value.expr(), Place::Signature)));
        all
    }
}
