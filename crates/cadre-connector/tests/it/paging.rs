//! Pages in order, read ahead, resumed, and stopped where they repeat.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::vendor::{ids, pages, setup};

type Params = Query<HashMap<String, String>>;

fn number(params: &Params, name: &str, default: usize) -> usize {
    params.get(name).and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn slice(offset: usize, limit: usize) -> Vec<Value> {
    (offset..(offset + limit).min(25)).map(|id| json!({"id": id})).collect()
}

/// Counts how many requests are answered at once. Later pages are answered sooner.
#[derive(Default)]
struct Load {
    now: AtomicUsize,
    most: AtomicUsize,
}

async fn by_offset(State(load): State<Arc<Load>>, params: Params) -> Json<Value> {
    let (offset, limit) = (number(&params, "offset", 0), number(&params, "limit", 5));
    let now = load.now.fetch_add(1, Ordering::SeqCst) + 1;
    load.most.fetch_max(now, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(60 - offset as u64 * 2)).await;
    load.now.fetch_sub(1, Ordering::SeqCst);
    Json(json!({"data": slice(offset, limit), "total": 25}))
}

const OFFSET: &str = "auth: {type: none}
limits: {concurrency: 3}
streams:
  people:
    request: {path: /people}
    response: {records: .data}
    paging: {type: offset, param: offset, size_param: limit, size: 5, total: .total}
";

fn expected() -> Vec<String> {
    (0..25).map(|id| id.to_string()).collect()
}

#[tokio::test]
async fn pages_with_a_total_are_read_ahead_and_come_in_order() {
    let load = Arc::new(Load::default());
    let router = Router::new().route("/people", get(by_offset)).with_state(load.clone());
    let setup = setup(router, OFFSET).await;
    let all = pages(&mut setup.session.read("people", None)).await;
    assert_eq!(ids(&all), expected());
    assert_eq!(all.iter().map(|page| page.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!(all.iter().map(|page| page.total).collect::<Vec<_>>()[..2], [Some(25), Some(25)]);
    assert!(all[4].next.is_none());
    assert_eq!(load.most.load(Ordering::SeqCst), 3);
    assert_eq!(setup.seen.lines().len(), 5, "{:?}", setup.seen.lines());
}

#[tokio::test]
async fn a_read_goes_on_after_any_page() {
    let router = Router::new().route("/people", get(by_offset)).with_state(Arc::default());
    let setup = setup(router, OFFSET).await;
    let all = pages(&mut setup.session.read("people", None)).await;
    for at in 0..all.len() - 1 {
        let rest = pages(&mut setup.session.read("people", all[at].next.clone())).await;
        assert_eq!(ids(&rest), ids(&all[at + 1..]), "after page {}", at + 1);
        assert_eq!(rest[0].number, all[at + 1].number);
    }
}

#[tokio::test]
async fn every_scheme_reads_everything() {
    async fn by_number(params: Params) -> Json<Value> {
        let page = number(&params, "page", 1);
        Json(json!({"data": slice((page - 1) * 5, 5), "pages": 5, "more": page < 5}))
    }
    async fn by_cursor(params: Params) -> Json<Value> {
        let at = number(&params, "after", 0);
        Json(
            json!({"data": slice(at, 5), "next": if at < 20 { json!(at + 5) } else { json!(null) }}),
        )
    }
    async fn by_body(Json(body): Json<Value>) -> Json<Value> {
        let at = body["offset"].as_u64().unwrap_or(0) as usize;
        Json(json!({"result": slice(at, 5)}))
    }
    async fn by_link(headers: HeaderMap, params: Params) -> (HeaderMap, Json<Value>) {
        let at = number(&params, "at", 0);
        let mut answer = HeaderMap::new();
        if at < 20 {
            let host = headers["host"].to_str().expect("host");
            let link = format!("<http://{host}/link?at={}>; rel=\"next\"", at + 5);
            answer.insert("link", link.parse().expect("header"));
        }
        (answer, Json(json!({"data": slice(at, 5)})))
    }
    async fn by_url(params: Params) -> Json<Value> {
        let at = number(&params, "at", 0);
        Json(
            json!({"data": slice(at, 5), "next": if at < 20 { format!("/url?at={}", at + 5) } else { String::new() }}),
        )
    }
    let router = Router::new()
        .route("/number", get(by_number))
        .route("/cursor", get(by_cursor))
        .route("/body", post(by_body))
        .route("/link", get(by_link))
        .route("/url", get(by_url));
    let manifest = "auth: {type: query, name: key, value: \\($secrets.key)}
streams:
  by_pages: {request: {path: /number}, response: {records: .data}, paging: {type: page_number, param: page, size: 5, pages: .pages}}
  by_more: {request: {path: /number}, response: {records: '.data[]'}, paging: {type: page_number, param: page, size: 5, more: .more}}
  by_cursor: {request: {path: /cursor}, response: {records: .data}, paging: {type: cursor, next: .next, param: after}}
  by_body:
    request: {method: POST, path: /body, body: '{offset: $page.offset}'}
    response: {records: .result}
    paging: {type: offset, size: 5}
  by_link: {request: {path: /link, query: {at: 0}}, response: {records: .data}, paging: {type: link_header}}
  by_url: {request: {path: /url}, response: {records: .data}, paging: {type: next_url, url: .next}}
";
    let setup = setup(router, manifest).await;
    for stream in ["by_pages", "by_more", "by_cursor", "by_body", "by_link", "by_url"] {
        let all = pages(&mut setup.session.read(stream, None)).await;
        assert_eq!(ids(&all), expected(), "{stream}");
        let rest = pages(&mut setup.session.read(stream, all[1].next.clone())).await;
        assert_eq!(ids(&rest), ids(&all[2..]), "{stream} resumed");
    }
    assert!(
        setup.seen.lines().iter().all(|line| !line.contains("s3cret")),
        "{:?}",
        setup.seen.lines()
    );
}

#[tokio::test]
async fn a_page_that_repeats_ends_the_run() {
    async fn same() -> Json<Value> {
        Json(json!({"data": slice(0, 5)}))
    }
    let router = Router::new().route("/people", get(same));
    let manifest = OFFSET.replace(", total: .total", "");
    let setup = setup(router, &manifest).await;
    let mut reader = setup.session.read("people", None);
    let first = reader.next().await.expect("page").expect("good");
    assert_eq!(first.records.len(), 5);
    let failure = reader.next().await.expect("failure").expect_err("repeats");
    assert!(failure.fault.message.contains("repeats the one before"), "{}", failure.fault.message);
    assert_eq!(failure.rule, "connector.yaml streams.people.paging");
    assert!(reader.next().await.is_none());
    // The guard holds over a resume, too.
    let failure = setup
        .session
        .read("people", first.next)
        .next()
        .await
        .expect("failure")
        .expect_err("repeats");
    assert!(failure.fault.message.contains("after page 2"), "{}", failure.fault.message);
}

#[tokio::test]
async fn an_answer_without_records_is_no_empty_list() {
    let router = Router::new()
        .route("/gone", get(|| async { Json(json!({"items": []})) }))
        .route("/nil", get(|| async { Json(json!({"data": null})) }))
        .route("/empty", get(|| async { Json(json!({"data": []})) }))
        .route("/nothing", get(|| async { axum::http::StatusCode::NO_CONTENT }));
    let stream = |name: &str, records: &str| {
        format!(
            "  {name}: {{request: {{path: /{name}}}, response: {{records: '{records}'}}, paging: {{type: none}}}}\n"
        )
    };
    let manifest = format!(
        "auth: {{type: none}}\nstreams:\n{}{}{}{}",
        stream("gone", ".data"),
        stream("nil", ".data // null"),
        stream("empty", ".data"),
        stream("nothing", ".data")
    );
    let setup = setup(router, &manifest).await;
    for name in ["gone", "nil"] {
        let failure =
            setup.session.read(name, None).next().await.expect("an end").expect_err("no records");
        assert_eq!(failure.rule, format!("connector.yaml streams.{name}.response.records"));
    }
    for name in ["empty", "nothing"] {
        let all = pages(&mut setup.session.read(name, None)).await;
        assert_eq!((all.len(), all[0].records.len()), (1, 0), "{name}");
    }
}

/// What a vendor answers in turn: how many records, and the total or the number of pages it states.
/// After the last it answers nothing more than the same total.
type Told = &'static [(usize, Option<u64>)];

async fn told(State(pages): State<Told>, params: Params) -> Json<Value> {
    let at = match params.get("offset") {
        Some(offset) => offset.parse::<usize>().expect("a number").div_ceil(5),
        None => number(&params, "page", 1) - 1,
    };
    let end = (0, pages[pages.len() - 1].1);
    let (records, total) = pages.get(at).copied().unwrap_or(end);
    let data: Vec<Value> = (0..records).map(|id| json!({"id": at * 5 + id})).collect();
    let next = (at + 1 < pages.len()).then(|| format!("/people?page={}", at + 2));
    Json(
        json!({"data": data, "total": total, "pages": total, "next": next, "cursor": next.as_ref().map(|_| at + 2)}),
    )
}

/// A tool that says that there are more records than it sends was not read to its end, and a sync
/// must not take the others for deleted.
#[tokio::test]
async fn fewer_records_than_stated_are_no_complete_pass() {
    const ALL: &[&str] = &["offset", "number", "cursor", "url"];
    const COUNTED: &[&str] = &["offset", "number"];
    let manifest = "auth: {type: none}
limits: {concurrency: 2}
streams:
  offset: {request: {path: /people}, response: {records: .data}, paging: {type: offset, param: offset, size: 5, total: .total}}
  number: {request: {path: /people}, response: {records: .data}, paging: {type: page_number, param: page, size: 5, total: .total}}
  pages: {request: {path: /people}, response: {records: .data}, paging: {type: page_number, param: page, size: 5, pages: .pages}}
  cursor: {request: {path: /people}, response: {records: .data}, paging: {type: cursor, next: .cursor, param: page, total: .total}}
  url: {request: {path: /people}, response: {records: .data}, paging: {type: next_url, url: .next, total: .total}}
";
    let t = Some;
    let cases: Vec<(&str, &[&str], Told, Option<&str>)> = vec![
        ("whole", ALL, &[(5, Some(12)), (5, Some(12)), (2, Some(12))], None),
        (
            "an empty page in the middle",
            ALL,
            &[(5, Some(12)), (0, Some(12)), (2, Some(12))],
            t("12 records, and sent 7"),
        ),
        (
            // A read by offset goes on where the short page ended, and misses nothing.
            "a short page in the middle",
            &["number", "cursor", "url"],
            &[(5, Some(12)), (3, Some(12)), (2, Some(12))],
            t("12 records, and sent 10"),
        ),
        (
            "an empty last page",
            ALL,
            &[(5, Some(12)), (5, Some(12)), (0, Some(12))],
            t("12 records, and sent 10"),
        ),
        ("an empty first page", ALL, &[(0, Some(7)), (2, Some(7))], t("7 records, and sent 2")),
        ("nothing although there is one", ALL, &[(0, Some(1))], t("1 records, and sent 0")),
        ("more than stated", ALL, &[(5, Some(9)), (5, Some(9))], None),
        ("one was deleted meanwhile", ALL, &[(5, Some(12)), (5, Some(12)), (1, Some(11))], None),
        (
            "one came meanwhile",
            ALL,
            &[(5, Some(12)), (5, Some(12)), (2, Some(13))],
            t("13 records, and sent 12"),
        ),
        ("said once", ALL, &[(5, Some(12)), (0, None), (2, None)], t("12 records, and sent 7")),
        ("none at all", ALL, &[(0, Some(0))], None),
        ("never said", &["cursor", "url"], &[(5, None), (0, None), (2, None)], None),
        ("pages, whole", &["pages"], &[(5, Some(3)), (5, Some(3)), (0, Some(3))], None),
        (
            "pages, one empty",
            &["pages"],
            &[(5, Some(3)), (0, Some(3)), (2, Some(3))],
            t("sent page 2 without records"),
        ),
    ];
    for (what, streams, told_pages, expected) in cases {
        let router = Router::new().route("/people", get(told)).with_state(told_pages);
        let setup = setup(router, manifest).await;
        for stream in streams {
            let session = &setup.session;
            let all = pages(&mut session.read(stream, None)).await;
            let last = all.last().expect("a page");
            let found = all.iter().flat_map(|page| &page.problems).next();
            let words = found.map(|problem| problem.fault.message.as_str());
            match expected {
                None => assert_eq!(words, None, "{what}, {stream}"),
                Some(part) => {
                    assert!(
                        words.is_some_and(|words| words.contains(part)),
                        "{what}, {stream}: {words:?}"
                    );
                    let key = if *stream == "pages" { "pages" } else { "total" };
                    let rule = format!("connector.yaml streams.{stream}.paging.{key}");
                    assert_eq!(found.map(|problem| &problem.rule), Some(&rule));
                    let incomplete = all.iter().flat_map(|page| &page.incomplete);
                    assert!(incomplete.clone().any(|name| name == stream), "{what}, {stream}");
                }
            }
            // What was seen before is not forgotten when a read goes on.
            if COUNTED.contains(stream) && all.len() > 1 && expected.is_some() {
                let rest = pages(&mut session.read(stream, all[all.len() - 2].next.clone())).await;
                assert_eq!(
                    rest.last().map(|page| &page.incomplete),
                    Some(&last.incomplete),
                    "{what}, {stream}"
                );
            }
        }
    }
}

#[tokio::test]
async fn fewer_children_than_stated_are_no_complete_pass() {
    let manifest = "auth: {type: none}
streams:
  parents: {request: {path: /parents}, paging: {type: none}}
  children:
    each: {stream: parents}
    request: {path: /people}
    response: {records: .data}
    paging: {type: page_number, param: page, size: 5, total: .total}
";
    let pages_told: Told = &[(5, Some(12)), (0, Some(12)), (2, Some(12))];
    let router = Router::new()
        .route("/people", get(told))
        .with_state(pages_told)
        .route("/parents", get(|| async { Json(json!([{"id": "a"}, {"id": "b"}])) }));
    let setup = setup(router, manifest).await;
    let all = pages(&mut setup.session.read("parents", None)).await;
    assert_eq!(all[0].incomplete, ["children"]);
    assert_eq!(all[0].records.len(), 2 + 2 * 7);
    let words: Vec<&str> = all[0].problems.iter().map(|p| p.fault.message.as_str()).collect();
    assert_eq!(
        words,
        ["Acme said that there are 12 records, and sent 7: `children` was not read completely."]
    );
}
