//! What a customer's consent brought: a grant, and how it is renewed once for everybody.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cadre_jq::Vars;
use cadre_model::fault::Code;
use cadre_model::secret::Secret;
use serde_json::{Value, json};
use url::Url;

use crate::auth::{Auth, AuthorizationCode, ConsentRequest, OAuthClient, Proof};
use crate::classify::Failure;
use crate::manifest::{self, printed};
use crate::send::Call;
use crate::session::{Inner, Session};

/// Longest time before its end at which an access token is replaced, in milliseconds.
const MARGIN_MS: i64 = 10_000;
/// How long whoever does not renew waits for whoever does, in steps of this length.
const STEP: Duration = Duration::from_millis(200);
const STEPS: u32 = 200;

/// What a tool granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What requests carry.
    pub access_token: Secret,
    /// What a new access token is asked for with.
    pub refresh_token: Option<Secret>,
    /// When the access token ends, in milliseconds since 1970, where the tool said so.
    pub expires_at: Option<i64>,
}

/// Keeps the grant of one account where everybody who needs it sees it.
#[async_trait]
pub trait GrantKeeper: Send + Sync {
    /// The grant as it is now.
    async fn read(&self) -> Result<Option<Grant>, String>;

    /// Takes the right to renew it; `None` while somebody else has it.
    async fn lease(&self) -> Result<Option<String>, String>;

    /// Gives the right back, with what was granted anew, if anything was.
    async fn renewed(&self, lease: &str, grant: Option<&Grant>) -> Result<(), String>;
}

/// What a session needs to renew a grant.
pub(crate) struct Granted {
    client: Option<OAuthClient>,
    keeper: Arc<dyn GrantKeeper>,
}

impl Session {
    /// The session with the software that the customer consented to, and what keeps the grant. To be said
    /// before the first request.
    #[must_use]
    pub fn with_grant(
        mut self,
        client: Option<OAuthClient>,
        keeper: Arc<dyn GrantKeeper>,
    ) -> Session {
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.granted = Some(Granted { client, keeper });
        }
        self
    }

    /// The address of the page on which the customer consents.
    ///
    /// # Errors
    ///
    /// When the tool is not asked for consent, or nobody configured a client for it.
    pub fn consent_page(&self, request: &ConsentRequest) -> Result<Url, Failure> {
        let inner = &self.inner;
        let oauth = inner.authorization_code()?;
        let vars = inner.vars().with("$secrets", &inner.secrets);
        let client = inner.granted.as_ref().and_then(|granted| granted.client.as_ref());
        oauth.page(&vars, client, request).map_err(|error| {
            let label = &inner.connector.manifest().label;
            let message = format!("The consent of {label} cannot be asked for: {}.", error.0);
            Failure::new(Code::PlatformInputInvalid, "default: request cannot be built", message)
        })
    }

    /// Exchanges the code that the customer came back with.
    ///
    /// # Errors
    ///
    /// What the tool said, classified.
    pub async fn consented(&self, code: &str, request: &ConsentRequest) -> Result<Grant, Failure> {
        let oauth = self.inner.authorization_code()?;
        let verifier = request.verifier.expose();
        let proof = Proof::Code { code, redirect_uri: &request.redirect_uri, verifier };
        self.inner.ask_for_grant(oauth, proof).await
    }
}

impl Inner {
    fn authorization_code(&self) -> Result<&AuthorizationCode, Failure> {
        match self.auth() {
            Some(Auth::OAuth2AuthorizationCode(oauth)) => Ok(oauth),
            _ => {
                let label = &self.connector.manifest().label;
                let message = format!("{label} is not linked by consent.");
                Err(Failure::new(Code::PlatformInputInvalid, "internal", message))
            }
        }
    }

    /// The access token, renewed if it has ended or is the one that the tool refused.
    ///
    /// Of everybody who finds it ended one renews it; the others wait for what that one is given.
    pub(crate) async fn renew(
        &self,
        oauth: &AuthorizationCode,
        refused: Option<&str>,
    ) -> Result<(Value, Option<Duration>), Failure> {
        let Some(granted) = &self.granted else { return Err(self.no_grant()) };
        let keeper = &granted.keeper;
        let broken = |error: String| {
            let message = "The grant of this account could not be read or stored.";
            let mut failure = Failure::new(Code::PlatformUnknownError, "internal", message);
            failure.fault = failure.fault.context(error);
            failure
        };
        for _ in 0..STEPS {
            let known = keeper.read().await.map_err(broken)?.ok_or_else(|| self.no_grant())?;
            if let Some(session) = self.still_good(&known, refused) {
                return Ok(session);
            }
            let Some(lease) = keeper.lease().await.map_err(broken)? else {
                tokio::time::sleep(STEP).await;
                continue;
            };
            // Between the look and the lease somebody may have been quicker.
            let known = keeper.read().await.map_err(broken)?.ok_or_else(|| self.no_grant())?;
            if let Some(session) = self.still_good(&known, refused) {
                keeper.renewed(&lease, None).await.map_err(broken)?;
                return Ok(session);
            }
            let outcome = self.refresh(oauth, &known).await;
            keeper.renewed(&lease, outcome.as_ref().ok()).await.map_err(broken)?;
            let grant = outcome?;
            return Ok(self.in_session(&grant));
        }
        let label = &self.connector.manifest().label;
        let message = format!("The access to {label} is being renewed, which takes too long.");
        Err(Failure::new(Code::RemoteServiceUnavailable, "limit: time of a renewal", message))
    }

    fn still_good(
        &self,
        grant: &Grant,
        refused: Option<&str>,
    ) -> Option<(Value, Option<Duration>)> {
        let ended = grant.expires_at.is_some_and(|at| at <= self.io.clock.now_ms() + MARGIN_MS);
        let same = refused.is_some_and(|refused| refused == grant.access_token.expose());
        (!ended && !same).then(|| self.in_session(grant))
    }

    fn in_session(&self, grant: &Grant) -> (Value, Option<Duration>) {
        let session = json!({ "token": grant.access_token.expose() });
        self.teach(|redactor| redactor.learn_value(&session));
        let left = grant.expires_at.map(|at| at - self.io.clock.now_ms());
        let left = left.and_then(|left| u64::try_from(left).ok()).map(Duration::from_millis);
        (session, left)
    }

    async fn refresh(&self, oauth: &AuthorizationCode, known: &Grant) -> Result<Grant, Failure> {
        let Some(refresh_token) = &known.refresh_token else { return Err(self.no_grant()) };
        let grant = self.ask_for_grant(oauth, Proof::Refresh(refresh_token.expose())).await?;
        // A tool that does not rotate its refresh tokens answers without one.
        let refresh_token = grant.refresh_token.or_else(|| known.refresh_token.clone());
        Ok(Grant { refresh_token, ..grant })
    }

    fn no_grant(&self) -> Failure {
        let label = &self.connector.manifest().label;
        let message = format!("The access that {label} granted has ended.");
        Failure::new(Code::IntegrationAuthenticationInvalid, "default: no grant", message)
            .hint("The customer must consent again: send them a reconnection link.")
    }

    async fn ask_for_grant(
        &self,
        oauth: &AuthorizationCode,
        proof: Proof<'_>,
    ) -> Result<Grant, Failure> {
        let client = self.granted.as_ref().and_then(|granted| granted.client.as_ref());
        let secrets = client.map(|client| json!(client.client_secret.expose()));
        let shown = match proof {
            Proof::Code { code, verifier, .. } => json!([code, verifier]),
            Proof::Refresh(token) => json!([token]),
        };
        self.teach(|redactor| {
            redactor.learn_value(&shown);
            if let Some(secret) = &secrets {
                redactor.learn_value(secret);
            }
        });
        let build = |vars: &Vars<'_>| oauth.ask(vars, client, proof);
        let call = Call {
            rules: vec![(format!("{} auth.errors", manifest::FILE), &oauth.errors)],
            log_in: true,
            ..Call::new("auth", &build)
        };
        let answer = self.call(&call).await?;
        let vars = self.vars().with("$status", &answer.status).with("$headers", &answer.headers);
        let text = |expression: &crate::manifest::Expression| {
            let value = expression.value(&answer.body, &vars).ok()?;
            printed(&value).filter(|text| !text.is_empty())
        };
        let Some(access_token) = text(&oauth.token) else {
            let label = &self.connector.manifest().label;
            let source = oauth.token.expr().source();
            let message =
                format!("{label} granted no token: its answer has nothing at `{source}`.");
            let rule = format!("{} auth.token", manifest::FILE);
            return Err(Failure::new(Code::IntegrationAuthenticationInvalid, rule, message));
        };
        let refresh_token = text(&oauth.refresh_token).map(Secret::new);
        let seconds = text(&oauth.expires_in).and_then(|text| text.trim().parse::<f64>().ok());
        let expires_at = seconds
            .filter(|seconds| *seconds > 0.0)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|life| i64::try_from(life.as_millis()).ok())
            .map(|life| self.io.clock.now_ms().saturating_add(life));
        let grant = Grant { access_token: Secret::new(access_token), refresh_token, expires_at };
        let learned =
            json!([grant.access_token.expose(), grant.refresh_token.as_ref().map(Secret::expose)]);
        self.teach(|redactor| redactor.learn_value(&learned));
        Ok(grant)
    }
}
