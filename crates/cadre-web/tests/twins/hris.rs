//! Tools for people.

use cadre_store::RunKind;
use serde_json::{Value, json};

use crate::bench::{Bench, Tool, on_both};
use crate::compare::{absences, employees};

pub const PERSONIO: Tool =
    Tool { name: "personio", twin: "personio", hosts: &["https://api.personio.de"], form: &[] };

pub const BAMBOOHR: Tool = Tool {
    name: "bamboohr",
    twin: "bamboohr",
    hosts: &[r"https://\($settings.subdomain).bamboohr.com"],
    form: &[("subdomain", "acme")],
};

pub const HIBOB: Tool = Tool { name: "hibob", twin: "hibob", hosts: &[HIBOB_HOST], form: &[] };

pub const SUCCESSFACTORS: Tool = Tool {
    name: "successfactors",
    twin: "successfactors",
    hosts: &[r"https://\($settings.api_server)"],
    form: &[("api_server", "api4.successfactors.com")],
};

pub const WORKDAY_REPORT: Tool = Tool {
    name: "workdaycustomreport",
    twin: "workday",
    hosts: &[r"https://\($settings.host)"],
    form: &[
        ("host", "wd3-services1.myworkday.com"),
        ("report_owner", "ISU_Cadre"),
        ("report_name", "Workers"),
    ],
};

/// Over SOAP.
pub const WORKDAY: Tool = Tool {
    name: "workday",
    twin: "workday",
    hosts: &[r"https://\($settings.host)"],
    form: &[("host", "wd3-services1.myworkday.com")],
};

/// The address as the connector writes it, both environments included.
const HIBOB_HOST: &str =
    r#"https://api\(if $settings.environment == "sandbox" then ".sandbox" else "" end).hibob.com"#;

/// People come, go, marry and vanish; then everything is as in the twin.
async fn live_through(bench: &Bench, shown: &[&str]) {
    let done = bench.change(json!([
        {"op": "hire"}, {"op": "leave"}, {"op": "rename"}, {"op": "rename", "id": 1_004},
        {"op": "set", "list": "people", "id": 1_005, "patch": {"department": 14, "title": "Lead"}},
    ]));
    assert_eq!(done.await.len(), 5);
    assert_eq!(bench.sync_as(RunKind::Delta).await.0, "SUCCEEDED");
    employees(bench, shown).await;
    bench.change(json!([{"op": "delete", "list": "people", "id": 1_024}])).await;
    assert_eq!(bench.sync().await.0, "SUCCEEDED");
    employees(bench, shown).await;
}

/// Somebody is taken in by the product and stands in the twin; the second time is refused.
async fn hire_twice(bench: &Bench, body: &Value) {
    let before = bench.company("people").await.len();
    let (status, _, answer) = bench.ask("POST", "/v1/hris/employees", Some(body)).await;
    assert_eq!(status, 200, "{answer}");
    let people = bench.company("people").await;
    assert_eq!(people.len(), before + 1);
    let made = people.last().expect("somebody");
    assert_eq!(made["first"], body["first_name"]);
    assert_eq!(made["email"], body["work_email"]);
    let (_, code, answer) = bench.ask("POST", "/v1/hris/employees", Some(body)).await;
    assert_eq!(code, "HRIS.EMPLOYEE_ALREADY_EXISTS", "{answer}");
    assert_eq!(bench.company("people").await.len(), before + 1);
    // Somebody who has been there from the start gets another title.
    let people = bench.list("/v1/hris/employees").await;
    let person = people.iter().find(|one| one["work_email"] == made["email"]);
    let person = person.unwrap_or(&people[0]);
    let path = format!("/v1/hris/employees/{}", person["id"].as_str().expect("an id"));
    let new = json!({"first_name": person["first_name"], "last_name": person["last_name"],
        "work_email": person["work_email"], "job_title": "Countess"});
    let (status, _, answer) = bench.ask("PATCH", &path, Some(&new)).await;
    assert_eq!(status, 200, "{answer}");
    let people = bench.company("people").await;
    let changed = people.iter().find(|one| one["email"] == person["work_email"]);
    assert_eq!(changed.expect("the person")["title"], "Countess");
}

/// An absence is asked for by the product and stands in the twin.
async fn ask_for_days(bench: &Bench) {
    let people = bench.list("/v1/hris/employees").await;
    let person = people.iter().find(|one| one["employment_status"] == "ACTIVE").expect("a person");
    let types = bench.list("/v1/hris/absence-types").await;
    let kind = types.iter().find(|one| one["name"] == "Vacation").expect("a type");
    let body = json!({"employee_id": person["id"], "absence_type_id": kind["id"],
        "start_date": "2026-08-03", "end_date": "2026-08-07", "employee_note": null});
    let before = bench.company("absences").await.len();
    let (status, _, answer) = bench.ask("POST", "/v1/hris/absences", Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    let all = bench.company("absences").await;
    assert_eq!(all.len(), before + 1);
    let made = all.last().expect("an absence");
    assert_eq!((&made["from"], &made["until"]), (&json!("2026-08-03"), &json!("2026-08-07")));
    // Taken back, it is gone or cancelled, as the vendor has it.
    let path = format!("/v1/hris/absences/{}", answer["data"]["id"].as_str().expect("an id"));
    let (status, _, answer) = bench.ask("DELETE", &path, Some(&json!({}))).await;
    assert_eq!(status, 200, "{answer}");
    let all = bench.company("absences").await;
    let left = all.iter().find(|one| one["id"] == made["id"]);
    assert!(left.is_none_or(|left| left["state"] == "cancelled"), "{left:?}");
}

#[tokio::test]
async fn personio() {
    on_both(PERSONIO, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "department",
            "manager",
            "gender",
            "weekly_hours",
            "date_of_birth",
            "location_name",
        ];
        let absence = ["end_date", "start_half_day", "end_half_day", "amount", "unit", "status"];
        employees(&bench, &shown).await;
        absences(&bench, &absence).await;
        live_through(&bench, &shown).await;
        ask_for_days(&bench).await;
        hire_twice(
            &bench,
            &json!({"first_name": "Ada", "last_name": "Lovelace",
            "work_email": "ada@post.example", "start_date": "2026-04-01"}),
        )
        .await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        employees(&bench, &["first_name", "last_name", "start_date"]).await;
        absences(&bench, &absence).await;
    })
    .await;
}

#[tokio::test]
async fn bamboohr() {
    on_both(BAMBOOHR, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "department",
            "manager",
            "gender",
            "weekly_hours",
            "date_of_birth",
            "location_name",
            "location",
            "personal_email",
            "mobile_phone_number",
            "home_city",
            "home_country",
        ];
        let absence = ["end_date", "amount", "unit", "status"];
        employees(&bench, &shown).await;
        absences(&bench, &absence).await;
        live_through(&bench, &shown).await;
        ask_for_days(&bench).await;
        hire_twice(
            &bench,
            &json!({"first_name": "Ada", "last_name": "Lovelace",
            "work_email": "ada@post.example", "start_date": "2026-04-01"}),
        )
        .await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        employees(&bench, &["first_name", "last_name", "start_date"]).await;
        absences(&bench, &absence).await;
    })
    .await;
}

#[tokio::test]
async fn hibob() {
    on_both(HIBOB, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "department",
            "manager",
            "gender",
            "date_of_birth",
            "location_name",
            "personal_email",
            "mobile_phone_number",
            "home_city",
        ];
        let absence = ["end_date", "start_half_day", "end_half_day", "status"];
        employees(&bench, &shown).await;
        absences(&bench, &absence).await;
        live_through(&bench, &shown).await;
        ask_for_days(&bench).await;
        let sites = bench.list("/v1/hris/locations").await;
        hire_twice(
            &bench,
            &json!({"first_name": "Ada", "last_name": "Lovelace",
            "work_email": "ada@post.example", "start_date": "2026-04-01",
            "location_id": sites[0]["id"]}),
        )
        .await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        employees(&bench, &["first_name", "last_name", "start_date"]).await;
        absences(&bench, &absence).await;
    })
    .await;
}

#[tokio::test]
async fn successfactors() {
    on_both(SUCCESSFACTORS, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "department",
            "manager",
            "gender",
            "weekly_hours",
            "date_of_birth",
            "location_name",
            "home_city",
        ];
        let absence = ["end_date", "status"];
        employees(&bench, &shown).await;
        absences(&bench, &absence).await;
        live_through(&bench, &shown).await;
        bench
            .change(json!([
                {"op": "set", "list": "absences", "id": 90_002, "patch": {"state": "cancelled"}},
            ]))
            .await;
        assert_eq!(bench.sync_as(RunKind::Delta).await.0, "SUCCEEDED");
        absences(&bench, &absence).await;
    })
    .await;
}

#[tokio::test]
async fn workday_report() {
    on_both(WORKDAY_REPORT, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "department",
            "manager",
            "gender",
            "weekly_hours",
            "date_of_birth",
            "location_name",
            "personal_email",
            "home_city",
        ];
        employees(&bench, &shown).await;
        live_through(&bench, &shown).await;
    })
    .await;
}

/// Supervisory organizations are no departments, and somebody who has not begun is no worker yet.
#[tokio::test]
async fn workday() {
    on_both(WORKDAY, async |bench: Bench| {
        let shown = [
            "first_name",
            "last_name",
            "job_title",
            "start_date",
            "termination_date",
            "employment_status",
            "manager",
            "gender",
            "weekly_hours",
            "date_of_birth",
            "location_name",
            "personal_email",
            "mobile_phone_number",
            "home_city",
        ];
        // Those who are to come begin before anything is compared.
        let people = bench.company("people").await;
        let coming = people.iter().filter(|row| row["status"] == "onboarding").map(|row| {
            json!({"op": "set", "list": "people", "id": row["id"],
                "patch": {"status": "active", "start": "2026-02-02"}})
        });
        bench.change(coming.collect()).await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        employees(&bench, &shown).await;
        bench
            .change(json!([
                {"op": "leave"}, {"op": "rename"},
                {"op": "set", "list": "people", "id": 1_005, "patch": {"title": "Lead"}},
            ]))
            .await;
        assert_eq!(bench.sync_as(RunKind::Delta).await.0, "SUCCEEDED");
        employees(&bench, &shown).await;
        bench.change(json!([{"op": "delete", "list": "people", "id": 1_024}])).await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        employees(&bench, &shown).await;
    })
    .await;
}
