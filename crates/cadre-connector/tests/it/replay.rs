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

/// A session of a connector that is not reached over HTTP, on recorded files or entries.
fn offline(manifest: &str, folder: &std::path::Path) -> Session {
    let connector = Connector::parse(manifest).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let account = Account { settings: json!({}), secrets: [("key".to_owned(), "k".into())].into() };
    let io = Io {
        http: Arc::new(Replay::load(folder).expect("a case")),
        clock: Arc::new(FixedClock::new("2026-01-15T00:00:00Z".parse().expect("time"))),
        observer: Arc::new(NoObserver),
        limits: ReadLimits { rows_per_page: 2, ..ReadLimits::default() },
    };
    Session::new(Arc::new(connector), account, io)
}

#[tokio::test]
async fn recorded_files_are_read_in_pages() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("files")).expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join("files").join(name), text).expect("a file")
    };
    write("people-1.csv", "id;name\n1;Old\n");
    write("people-2.csv", "id;name\n1;A\n2;B\n3;C\n");
    write("other.csv", "id\n9\n");
    let manifest = "tool: acme
label: Acme
categories: [HRIS]
connect: {fields: [{name: key, label: Key, secret: true}]}
transport: sftp
sftp: {host: files.example, username: u, password: \\($secrets.key)}
streams:
  people: {files: {pattern: '^people.*\\.csv$'}}
  all: {files: {pattern: '^people.*\\.csv$', pick: all}}
  empty: {files: {pattern: '^nothing$'}}
  maybe: {optional: true, files: {pattern: '^nothing$'}}
";
    let session = offline(manifest, folder.path());
    let newest = pages(&mut session.read("people", None)).await;
    assert_eq!(ids(&newest), ["\"1\"", "\"2\"", "\"3\""]);
    assert_eq!(newest.iter().map(|page| page.next.is_some()).collect::<Vec<_>>(), [true, false]);
    // A read of files cannot go on in the middle: it starts again.
    let again = pages(&mut session.read("people", newest[0].next.clone())).await;
    assert_eq!(ids(&again), ids(&newest));
    assert_eq!(
        ids(&pages(&mut session.read("all", None)).await),
        ["\"1\"", "\"1\"", "\"2\"", "\"3\""]
    );
    session.check().await.expect("good");
    let failure = session.read("empty", None).next().await.expect("an end").expect_err("no file");
    assert_eq!(failure.fault.code, Code::RemoteInputInvalid);
    let maybe = pages(&mut session.read("maybe", None)).await;
    assert_eq!((maybe.len(), &maybe[0].incomplete[..]), (1, &["maybe".to_owned()][..]));
}

#[tokio::test]
async fn recorded_entries_are_searched() {
    let folder = tempfile::tempdir().expect("a folder");
    let entries = json!([
        {"dn": "cn=a,dc=x", "id": ["1"], "objectclass": ["person"]},
        {"dn": "cn=b,dc=x", "id": ["2"], "objectclass": ["group"]},
    ]);
    std::fs::write(folder.path().join("entries.json"), entries.to_string()).expect("a file");
    let manifest = "tool: acme
label: Acme
categories: [HRIS]
connect: {fields: [{name: key, label: Key, secret: true}]}
transport: ldap
ldap: {url: 'ldap://x', bind_dn: cn=a, password: \\($secrets.key)}
streams:
  people:
    search: {base: dc=x, filter: (objectClass=person)}
    paging: {type: search_pages, size: 100}
";
    let all = pages(&mut offline(manifest, folder.path()).read("people", None)).await;
    assert_eq!(ids(&all), ["[\"1\"]"]);
}
