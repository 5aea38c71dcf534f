//! Sandbox ATS: log-in, pages, applications.

use cadre_sandbox::SandboxOptions;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client::{Caller, start, start_with};

#[tokio::test]
async fn the_key_is_the_user_name() {
    let caller = start().await;
    let ask = async |user: &str| {
        let request =
            caller.http.get(caller.url("/ats/v1/tags")).basic_auth(user, Some("whatever"));
        request.send().await.unwrap().status()
    };
    assert_eq!(ask(&caller.running.api_key).await, StatusCode::OK);
    assert_eq!(ask("another").await, StatusCode::UNAUTHORIZED);
    let bare = caller.http.get(caller.url("/ats/v1/tags")).send().await.unwrap();
    assert_eq!(bare.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_link_header_leads_through_every_page() {
    let caller = start_with(SandboxOptions { candidates: 95, ..SandboxOptions::default() }).await;
    let (all, pages) = caller.ats_all("/candidates?per_page=20").await;
    assert_eq!((all.len(), pages), (95, 5));
    let (cut, pages) = caller.ats_all("/candidates?per_page=5000").await;
    assert_eq!((cut, pages), (all, 1));
    let (changed, _) =
        caller.ats_all("/candidates?per_page=2&updated_after=2026-01-01T00:00:00%2B01:00").await;
    assert!(changed.len() > 2 && changed.len() < 95);
    assert!(changed.iter().all(|row| row["updated_at"].as_str().unwrap() >= "2025-12-31T23"));
    let wrong = caller.ats("/candidates?after=abc").await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn postings_stand_below_their_job() {
    let caller = start().await;
    let (postings, _) = caller.ats_all("/jobs/job-0003/postings").await;
    assert_eq!(postings.len(), 2);
    assert!(postings.iter().all(|posting| posting["job_id"] == "job-0003"));
    assert_eq!(caller.ats("/postings").await.status(), StatusCode::NOT_FOUND);
}

async fn apply(caller: &Caller, body: Value) -> (u16, Value) {
    let request = caller
        .http
        .post(caller.url("/ats/v1/applications"))
        .basic_auth(&caller.running.api_key, Some(""));
    let response = request.json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn an_application_is_taken_once() {
    let caller = start().await;
    let mut body = json!({
        "job_id": "job-0001",
        "candidate": {"first_name": "Ayşe", "last_name": "Öztürk", "email": "ayse@post.example"},
    });
    let (status, made) = apply(&caller, body.clone()).await;
    assert_eq!((status, &made["stage_id"]), (201, &json!("stg-1")));

    body["candidate"]["email"] = json!("AYSE@post.example");
    let (status, again) = apply(&caller, body.clone()).await;
    assert_eq!((status, &again["code"]), (409, &json!("duplicate_application")));

    body["job_id"] = json!("job-0002");
    let (status, second) = apply(&caller, body.clone()).await;
    assert_eq!((status, &second["candidate_id"]), (201, &made["candidate_id"]), "the same person");

    body["job_id"] = json!("job-0004");
    let (status, closed) = apply(&caller, body).await;
    assert_eq!((status, &closed["code"]), (422, &json!("job_closed")));

    let (status, wrong) =
        apply(&caller, json!({"job_id": "job-9999", "candidate": {"email": "x"}})).await;
    assert_eq!((status, wrong["errors"].as_array().unwrap().len()), (422, 4));
    assert_eq!(caller.ats_all("/applications").await.0.last(), Some(&second));
}

#[tokio::test]
async fn changes_are_made_on_order() {
    let caller = start().await;
    let before = caller.ats_all("/applications").await.0.len();
    let done = caller
        .admin(
            "mutate",
            json!([{"op": "apply", "count": 3}, {"op": "close_job", "id": "job-0001"}]),
        )
        .await;
    assert_eq!(done["done"].as_array().unwrap().len(), 4);
    assert_eq!(caller.ats_all("/applications").await.0.len(), before + 3);
    let job: Value = caller.ats("/jobs/job-0001").await.json().await.unwrap();
    assert_eq!(job["status"], "closed");
}
