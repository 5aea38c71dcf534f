//! Tools for recruiting.

use cadre_store::RunKind;
use serde_json::{Value, json};

use crate::bench::{Bench, Tool, on_both};
use crate::compare::{applications, jobs};

pub const GREENHOUSE: Tool = Tool {
    name: "greenhouse",
    twin: "greenhouse",
    hosts: &["https://harvest.greenhouse.io"],
    form: &[("user_id", "1001")],
};

pub const LEVER: Tool = Tool { name: "lever", twin: "lever", hosts: &[LEVER_HOST], form: &[] };

/// The address as the connector writes it, data centers included.
const LEVER_HOST: &str = r#"https://api\(if $settings.region == "eu" then ".eu" elif $settings.region == "sandbox" then ".sandbox" else "" end).lever.co"#;

const APPLICATION: &[&str] = &[
    "name",
    "outcome",
    "stage",
    "rejection_reason_name",
    "rejected_at",
    "remote_created_at",
    "company",
];

/// Everything that can happen to a recruiting tool between two syncs.
async fn live_through(bench: &Bench, job: &[&str], kind: RunKind) {
    let done = bench.change(json!([
        {"op": "apply"}, {"op": "apply"}, {"op": "move"}, {"op": "reject"}, {"op": "close_job"},
        {"op": "set", "list": "candidates", "id": 50_003, "patch": {"last": "Öztürk"}},
    ]));
    assert_eq!(done.await.len(), 6);
    assert_eq!(bench.sync_as(kind).await.0, "SUCCEEDED");
    jobs(bench, job).await;
}

/// A candidate of the product's, with a job that is open or is not.
async fn application(bench: &Bench, open: bool, email: &str) -> Value {
    let jobs = bench.list("/v1/ats/jobs").await;
    let job = jobs.iter().find(|job| (job["status"] == "OPEN") == open).expect("a job");
    json!({
        "candidate": {"first_name": "Ada", "last_name": "Lovelace", "email_address": email},
        "application": {"job_id": job["id"]},
    })
}

/// A candidate that is created stands in the twin; the second time is refused.
async fn create_twice(bench: &Bench) {
    let body = application(bench, true, "ada@post.example").await;
    let before = bench.company("applications").await.len();
    let (status, code, answer) = bench.ask("POST", "/v1/ats/candidates", Some(&body)).await;
    assert_eq!((status, code.as_str()), (200, ""), "{answer}");
    let made = bench.company("candidates").await;
    let made = made.iter().find(|one| one["email"] == "ada@post.example").expect("somebody");
    assert_eq!((&made["first"], &made["last"]), (&json!("Ada"), &json!("Lovelace")));
    assert_eq!(bench.company("applications").await.len(), before + 1);
    // What the same caller did a moment ago may be an attempt of the same action that broke off.
    let old = bench.company("applications").await;
    let old = old.iter().find(|one| one["candidate"] == made["id"]).expect("an application");
    let earlier =
        json!({"applied_at": "2026-02-20T10:00:00Z", "created_at": "2026-02-20T10:00:00Z"});
    let patch = json!({"op": "set", "list": "applications", "id": old["id"], "patch": earlier});
    bench.change(patch).await;
    let (_, code, answer) = bench.ask("POST", "/v1/ats/candidates", Some(&body)).await;
    assert_eq!(code, "ATS.APPLICATION_ALREADY_EXISTS", "{answer}");
    assert_eq!(bench.company("applications").await.len(), before + 1);
}

/// An application moves and is rejected through the product.
async fn move_and_reject(bench: &Bench) {
    let all = bench.list("/v1/ats/applications").await;
    let own = all.iter().find(|one| one["outcome"] == "PENDING").expect("an application");
    let job = bench.list("/v1/ats/jobs").await;
    let job = job.iter().find(|job| job["id"] == own["job_id"]).expect("its job");
    let stages = job["stages"].as_array().expect("stages");
    let to = stages.iter().find(|stage| stage["id"] != own["current_stage_id"]).expect("another");
    let path = format!("/v1/ats/applications/{}", own["id"].as_str().expect("an id"));
    let body = json!({"stage_id": to["id"]});
    let (status, _, answer) = bench.ask("PUT", &format!("{path}/stage"), Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    let reasons = bench.list("/v1/ats/rejection-reasons").await;
    let body = json!({"rejection_reason_id": reasons[0]["id"]});
    let (status, _, answer) = bench.ask("POST", &format!("{path}/reject"), Some(&body)).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(bench.sync().await.0, "SUCCEEDED");
    applications(bench, APPLICATION).await;
    let (_, _, again) =
        bench.ask("GET", &format!("/v1/ats/applications?ids={}", &path[21..]), None).await;
    assert_eq!(again["data"]["results"][0]["outcome"], "DECLINED");
    assert_eq!(again["data"]["results"][0]["rejection_reason_name"], reasons[0]["name"]);
}

#[tokio::test]
async fn greenhouse() {
    on_both(GREENHOUSE, async |bench: Bench| {
        let job = [
            "status",
            "department",
            "opened_at",
            "closed_at",
            "description",
            "stages",
            "hiring_manager",
        ];
        jobs(&bench, &job).await;
        let mut shown = APPLICATION.to_vec();
        shown.extend(["first_name", "last_name", "tags"]);
        applications(&bench, &shown).await;
        live_through(&bench, &job, RunKind::Delta).await;
        applications(&bench, &shown).await;
        bench.change(json!([{"op": "delete", "list": "applications", "id": 70_002}])).await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        applications(&bench, &shown).await;
        create_twice(&bench).await;
        move_and_reject(&bench).await;
    })
    .await;
}

#[tokio::test]
async fn lever() {
    on_both(LEVER, async |bench: Bench| {
        let job = ["status", "department", "description", "hiring_manager"];
        jobs(&bench, &job).await;
        applications(&bench, APPLICATION).await;
        live_through(&bench, &job, RunKind::Delta).await;
        applications(&bench, APPLICATION).await;
        bench.change(json!([{"op": "delete", "list": "applications", "id": 70_002}])).await;
        assert_eq!(bench.sync().await.0, "SUCCEEDED");
        applications(&bench, APPLICATION).await;
    })
    .await;
}
