//! Why a request of the protocol is refused (RFC 7644, section 3.12).

use serde_json::{Value, json};

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    /// The word of the standard for what is wrong.
    pub(super) word: Option<&'static str>,
    pub(super) detail: String,
}

impl Refusal {
    pub(super) fn new(status: u16, detail: impl Into<String>) -> Refusal {
        Refusal { status, word: None, detail: detail.into() }
    }

    fn of(word: &'static str, detail: impl Into<String>) -> Refusal {
        Refusal { status: 400, word: Some(word), detail: detail.into() }
    }

    pub(super) fn filter(detail: impl Into<String>) -> Refusal {
        Refusal::of("invalidFilter", detail)
    }

    pub(super) fn path(detail: impl Into<String>) -> Refusal {
        Refusal::of("invalidPath", detail)
    }

    pub(super) fn value(detail: impl Into<String>) -> Refusal {
        Refusal::of("invalidValue", detail)
    }

    pub(super) fn syntax(detail: impl Into<String>) -> Refusal {
        Refusal::of("invalidSyntax", detail)
    }

    pub(super) fn no_target(detail: impl Into<String>) -> Refusal {
        Refusal::of("noTarget", detail)
    }

    pub(super) fn read_only(name: &str) -> Refusal {
        Refusal::of("mutability", format!("`{name}` cannot be changed."))
    }

    pub(super) fn taken(name: &str) -> Refusal {
        let detail = format!("There is a user named \"{name}\" already.");
        Refusal { status: 409, word: Some("uniqueness"), detail }
    }

    pub(super) fn missing(kind: &str, id: &str) -> Refusal {
        Refusal::new(404, format!("There is no {kind} with the id \"{id}\"."))
    }

    /// The body of the answer.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": self.status.to_string(), "detail": self.detail,
        });
        if let Some(word) = self.word {
            body["scimType"] = word.into();
        }
        body
    }
}
