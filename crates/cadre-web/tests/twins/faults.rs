//! What goes wrong on the way has its code, whatever the vendor calls it.

use serde_json::{Value, json};

use crate::bench::{Bench, Tool, on_both};
use crate::hris::{BAMBOOHR, HIBOB, PERSONIO, SUCCESSFACTORS, WORKDAY_REPORT};
use crate::recruiting::{GREENHOUSE, LEVER};

/// A fault, and what the sync must say of it.
async fn one(bench: &Bench, fault: Value, code: &str) {
    bench.fail(fault.clone()).await;
    let (state, why) = bench.sync().await;
    assert!(state != "SUCCEEDED" && why.contains(code), "{fault}: {state}, {why}, not {code}");
    bench.heal().await;
}

/// What every tool must survive, in a read of this list.
async fn all(tool: Tool, path: &str, forbidden: Option<&str>) {
    on_both(tool, async |bench: Bench| {
        let at = json!({"path": path});
        one(
            &bench,
            json!({"match": at, "fault": "status", "status": 503}),
            "REMOTE.SERVICE_UNAVAILABLE",
        )
        .await;
        one(&bench, json!({"match": at, "fault": "invalid_json"}), "REMOTE.").await;
        if let Some(code) = forbidden {
            one(&bench, json!({"match": at, "fault": "forbid"}), code).await;
        }
        one(
            &bench,
            json!({"match": at, "fault": "status", "status": 401}),
            "INTEGRATION.AUTHENTICATION_INVALID",
        )
        .await;
        // A token that ends in the middle is asked for anew, and nobody notices.
        let expire = json!({"match": at, "fault": "expire_tokens", "times": 1});
        bench.order("POST", "faults", &expire).await;
        let cut = json!({"match": at, "fault": "cut_body", "times": 1});
        bench.order("POST", "faults", &cut).await;
        assert_eq!(bench.sync().await, ("SUCCEEDED".to_owned(), String::new()));
        // At the end: how long the vendor wants to be left alone is remembered.
        let slow = json!({"match": at, "fault": "rate_limit", "retry_after": 600});
        one(&bench, slow, "REMOTE.RATE_LIMIT_EXCEEDED").await;
    })
    .await;
}

#[tokio::test]
async fn greenhouse_fails() {
    all(GREENHOUSE, "/v1/candidates", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn lever_fails() {
    all(LEVER, "/v1/opportunities", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn personio_fails() {
    all(PERSONIO, "/v1/company/employees", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn bamboohr_fails() {
    all(BAMBOOHR, "/api/v1/employees", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn hibob_fails() {
    all(HIBOB, "/v1/people/search", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn successfactors_fails() {
    all(SUCCESSFACTORS, "/odata/v2/PerPerson", Some("INTEGRATION.PERMISSION_MISSING")).await;
}

#[tokio::test]
async fn workday_report_fails() {
    all(WORKDAY_REPORT, "/ccx/service/customreport2", Some("INTEGRATION.PERMISSION_MISSING")).await;
}
