//! The taxonomy of errors: one row per code, and nothing else decides.
//!
//! A layer below speaks of failures in its own words; the step up to a [`Fault`] happens where the
//! meaning for the caller is known. `jobs` looks only at [`Code::retry`], `web` only at
//! [`Code::status`], the pages only at [`Code::who`] and the hint. Nobody matches on text.
//!
//! To add a code: one row in the table below. The test in `tests/contract.rs` holds the table
//! against `contract/errors.json`.

use serde::{Deserialize, Serialize};

/// Who can do something about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// The software that called the API.
    Caller,
    /// The person at the end customer who connected the tool.
    EndCustomer,
    /// Whoever runs Cadre or its connectors.
    Operator,
    /// Nobody: time heals it.
    Wait,
}

/// Whether, and how, the same request may be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Retry {
    /// Yes, with exponential backoff and jitter.
    Backoff,
    /// Yes, once the input is corrected.
    AfterCorrection,
    /// Yes, with the same idempotency key: the work resumes.
    SameIdempotencyKey,
    /// Not without a person.
    Never,
}

/// Where the cause of a fault lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// In the request.
    Caller,
    /// In the link with the tool: its credentials, permissions, set-up and scope.
    Connection,
    /// In the tool.
    Vendor,
    /// In what the connector says of the tool.
    Connector,
    /// In Cadre itself.
    Cadre,
}

macro_rules! codes {
    ($($variant:ident: $code:literal, $status:literal, $who:ident, $retry:ident, $title:literal, $hint:literal;)*) => {
        /// A code of the error contract.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $title] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the contract.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code as it stands on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code),* }
            }

            /// The constant title of the code.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Code::$variant => $title),* }
            }

            /// The HTTP status of the code.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status),* }
            }

            /// Who must act.
            #[must_use]
            pub const fn who(self) -> Who {
                match self { $(Code::$variant => Who::$who),* }
            }

            /// Whether the request may be sent again.
            #[must_use]
            pub const fn retry(self) -> Retry {
                match self { $(Code::$variant => Retry::$retry),* }
            }

            /// What to do next, where nothing more specific is known.
            #[must_use]
            pub const fn hint(self) -> &'static str {
                match self { $(Code::$variant => $hint),* }
            }

            /// Reads a code from the wire.
            #[must_use]
            pub fn parse(code: &str) -> Option<Code> {
                match code { $($code => Some(Code::$variant),)* _ => None }
            }
        }
    };
}

codes! {
    PlatformRateLimitExceeded: "PLATFORM.RATE_LIMIT_EXCEEDED", 429, Caller, Backoff,
        "Rate limit exceeded.",
        "Wait as long as Retry-After says, then send the request again.";
    PlatformConcurrencyLimitExceeded: "PLATFORM.CONCURRENCY_LIMIT_EXCEEDED", 429, Caller, Backoff,
        "Concurrency limit exceeded.",
        "Wait until one of the running actions has ended, then send the request again.";
    PlatformIntegrationNotFound: "PLATFORM.INTEGRATION_NOT_FOUND", 404, Caller, Never,
        "Integration not found.",
        "Check X-Integration-Id, and that the API key belongs to the environment of the integration.";
    PlatformInputInvalid: "PLATFORM.INPUT_INVALID", 400, Caller, AfterCorrection,
        "Your request contains invalid data and failed validation.",
        "Correct the fields that the message names, then send the request again.";
    PlatformUnknownError: "PLATFORM.UNKNOWN_ERROR", 500, Operator, Never,
        "An unknown error occurred in our system.",
        "Open the log of this interaction and report what it shows to whoever runs this server.";
    PlatformIpNotWhitelisted: "PLATFORM.IP_NOT_WHITELISTED", 403, Caller, Never,
        "Your IP address is not whitelisted.",
        "Call from an address on the allow-list, or have this one added to it.";
    PlatformAuthenticationInvalid: "PLATFORM.AUTHENTICATION_INVALID", 401, Caller, Never,
        "The provided authentication is invalid.",
        "Send a valid API key as \"Authorization: Bearer <key>\"; create one with `cadre key create`.";
    PlatformTaskTimedOut: "PLATFORM.TASK_TIMED_OUT", 500, Caller, SameIdempotencyKey,
        "The task timed out.",
        "Send the request again with the same Idempotency-Key; finished steps are not repeated.";
    IntegrationPermissionMissing: "INTEGRATION.PERMISSION_MISSING", 400, EndCustomer, Never,
        "A permission is missing in the remote system.",
        "Grant the permission in the connected tool; the log of this interaction names it.";
    IntegrationAuthenticationInvalid: "INTEGRATION.AUTHENTICATION_INVALID", 403, EndCustomer, Never,
        "The integration cannot authenticate with the remote system.",
        "Have the customer reconnect the integration.";
    IntegrationQaFailed: "INTEGRATION.QA_FAILED", 503, Operator, Never,
        "The integration's setup sync failed quality checks.",
        "Look at the quality checks of the setup sync; fix what they found, or accept the result.";
    IntegrationSetupSyncPending: "INTEGRATION.SETUP_SYNC_PENDING", 503, Wait, Never,
        "The integration's setup sync is still running.",
        "Wait for the first sync to end; the integration can be read after it.";
    IntegrationSetupIncomplete: "INTEGRATION.SETUP_INCOMPLETE", 503, EndCustomer, Never,
        "The integration setup process is incomplete.",
        "Have the customer finish the setup steps.";
    IntegrationInactive: "INTEGRATION.INACTIVE", 403, Operator, Never,
        "This integration is currently deactivated.",
        "Switch the integration on again.";
    IntegrationModelNotAvailable: "INTEGRATION.MODEL_NOT_AVAILABLE", 400, Caller, Never,
        "This data model isn't supported for the selected integration.",
        "Look at the coverage of the tool for the models that it offers.";
    IntegrationModelDisabled: "INTEGRATION.MODEL_DISABLED", 403, Operator, Never,
        "This data model is disabled in the integration's scope configuration.",
        "Switch the model on in the scope configuration.";
    IntegrationActionNotAvailable: "INTEGRATION.ACTION_NOT_AVAILABLE", 400, Caller, Never,
        "This action isn't supported for the selected integration.",
        "Look at the coverage of the tool for the actions that it offers.";
    IntegrationActionDisabled: "INTEGRATION.ACTION_DISABLED", 400, Operator, Never,
        "This action is disabled in the integration's scope configuration.",
        "Switch the action on in the scope configuration.";
    RemoteServiceUnavailable: "REMOTE.SERVICE_UNAVAILABLE", 500, Wait, Backoff,
        "The remote system is currently unavailable.",
        "Try again later; the connected tool did not answer.";
    RemoteRateLimitExceeded: "REMOTE.RATE_LIMIT_EXCEEDED", 429, Wait, Backoff,
        "Kombo has hit the rate limit of the integration's API. Please try again later.",
        "Try again later; the connected tool limits how often it may be asked.";
    RemoteInputInvalid: "REMOTE.INPUT_INVALID", 400, Caller, AfterCorrection,
        "The remote system returned validation errors.",
        "Correct what the connected tool refused, then send the request again.";
    RemoteUnknownHttpError: "REMOTE.UNKNOWN_HTTP_ERROR", 400, Operator, Never,
        "The remote system returned errors.",
        "Open the log of this interaction to see what the connected tool answered.";
    HrisEmployeeAlreadyExists: "HRIS.EMPLOYEE_ALREADY_EXISTS", 400, Caller, Never,
        "The employee already exists in the HRIS system.",
        "Look the employee up instead of creating it.";
    AtsJobClosed: "ATS.JOB_CLOSED", 400, Caller, Never,
        "The requested job is closed.",
        "Tell the candidate that the job is closed, and refresh the list of jobs.";
    AtsApplicationAlreadyExists: "ATS.APPLICATION_ALREADY_EXISTS", 400, Caller, Never,
        "The candidate has already applied to this job.",
        "Tell the candidate that the application is there already.";
    LmsCourseUpdateNotSupported: "LMS.COURSE_UPDATE_NOT_SUPPORTED", 400, Caller, Never,
        "Course updates are not supported for this tool.",
        "Deactivate the course and create it again.";
    AiApplyJobFeedImportAlreadyRunning: "AI_APPLY.JOB_FEED_IMPORT_ALREADY_RUNNING", 409, Caller, Never,
        "This job feed already has a running import.",
        "Wait for the running import of this feed to end.";
    AiApplyJobFeedImportTimedOut: "AI_APPLY.JOB_FEED_IMPORT_TIMED_OUT", 504, Caller, Never,
        "The job feed import timed out.",
        "Send the feed in smaller parts.";
}

impl Code {
    /// Where the cause lies, given the rule that judged what the tool answered.
    #[must_use]
    pub fn cause(self, rule: Option<&str>) -> Cause {
        let by_default = rule.is_some_and(|rule| rule.starts_with("default"));
        match self {
            Code::PlatformUnknownError => Cause::Cadre,
            Code::IntegrationQaFailed => Cause::Connector,
            // No rule of the connector knows the answer: it has one to learn.
            Code::RemoteUnknownHttpError if by_default => Cause::Connector,
            Code::RemoteUnknownHttpError
            | Code::RemoteServiceUnavailable
            | Code::RemoteRateLimitExceeded
            | Code::PlatformTaskTimedOut => Cause::Vendor,
            Code::IntegrationPermissionMissing
            | Code::IntegrationAuthenticationInvalid
            | Code::IntegrationSetupSyncPending
            | Code::IntegrationSetupIncomplete
            | Code::IntegrationInactive
            | Code::IntegrationModelDisabled
            | Code::IntegrationActionDisabled => Cause::Connection,
            _ => Cause::Caller,
        }
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Code::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("`{text}` is not a code of the error contract"))
        })
    }
}

/// An error with a code: what happened here, said for the outside.
///
/// The context is for the log alone, which is why a fault does not print itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code.
    pub code: Code,
    /// What happened here, for whoever called.
    pub message: String,
    /// What to do next, more specific than the code's own hint.
    pub hint: Option<String>,
    /// What only the operator's log may know.
    pub context: Option<String>,
    /// How long to wait before the next try, in seconds, where that is known.
    pub retry_after_seconds: Option<u64>,
}

impl Fault {
    /// A fault that says what happened here.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, context: None, retry_after_seconds: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what only the operator's log may know.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Adds how long to wait before the next try, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// An unexpected failure of Cadre itself; the cause goes to the log only.
    pub fn unknown(cause: impl std::fmt::Display) -> Self {
        Self::new(
            Code::PlatformUnknownError,
            "Something went wrong on our side. The log of this interaction has the details.",
        )
        .context(cause.to_string())
    }

    /// The hint to show: the specific one, or that of the code.
    #[must_use]
    pub fn next_step(&self) -> &str {
        self.hint.as_deref().unwrap_or(self.code.hint())
    }
}
