//! The data: the same for the same seed, and with every case in it that a connector must handle.

use std::collections::BTreeSet;

use cadre_sandbox::SandboxOptions;
use serde_json::Value;

use crate::client::{Caller, start, start_with};

const HRIS: &[&str] = &[
    "employees",
    "departments",
    "teams",
    "cost-centers",
    "offices",
    "legal-entities",
    "absence-types",
    "absences",
    "time-entries",
    "document-categories",
    "review-cycles",
    "reviews",
    "scales",
    "skills",
    "skill-ratings",
    "positions",
    "pay-runs",
    "payslips",
];
const ATS: &[&str] = &[
    "jobs",
    "candidates",
    "applications",
    "stages",
    "interviews",
    "offers",
    "users",
    "roles",
    "notes",
    "scorecards",
    "attachments",
    "tags",
    "rejection-reasons",
];

async fn everything(caller: &Caller) -> Vec<(String, Vec<Value>)> {
    let token = caller.token().await;
    let mut all = Vec::new();
    for list in HRIS {
        all.push(((*list).to_owned(), caller.hris_all(&token, list).await));
    }
    for list in ATS {
        all.push(((*list).to_owned(), caller.ats_all(&format!("/{list}?per_page=100")).await.0));
    }
    all
}

#[tokio::test]
async fn the_seed_decides_the_data() {
    let first = everything(&start().await).await;
    let second = everything(&start().await).await;
    assert!(first.iter().all(|(_, rows)| !rows.is_empty()));
    assert!(first == second);
    // `example` addresses stand in for the server's own: no record depends on the port.
    let other =
        everything(&start_with(SandboxOptions { seed: 2, ..SandboxOptions::default() }).await)
            .await;
    assert!(first != other);
}

#[tokio::test]
async fn a_larger_company_begins_with_the_same_people() {
    let small = start_with(SandboxOptions { employees: 30, ..SandboxOptions::default() }).await;
    let large = start_with(SandboxOptions { employees: 60, ..SandboxOptions::default() }).await;
    let few = small.hris_all(&small.token().await, "employees").await;
    let many = large.hris_all(&large.token().await, "employees").await;
    assert_eq!(few[..], many[..30]);
}

/// The distinct values at a path; a list on the way stands for all its items.
fn values(rows: &[Value], path: &str) -> BTreeSet<String> {
    let mut found: Vec<&Value> = rows.iter().collect();
    for part in path.split('.') {
        found = found.into_iter().flat_map(flat).map(|value| &value[part]).collect();
    }
    found
        .into_iter()
        .flat_map(flat)
        .map(|value| value.to_string().trim_matches('"').to_owned())
        .collect()
}

fn flat(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        other => vec![other],
    }
}

#[tokio::test]
async fn every_kind_of_value_occurs() {
    let all = everything(&start().await).await;
    let expected: &[(&str, &str, &[&str])] = &[
        ("employees", "employment.status", &["active", "onboarding", "on_leave", "left"]),
        (
            "employees",
            "employment.kind",
            &[
                "full_time",
                "part_time",
                "contractor",
                "intern",
                "freelancer",
                "working_student",
                "apprentice",
                "trainee",
                "board_member",
            ],
        ),
        (
            "employees",
            "employment.contracts.pay.per",
            &[
                "hour",
                "day",
                "week",
                "two_weeks",
                "half_month",
                "month",
                "two_months",
                "quarter",
                "half_year",
                "year",
            ],
        ),
        (
            "employees",
            "employment.contracts.pay.paid",
            &[
                "daily",
                "weekly",
                "biweekly",
                "monthly",
                "semimonthly",
                "quarterly",
                "half_yearly",
                "yearly",
                "by_project",
            ],
        ),
        ("employees", "personal.gender", &["female", "male", "diverse", "undisclosed", "null"]),
        (
            "employees",
            "personal.ethnicity",
            &[
                "white",
                "asian",
                "hispanic",
                "pacific_islander",
                "native_american",
                "black",
                "two_or_more",
                "undisclosed",
                "null",
            ],
        ),
        (
            "employees",
            "bank_accounts.routing.scheme",
            &["de_blz", "gb_sort_code", "us_aba", "fr_rib", "local"],
        ),
        ("employees", "home", &["null"]),
        ("absences", "state", &["approved", "pending", "rejected", "cancelled", "withdrawn"]),
        ("absences", "unit", &["day", "hour"]),
        ("absences", "from_half", &["true", "false"]),
        ("time-entries", "approval.state", &["approved", "open", "rejected"]),
        ("time-entries", "breaks.paid", &["true", "false"]),
        ("reviews", "relation", &["manager", "report", "peer", "self"]),
        ("reviews", "rating.scale_id", &["1", "5"]),
        ("skill-ratings", "rating.scale_id", &["1", "2", "3"]),
        ("skill-ratings", "rated_by", &["self", "manager", "external"]),
        ("positions", "kind", &["job", "position", "requisition"]),
        (
            "positions",
            "state",
            &["open", "open_unlimited", "planned", "frozen", "filled", "closed"],
        ),
        ("positions", "skills.expected.scale_id", &["1", "2"]),
        ("jobs", "status", &["open", "closed", "draft", "archived"]),
        ("jobs", "audience", &["public", "internal", "unlisted", "confidential"]),
        ("jobs", "workplace", &["remote", "hybrid", "on_site", "remote_for_now", "null"]),
        ("jobs", "pay.per", &["year", "month", "two_weeks", "week", "day", "hour"]),
        (
            "jobs",
            "questions.kind",
            &[
                "short_text",
                "long_text",
                "email",
                "url",
                "number",
                "slider",
                "file",
                "dropdown",
                "radio",
                "yes_no",
                "date",
                "checkboxes",
                "info",
                "signature",
            ],
        ),
        ("jobs", "questions.purpose", &["eeo", "demographic", "null"]),
        ("jobs", "team.role_ids", &["role-4", "role-5", "role-6", "role-7", "role-8", "role-9"]),
        ("applications", "status", &["active", "hired", "rejected"]),
        (
            "applications",
            "answers.kind",
            &[
                "short_text",
                "long_text",
                "number",
                "slider",
                "dropdown",
                "radio",
                "yes_no",
                "date",
                "checkboxes",
                "signature",
            ],
        ),
        ("offers", "state", &["accepted", "declined", "sent", "approved", "draft", "abandoned"]),
        ("notes", "visibility", &["private", "team"]),
        ("scorecards", "fields.kind", &["text", "choice", "choices", "yes_no", "number", "date"]),
        ("attachments", "kind", &["resume", "cover_letter", "certificate"]),
        ("users", "active", &["true", "false"]),
    ];
    let mut missing = Vec::new();
    for (list, path, wanted) in expected {
        let rows = &all.iter().find(|(name, _)| name == list).unwrap().1;
        let found = values(rows, path);
        missing.extend(
            wanted
                .iter()
                .filter(|value| !found.contains(**value))
                .map(|value| format!("{list} {path} {value}")),
        );
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[tokio::test]
async fn references_lead_somewhere() {
    let all = everything(&start().await).await;
    let ids = |list: &str| values(&all.iter().find(|(name, _)| name == list).unwrap().1, "id");
    let references: &[(&str, &str, &str)] = &[
        ("employees", "manager.id", "employees"),
        ("employees", "department.id", "departments"),
        ("employees", "team.id", "teams"),
        ("employees", "cost_center.id", "cost-centers"),
        ("employees", "office.id", "offices"),
        ("employees", "legal_entity.id", "legal-entities"),
        ("departments", "parent.id", "departments"),
        ("absences", "employee.id", "employees"),
        ("absences", "type.id", "absence-types"),
        ("time-entries", "employee.id", "employees"),
        ("reviews", "about.id", "employees"),
        ("reviews", "by.id", "employees"),
        ("reviews", "cycle.id", "review-cycles"),
        ("skills", "scale_id", "scales"),
        ("skill-ratings", "skill.id", "skills"),
        ("positions", "parent.id", "positions"),
        ("positions", "office_ids", "offices"),
        ("positions", "skills.skill_id", "skills"),
        ("payslips", "employee.id", "employees"),
        ("payslips", "pay_run.id", "pay-runs"),
        ("applications", "candidate_id", "candidates"),
        ("applications", "job_id", "jobs"),
        ("applications", "stage_id", "stages"),
        ("applications", "rejection.reason_id", "rejection-reasons"),
        ("candidates", "tag_ids", "tags"),
        ("jobs", "team.user_id", "users"),
        ("jobs", "team.role_ids", "roles"),
        ("jobs", "stages.stage_id", "stages"),
        ("users", "role_ids", "roles"),
        ("interviews", "application_id", "applications"),
        ("interviews", "interviewer_ids", "users"),
        ("scorecards", "interview_id", "interviews"),
        ("attachments", "application_id", "applications"),
    ];
    for (list, path, target) in references {
        let known = ids(target);
        let rows = &all.iter().find(|(name, _)| name == list).unwrap().1;
        let used: BTreeSet<_> = values(rows, path).into_iter().filter(|id| id != "null").collect();
        assert!(!used.is_empty(), "{list} {path} refers to nothing");
        assert!(
            used.is_subset(&known),
            "{list} {path}: {:?}",
            used.difference(&known).collect::<Vec<_>>()
        );
    }
}
