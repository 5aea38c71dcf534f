//! Sub-requests, optional streams, lookups.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cadre_connector::Page;
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
    // The lookup has read the jobs already.
    assert_eq!(lines.iter().filter(|line| *line == "GET /jobs 200").count(), 1, "{lines:?}");
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

/// Which of ten records are refused, and for how many of them a stream is asked.
#[tokio::test]
async fn a_stream_is_closed_after_three_refusals_and_nothing_else() {
    async fn secret(State(refused): State<fn(u64) -> bool>, Path(id): Path<u64>) -> Response {
        if refused(id) { forbidden().await } else { Json(json!([{"id": id}])).into_response() }
    }
    async fn people(Query(query): Query<HashMap<String, u64>>) -> Json<Value> {
        let page = query["page"];
        Json((page * 5..page * 5 + 5).filter(|id| *id < 10).map(|id| json!({"id": id})).collect())
    }
    async fn forbidden() -> Response {
        (StatusCode::FORBIDDEN, "no").into_response()
    }
    let manifest = "auth: {type: none}
limits: {concurrency: 1}
streams:
  people: {request: {path: /people}, paging: {type: page_number, param: page, start: 0, size: 5}}
  secrets:
    optional: true
    each: {stream: people}
    request: {path: /secrets/\\($parent.id)}
    paging: {type: none}
";
    /// What is refused, for which ids, how many are asked for, how many come.
    type Case = (&'static str, fn(u64) -> bool, usize, usize);
    let cases: [Case; 6] = [
        ("nobody", |_| false, 10, 10),
        ("one", |id| id == 4, 10, 9),
        ("the first two", |id| id < 2, 10, 8),
        ("the first three", |id| id < 3, 3, 0),
        ("everybody", |_| true, 3, 0),
        ("everybody but the first", |id| id > 0, 10, 1),
    ];
    for (what, refused, asked, came) in cases {
        let router = Router::new().route("/secrets/{id}", get(secret)).with_state(refused);
        let setup = setup(router.route("/people", get(people)), manifest).await;
        let all = pages(&mut setup.session.read("people", None)).await;
        let lines = setup.seen.lines();
        let found = lines.iter().filter(|line| line.contains("/secrets/")).count();
        assert_eq!(found, asked, "{what}: {lines:?}");
        let secrets = |page: &Page| page.records.iter().filter(|r| &*r.stream == "secrets").count();
        assert_eq!(all.iter().map(secrets).sum::<usize>(), came, "{what}");
        let incomplete = all.iter().any(|page| page.incomplete == ["secrets"]);
        assert_eq!(incomplete, came < 10, "{what}");
    }
}

const LOOKUPS: &str = "auth: {type: none}
streams:
  stages: {request: {path: /stages}, paging: {type: page_number, param: page, size: 2}}
  notes:
    each: {stream: stages}
    request: {path: /notes, query: {of: '\\($lookup.by_job | map(length) | max)'}}
    paging: {type: none}
  tags: {optional: true, request: {path: /tags}, paging: {type: none}}
lookups:
  by_job: {stream: stages, key: .job, many: true}
  by_id: {stream: stages, key: .id}
  tags: {stream: tags, key: .id}
";

async fn stages(Query(query): Query<HashMap<String, usize>>) -> Json<Value> {
    let all = [("a", 7), ("b", 8), ("c", 7)].map(|(id, job)| json!({"id": id, "job": job}));
    Json(all.into_iter().skip((query["page"] - 1) * 2).take(2).collect())
}

fn with_lookups() -> Router {
    Router::new()
        .route("/stages", get(stages))
        .route("/notes", get(|| async { Json(json!([{"id": "n"}])) }))
        .route("/tags", get(|| async { (StatusCode::FORBIDDEN, "no") }))
}

#[tokio::test]
async fn a_lookup_holds_one_record_or_many_and_its_stream_is_asked_for_once() {
    let setup = setup(with_lookups(), LOOKUPS).await;
    setup.session.lookups().await.expect("lookups");
    let lookup = setup.session.lookup_values();
    assert_eq!(
        lookup["by_job"],
        json!({"7": [{"id": "a", "job": 7}, {"id": "c", "job": 7}], "8": [{"id": "b", "job": 8}]})
    );
    assert_eq!(lookup["by_id"]["c"], json!({"id": "c", "job": 7}));
    assert_eq!(lookup["tags"], json!({}));
    let tags = pages(&mut setup.session.read("tags", None)).await;
    assert_eq!((tags.len(), &tags[0].incomplete[..]), (1, &["tags".to_owned()][..]));
    assert_eq!(tags[0].problems.len(), 1);
    let all = pages(&mut setup.session.read("stages", None)).await;
    let names: Vec<String> = ids(&all).iter().map(|id| id.replace('"', "")).collect();
    assert_eq!(names, ["a", "b", "a/notes:n", "b/notes:n", "c", "c/notes:n"]);
    assert_eq!(all.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2]);
    assert!(all[0].next.is_some() && all[1].next.is_none());
    let lines = setup.seen.lines();
    for (line, times) in [
        ("GET /stages?page=1 200", 1),
        ("GET /stages?page=2 200", 1),
        ("GET /tags 403", 1),
        ("GET /notes?of=2 200", 3),
    ] {
        assert_eq!(lines.iter().filter(|seen| *seen == line).count(), times, "{line}: {lines:?}");
    }
}

#[tokio::test]
async fn a_lookup_that_is_not_wanted_itself_is_not_held() {
    let setup = setup(with_lookups(), LOOKUPS).await;
    let session = setup.session.only(["tags".to_owned()]);
    let tags = pages(&mut session.read("tags", None)).await;
    assert_eq!(tags[0].problems.len(), 1);
    assert_eq!(session.lookup_values()["by_job"]["8"][0]["id"], "b");
}

#[tokio::test]
async fn a_lookup_that_is_not_whole_ends_the_run() {
    let router =
        Router::new().route("/stages", get(|| async { Json(json!({"data": [], "total": 2})) }));
    let manifest = "auth: {type: none}
streams:
  stages:
    optional: true
    request: {path: /stages}
    response: {records: .data}
    paging: {type: offset, param: offset, size: 5, total: .total}
lookups: {stages: {stream: stages, key: .id}}
";
    let setup = setup(router, manifest).await;
    let failure = setup.session.lookups().await.expect_err("one is missing");
    assert_eq!(failure.rule, "connector.yaml streams.stages.paging.total");
}
