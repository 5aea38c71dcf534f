//! A log-in request whose answer holds a token.

use cadre_jq::{EvalError, Expr, Vars};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Place, SendAs};
use crate::manifest::{ErrorRule, Expression, Request, Template};
use crate::request::HttpRequest;

/// A request before the log-in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogInStep {
    /// The request.
    pub request: Request,
    /// Yields an object whose keys `$session` has from then on; none of them may be `null`.
    pub save: Expression,
    /// How the answer is judged, before the log-in's own rules.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
}

/// A log-in request whose answer holds a token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionLogIn {
    /// What is asked before it, in order: each request may use what those before it saved in `$session`.
    #[serde(default)]
    pub before: Vec<LogInStep>,
    /// The log-in request.
    pub request: Request,
    /// Finds the token in the answer; an object is merged into `$session`.
    pub token: Expression,
    /// Finds the token's life in the answer, in seconds.
    pub expires_in: Option<Expression>,
    /// How the token is sent; nothing where the request bodies use `$session` themselves.
    pub send_as: Option<SendAs>,
    /// How the log-in's answer is judged.
    #[serde(default)]
    pub errors: Vec<ErrorRule>,
    /// What requests carry when `send_as` names no value.
    #[serde(skip, default = "token")]
    default_value: Template,
}

fn token() -> Template {
    Template::compile("\\($session.token)").expect("a constant template")
}

impl SessionLogIn {
    pub(super) fn sign(&self, request: &mut HttpRequest, vars: &Vars<'_>) -> Result<(), EvalError> {
        match &self.send_as {
            Some(send_as) => send_as.sign(request, vars, &self.default_value),
            None => Ok(()),
        }
    }

    pub(super) fn expressions(&self) -> Vec<(String, &Expr, Place)> {
        let mut all = vec![("token".to_owned(), self.token.expr(), Place::Answer)];
        for (at, step) in self.before.iter().enumerate() {
            all.push((format!("before/{at}/save"), step.save.expr(), Place::Answer));
        }
        let life = self.expires_in.iter();
        all.extend(
            life.map(|expression| ("expires_in".to_owned(), expression.expr(), Place::Answer)),
        );
        let sent = self.send_as.iter().filter_map(|send_as| send_as.value.as_ref());
        all.extend(sent.map(|value| ("send_as/value".to_owned(), value.expr(), Place::Signature)));
        all
    }
}
