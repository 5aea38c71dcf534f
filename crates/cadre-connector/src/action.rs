//! One step of an action: asked once where asking twice would do it twice.
//!
//! A request that surely had no effect (no connection, 429, 503, a refusal) may be sent again. When
//! nobody knows whether it had one (no answer in time, a broken answer, another failure of the server),
//! the tool is looked at first, by the step's `read_back`; without one the step ends as unknown.

use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::fault::Code;
use serde_json::Value;

use crate::classify::{Failure, Verdict, tried};
use crate::exchange::{HttpResponse, SendError};
use crate::manifest::{ActionSection, ErrorRule, Step};
use crate::pace::milliseconds;
use crate::request;
use crate::retry::Attempts;
use crate::send::Call;
use crate::session::{Inner, Session};

/// What the expressions of a step see.
#[derive(Debug, Clone, Copy)]
pub struct StepContext<'a> {
    /// `$input`: what the caller sent, its references as remote ids.
    pub input: &'a Value,
    /// `$record`: the record that the path names.
    pub record: &'a Value,
    /// `$steps`: what the steps before saved, by name.
    pub steps: &'a Value,
    /// `$item`: the item of `each`.
    pub item: &'a Value,
    /// `$once`: a text that is the same in every attempt of this step, and in no other.
    pub once: &'a Value,
    /// `$started`: when the action first began, RFC 3339.
    pub started: &'a Value,
}

impl<'a> StepContext<'a> {
    pub(crate) fn fill(&self, vars: Vars<'a>) -> Vars<'a> {
        vars.with("$input", self.input)
            .with("$record", self.record)
            .with("$steps", self.steps)
            .with("$item", self.item)
            .with("$once", self.once)
            .with("$started", self.started)
    }
}

/// How a step ended.
#[derive(Debug)]
pub enum Taken {
    /// It had its effect.
    Done {
        /// What it saved.
        value: Value,
        /// Whether it was found to have happened before, instead of being answered.
        found: bool,
    },
    /// It surely had no effect.
    Refused(Failure),
    /// Nobody knows whether it had one.
    Unknown(Failure),
    /// The time of the action was over.
    OutOfTime {
        /// Whether a request is under way whose effect is not known.
        unknown: bool,
    },
}

/// What a look at the tool showed.
enum Looked {
    There(Value),
    NotThere,
    Failed(Failure),
}

/// A step, and everything it needs to be asked.
struct Asked<'a> {
    purpose: String,
    step: &'a Step,
    context: &'a StepContext<'a>,
    rules: Vec<(String, &'a [ErrorRule])>,
    rules_back: Vec<(String, &'a [ErrorRule])>,
}

impl Session {
    /// Takes a step of an action. `begun` says that it was begun before, and not seen to end.
    pub async fn take_step(
        &self,
        action: &str,
        name: &str,
        context: &StepContext<'_>,
        begun: bool,
    ) -> Taken {
        let inner = &self.inner;
        let section = inner.connector.actions().get(action);
        let Some((section, step)) = section.and_then(|of| Some((of, of.steps.get(name)?))) else {
            let code = Code::IntegrationActionNotAvailable;
            let message = format!("There is no step `{name}` of `{action}`.");
            return Taken::Refused(Failure::new(code, "actions", message));
        };
        let asked = Asked::new(action, name, section, step, context);
        inner.take(&asked, begun && !step.is_repeatable()).await
    }

    /// What an expression of an action yields beside its requests: `when`, `each`, `records`, `answer`.
    ///
    /// # Errors
    ///
    /// When it fails, in words.
    pub fn evaluate(
        &self,
        expression: &crate::manifest::Expression,
        context: &StepContext<'_>,
    ) -> Result<Value, String> {
        let vars = context.fill(self.inner.vars());
        expression.value(&Value::Null, &vars).map_err(|error| error.to_string())
    }
}

impl<'a> Asked<'a> {
    fn new(
        action: &str,
        name: &str,
        section: &'a ActionSection,
        step: &'a Step,
        context: &'a StepContext<'a>,
    ) -> Self {
        let file = format!("actions/{action}.yaml");
        let of = |place: String, rules: &'a [ErrorRule]| (place, rules);
        let whole = of(format!("{file} errors"), &section.errors);
        let own = of(format!("{file} steps.{name}.errors"), &step.errors);
        let back = step.read_back.as_ref().map_or(&[][..], |back| &back.errors);
        let back = of(format!("{file} steps.{name}.read_back.errors"), back);
        Self {
            purpose: format!("{action} {name}"),
            step,
            context,
            rules: vec![own, whole.clone()],
            rules_back: vec![back, whole],
        }
    }
}

impl Inner {
    async fn take(&self, asked: &Asked<'_>, mut doubtful: bool) -> Taken {
        let manifest = self.connector.manifest();
        let build = |vars: &Vars<'_>| request::build(manifest, &asked.step.request, None, vars);
        let call = of_step(asked, &asked.rules, &build);
        let mut attempts = Attempts::new(&self.io.limits);
        let mut stale = None;
        let mut last: Option<Failure> = None;
        let mut exhausted = false;
        loop {
            if doubtful {
                match self.look(asked).await {
                    Looked::There(value) => return Taken::Done { value, found: true },
                    Looked::NotThere => doubtful = false,
                    Looked::Failed(_) if self.is_over() => {
                        return Taken::OutOfTime { unknown: true };
                    }
                    Looked::Failed(failure) => return Taken::Unknown(last.unwrap_or(failure)),
                }
            }
            if let (true, Some(failure)) = (exhausted, last.take()) {
                return Taken::Refused(tried(failure, attempts.made(), None));
            }
            if self.is_over() {
                return Taken::OutOfTime { unknown: false };
            }
            let token = match self.token(&call, stale).await {
                Ok(token) => token,
                Err(failure) => return self.refused(failure),
            };
            let generation = token.as_ref().map(|token| token.generation);
            let exchanged = match self.exchange(&call, token.as_ref()).await {
                Ok(exchanged) => exchanged,
                Err(failure) => return self.refused(failure),
            };
            let (failure, again) = match exchanged.verdict {
                Verdict::Fine | Verdict::NoRecords => {
                    return self.saved(asked, exchanged.body, exchanged.result);
                }
                Verdict::LogInEnded(_) if stale.is_none() && generation.is_some() => {
                    stale = generation;
                    continue;
                }
                Verdict::LogInEnded(failure) => return Taken::Refused(failure),
                Verdict::Failed { failure, again } => (failure, again),
            };
            if let (Some(wait), true) = (exchanged.wait, again) {
                self.budget.close(wait, "the tool asked to wait");
            }
            doubtful = is_doubtful(&exchanged.result, &failure) && !asked.step.is_repeatable();
            if self.is_over() && matches!(exchanged.result, Err(SendError::Timeout(_))) {
                return Taken::OutOfTime { unknown: doubtful };
            }
            if doubtful && asked.step.read_back.is_none() {
                return Taken::Unknown(failure);
            }
            let next = if again || doubtful { attempts.failed(exchanged.wait) } else { None };
            let least = asked.step.read_back.as_ref().filter(|_| doubtful);
            let least = Duration::from_secs(least.map_or(0, |back| back.wait_seconds));
            // A look is due even where no further attempt is.
            let pause = next.or(doubtful.then_some(least)).map(|pause| pause.max(least));
            exhausted = next.is_none();
            let fits = |pause: &Duration| self.left().is_none_or(|left| *pause < left);
            match pause.filter(fits) {
                Some(pause) => {
                    let why = if doubtful {
                        "before a look at the tool"
                    } else {
                        "before another attempt"
                    };
                    self.io.observer.wait(why, milliseconds(pause));
                    self.pace.sleep(pause).await;
                }
                None if doubtful => return Taken::OutOfTime { unknown: true },
                None => return Taken::Refused(tried(failure, attempts.made(), exchanged.wait)),
            }
            last = Some(failure);
        }
    }

    /// Looks whether a request had its effect.
    async fn look(&self, asked: &Asked<'_>) -> Looked {
        let Some(back) = &asked.step.read_back else {
            let label = &self.connector.manifest().label;
            let message = format!("{label} was asked before, and its answer did not arrive.");
            let rule = "default: nothing says how to look whether it happened";
            return Looked::Failed(Failure::new(Code::RemoteUnknownHttpError, rule, message));
        };
        let manifest = self.connector.manifest();
        let build = |vars: &Vars<'_>| request::build(manifest, &back.request, None, vars);
        let call = of_step(asked, &asked.rules_back, &build);
        let answer = match self.call(&call).await {
            Ok(answer) if answer.no_records => return Looked::NotThere,
            Ok(answer) => answer,
            Err(failure) => return Looked::Failed(failure),
        };
        let vars = asked
            .context
            .fill(self.vars())
            .with("$status", &answer.status)
            .with("$headers", &answer.headers);
        match back.found.value(&answer.body, &vars) {
            Ok(Value::Null | Value::Bool(false)) => Looked::NotThere,
            Ok(value) => Looked::There(value),
            Err(error) => Looked::Failed(unreadable(&asked.purpose, "read_back.found", &error)),
        }
    }

    fn saved(
        &self,
        asked: &Asked<'_>,
        body: Option<Value>,
        result: Result<HttpResponse, SendError>,
    ) -> Taken {
        let body = body.unwrap_or_default();
        let Some(save) = &asked.step.save else { return Taken::Done { value: body, found: false } };
        let (status, headers) = match &result {
            Ok(response) => (Value::from(response.status), response.headers_value()),
            Err(_) => (Value::Null, Value::Null),
        };
        let vars =
            asked.context.fill(self.vars()).with("$status", &status).with("$headers", &headers);
        match save.value(&body, &vars) {
            Ok(value) => Taken::Done { value, found: false },
            // It happened; only what came back is not what the connector expects.
            Err(error) => Taken::Unknown(unreadable(&asked.purpose, "save", &error)),
        }
    }

    fn refused(&self, failure: Failure) -> Taken {
        if self.is_over() { Taken::OutOfTime { unknown: false } } else { Taken::Refused(failure) }
    }

    /// Whether the time for everything is over.
    fn is_over(&self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

fn of_step<'a>(
    asked: &'a Asked<'a>,
    rules: &[(String, &'a [ErrorRule])],
    build: &'a (dyn Fn(&Vars<'_>) -> request::Built<crate::exchange::HttpRequest> + Sync),
) -> Call<'a> {
    let response = &asked.step.response;
    Call {
        rules: rules.to_vec(),
        format: response.format,
        lists: &response.lists,
        step: Some(asked.context),
        ..Call::new(&asked.purpose, build)
    }
}

/// Whether nobody knows if a request that failed had its effect.
fn is_doubtful(result: &Result<HttpResponse, SendError>, failure: &Failure) -> bool {
    match result {
        Err(
            SendError::Connect(_)
            | SendError::CertificateRefused(_)
            | SendError::Blocked(_)
            | SendError::Unsendable(_),
        ) => false,
        Err(
            SendError::Unanswered(_)
            | SendError::Timeout(_)
            | SendError::Cut(_)
            | SendError::TooLarge(_),
        ) => true,
        // A rule of the connector knows what the answer means.
        Ok(_) if !failure.rule.starts_with("default") && !failure.retry => false,
        Ok(response) => match response.status {
            // 503: the server says that it does not handle the request now.
            429 | 503 => false,
            408 | 200..=299 | 500.. => true,
            _ => false,
        },
    }
}

fn unreadable(purpose: &str, key: &str, error: &cadre_jq::EvalError) -> Failure {
    let message = format!("What the tool answered to {purpose} is not what was expected: {error}.");
    Failure::new(Code::RemoteUnknownHttpError, format!("{purpose} {key}"), message)
}
