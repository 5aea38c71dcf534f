//! A log-in: one request, or several of which each uses what the one before it gave.

use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::fault::Code;
use serde_json::{Map, Value, json};

use crate::auth::{Auth, LogInStep, SessionLogIn, Token};
use crate::classify::Failure;
use crate::manifest::{self, ErrorRule, Expression, printed};
use crate::request::{self, BuildError, Built, HttpRequest};
use crate::send::{Answer, Call};
use crate::session::Inner;

/// What a log-in's answer is looked at with.
struct Wanted<'a> {
    rules: &'a [ErrorRule],
    token: &'a Expression,
    expires_in: Option<&'a Expression>,
}

impl Inner {
    /// The mechanism by which this account proves who it is.
    pub(crate) fn auth(&self) -> Option<&Auth> {
        self.connector.manifest().auth.as_ref().and_then(|auth| auth.chosen(&self.settings))
    }

    /// Logs in: `$session`, and how long it lives.
    ///
    /// `refused` is the token that the tool did not take.
    pub(crate) async fn log_in(
        &self,
        auth: &Auth,
        refused: Option<Token>,
    ) -> Result<(Value, Option<Duration>), Failure> {
        if let Auth::OAuth2AuthorizationCode(oauth) = auth {
            let refused = refused.as_ref().and_then(|token| token.session["token"].as_str());
            return self.renew(oauth, refused).await;
        }
        let Some(wanted) = wanted(auth) else { return Ok((Value::Null, None)) };
        let known = match auth {
            Auth::Session(session) => self.steps_before(session).await?,
            _ => Value::Null,
        };
        let manifest = self.connector.manifest();
        let now_ms = self.io.clock.now_ms();
        let build = |vars: &Vars<'_>| -> Built<HttpRequest> {
            match auth {
                Auth::OAuth2ClientCredentials(oauth) => oauth.log_in(vars),
                Auth::OAuth2JwtBearer(oauth) => oauth.log_in(vars, now_ms),
                Auth::OAuth2SamlBearer(oauth) => oauth.log_in(vars, now_ms),
                Auth::Session(session) => request::build(manifest, &session.request, None, vars),
                _ => Err(BuildError("there is no log-in".to_owned())),
            }
        };
        let call = Call {
            rules: vec![(format!("{} auth.errors", manifest::FILE), wanted.rules)],
            known: &known,
            log_in: true,
            ..Call::new("auth", &build)
        };
        let answer = self.call(&call).await?;
        let session = self.found(&wanted, &answer, known.clone())?;
        self.teach(|redactor| redactor.learn_value(&session));
        Ok((session, self.life(&wanted, &answer)))
    }

    /// What the steps before the log-in gave, merged.
    async fn steps_before(&self, session: &SessionLogIn) -> Result<Value, Failure> {
        let mut known = Value::Null;
        for (at, step) in session.before.iter().enumerate() {
            let saved = self.step_before(session, at, step, &known).await?;
            self.teach(|redactor| redactor.learn_value(&Value::Object(saved.clone())));
            match &mut known {
                Value::Object(fields) => fields.extend(saved),
                other => *other = Value::Object(saved),
            }
        }
        Ok(known)
    }

    async fn step_before(
        &self,
        session: &SessionLogIn,
        at: usize,
        step: &LogInStep,
        known: &Value,
    ) -> Result<Map<String, Value>, Failure> {
        let manifest = self.connector.manifest();
        let build = |vars: &Vars<'_>| request::build(manifest, &step.request, None, vars);
        let call = Call {
            rules: vec![
                (format!("{} auth.before[{at}].errors", manifest::FILE), &step.errors),
                (format!("{} auth.errors", manifest::FILE), &session.errors),
            ],
            known,
            log_in: true,
            ..Call::new("auth", &build)
        };
        let answer = self.call(&call).await?;
        let vars = self.vars().with("$session", known);
        let vars = vars.with("$status", &answer.status).with("$headers", &answer.headers);
        match step.save.value(&answer.body, &vars) {
            Ok(Value::Object(fields)) if fields.values().all(|value| !value.is_null()) => {
                Ok(fields)
            }
            Ok(_) | Err(_) => {
                let (label, source) = (&manifest.label, step.save.expr().source());
                let message = format!(
                    "The log-in at {label} cannot go on: the answer to its step {} has nothing at `{source}`.",
                    at + 1
                );
                let rule = format!("{} auth.before[{at}].save", manifest::FILE);
                Err(Failure::new(Code::IntegrationAuthenticationInvalid, rule, message))
            }
        }
    }

    /// `$session`: what the steps before gave, and the token.
    fn found(&self, wanted: &Wanted<'_>, answer: &Answer, known: Value) -> Result<Value, Failure> {
        let vars = self.vars().with("$session", &known);
        let vars = vars.with("$status", &answer.status).with("$headers", &answer.headers);
        let found = match wanted.token.value(&answer.body, &vars) {
            Ok(Value::Object(fields)) if !fields.is_empty() => Some(Value::Object(fields)),
            Ok(value) => printed(&value)
                .filter(|text| !text.is_empty() && value != Value::Bool(false))
                .map(|_| json!({ "token": value })),
            Err(_) => None,
        };
        match (found, known) {
            (Some(Value::Object(found)), Value::Object(mut fields)) => {
                fields.extend(found);
                Ok(Value::Object(fields))
            }
            (Some(found), _) => Ok(found),
            (None, _) => {
                let label = &self.connector.manifest().label;
                let source = wanted.token.expr().source();
                let message = format!(
                    "The log-in at {label} gave no token: its answer has nothing at `{source}`."
                );
                let rule = format!("{} auth.token", manifest::FILE);
                Err(Failure::new(Code::IntegrationAuthenticationInvalid, rule, message))
            }
        }
    }

    fn life(&self, wanted: &Wanted<'_>, answer: &Answer) -> Option<Duration> {
        let vars = self.vars().with("$status", &answer.status).with("$headers", &answer.headers);
        let value = wanted.expires_in?.value(&answer.body, &vars).ok()?;
        let seconds = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        Some(seconds)
            .filter(|seconds| *seconds > 0.0)
            .and_then(|life| Duration::try_from_secs_f64(life).ok())
    }
}

/// What the answer to a log-in is looked at with; `None` where there is none.
fn wanted(auth: &Auth) -> Option<Wanted<'_>> {
    Some(match auth {
        Auth::OAuth2ClientCredentials(oauth) => Wanted {
            rules: &oauth.errors,
            token: &oauth.token,
            expires_in: Some(&oauth.expires_in),
        },
        Auth::OAuth2JwtBearer(oauth) => Wanted {
            rules: &oauth.errors,
            token: &oauth.token,
            expires_in: Some(&oauth.expires_in),
        },
        Auth::OAuth2SamlBearer(oauth) => Wanted {
            rules: &oauth.errors,
            token: &oauth.token,
            expires_in: Some(&oauth.expires_in),
        },
        Auth::Session(session) => Wanted {
            rules: &session.errors,
            token: &session.token,
            expires_in: session.expires_in.as_ref(),
        },
        Auth::None(_)
        | Auth::Basic(_)
        | Auth::Header(_)
        | Auth::Query(_)
        | Auth::Bearer(_)
        | Auth::WsSecurity(_)
        | Auth::BySetting(_)
        | Auth::OAuth2AuthorizationCode(_) => return None,
    })
}
