//! Sub-requests, optional streams, lookups.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cadre_model::fault::Code;
use serde_json::{Value, json};

use crate::vendor::{ids, pages, setup};

const MANIFEST: &str = "auth: {type: none}
limits: {concurrency: 3}
streams:
  jobs:
    request: {path: /jobs}
    paging: {type: none}
  stages:
    each: {stream: jobs, when: .open}
    request: {path: /jobs/\\($parent.id)/stages}
    paging: {type: none}
  notes:
    each: {stream: stages}
    request: {path: /stages/\\($parent.id)/notes, query: {job: {jq: '$lookup.jobs | length'}}}
    paging: {type: none}
  secrets:
    optional: true
    each: {stream: jobs}
    request: {path: /secrets/\\($parent.id)}
    paging: {type: none}
  closed:
    optional: true
    request: {path: /closed}
    paging: {type: none}
lookups:
  jobs: {stream: jobs, key: .id}
";

fn router() -> Router {
    async fn jobs() -> Json<Value> {
        Json(
            json!([{"id": 1, "open": true}, {"id": 2, "open": false}, {"id": "a/b", "open": true}]),
        )
    }
    async fn stages(Path(job): Path<String>) -> Json<Value> {
        Json(json!([{"id": format!("{job}-x")}, {"id": format!("{job}-y")}]))
    }
    async fn notes(Path(stage): Path<String>) -> Json<Value> {
        Json(json!([{"id": format!("note on {stage}")}]))
    }
    async fn forbidden() -> Response {
        (StatusCode::FORBIDDEN, "no").into_response()
    }
    Router::new()
        .route("/jobs", get(jobs))
        .route("/jobs/{job}/stages", get(stages))
        .route("/stages/{stage}/notes", get(notes))
        .route("/secrets/{id}", get(forbidden))
        .route("/closed", get(forbidden))
}

#[tokio::test]
async fn sub_requests_come_with_the_page() {
    let setup = setup(router(), MANIFEST).await;
    let all = pages(&mut setup.session.read("jobs", None)).await;
    assert_eq!(
        ids(&all),
        [
            "1",
            "2",
            "\"a/b\"",
            "1/stages:\"1-x\"",
            "1/stages:\"1-y\"",
            "\"1-x\"/notes:\"note on 1-x\"",
            "\"1-y\"/notes:\"note on 1-y\"",
            "\"a/b\"/stages:\"a/b-x\"",
            "\"a/b\"/stages:\"a/b-y\"",
            "\"a/b-x\"/notes:\"note on a/b-x\"",
            "\"a/b-y\"/notes:\"note on a/b-y\"",
        ]
    );
    assert_eq!(all[0].problems.len(), 1);
    assert_eq!(all[0].problems[0].fault.code, Code::IntegrationPermissionMissing);
    assert_eq!(all[0].incomplete, ["secrets"]);
    assert_eq!(setup.session.lookup_values()["jobs"]["a/b"]["open"], true);
    let lines = setup.seen.lines();
    assert!(lines.contains(&"GET /stages/1-x/notes?job=3 200".to_owned()), "{lines:?}");
    assert!(lines.contains(&"GET /jobs/a%2Fb/stages 200".to_owned()), "{lines:?}");
    // Asked for again, the forbidden stream stays incomplete without being asked.
    let again = pages(&mut setup.session.read("jobs", None)).await;
    assert_eq!(
        (again[0].problems.len(), &again[0].incomplete[..]),
        (0, &["secrets".to_owned()][..])
    );
}

#[tokio::test]
async fn only_what_is_wanted_is_read() {
    let setup = setup(router(), MANIFEST).await;
    let session = setup.session.only(["jobs".to_owned(), "notes".to_owned()]);
    let all = pages(&mut session.read("jobs", None)).await;
    assert!(all[0].problems.is_empty() && all[0].incomplete.is_empty());
    assert_eq!(ids(&all).len(), 11);
    assert!(setup.seen.lines().iter().all(|line| !line.contains("/secrets/")));
}

#[tokio::test]
async fn an_optional_stream_that_is_forbidden_is_an_incomplete_page() {
    let setup = setup(router(), MANIFEST).await;
    let all = pages(&mut setup.session.read("closed", None)).await;
    assert_eq!(
        (all.len(), all[0].records.len(), &all[0].incomplete[..]),
        (1, 0, &["closed".to_owned()][..])
    );
    assert_eq!(all[0].problems[0].rule, "default: status 403");
}

#[tokio::test]
async fn a_failing_sub_request_fails_the_page() {
    let router = router().route("/jobs/{job}/stages/x", get(|| async { "" }));
    let manifest = MANIFEST.replace("/jobs/\\($parent.id)/stages}", "/nowhere/\\($parent.id)}");
    let setup = setup(router, &manifest).await;
    let failure = setup.session.read("jobs", None).next().await.expect("an end").expect_err("404");
    assert_eq!(failure.status, Some(404));
}
