//! Every fault that can be ordered, as a client meets it.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{next_page, start};

#[tokio::test]
async fn an_answer_can_be_replaced() {
    let caller = start().await;
    let token = caller.token().await;
    caller
        .admin(
            "faults",
            json!([
                {"match": {"path": "/hris/v1/employees"}, "fault": "status", "status": 503},
                {"match": {"path": "/hris/v1/employees"}, "fault": "rate_limit", "retry_after": 7},
                {"match": {"path": "/hris/v1/employees"}, "fault": "html"},
                {"match": {"path": "/hris/v1/employees"}, "fault": "forbid"},
                {"match": {"path": "/hris/v1/employees"}, "fault": "status", "status": 418,
                    "body": {"tea": true}},
            ]),
        )
        .await;
    assert_eq!(caller.hris(&token, "/teams").await.status(), StatusCode::OK, "another path");
    let status = caller.hris(&token, "/employees").await;
    assert_eq!(status.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(status.json::<Value>().await.unwrap()["error"]["code"], "fault");
    let limited = caller.hris(&token, "/employees").await;
    assert_eq!(
        (limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    let page = caller.hris(&token, "/employees").await;
    assert_eq!(
        (page.status(), page.headers()["content-type"].as_bytes()),
        (StatusCode::OK, &b"text/html; charset=utf-8"[..])
    );
    assert_eq!(caller.hris(&token, "/employees").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        caller.hris(&token, "/employees").await.json::<Value>().await.unwrap(),
        json!({"tea": true})
    );
    assert_eq!(caller.hris(&token, "/employees").await.status(), StatusCode::OK, "used up");
}

#[tokio::test]
async fn a_connection_can_break() {
    let caller = start().await;
    let token = caller.token().await;
    caller
        .admin(
            "faults",
            json!([
                {"match": {"path": "/hris/v1/employees", "method": "get"}, "fault": "drop_connection"},
                {"match": {"path": "/hris/v1/teams"}, "fault": "cut_body"},
                {"match": {"path": "/hris/v1/skills"}, "fault": "invalid_json"},
            ]),
        )
        .await;
    let url = caller.url("/hris/v1/employees");
    let dropped = caller.http.get(url).bearer_auth(&token).send().await;
    assert!(dropped.is_err_and(|error| !error.is_status() && !error.is_timeout()));
    let cut = caller.hris(&token, "/teams").await;
    assert_eq!(cut.status(), StatusCode::OK);
    assert!(cut.bytes().await.is_err());
    let half = caller.hris(&token, "/skills").await.text().await.unwrap();
    assert!(half.starts_with("{\"data\":[") && serde_json::from_str::<Value>(&half).is_err());
    let seen: Vec<Value> =
        caller.http.get(caller.url("/admin/requests")).send().await.unwrap().json().await.unwrap();
    let dropped = seen.iter().find(|request| request["path"] == "/hris/v1/employees").unwrap();
    assert_eq!(dropped["status"], 0);
}

#[tokio::test]
async fn a_page_can_be_wrong() {
    let caller = start().await;
    let token = caller.token().await;
    let first = caller.hris_json(&token, "/employees?page=1").await;
    caller
        .admin(
            "faults",
            json!([
                {"match": {"path": "/hris/v1/employees", "query": "page=2"}, "fault": "duplicate_page"},
                {"match": {"path": "/hris/v1/employees", "query": "page=2"}, "fault": "empty_page"},
                {"match": {"path": "/ats/v1/candidates"}, "after": 1, "fault": "empty_page"},
            ]),
        )
        .await;
    assert_eq!(caller.hris_json(&token, "/employees?page=2").await, first);
    let empty = caller.hris_json(&token, "/employees?page=2").await;
    assert_eq!((&empty["data"], &empty["meta"]["total"]), (&json!([]), &json!(120)));
    assert_ne!(
        caller.hris_json(&token, "/employees?page=2").await["data"][0]["id"],
        first["data"][0]["id"]
    );
    let whole = caller.ats("/candidates?per_page=10").await;
    assert!(next_page(&whole).is_some());
    let empty = caller.ats("/candidates?per_page=10").await;
    assert!(next_page(&empty).is_some());
    assert_eq!(empty.json::<Value>().await.unwrap(), json!([]));
}

#[tokio::test]
async fn tokens_can_end_and_answers_be_late() {
    let caller = start().await;
    let token = caller.token().await;
    caller
        .admin(
            "faults",
            json!([
                {"match": {"path": "/hris/v1/"}, "fault": "expire_tokens"},
                {"match": {"path": "/ats/"}, "times": 0, "fault": "delay_ms", "ms": 80},
            ]),
        )
        .await;
    assert_eq!(caller.hris(&token, "/teams").await.status(), StatusCode::UNAUTHORIZED);
    let token = caller.token().await;
    assert_eq!(caller.hris(&token, "/teams").await.status(), StatusCode::OK);
    for _ in 0..2 {
        let begun = Instant::now();
        caller.ats("/tags").await;
        assert!(begun.elapsed() >= Duration::from_millis(80));
    }
    let faults = caller.url("/admin/faults");
    let left: Value = caller.http.get(&faults).send().await.unwrap().json().await.unwrap();
    assert_eq!((&left[0]["struck"], &left[1]["struck"]), (&json!(1), &json!(2)));
    caller.http.delete(&faults).send().await.unwrap();
    let left: Value = caller.http.get(&faults).send().await.unwrap().json().await.unwrap();
    assert_eq!(left, json!([]));
    let wrong =
        caller.http.post(&faults).json(&json!([{"fault": "earthquake"}])).send().await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
}
