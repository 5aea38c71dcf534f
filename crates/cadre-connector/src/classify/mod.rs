//! What an answer means: rules from the most specific to the least, then the transport's defaults.

use std::time::Duration;

use cadre_jq::Vars;
use cadre_model::fault::{Code, Fault};
use serde_json::Value;
use url::Url;

use crate::exchange::{Body, HttpResponse, SendError};
use crate::manifest::{ErrorRule, RuleAction, printed};
use crate::redact::Redactor;

/// The rule by which the transport of files says that there is no such file.
const NO_MATCHING_FILE: &str = "default: SFTP no matching file";

/// Most characters of a message.
const LONGEST_MESSAGE: usize = 500;

/// A failure of a read, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Code, message and hint.
    pub fault: Fault,
    /// Which rule classified it: `connector.yaml errors[2]`, or `default: status 401`.
    pub rule: String,
    /// Status of the answer, where there was one.
    pub status: Option<u16>,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

impl Failure {
    /// A failure whose code decides about the retry.
    pub(crate) fn new(code: Code, rule: impl Into<String>, message: impl Into<String>) -> Self {
        let retry = matches!(code, Code::RemoteServiceUnavailable | Code::RemoteRateLimitExceeded);
        Self {
            fault: Fault::new(code, shorten(&message.into())),
            rule: rule.into(),
            status: None,
            retry,
        }
    }

    /// Whether it says that something may not be read, or that the file for it is not there: what an
    /// optional stream is forgiven.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        self.fault.code == Code::IntegrationPermissionMissing || self.rule == NO_MATCHING_FILE
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.fault = self.fault.hint(hint);
        self
    }
}

impl From<crate::transport::refusal::Refusal> for Failure {
    fn from(refusal: crate::transport::refusal::Refusal) -> Self {
        let retry = matches!(
            refusal.fault.code,
            Code::RemoteServiceUnavailable | Code::RemoteRateLimitExceeded
        );
        Self { fault: refusal.fault, rule: refusal.rule, status: None, retry }
    }
}

/// What is asked, and by which rules the answer is judged.
pub(crate) struct Judge<'a> {
    /// Name of the tool, for people.
    pub(crate) label: &'a str,
    /// The request's method.
    pub(crate) method: &'a str,
    /// The request's URL.
    pub(crate) url: &'a Url,
    /// Lists of rules and where each list stands, in the order in which they decide.
    pub(crate) rules: &'a [(String, &'a [ErrorRule])],
    /// Whether the request is a log-in: what is wrong with it is wrong with the credentials.
    pub(crate) log_in: bool,
    /// Whether an answer that leads elsewhere is what was asked for.
    pub(crate) takes_redirects: bool,
    /// Takes secrets out of messages.
    pub(crate) redactor: &'a Redactor,
}

/// What an answer means.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// It is what was asked for.
    Fine,
    /// There are no (more) records here.
    NoRecords,
    /// The log-in has ended; the failure counts if a new one does not help.
    LogInEnded(Failure),
    /// An error; `again` when a repetition may help.
    Failed { failure: Failure, again: bool },
}

impl Judge<'_> {
    /// Judges an answer.
    pub(crate) fn answer(&self, response: &HttpResponse, body: &Body, vars: &Vars<'_>) -> Verdict {
        let seen = body.seen();
        for (place, rules) in self.rules {
            let found = rules.iter().enumerate().find(|(_, rule)| rule.when.holds(seen, vars));
            if let Some((at, rule)) = found {
                return self.ruled(format!("{place}[{at}]"), rule, response.status, seen, vars);
            }
        }
        self.by_default(response, body)
    }

    fn ruled(
        &self,
        name: String,
        rule: &ErrorRule,
        status: u16,
        seen: &Value,
        vars: &Vars<'_>,
    ) -> Verdict {
        if rule.action == Some(RuleAction::NoRecords) {
            return Verdict::NoRecords;
        }
        let code = rule.code.unwrap_or(Code::IntegrationAuthenticationInvalid);
        let words = match &rule.message {
            Some(message) => message.value(seen, vars).ok().and_then(|value| printed(&value)),
            None => None,
        };
        let message = self.message(status, words.or_else(|| vendor_message(seen)));
        let mut failure = Failure::new(code, name, message).status(status);
        if let Some(hint) = &rule.hint {
            failure = failure.hint(hint.clone());
        }
        if let Some(retry) = rule.retry {
            failure.retry = retry;
        }
        match rule.action {
            Some(RuleAction::RefreshAuth) => Verdict::LogInEnded(failure),
            Some(RuleAction::NoRecords) | None => {
                let again = failure.retry;
                Verdict::Failed { failure, again }
            }
        }
    }

    fn by_default(&self, response: &HttpResponse, body: &Body) -> Verdict {
        let status = response.status;
        let rule = format!("default: status {status}");
        let message = || self.message(status, vendor_message(body.seen()));
        let code = match status {
            200..=299 => return self.declared(status, body),
            300..=399 if self.takes_redirects => return Verdict::Fine,
            400 | 401 | 403 if self.log_in => Code::IntegrationAuthenticationInvalid,
            401 => {
                let failure = Failure::new(Code::IntegrationAuthenticationInvalid, rule, message());
                return Verdict::LogInEnded(failure.status(status));
            }
            403 => Code::IntegrationPermissionMissing,
            429 => Code::RemoteRateLimitExceeded,
            400 | 422 => Code::RemoteInputInvalid,
            // 408: the server did not wait for the request to come in whole.
            408 | 500 | 502 | 503 | 504 => Code::RemoteServiceUnavailable,
            _ => Code::RemoteUnknownHttpError,
        };
        let failure = Failure::new(code, rule, message()).status(status);
        let again = failure.retry;
        Verdict::Failed { failure, again }
    }

    /// Whether the body of a good answer is what was declared.
    fn declared(&self, status: u16, body: &Body) -> Verdict {
        let Body::Other { seen, why, cut } = body else { return Verdict::Fine };
        let words =
            vendor_message(seen).map(|words| format!(" It reads: {words}")).unwrap_or_default();
        let message = format!(
            "{} answered {} with status {status}, but {why}.{words}",
            self.label,
            self.asked()
        );
        let code = Code::RemoteUnknownHttpError;
        let rule = "default: body is not what was declared";
        let failure = Failure::new(code, rule, self.redactor.text(&message)).status(status).hint(
            "Open the log of this interaction to see the body; a proxy or a log-in page may stand \
                 in between.",
        );
        Verdict::Failed { failure, again: *cut }
    }

    /// Judges that there is no answer.
    pub(crate) fn no_answer(&self, error: &SendError) -> Verdict {
        let message = match error {
            SendError::Timeout(deadline) => format!(
                "{} did not answer {} completely within {} s.",
                self.label,
                self.asked(),
                deadline.as_secs_f64()
            ),
            other => format!("{} could not be asked {}: {other}.", self.label, self.asked()),
        };
        let (code, rule) = match error {
            SendError::Connect(_) | SendError::Unanswered(_) => {
                (Code::RemoteServiceUnavailable, "default: connection failed")
            }
            SendError::Timeout(_) => (Code::RemoteServiceUnavailable, "default: timeout"),
            SendError::Cut(_) => (Code::RemoteServiceUnavailable, "default: answer broke off"),
            SendError::TooLarge(_) => (Code::RemoteUnknownHttpError, "default: answer too large"),
            SendError::CertificateRefused(_) => {
                (Code::IntegrationAuthenticationInvalid, "default: client certificate refused")
            }
            SendError::Blocked(_) => (Code::PlatformInputInvalid, "default: private address"),
            SendError::Unsendable(_) => {
                (Code::PlatformInputInvalid, "default: request cannot be sent")
            }
        };
        let mut failure = Failure::new(code, rule, self.redactor.text(&message));
        match error {
            SendError::Blocked(_) => {
                failure = failure
                    .hint("Name a host on the public internet, or have the operator allow private networks.");
            }
            SendError::CertificateRefused(_) => {
                failure = failure.hint(
                    "The certificate may have ended, or belong to another account: enter the one that the tool issued, with its key.",
                );
            }
            SendError::TooLarge(_) => {
                failure =
                    failure.hint("Ask for smaller pages, or raise the limit of an answer's size.");
            }
            SendError::Connect(_)
            | SendError::Unanswered(_)
            | SendError::Timeout(_)
            | SendError::Cut(_)
            | SendError::Unsendable(_) => {}
        }
        let again = failure.retry;
        Verdict::Failed { failure, again }
    }

    fn message(&self, status: u16, words: Option<String>) -> String {
        let mut message = format!("{} answered {} with status {status}", self.label, self.asked());
        match words {
            Some(words) => {
                message.push_str(": ");
                message.push_str(words.trim());
            }
            None => message.push('.'),
        }
        self.redactor.text(&message)
    }

    fn asked(&self) -> String {
        let log_in = if self.log_in { "the log-in " } else { "" };
        format!("{log_in}{} {}", self.method, self.url.path())
    }
}

/// Adds to a failure how hard it was tried.
pub(crate) fn tried(mut failure: Failure, attempts: u32, wait: Option<Duration>) -> Failure {
    if attempts > 1 {
        let note = format!(" (tried {attempts} times)");
        let room = LONGEST_MESSAGE.saturating_sub(note.chars().count());
        failure.fault.message = shorten_to(&failure.fault.message, room) + &note;
    }
    if let Some(wait) = wait {
        failure.fault = failure.fault.retry_after(wait.as_secs().max(1));
    }
    failure
}

/// The vendor's own words, from where vendors put them.
fn vendor_message(body: &Value) -> Option<String> {
    let words = match body {
        Value::String(text) => page_title(text),
        // The fault of a SOAP answer.
        other => find(other.pointer("/Envelope/Body/Fault").unwrap_or(other), 0),
    }?;
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// Keys that hold words, best first.
const WORDS: &[&str] = &[
    "message",
    "error_description",
    "detail",
    "details",
    "description",
    "title",
    "msg",
    "reason",
    "faultstring",
    "text",
    "#text",
    "error",
    "errors",
    "fault",
    "data",
];

fn find(value: &Value, depth: u8) -> Option<String> {
    const DEEPEST: u8 = 4;
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Array(items) => items.iter().take(3).find_map(|item| find(item, depth + 1)),
        Value::Object(fields) => WORDS.iter().find_map(|key| {
            let (_, value) = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(key))?;
            find(value, depth + 1)
        }),
        _ => None,
    }
}

/// The title of a web page, or the beginning of a text.
fn page_title(text: &str) -> Option<String> {
    const MOST: usize = 200;
    if text.trim_start().starts_with('<') {
        let lower = text.to_ascii_lowercase();
        let start = lower.find("<title")?;
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find('<')?;
        return Some(text[start..end].to_owned());
    }
    Some(text.chars().take(MOST).collect())
}

fn shorten(text: &str) -> String {
    shorten_to(text, LONGEST_MESSAGE)
}

fn shorten_to(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests;
