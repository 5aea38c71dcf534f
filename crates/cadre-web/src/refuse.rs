//! From a fault to an HTTP answer: the only place that knows statuses and the envelope.
//!
//! A handler refuses by returning a [`Refused`]. The answer it makes is unfinished: [`finish`], the
//! outermost step of every route, adds what only the whole request knows (the link to its log and
//! the error class of its operation) and writes the envelope. Whatever else leaves with a failing
//! status (an unknown route, a wrong method, a panic) gets its envelope there too.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use cadre_model::fault::{Code, Fault};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

/// The code of an error answer, also where the envelope may not say it.
pub const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-cadre-error-code");

/// The kind of operation, which decides the codes that its clients understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Neither of the others.
    General,
    /// Human resources information.
    Hris,
    /// Applicant tracking and assessment.
    Ats,
    /// Public job postings.
    AiApply,
}

impl Class {
    /// Every class.
    pub const ALL: &'static [Class] = &[Class::General, Class::Hris, Class::Ats, Class::AiApply];

    /// The class of the operations at a path below `/v1`.
    #[must_use]
    pub fn of_path(path: &str) -> Class {
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        match (parts.next(), parts.next()) {
            (Some("hris"), _) => Class::Hris,
            // Operations for one tool alone are general ones, wherever they stand.
            (Some("ats"), Some("custom")) => Class::General,
            (Some("ats" | "assessment"), _) => Class::Ats,
            (Some("ai-apply"), _) => Class::AiApply,
            _ => Class::General,
        }
    }

    /// As the contract names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Class::General => "general",
            Class::Hris => "hris",
            Class::Ats => "ats",
            Class::AiApply => "ai-apply",
        }
    }

    pub(crate) const fn schema_name(self) -> &'static str {
        match self {
            Class::General => "GeneralError",
            Class::Hris => "HrisError",
            Class::Ats => "AtsError",
            Class::AiApply => "AiApplyError",
        }
    }

    /// Whether clients of the class understand the code.
    #[must_use]
    pub fn admits(self, code: Code) -> bool {
        match code.as_str().split('.').next() {
            Some("PLATFORM") => true,
            Some("INTEGRATION") => matches!(self, Class::Hris | Class::Ats),
            Some("REMOTE") => !matches!(self, Class::General),
            Some("HRIS") => self == Class::Hris,
            Some("ATS") => self == Class::Ats,
            Some("AI_APPLY") => self == Class::AiApply,
            _ => false,
        }
    }

    /// The codes that clients of the class understand.
    pub fn codes(self) -> impl Iterator<Item = Code> {
        Code::ALL.iter().copied().filter(move |code| self.admits(*code))
    }
}

/// What an error answer depends on beside the fault.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The product that titles speak of.
    pub product_name: String,
    /// The status of the three codes of an unfinished set-up: 503 or 409.
    pub setup_status_code: u16,
}

impl Default for Wording {
    fn default() -> Self {
        Self { product_name: DEFAULT_PRODUCT.to_owned(), setup_status_code: 503 }
    }
}

/// The product name that the constant titles of the contract speak of.
pub const DEFAULT_PRODUCT: &str = "Kombo";

impl Wording {
    fn title(&self, code: Code) -> String {
        if code == Code::RemoteRateLimitExceeded {
            return code.title().replace(DEFAULT_PRODUCT, &self.product_name);
        }
        code.title().to_owned()
    }

    /// The HTTP status that a code answers with.
    #[must_use]
    pub fn status(&self, code: Code) -> StatusCode {
        let status = match code {
            Code::IntegrationSetupIncomplete
            | Code::IntegrationSetupSyncPending
            | Code::IntegrationQaFailed => self.setup_status_code,
            _ => code.status(),
        };
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The error of one item of a task: there, every code of the contract may be said.
    #[must_use]
    pub fn error_of_item(&self, fault: &Fault, log_url: Option<&str>) -> Value {
        json!({
            "code": fault.code.as_str(), "title": self.title(fault.code),
            "message": message(fault), "log_url": log_url,
        })
    }

    /// The envelope of a fault, as JSON.
    #[must_use]
    pub fn envelope(&self, fault: &Fault, class: Class, log_url: Option<&str>) -> Value {
        let known = class.admits(fault.code);
        json!({
            "status": "error",
            "error": {
                "code": known.then(|| fault.code.as_str()),
                "title": known.then(|| self.title(fault.code)),
                "message": message(fault),
                "log_url": log_url,
            },
        })
    }
}

/// The message for the caller: what happened, and the next step where the fault names its own.
fn message(fault: &Fault) -> String {
    match &fault.hint {
        Some(hint) => format!("{} {hint}", fault.message),
        None => fault.message.clone(),
    }
}

/// A request that is refused.
#[derive(Debug, Clone)]
pub struct Refused(pub Box<Fault>);

impl Refused {
    /// A refusal that says what happened.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Fault::new(code, message).into()
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self(Box::new(fault))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // The status is a stand-in: `finish` writes the real one.
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The fault of an answer that fails, whoever made it; `None` for one that succeeds.
#[must_use]
pub fn fault_of(response: &Response, method: &http::Method, path: &str) -> Option<Fault> {
    if let Some(Refused(fault)) = response.extensions().get() {
        return Some((**fault).clone());
    }
    if response.extensions().get::<Finished>().is_some() {
        return None;
    }
    match response.status() {
        status if status.is_success() || status.is_redirection() => None,
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = response.headers().get(ALLOW).and_then(|value| value.to_str().ok());
            let fault = Fault::new(
                Code::PlatformInputInvalid,
                format!("{path} does not answer {method} requests."),
            );
            Some(match allowed {
                Some(allowed) => fault.hint(format!("It answers {}.", allowed.replace(',', ", "))),
                None => fault,
            })
        }
        StatusCode::PAYLOAD_TOO_LARGE => Some(Fault::new(
            Code::PlatformInputInvalid,
            "The body of the request is larger than this server accepts.",
        )),
        status if status.is_client_error() => Some(Fault::new(
            Code::PlatformInputInvalid,
            format!("The request could not be read ({status})."),
        )),
        status => Some(Fault::unknown(format!("{method} {path} answered {status}"))),
    }
}

/// Marks an answer of a page that already says for people what is wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished;

/// Turns an answer that fails with `fault` into the envelope.
#[must_use]
pub fn finish(
    mut response: Response,
    fault: &Fault,
    class: Class,
    wording: &Wording,
    log_url: Option<&str>,
) -> Response {
    let body = wording.envelope(fault, class, log_url).to_string();
    *response.status_mut() = wording.status(fault.code);
    let headers = response.headers_mut();
    headers.remove(http::header::CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ERROR_CODE_HEADER, HeaderValue::from_static(fault.code.as_str()));
    if let Some(seconds) = fault.retry_after_seconds {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    *response.body_mut() = Body::from(body);
    response
}

#[cfg(test)]
mod tests {
    use cadre_model::fault::{Code, Fault};
    use serde_json::{Value, json};

    use super::{Class, Wording};

    fn contract(file: &str) -> Value {
        let path = format!("{}/../../contract/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).expect("the contract is part of the project");
        serde_json::from_str(&text).expect("the contract is JSON")
    }

    #[test]
    fn classes_are_those_of_the_contract() {
        let contract = contract("openapi.json");
        for (path, operations) in contract["paths"].as_object().expect("paths") {
            for (method, operation) in operations.as_object().expect("operations") {
                if let Some(class) = operation.get("x-error-class") {
                    assert_eq!(Class::of_path(path).name(), class, "{method} {path}");
                }
            }
        }
        for class in Class::ALL {
            let known = contract["x-error-codes"][class.name()].as_array().expect("a list");
            for code in Code::ALL {
                let listed = known.contains(&code.as_str().into());
                assert_eq!(class.admits(*code), listed, "{code} in {}", class.name());
            }
        }
    }

    #[test]
    fn a_code_outside_the_class_is_not_said() {
        let fault = Fault::new(Code::IntegrationInactive, "It is off.");
        let wording = Wording::default();
        let general = wording.envelope(&fault, Class::General, None);
        assert_eq!(
            general,
            json!({ "status": "error", "error": {
                "code": null, "title": null, "message": "It is off.", "log_url": null,
            } })
        );
        let hris = wording.envelope(&fault, Class::Hris, Some("http://x/logs/1"));
        assert_eq!(hris["error"]["code"], "INTEGRATION.INACTIVE");
        assert_eq!(hris["error"]["log_url"], "http://x/logs/1");
    }

    #[test]
    fn the_wording_can_be_set() {
        let wording = Wording { product_name: "Cadre".into(), setup_status_code: 409 };
        let fault = Fault::new(Code::RemoteRateLimitExceeded, "Too many.");
        let envelope = wording.envelope(&fault, Class::Ats, None);
        let title = envelope["error"]["title"].as_str().expect("a title");
        assert!(title.starts_with("Cadre has hit the rate limit"), "{title}");
        assert_eq!(wording.status(Code::IntegrationSetupSyncPending), 409);
        assert_eq!(Wording::default().status(Code::IntegrationSetupSyncPending), 503);
    }

    #[test]
    fn every_code_has_the_status_and_title_of_the_table() {
        let wording = Wording::default();
        for row in contract("errors.json")["codes"].as_array().expect("codes") {
            let code = Code::parse(row["code"].as_str().expect("text")).expect("a known code");
            assert_eq!(row["http_status"], wording.status(code).as_u16());
            assert_eq!(row["title"], wording.title(code));
        }
    }
}
