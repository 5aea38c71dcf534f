//! Logging in to the dashboard with an identity provider: OpenID Connect, authorization code with PKCE.
//!
//! The provider's word is an ID token. It comes straight from the provider's token endpoint over TLS,
//! which stands in for its signature (OpenID Connect Core 3.1.3.7, 6); issuer, audience, time and nonce
//! are checked. Only an address that the provider has verified counts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use cadre_connector::{HttpRequest, HttpResponse};
use cadre_model::ids::random_id;
use cadre_model::secret::Secret;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::settings::Parts;

/// How long the provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of the provider, in bytes.
const ANSWER_BYTES: u64 = 256 << 10;
/// How far the provider's clock may be off, in seconds.
const SKEW_SECONDS: i64 = 60;

/// An identity provider, and how this server is known there.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its issuer: a URL without a slash at the end, below which its description stands.
    pub issuer: String,
    /// The id of this server at the provider.
    pub client_id: String,
    /// The secret of this server at the provider.
    pub client_secret: Secret,
}

/// What a browser keeps while its person is at the provider.
#[derive(Debug, Clone)]
pub struct Visit {
    /// Comes back in the URL.
    pub state: String,
    nonce: String,
    verifier: String,
}

/// What the provider says of itself.
struct Description {
    authorization: Url,
    token: Url,
    takes_basic: bool,
}

impl Visit {
    /// A new one.
    #[must_use]
    pub fn begin() -> Visit {
        let verifier = format!("{}{}", random_id(), random_id());
        Visit { state: random_id(), nonce: random_id(), verifier }
    }

    /// As a cookie holds it.
    #[must_use]
    pub fn kept(&self) -> String {
        format!("{}.{}.{}", self.state, self.nonce, self.verifier)
    }

    /// From what a cookie held.
    #[must_use]
    pub fn read(kept: &str) -> Option<Visit> {
        let mut parts = kept.split('.').map(str::to_owned);
        Some(Visit { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? })
    }
}

impl Provider {
    /// Where the browser goes to say who its person is.
    ///
    /// # Errors
    ///
    /// Words that say what the provider did not do.
    pub async fn ask(&self, parts: &Parts, visit: &Visit, back: &str) -> Result<Url, String> {
        let mut url = self.describe(parts).await?.authorization;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(visit.verifier.as_bytes()));
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", back)
            .append_pair("scope", "openid email profile")
            .append_pair("state", &visit.state)
            .append_pair("nonce", &visit.nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url)
    }

    /// The verified address of the person who came back with a code.
    ///
    /// # Errors
    ///
    /// Words that say what is wrong with the provider's answer.
    pub async fn redeem(
        &self,
        parts: &Parts,
        visit: &Visit,
        back: &str,
        code: &str,
    ) -> Result<String, String> {
        let description = self.describe(parts).await?;
        let request = self.exchange(description, visit, back, code);
        let answer = send(parts, request, "exchange the code").await?;
        let token = answer.get("id_token").and_then(Value::as_str);
        let token = token.ok_or("The identity provider sent no ID token.")?;
        self.verified(token, &visit.nonce, parts.clock.now_ms() / 1_000)
    }

    /// The request that exchanges a code for an ID token.
    fn exchange(&self, to: Description, visit: &Visit, back: &str, code: &str) -> HttpRequest {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", code)
            .append_pair("redirect_uri", back)
            .append_pair("code_verifier", &visit.verifier);
        let mut request = HttpRequest::new("POST", to.token);
        if to.takes_basic {
            let encoded = |text: &str| {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
            };
            let pair =
                format!("{}:{}", encoded(&self.client_id), encoded(self.client_secret.expose()));
            request.set_header("authorization", &format!("Basic {}", STANDARD.encode(pair)));
        } else {
            form.append_pair("client_id", &self.client_id)
                .append_pair("client_secret", self.client_secret.expose());
        }
        request.set_header("content-type", "application/x-www-form-urlencoded");
        request.body = Some(form.finish().into());
        request
    }

    /// What an ID token says, if it is for us, for now and for this visit.
    fn verified(&self, token: &str, nonce: &str, now: i64) -> Result<String, String> {
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims: Option<Value> = claims.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let claims = claims.ok_or("The ID token of the identity provider cannot be read.")?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let audience = match claims.get("aud") {
            Some(Value::String(one)) => vec![one.as_str()],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let ours = audience.contains(&self.client_id.as_str());
        let for_us = audience.len() == 1 || text("azp") == Some(self.client_id.as_str());
        let ends = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
        if text("iss").map(|issuer| issuer.trim_end_matches('/')) != Some(self.issuer.as_str()) {
            return Err("The ID token is from another issuer than the one configured.".into());
        }
        if !ours || !for_us {
            return Err("The ID token is for another client than this server.".into());
        }
        if ends + SKEW_SECONDS < now {
            return Err("The ID token has expired.".into());
        }
        if text("nonce") != Some(nonce) {
            return Err("The ID token belongs to another log-in.".into());
        }
        let email =
            text("email").ok_or("The identity provider does not say the e-mail address.")?;
        if claims.get("email_verified").and_then(Value::as_bool) != Some(true) {
            return Err(format!("The identity provider has not verified the address {email}."));
        }
        Ok(email.to_owned())
    }

    async fn describe(&self, parts: &Parts) -> Result<Description, String> {
        let url = format!("{}/.well-known/openid-configuration", self.issuer);
        let url = self.endpoint(parts, &url)?;
        let found = send(parts, HttpRequest::new("GET", url), "read its description").await?;
        let issuer = found.get("issuer").and_then(Value::as_str).unwrap_or_default();
        if issuer.trim_end_matches('/') != self.issuer {
            return Err(format!("The identity provider calls itself {issuer:?}."));
        }
        let endpoint = |name: &str| {
            let url = found.get(name).and_then(Value::as_str).unwrap_or_default();
            self.endpoint(parts, url).map_err(|words| format!("{name}: {words}"))
        };
        let methods = found.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let has = |method: &str| {
            methods.is_some_and(|all| all.iter().any(|known| known.as_str() == Some(method)))
        };
        Ok(Description {
            authorization: endpoint("authorization_endpoint")?,
            token: endpoint("token_endpoint")?,
            takes_basic: has("client_secret_basic") || !has("client_secret_post"),
        })
    }

    /// A URL of the provider: https, or http where private networks are allowed.
    fn endpoint(&self, parts: &Parts, text: &str) -> Result<Url, String> {
        crate::webhooks::check_url(text, parts.settings.read.allow_private)
            .map_err(|words| format!("The identity provider: expected {words}."))
    }
}

async fn send(parts: &Parts, request: HttpRequest, what: &str) -> Result<Value, String> {
    let request = HttpRequest { max_body_bytes: ANSWER_BYTES, stays: true, ..request };
    let failed = |words: String| format!("The identity provider could not {what}: {words}.");
    let response: HttpResponse =
        parts.http.send(request, PATIENCE).await.map_err(|error| failed(error.to_string()))?;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.status != 200 {
        let error = body.get("error").and_then(Value::as_str).unwrap_or("no reason given");
        return Err(failed(format!("it answered {} ({error})", response.status)));
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{Provider, Visit};

    fn provider() -> Provider {
        Provider {
            issuer: "https://id.example".into(),
            client_id: "cadre".into(),
            client_secret: "s".into(),
        }
    }

    fn verified(changes: Value) -> Result<String, String> {
        let mut claims = json!({
            "iss": "https://id.example", "aud": "cadre", "exp": 2_000, "nonce": "n",
            "email": "ada@example.com", "email_verified": true,
        });
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        let part = URL_SAFE_NO_PAD.encode(claims.to_string());
        provider().verified(&format!("e30.{part}.c2ln"), "n", 1_999)
    }

    #[test]
    fn a_token_counts_for_us_now_and_here() {
        assert_eq!(verified(json!({})).as_deref(), Ok("ada@example.com"));
        assert!(verified(json!({"aud": ["cadre"]})).is_ok());
        assert!(verified(json!({"aud": ["cadre", "other"], "azp": "cadre"})).is_ok());
        for wrong in [
            json!({"iss": "https://evil.example"}),
            json!({"aud": "other"}),
            json!({"aud": ["cadre", "other"]}),
            json!({"aud": ["cadre", "other"], "azp": "other"}),
            json!({"exp": 1_900}),
            json!({"exp": null}),
            json!({"nonce": "another"}),
            json!({"email": null}),
            json!({"email_verified": false}),
            json!({"email_verified": null}),
            json!({"email_verified": "true"}),
        ] {
            assert!(verified(wrong.clone()).is_err(), "{wrong}");
        }
        assert!(provider().verified("nonsense", "n", 0).is_err());
    }

    #[test]
    fn a_visit_is_kept_in_a_cookie() {
        let visit = Visit::begin();
        let back = Visit::read(&visit.kept()).expect("a visit");
        assert_eq!(
            (back.state, back.nonce, back.verifier),
            (visit.state, visit.nonce, visit.verifier)
        );
        assert!(Visit::read("a.b").is_none());
    }
}
