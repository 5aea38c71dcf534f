//! The first stream of a new connector, by kind of tool.

use serde_json::{Value, json};

/// What kind of software a tool is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// HR information.
    Hris,
    /// Applicant tracking.
    Ats,
    /// Learning management.
    Lms,
}

/// What the first stream is, and what its first case holds.
pub(super) struct First {
    pub(super) stream: &'static str,
    pub(super) model: &'static str,
    /// The mapping.
    pub(super) map: &'static str,
    /// Two records as the tool has them.
    pub(super) raw: [Value; 2],
    /// The same as records of the model.
    pub(super) expected: [Value; 2],
}

impl Kind {
    /// As the manifest has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Hris => "HRIS",
            Kind::Ats => "ATS",
            Kind::Lms => "LMS",
        }
    }

    pub(super) fn first(self) -> First {
        match self {
            Kind::Hris => First {
                stream: "employees",
                model: "hris_employees",
                map: include_str!("hris_employees.yaml"),
                raw: [
                    json!({"id": 7, "firstName": "Ada", "lastName": "Okafor", "email": "ada@example.com",
                           "status": "active", "startDate": "2020-03-01", "managerId": null}),
                    json!({"id": 8, "firstName": "Jun", "lastName": "Sato", "email": null,
                           "status": "on_leave", "startDate": null, "managerId": 7}),
                ],
                expected: [
                    json!({"remote_id": "7", "first_name": "Ada", "last_name": "Okafor",
                           "work_email": "ada@example.com", "employment_status": "ACTIVE",
                           "start_date": "2020-03-01T00:00:00.000Z"}),
                    json!({"remote_id": "8", "first_name": "Jun", "last_name": "Sato",
                           "employment_status": "LEAVE", "manager_id": "7"}),
                ],
            },
            Kind::Ats => First {
                stream: "candidates",
                model: "ats_candidates",
                map: include_str!("ats_candidates.yaml"),
                raw: [
                    json!({"id": 7, "firstName": "Ada", "lastName": "Okafor", "email": "ada@example.com",
                           "createdAt": "2026-01-12T09:30:00Z"}),
                    json!({"id": 8, "firstName": "Jun", "lastName": "Sato", "email": null,
                           "createdAt": null}),
                ],
                expected: [
                    json!({"remote_id": "7", "first_name": "Ada", "last_name": "Okafor",
                           "email_addresses": [{"email_address": "ada@example.com"}],
                           "remote_created_at": "2026-01-12T09:30:00.000Z"}),
                    json!({"remote_id": "8", "first_name": "Jun", "last_name": "Sato"}),
                ],
            },
            Kind::Lms => First {
                stream: "users",
                model: "lms_users",
                map: include_str!("lms_users.yaml"),
                raw: [
                    json!({"id": 7, "firstName": "Ada", "lastName": "Okafor", "email": "ada@example.com",
                           "active": true}),
                    json!({"id": 8, "firstName": "Jun", "lastName": "Sato", "email": null, "active": false}),
                ],
                expected: [
                    json!({"remote_id": "7", "first_name": "Ada", "last_name": "Okafor",
                           "work_email": "ada@example.com", "status": "ACTIVE"}),
                    json!({"remote_id": "8", "first_name": "Jun", "last_name": "Sato",
                           "status": "INACTIVE"}),
                ],
            },
        }
    }
}
