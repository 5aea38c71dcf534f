//! One logical request: signed, inside the budget, judged, reported, and repeated where that helps.

use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::fault::Code;
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use crate::action::StepContext;
use crate::auth::Token;
use crate::classify::{Failure, Judge, Verdict, tried};
use crate::exchange::{Body, Exchange, HttpRequest, HttpResponse, SendError};
use crate::format::Format;
use crate::manifest::{self, ErrorRule, Request, Response};
use crate::pace::milliseconds;
use crate::redact::Redactor;
use crate::request::{self, BuildError, Built};
use crate::retry::Attempts;
use crate::session::Inner;

/// A request to be made, and how its answer is read and judged.
pub(crate) struct Call<'a> {
    /// What it is for: `auth`, `check`, or the name of the stream.
    pub(crate) purpose: &'a str,
    /// Rules before those of the connector, and where they stand.
    pub(crate) rules: Vec<(String, &'a [ErrorRule])>,
    /// What the body is declared to be.
    pub(crate) format: Format,
    /// XML elements that are lists even when they are there once.
    pub(crate) lists: &'a [String],
    /// `$session`, where the log-in is under way: what its steps before gave.
    pub(crate) known: &'a Value,
    /// `$report`.
    pub(crate) report: &'a Value,
    /// `$page`.
    pub(crate) page: &'a Value,
    /// `$parent`.
    pub(crate) parent: &'a Value,
    /// Whether this is the log-in itself.
    pub(crate) log_in: bool,
    /// Whether the body may be anything: a file, or an answer that is handed on.
    pub(crate) raw: bool,
    /// The step of an action that it belongs to.
    pub(crate) step: Option<&'a StepContext<'a>>,
    /// Builds the request; signed afterwards.
    pub(crate) build: &'a (dyn Fn(&Vars<'_>) -> Built<HttpRequest> + Sync),
}

impl<'a> Call<'a> {
    /// A request whose answer is JSON and judged by the connector's rules alone.
    pub(crate) fn new(
        purpose: &'a str,
        build: &'a (dyn Fn(&Vars<'_>) -> Built<HttpRequest> + Sync),
    ) -> Call<'a> {
        Call {
            purpose,
            rules: Vec::new(),
            format: Format::Json,
            lists: &[],
            known: &Value::Null,
            report: &Value::Null,
            page: &Value::Null,
            parent: &Value::Null,
            log_in: false,
            raw: false,
            step: None,
            build,
        }
    }
}

/// A good answer.
pub(crate) struct Answer {
    pub(crate) status: Value,
    pub(crate) headers: Value,
    pub(crate) body: Value,
    pub(crate) url: Url,
    /// A rule said that there are no records here.
    pub(crate) no_records: bool,
    /// The answer as it came.
    pub(crate) response: HttpResponse,
}

/// One request, and what became of it.
pub(crate) struct Exchanged {
    pub(crate) url: Url,
    pub(crate) result: Result<HttpResponse, SendError>,
    pub(crate) verdict: Verdict,
    pub(crate) body: Option<Value>,
    pub(crate) wait: Option<Duration>,
}

/// How one attempt ended.
enum Attempt {
    Answered(Box<Answer>),
    LogInEnded(Failure),
    Failed { failure: Failure, again: bool, wait: Option<Duration> },
}

impl Inner {
    /// Makes a request until there is an answer or no further attempt helps.
    pub(crate) async fn call(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let mut attempts = Attempts::new(&self.io.limits);
        let mut stale = None;
        loop {
            let token = self.token(call, stale).await?;
            let generation = token.as_ref().map(|token| token.generation);
            let (failure, again, wait) = match self.attempt(call, token.as_ref()).await {
                Attempt::Answered(answer) => return Ok(*answer),
                Attempt::LogInEnded(_) if stale.is_none() && generation.is_some() => {
                    stale = generation;
                    continue;
                }
                Attempt::LogInEnded(failure) => return Err(failure),
                Attempt::Failed { failure, again, wait } => (failure, again, wait),
            };
            let next = if again { attempts.failed(wait) } else { None };
            let next = next.filter(|pause| self.left().is_none_or(|left| *pause < left));
            let Some(pause) = next else { return Err(tried(failure, attempts.made(), wait)) };
            let why = if wait.is_some() {
                "the tool asked to wait"
            } else {
                "backoff before another attempt"
            };
            self.io.observer.wait(why, milliseconds(pause));
            self.pace.sleep(pause).await;
        }
    }

    /// The token of the log-in, where there is one; a stale one is replaced.
    pub(crate) async fn token(
        &self,
        call: &Call<'_>,
        stale: Option<u64>,
    ) -> Result<Option<Token>, Failure> {
        match self.auth() {
            Some(auth) if auth.logs_in() && !call.log_in => {
                // Boxed: the log-in is itself a call.
                let log_in = |refused| Box::pin(self.log_in(auth, refused));
                self.tokens.get(&self.pace, stale, log_in).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn attempt(&self, call: &Call<'_>, token: Option<&Token>) -> Attempt {
        let Exchanged { url, result, verdict, body, wait } = match self.exchange(call, token).await
        {
            Ok(exchanged) => exchanged,
            Err(failure) => return Attempt::Failed { failure, again: false, wait: None },
        };
        match (verdict, result) {
            (Verdict::LogInEnded(failure), _) => Attempt::LogInEnded(failure),
            (Verdict::Failed { failure, again }, _) => {
                if let (Some(wait), true) = (wait, again) {
                    // Everybody waits: the vendor said it to this account, not to this request.
                    self.budget.close(wait, "the tool asked to wait");
                }
                Attempt::Failed { failure, again, wait: wait.filter(|_| again) }
            }
            (verdict, Ok(response)) => Attempt::Answered(Box::new(Answer {
                status: Value::from(response.status),
                headers: response.headers_value(),
                body: body.unwrap_or_default(),
                url,
                no_records: matches!(verdict, Verdict::NoRecords),
                response,
            })),
            (Verdict::Fine | Verdict::NoRecords, Err(error)) => {
                let failure =
                    Failure::new(Code::PlatformUnknownError, "internal", error.to_string());
                Attempt::Failed { failure, again: false, wait: None }
            }
        }
    }

    /// Sends one request inside the budget, judges what comes, and reports both.
    pub(crate) async fn exchange(
        &self,
        call: &Call<'_>,
        token: Option<&Token>,
    ) -> Result<Exchanged, Failure> {
        let session = token.map_or(call.known, |token| token.session.as_ref());
        let request = self.prepare(call, session).map_err(|error| self.not_built(call, &error))?;
        if !self.redactor().knows_signature(&request.headers) {
            self.teach(|redactor| redactor.learn_signature(&request.headers));
        }
        let redactor = self.redactor();
        let left = self.left().unwrap_or(Duration::MAX);
        let longest = self.io.limits.max_total_wait.min(left);
        let permit = match self.budget.enter(longest, &*self.io.observer).await {
            Ok(permit) => permit,
            Err((wait, why)) => return Err(self.used_up(wait, why)),
        };
        let left = self.left().unwrap_or(Duration::MAX);
        if left.is_zero() {
            return Err(self.out_of_time(call));
        }
        let timeout = Duration::from_secs(self.connector.manifest().limits.timeout_seconds);
        let start = Instant::now();
        let result = self.io.http.send(request.clone(), timeout.min(left)).await;
        let took = start.elapsed();
        drop(permit);

        let wait = match &result {
            Ok(response) => self.budget.learn(&self.connector.manifest().limits.headers, response),
            Err(_) => None,
        };
        let (verdict, body) = self.judge(call, session, &request, &result, &redactor);
        self.report(call, &request, &result, took, &verdict, &redactor);
        Ok(Exchanged { url: request.url, result, verdict, body, wait })
    }

    /// Builds and signs the request.
    fn prepare(&self, call: &Call<'_>, session: &Value) -> Built<HttpRequest> {
        let vars = self
            .vars_of(call)
            .with("$secrets", &self.secrets)
            .with("$session", session)
            .with("$report", call.report)
            .with("$page", call.page);
        let mut request = (call.build)(&vars)?;
        request.max_body_bytes = self.io.limits.max_body_bytes;
        let manifest = self.connector.manifest();
        stays_among(&manifest.hosts, &request.url)?;
        if let Some(certificate) = &manifest.client_certificate {
            request.identity = certificate.identity(&vars)?;
        }
        // A step that says its own authorization asks somebody else than the API of the account.
        let own = call.step.is_some() && request.header("Authorization").is_some();
        let unsigned = call.log_in || request.unsigned || own;
        if let (Some(auth), false) = (self.auth(), unsigned) {
            auth.sign(&mut request, &vars)?;
        }
        Ok(request)
    }

    fn not_built(&self, call: &Call<'_>, error: &BuildError) -> Failure {
        let label = &self.connector.manifest().label;
        let message =
            format!("The request for `{}` of {label} cannot be built: {}.", call.purpose, error.0);
        let message = self.redactor().text(&message);
        let rule = "default: request cannot be built";
        Failure::new(Code::PlatformInputInvalid, rule, message).hint(
            "Check the settings of the integration; if they are right, the connector's request is \
             wrong.",
        )
    }

    /// The next request could only be sent after more than one read may wait.
    fn used_up(&self, wait: Duration, why: &str) -> Failure {
        let seconds = wait.as_secs().max(1);
        let label = &self.connector.manifest().label;
        let message = format!("{label} may not be asked for another {seconds} s ({why}).");
        let mut failure =
            Failure::new(Code::RemoteRateLimitExceeded, format!("limit: {why}"), message);
        failure.fault = failure.fault.retry_after(seconds);
        failure
    }

    /// The time that everything may take together is over.
    fn out_of_time(&self, call: &Call<'_>) -> Failure {
        let seconds = self.io.limits.total.unwrap_or_default().as_secs();
        let label = &self.connector.manifest().label;
        let message = format!(
            "{label} was not asked for `{}`: the {seconds} s that this may take were over.",
            call.purpose
        );
        Failure::new(Code::RemoteServiceUnavailable, "limit: time of a live call", message)
    }

    fn judge(
        &self,
        call: &Call<'_>,
        session: &Value,
        request: &HttpRequest,
        result: &Result<HttpResponse, SendError>,
        redactor: &Redactor,
    ) -> (Verdict, Option<Value>) {
        let manifest = self.connector.manifest();
        let own = call.rules.iter().cloned();
        let general = (!call.log_in)
            .then(|| (format!("{} errors", manifest::FILE), manifest.errors.as_slice()));
        let rules: Vec<(String, &[ErrorRule])> = own.chain(general).collect();
        let judge = Judge {
            label: &manifest.label,
            method: &request.method,
            url: &request.url,
            rules: &rules,
            log_in: call.log_in,
            takes_redirects: request.takes_redirects,
            redactor,
        };
        let response = match result {
            Ok(response) => response,
            Err(error) => return (judge.no_answer(error), None),
        };
        let mut body = Body::read(call.format, call.lists, response);
        let leads_on = request.takes_redirects && (300..400).contains(&response.status);
        if let (true, Body::Other { seen, .. }) = (call.raw || leads_on, &mut body) {
            body = Body::Parsed(seen.take());
        }
        let (status, headers) = (Value::from(response.status), response.headers_value());
        let vars = self
            .vars_of(call)
            .with("$session", session)
            .with("$status", &status)
            .with("$headers", &headers)
            .with("$report", call.report)
            .with("$page", call.page);
        let verdict = judge.answer(response, &body, &vars);
        let body = match body {
            Body::Parsed(value) => value,
            Body::Other { seen, .. } => seen,
        };
        (verdict, Some(body))
    }

    fn report(
        &self,
        call: &Call<'_>,
        request: &HttpRequest,
        result: &Result<HttpResponse, SendError>,
        took: Duration,
        verdict: &Verdict,
        redactor: &Redactor,
    ) {
        let failure = match verdict {
            Verdict::Fine | Verdict::NoRecords => None,
            Verdict::LogInEnded(failure) | Verdict::Failed { failure, .. } => Some(failure),
        };
        // A log-in's answer is a secret as a whole until it is known what in it is the token.
        let hidden = call.log_in && failure.is_none();
        let shown = |body: &[u8]| {
            if hidden { "[redacted: log-in]".to_owned() } else { redactor.body(body) }
        };
        let response = result.as_ref().ok();
        let refused = response.is_none_or(|response| response.status >= 400);
        let bodies = refused || failure.is_some() || self.io.observer.wants_bodies();
        self.io.observer.exchange(&Exchange {
            purpose: call.purpose.to_owned(),
            method: request.method.clone(),
            url: redactor.url(&request.url),
            request_headers: redactor.headers(&request.headers),
            request_body: request.body.as_ref().filter(|_| bodies).map(|body| redactor.body(body)),
            status: response.map(|response| response.status),
            response_headers: response
                .map(|response| redactor.headers(&response.headers))
                .unwrap_or_default(),
            response_body: response.filter(|_| bodies).map(|response| shown(&response.body)),
            duration_ms: milliseconds(took),
            rule: failure.map(|failure| failure.rule.clone()),
            error: failure.map(|failure| failure.fault.message.clone()),
        });
    }

    /// Asks the request of `check`.
    pub(crate) async fn ask_for_check(
        &self,
        request: &Request,
        response: &Response,
    ) -> Result<(), Failure> {
        let manifest = self.connector.manifest();
        let build = |vars: &Vars<'_>| request::build(manifest, request, None, vars);
        let call =
            Call { format: response.format, lists: &response.lists, ..Call::new("check", &build) };
        self.call(&call).await.map(|_| ())
    }
}

/// Whether a host is one of those that may be asked, or below one of them.
fn stays_among(hosts: &[String], url: &Url) -> Built<()> {
    let Some(host) = url.host_str() else { return Ok(()) };
    let allowed = |known: &String| {
        let above = host.strip_suffix(known.as_str());
        above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
    };
    if hosts.is_empty() || hosts.iter().any(allowed) {
        return Ok(());
    }
    let hosts = hosts.join(", ");
    Err(BuildError(format!("the host {host} is none of {hosts}, nor below one of them")))
}
