//! Sandbox HR: log-in, pages, parameters, permissions, budget.

use cadre_sandbox::{RateLimit, SandboxOptions};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{start, start_with};

#[tokio::test]
async fn a_token_is_given_for_the_right_secret_and_ends() {
    let caller = start().await;
    for (form, status, error) in [
        (vec![("grant_type", "password")], 400, "unsupported_grant_type"),
        (vec![("grant_type", "client_credentials")], 401, "invalid_client"),
        (
            vec![
                ("grant_type", "client_credentials"),
                ("client_id", "sandbox-client"),
                ("client_secret", "no"),
            ],
            401,
            "invalid_client",
        ),
    ] {
        let response =
            caller.http.post(caller.url("/hris/oauth/token")).form(&form).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.json::<Value>().await.unwrap()["error"], error);
    }
    let basic = caller
        .http
        .post(caller.url("/hris/oauth/token"))
        .basic_auth(&caller.running.client_id, Some(&caller.running.client_secret))
        .form(&[("grant_type", "client_credentials")]);
    assert_eq!(basic.send().await.unwrap().json::<Value>().await.unwrap()["expires_in"], 900);

    assert_eq!(caller.hris("nonsense", "/employees").await.status(), StatusCode::UNAUTHORIZED);
    let token = caller.token().await;
    assert_eq!(caller.hris(&token, "/employees").await.status(), StatusCode::OK);
    caller.admin("settings", json!({"advance_seconds": 901})).await;
    let refused = caller.hris(&token, "/employees").await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.json::<Value>().await.unwrap()["error"]["code"], "token_expired");
}

#[tokio::test]
async fn pages_hold_every_record_once() {
    let caller = start_with(SandboxOptions { employees: 123, ..SandboxOptions::default() }).await;
    let token = caller.token().await;
    let mut ids = Vec::new();
    for page in 1..=4 {
        let body = caller.hris_json(&token, &format!("/employees?page_size=40&page={page}")).await;
        assert_eq!(
            body["meta"],
            json!({"page": page, "page_size": 40, "total": 123, "total_pages": 4})
        );
        ids.extend(body["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
    }
    assert_eq!(ids, (10_001..10_124).collect::<Vec<_>>());
    let beyond = caller.hris_json(&token, "/employees?page_size=40&page=9").await;
    assert_eq!(beyond["data"], json!([]));
}

#[tokio::test]
async fn parameters_are_checked() {
    let caller = start().await;
    let token = caller.token().await;
    for (query, field) in [
        ("page=0", "page"),
        ("page_size=201", "page_size"),
        ("updated_since=yesterday", "updated_since"),
        ("include_archived=1", "include_archived"),
    ] {
        let response = caller.hris(&token, &format!("/employees?{query}")).await;
        assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(response.json::<Value>().await.unwrap()["error"]["fields"][0]["field"], field);
    }
    assert_eq!(caller.hris(&token, "/time-off-balances").await.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        caller.hris(&token, "/employees/1/time-off-balances").await.status(),
        StatusCode::NOT_FOUND
    );
    let balances = caller.hris_json(&token, "/employees/10002/time-off-balances").await;
    assert_eq!(balances["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn changes_are_seen_and_archived_records_only_on_request() {
    let caller = start().await;
    let token = caller.token().await;
    let total = async |query: &str| {
        caller.hris_json(&token, &format!("/employees?{query}")).await["meta"]["total"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(total("updated_since=2026-01-15T09:00:00Z").await, 0);
    let done = caller
        .admin(
            "mutate",
            json!([
                {"op": "hire", "count": 2},
                {"op": "rename", "id": "10005"},
                {"op": "set", "tool": "hris", "table": "employees", "id": "10006",
                    "patch": {"contact": {"mobile": null}}},
                {"op": "archive", "tool": "hris", "table": "employees", "id": "10007"},
                {"op": "delete", "tool": "hris", "table": "employees", "id": "10008"},
            ]),
        )
        .await;
    assert_eq!(done["done"].as_array().unwrap().len(), 6);
    assert_eq!(total("updated_since=2026-01-15T09:00:00Z").await, 4);
    assert_eq!(total("updated_since=2026-01-15T09:00:00Z&include_archived=true").await, 5);
    assert_eq!(total("").await, 120);
    assert_eq!(total("include_archived=true").await, 121);
    let kept = caller.hris_json(&token, "/employees/10006").await;
    assert_eq!(kept["data"]["contact"]["mobile"], Value::Null);
    assert_ne!(kept["data"]["contact"]["work_email"], Value::Null);
    let some = caller.admin("mutate", json!({"op": "random", "count": 20})).await;
    assert!(some["done"].as_array().unwrap().len() > 10);
}

#[tokio::test]
async fn permissions_are_per_list() {
    let caller = start().await;
    let token = caller.token().await;
    let switch = async |resource: &str, allowed: bool| {
        caller
            .admin("permissions", json!({"tool": "hris", "resource": resource, "allowed": allowed}))
            .await;
    };
    switch("reviews", false).await;
    switch("time-off-balances", false).await;
    assert_eq!(caller.hris(&token, "/reviews").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        caller.hris(&token, "/employees/10001/time-off-balances").await.status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(caller.hris(&token, "/employees").await.status(), StatusCode::OK);
    switch("reviews", true).await;
    assert_eq!(caller.hris(&token, "/reviews").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_budget_is_told_and_kept() {
    let rate_limit = Some(RateLimit { requests: 3, per_seconds: 60 });
    let caller = start_with(SandboxOptions { rate_limit, ..SandboxOptions::default() }).await;
    let token = caller.token().await;
    let header = |response: &reqwest::Response, name: &str| {
        response.headers()[name].to_str().unwrap().parse::<u64>().unwrap()
    };
    for left in [1, 0] {
        let response = caller.hris(&token, "/teams").await;
        assert_eq!(
            (header(&response, "x-ratelimit-limit"), header(&response, "x-ratelimit-remaining")),
            (3, left)
        );
        assert!((1..=60).contains(&header(&response, "x-ratelimit-reset")));
    }
    let refused = caller.hris(&token, "/teams").await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=60).contains(&header(&refused, "retry-after")));
    assert_eq!(caller.ats("/tags").await.status(), StatusCode::OK, "a budget of its own");
    caller.admin("settings", json!({"rate_limit": null})).await;
    assert_eq!(caller.hris(&token, "/teams").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_absence_can_be_asked_for() {
    let caller = start().await;
    let token = caller.token().await;
    let ask = async |body: Value| {
        let url = caller.url("/hris/v1/absences");
        let response = caller.http.post(url).bearer_auth(&token).json(&body).send().await.unwrap();
        (response.status().as_u16(), response.json::<Value>().await.unwrap())
    };
    let (status, made) = ask(
        json!({"employee_id": 10_001, "type_id": 1, "from": "2026-02-02", "until": "2026-02-03"}),
    )
    .await;
    assert_eq!((status, &made["data"]["state"]), (201, &json!("pending")));
    let (status, refused) =
        ask(json!({"employee_id": 1, "from": "2026-02-03", "until": "2026-02-02"})).await;
    assert_eq!(status, 422);
    let fields: Vec<_> = refused["error"]["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["field"].clone())
        .collect();
    assert_eq!(fields, ["employee_id", "type_id", "until"]);
}
