//! What vendors do wrong, and what becomes of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use cadre_model::fault::Code;
use futures::stream;
use serde_json::json;

use crate::vendor::{Setup, at, ids, pages, setup, setup_with};

const PEOPLE: &str = "auth: {type: none}
limits: {timeout_seconds: 1}
errors:
  - {when: $status == 418, code: REMOTE.SERVICE_UNAVAILABLE, retry: true}
  - {when: $status == 410, do: no_records}
streams: {people: {request: {path: /people}, paging: {type: none}}}
";

type Count = Arc<AtomicUsize>;
type Answer = fn() -> Response;

/// Fails so many times, then works.
async fn failing(times: usize, failure: Answer) -> (Setup, Count) {
    let count = Count::default();
    let answer = move |State(count): State<Count>| async move {
        if count.fetch_add(1, Ordering::SeqCst) < times {
            return failure();
        }
        Json(json!([{"id": 1}])).into_response()
    };
    let router = Router::new().route("/people", get(answer)).with_state(count.clone());
    (setup(router, PEOPLE).await, count)
}

fn cut_in_the_middle() -> Response {
    let parts = stream::unfold(0, |at| async move {
        tokio::time::sleep(Duration::from_millis(20 * at)).await;
        let part =
            if at == 0 { Ok("[{\"id\": 1}, {\"id\"") } else { Err(std::io::Error::other("gone")) };
        Some((part, at + 1))
    });
    Body::from_stream(parts).into_response()
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let failures: [(&str, Answer); 7] = [
        ("429", || StatusCode::TOO_MANY_REQUESTS.into_response()),
        ("500", || StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        ("502", || StatusCode::BAD_GATEWAY.into_response()),
        ("503", || (StatusCode::SERVICE_UNAVAILABLE, "<html><title>Busy</title>").into_response()),
        ("a rule", || StatusCode::IM_A_TEAPOT.into_response()),
        ("cut JSON", || {
            ([("content-type", "application/json")], "[{\"id\": 1}, {").into_response()
        }),
        ("cut connection", cut_in_the_middle),
    ];
    for (name, failure) in failures {
        let (setup, count) = failing(2, failure).await;
        let all = pages(&mut setup.session.read("people", None)).await;
        assert_eq!(ids(&all), ["1"], "{name}");
        assert_eq!(count.load(Ordering::SeqCst), 3, "{name}");
        assert_eq!(setup.seen.waits.lock().expect("lock").len(), 2, "{name}");
    }
}

#[tokio::test]
async fn what_stays_is_a_failure_with_its_code() {
    let failures: [(Answer, Code, usize, &str); 7] = [
        (
            || StatusCode::TOO_MANY_REQUESTS.into_response(),
            Code::RemoteRateLimitExceeded,
            4,
            "(tried 4 times)",
        ),
        (
            || StatusCode::GATEWAY_TIMEOUT.into_response(),
            Code::RemoteServiceUnavailable,
            4,
            "status 504",
        ),
        (cut_in_the_middle, Code::RemoteServiceUnavailable, 4, "broke off"),
        (|| "[1, ".into_response(), Code::RemoteUnknownHttpError, 4, "ends in the middle"),
        (
            || "<!doctype html><title>Log in</title>".into_response(),
            Code::RemoteUnknownHttpError,
            1,
            "a web page",
        ),
        (
            || StatusCode::NOT_FOUND.into_response(),
            Code::RemoteUnknownHttpError,
            1,
            "GET /people with status 404",
        ),
        (
            || StatusCode::FORBIDDEN.into_response(),
            Code::IntegrationPermissionMissing,
            1,
            "status 403",
        ),
    ];
    for (failure, code, attempts, part) in failures {
        let (setup, count) = failing(usize::MAX, failure).await;
        let failure =
            setup.session.read("people", None).next().await.expect("an end").expect_err("fails");
        assert_eq!(failure.fault.code, code, "{failure:?}");
        assert!(failure.fault.message.contains(part), "{}", failure.fault.message);
        assert_eq!(count.load(Ordering::SeqCst), attempts, "{failure:?}");
    }
}

#[tokio::test]
async fn the_vendors_wait_is_kept_by_everybody() {
    let (setup, _) = failing(1, || {
        (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "slow down").into_response()
    })
    .await;
    let start = std::time::Instant::now();
    pages(&mut setup.session.read("people", None)).await;
    assert!(start.elapsed() >= Duration::from_millis(990), "{:?}", start.elapsed());
    assert_eq!(setup.seen.waits.lock().expect("lock")[0].1, 1000);
    let (setup, count) =
        failing(9, || (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "3600")]).into_response())
            .await;
    let failure =
        setup.session.read("people", None).next().await.expect("an end").expect_err("too long");
    assert_eq!(failure.fault.retry_after_seconds, Some(3600));
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_rule_may_say_that_there_is_nothing() {
    let (setup, _) = failing(usize::MAX, || StatusCode::GONE.into_response()).await;
    let all = pages(&mut setup.session.read("people", None)).await;
    assert_eq!((all.len(), all[0].records.len()), (1, 0));
}

#[tokio::test]
async fn a_slow_body_runs_into_the_deadline() {
    async fn slow() -> Response {
        let parts = stream::unfold(0, |at| async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            Some((Ok::<_, std::io::Error>(if at == 0 { "[" } else { " " }), at + 1))
        });
        Body::from_stream(parts).into_response()
    }
    let router = Router::new().route("/people", get(slow));
    let setup = setup_with(router, PEOPLE, |limits| limits.max_attempts = 1).await;
    let failure =
        setup.session.read("people", None).next().await.expect("an end").expect_err("slow");
    assert_eq!(
        (failure.fault.code, failure.rule.as_str()),
        (Code::RemoteServiceUnavailable, "default: timeout")
    );
    assert!(failure.fault.message.contains("within 1 s"), "{}", failure.fault.message);
}

#[tokio::test]
async fn a_large_body_is_refused() {
    async fn large(headers: HeaderMap) -> Response {
        let parts = (0..64).map(|_| Ok::<_, std::io::Error>(vec![b' '; 4096]));
        let _ = headers;
        Body::from_stream(stream::iter(parts)).into_response()
    }
    let router = Router::new().route("/people", get(large));
    let setup = setup_with(router, PEOPLE, |limits| limits.max_body_bytes = 100_000).await;
    let failure =
        setup.session.read("people", None).next().await.expect("an end").expect_err("large");
    assert_eq!(failure.rule, "default: answer too large");
    assert!(failure.fault.message.contains("100000 bytes"), "{}", failure.fault.message);
}

#[tokio::test]
async fn nobody_there() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = closed.local_addr().expect("an address");
    drop(closed);
    for base in [format!("http://{address}"), "http://nowhere.invalid".to_owned()] {
        let setup = at(&base, PEOPLE, |limits| limits.max_attempts = 2);
        let failure = setup.session.check().await.expect_err("nobody");
        assert_eq!(failure.fault.code, Code::RemoteServiceUnavailable, "{failure:?}");
        assert_eq!(failure.rule, "default: connection failed");
        assert!(failure.retry);
    }
    let setup = at("nonsense", PEOPLE, |_| {});
    let failure = setup.session.check().await.expect_err("no URL");
    assert_eq!(failure.rule, "default: request cannot be built");
}

#[tokio::test]
async fn other_bodies_than_json_are_rows() {
    let router = Router::new()
        .route("/csv", get(|| async { "id;name\n1;\u{e4}\n2;b\n" }))
        .route("/lines", get(|| async { "{\"id\": 1}\n{\"id\": 2}\n" }))
        .route("/page", get(|| async { "<html><title>Log in</title></html>" }))
        .route("/nothing", get(|| async { "" }));
    let stream = |name: &str, path: &str, format: &str| {
        format!(
            "  {name}: {{request: {{path: /{path}}}, response: {{format: {format}}}, paging: {{type: none}}}}\n"
        )
    };
    let manifest = format!(
        "auth: {{type: none}}\nstreams:\n{}{}{}{}",
        stream("csv", "csv", "csv"),
        stream("lines", "lines", "ndjson"),
        stream("page", "page", "csv"),
        stream("nothing", "nothing", "csv"),
    );
    let setup = setup(router, &manifest).await;
    assert_eq!(ids(&pages(&mut setup.session.read("csv", None)).await), ["\"1\"", "\"2\""]);
    assert_eq!(ids(&pages(&mut setup.session.read("lines", None)).await), ["1", "2"]);
    assert!(ids(&pages(&mut setup.session.read("nothing", None)).await).is_empty());
    let failure = setup.session.read("page", None).next().await.expect("an end").expect_err("HTML");
    assert!(failure.fault.message.contains("web page"), "{}", failure.fault.message);
}
