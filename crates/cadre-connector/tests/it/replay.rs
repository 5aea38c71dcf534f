//! Recorded exchanges in place of a vendor.

use std::sync::Arc;

use cadre_connector::{Account, Connector, Io, NoObserver, ReadLimits, Replay, Session};
use cadre_model::fault::Code;
use cadre_model::time::FixedClock;
use serde_json::json;

use crate::vendor::{ids, pages};

const MANIFEST: &str = "tool: acme
label: Acme
categories: [HRIS]
connect: {fields: [{name: key, label: Key, secret: true}]}
base_url: https://api.acme.example/v1
auth: {type: header, name: X-Key, value: \\($secrets.key)}
limits: {requests: [{count: 1, per_seconds: 60}]}
streams:
  people:
    request: {path: /people, query: {fields: all}}
    response: {records: .data}
    paging: {type: cursor, next: .next, param: after}
";

fn session(exchanges: &serde_json::Value) -> (Session, Arc<Replay>) {
    let replay = Arc::new(Replay::parse(&exchanges.to_string()).expect("exchanges"));
    let connector = Connector::parse(MANIFEST).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let account =
        Account { settings: json!({}), secrets: [("key".to_owned(), "k123".into())].into() };
    let io = Io {
        http: replay.clone(),
        clock: Arc::new(FixedClock::new("2026-01-15T00:00:00Z".parse().expect("time"))),
        observer: Arc::new(NoObserver),
        limits: ReadLimits { skip_waits: true, ..ReadLimits::default() },
    };
    (Session::new(Arc::new(connector), account, io), replay)
}

#[tokio::test]
async fn recorded_pages_are_read_without_waiting() {
    let (session, replay) = session(&json!([
        {"request": {"url": "https://api.acme.example/v1/people?fields=all", "headers": {"x-key": "k123"}},
         "response": {"body": {"data": [{"id": 1}], "next": "b"}}},
        {"request": {"method": "GET", "url": "https://api.acme.example/v1/people?after=b&fields=all"},
         "response": {"status": 429, "headers": {"Retry-After": "30"}, "text": "slow"}},
        {"request": {"method": "GET", "url": "https://api.acme.example/v1/people?after=b&fields=all"},
         "response": {"status": 200, "body": {"data": [{"id": 2}]}}},
    ]));
    let start = std::time::Instant::now();
    assert_eq!(ids(&pages(&mut session.read("people", None)).await), ["1", "2"]);
    assert!(start.elapsed().as_secs() < 5);
    assert_eq!(replay.leftovers(), Vec::<String>::new());
}

#[tokio::test]
async fn what_does_not_fit_is_said() {
    let (session, replay) = session(&json!([
        {"request": {"url": "https://api.acme.example/v1/people?fields=some"}, "response": {"body": {}}},
        {"request": {"url": "https://api.acme.example/v1/people?fields=all", "headers": {"x-key": "other"}},
         "response": {"body": {}}},
    ]));
    let failure =
        session.read("people", None).next().await.expect("an end").expect_err("unmatched");
    assert_eq!(failure.rule, "default: request cannot be sent");
    let said = replay.leftovers().join("\n");
    for part in [
        "no recorded exchange answers GET https://api.acme.example/v1/people?fields=all",
        "exchange 1: the query is fields=some",
        "exchange 2: the header x-key has another value",
        "exchange 1 (GET https://api.acme.example/v1/people?fields=some) was not used",
    ] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test]
async fn recorded_failures_are_given_as_often_as_they_are_asked_for() {
    for (exchange, code) in [
        (json!({"response": {"status": 503, "text": "<html>"}}), Code::RemoteServiceUnavailable),
        (json!({"connect_error": "refused"}), Code::RemoteServiceUnavailable),
        (json!({"connect_error": "timeout"}), Code::RemoteServiceUnavailable),
        (json!({"response": {"status": 401}}), Code::IntegrationAuthenticationInvalid),
    ] {
        let mut exchange = exchange;
        exchange["request"] = json!({"url": "https://api.acme.example/v1/people?fields=all"});
        let (session, replay) = session(&json!([exchange]));
        let failure = session.check().await.expect_err("fails");
        assert_eq!(failure.fault.code, code, "{exchange}");
        assert_eq!(replay.leftovers(), Vec::<String>::new());
    }
}
