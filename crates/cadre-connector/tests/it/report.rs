//! Reports that are started and waited for, rows inside of records, and lookups of sub-requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use cadre_model::fault::Code;
use serde_json::{Value, json};

use crate::vendor::{ids, pages, setup, setup_with};

const REPORT: &str = r#"auth: {type: none}
streams:
  rows:
    report:
      start: {request: {method: POST, path: /jobs}, save: '{id: .id}'}
      poll:
        request: {path: /jobs/\($report.id)}
        ready: .status == "done"
        failed: .status == "broken"
        save: '{file: .file}'
        every_seconds: 1
        at_most_seconds: 3
    request: {path: /files/\($report.file)}
    response: {format: csv}
    paging: {type: none}
"#;

/// A tool whose reports are ready at the third look, or end as the number of the job says.
fn reports() -> (Router, Arc<AtomicU64>) {
    async fn start(State(looks): State<Arc<AtomicU64>>) -> Json<Value> {
        assert_eq!(looks.swap(0, Ordering::SeqCst), 0, "started once");
        Json(json!({"id": 7}))
    }
    async fn look(State(looks): State<Arc<AtomicU64>>, Path(_): Path<u64>) -> Json<Value> {
        match looks.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => Json(json!({"status": "running"})),
            2 => Json(json!({"status": "done", "file": "a b.csv"})),
            100 => Json(json!({"status": "broken"})),
            _ => Json(json!({"status": "running"})),
        }
    }
    async fn file(Path(name): Path<String>) -> String {
        assert_eq!(name, "a b.csv");
        "id,name\n1,Ana\n2,Bo\n".to_owned()
    }
    let looks = Arc::new(AtomicU64::new(0));
    let router = Router::new()
        .route("/jobs", post(start))
        .route("/jobs/{id}", get(look))
        .route("/files/{name}", get(file))
        .with_state(looks.clone());
    (router, looks)
}

#[tokio::test]
async fn a_report_is_started_waited_for_and_fetched() {
    let (router, _) = reports();
    let setup = setup_with(router, REPORT, |limits| limits.skip_waits = true).await;
    let found = pages(&mut setup.session.read("rows", None)).await;
    assert_eq!(ids(&found), ["\"1\"", "\"2\""]);
    let lines = setup.seen.lines();
    let look = "GET /jobs/7 200";
    assert_eq!(lines, ["POST /jobs 200", look, look, look, "GET /files/a%20b.csv 200"]);
    let again = pages(&mut setup.session.read("rows", None)).await;
    assert_eq!((again.len(), setup.seen.lines().len()), (1, 6), "prepared once for a session");
}

#[tokio::test]
async fn a_report_that_does_not_come_is_a_failure() {
    let manifest = REPORT.replace("== \"done\"", "== \"never\"");
    let (router, _) = reports();
    let setup = setup_with(router, &manifest, |limits| limits.skip_waits = true).await;
    let mut reader = setup.session.read("rows", None);
    let failure = reader.next().await.expect("an end").expect_err("no report");
    assert_eq!(failure.fault.code, Code::RemoteUnknownHttpError);
    assert!(failure.rule.ends_with("streams.rows.report.at_most_seconds"), "{failure:?}");
    assert!(failure.fault.message.contains("not ready after 3 s"), "{failure:?}");
    let manifest = REPORT.replace("== \"broken\"", "== \"running\"");
    let (router, _) = reports();
    let setup = setup_with(router, &manifest, |limits| limits.skip_waits = true).await;
    let failure = setup.session.check().await.expect_err("no report");
    assert!(failure.rule.ends_with("streams.rows.report.failed"), "{failure:?}");
}

const ROWS: &str = r"auth: {type: none}
streams:
  people:
    request: {path: /people}
    paging: {type: none}
  jobs:
    each: {stream: people, rows: .jobs}
  notes:
    each: {stream: jobs}
    request: {path: /jobs/\($parent.id)/notes, query: {who: {jq: '$lookup.jobs | keys | join(\u0022,\u0022)'}}}
    paging: {type: none}
lookups:
  jobs: {stream: jobs, key: .id}
  tags: {stream: tags, key: .id}
";

#[tokio::test]
async fn rows_of_records_are_streams_and_lookups_too() {
    async fn people() -> Json<Value> {
        Json(
            json!([{"id": 1, "jobs": [{"id": 11}, {"id": 12}]}, {"id": 2, "jobs": null}, {"id": 3, "jobs": []}]),
        )
    }
    async fn notes(
        Path(job): Path<u64>,
        Query(query): Query<Vec<(String, String)>>,
    ) -> Json<Value> {
        assert_eq!(query, [("who".to_owned(), "11,12".to_owned())]);
        Json(json!([{"id": job * 10}]))
    }
    async fn tags(Path(person): Path<u64>) -> Json<Value> {
        Json(json!([{"id": format!("tag-{person}")}]))
    }
    let router = Router::new()
        .route("/people", get(people))
        .route("/jobs/{id}/notes", get(notes))
        .route("/people/{id}/tags", get(tags));
    let manifest = ROWS.replace("\\u0022", "\"").replace(
        "lookups:",
        "  tags:\n    each: {stream: people}\n    request: {path: /people/\\($parent.id)/tags}\n    paging: {type: none}\nlookups:",
    );
    let setup = setup(router, &manifest).await;
    let found = pages(&mut setup.session.read("people", None)).await;
    let mut found = ids(&found);
    found.retain(|id| !id.contains("tags"));
    assert_eq!(found, ["1", "2", "3", "1/jobs:11", "1/jobs:12", "11/notes:110", "12/notes:120"]);
    let tags = &setup.session.lookup_values()["tags"];
    assert_eq!(tags["tag-3"], json!({"id": "tag-3"}));
}

#[tokio::test]
async fn a_stream_that_is_not_for_an_account_is_not_asked() {
    let people = || async { Json(json!([{"id": 1}])) };
    let manifest = "auth: {type: none}\nstreams:\n  jobs:\n    when: $settings.base == \"elsewhere\"\n    request: {path: /jobs}\n    \
        paging: {type: none}\n  tags:\n    each: {stream: jobs}\n    request: {path: /tags}\n    paging: {type: none}\n  \
        people:\n    request: {path: /people}\n    paging: {type: none}\ncheck: {stream: jobs}\n";
    let setup = setup(Router::new().route("/people", get(people)), manifest).await;
    setup.session.check().await.expect("the first stream that is for it");
    let found = pages(&mut setup.session.read("jobs", None)).await;
    assert_eq!(
        (ids(&found).len(), &found[0].incomplete[..]),
        (0, &["jobs".to_owned(), "tags".to_owned()][..])
    );
    assert_eq!(setup.seen.lines(), ["GET /people 200"]);
}

#[tokio::test]
async fn an_offset_may_count_from_one() {
    async fn list(Query(query): Query<Vec<(String, String)>>) -> Json<Value> {
        let at = |name: &str| {
            let found = query.iter().find(|(known, _)| known == name);
            found.and_then(|(_, text)| text.parse::<u64>().ok()).expect("a number")
        };
        let (start, count) = (at("startIndex"), at("count"));
        let data: Vec<Value> =
            (start..start + count).filter(|id| *id <= 6).map(|id| json!({"id": id})).collect();
        Json(json!({"data": data, "total": 6}))
    }
    let manifest = "auth: {type: none}\nstreams:\n  people:\n    request: {path: /list}\n    response: {records: .data}\n    \
        paging: {type: offset, start: 1, param: startIndex, size_param: count, size: 2, total: .total}\n";
    let setup = setup(Router::new().route("/list", get(list)), manifest).await;
    let found = pages(&mut setup.session.read("people", None)).await;
    assert_eq!(ids(&found), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(setup.seen.lines().len(), 3);
}
