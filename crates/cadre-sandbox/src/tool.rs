//! The vendors, and how each says that something is wrong.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One of the vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tool {
    /// Sandbox HR.
    Hris,
    /// Sandbox ATS.
    Ats,
    /// Sandbox LMS.
    Lms,
}

impl Tool {
    /// Whose path it is.
    pub(crate) fn of_path(path: &str) -> Option<Tool> {
        match path.split('/').nth(1) {
            Some("hris") => Some(Tool::Hris),
            Some("ats") => Some(Tool::Ats),
            Some("lms") => Some(Tool::Lms),
            _ => None,
        }
    }

    /// An error as this vendor writes it.
    pub(crate) fn error(self, status: StatusCode, code: &str, message: &str) -> Response {
        self.error_in_fields(status, code, message, &[])
    }

    /// An error as this vendor writes it, with what is wrong with which field.
    pub(crate) fn error_in_fields(
        self,
        status: StatusCode,
        code: &str,
        message: &str,
        fields: &[(&str, &str)],
    ) -> Response {
        let body = match self {
            Tool::Hris => {
                let fields: Vec<Value> = fields
                    .iter()
                    .map(|(field, problem)| json!({"field": field, "problem": problem}))
                    .collect();
                json!({"error": {"code": code, "message": message, "fields": fields}})
            }
            Tool::Ats => {
                let errors: Vec<String> =
                    fields.iter().map(|(field, problem)| format!("{field}: {problem}")).collect();
                json!({"code": code, "message": message, "errors": errors})
            }
            Tool::Lms => {
                let fields: serde_json::Map<String, Value> = fields
                    .iter()
                    .map(|(field, problem)| ((*field).to_owned(), Value::from(*problem)))
                    .collect();
                json!({"problem": {"code": code, "detail": message, "fields": fields}})
            }
        };
        (status, Json(body)).into_response()
    }
}
