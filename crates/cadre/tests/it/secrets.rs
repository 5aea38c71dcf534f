//! Credentials are nowhere to be read: not in the process log, not in the database, not on a page.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::process::{Caller, Installation};

const SECRET: &str = "client-secret-zanzibar";
const KEY: &str = "query-key-timbuktu";
const TOKEN: &str = "access-token-samarkand";
/// No secret: the search must find it, or it does not search.
const NAME: &str = "Findable Fiona";

const MANIFEST: &str = r#"
tool: leaky
label: Leaky
categories: [HRIS]
connect:
  fields:
    - {name: base_url, label: Address}
    - {name: client_secret, label: Secret, secret: true}
    - {name: query_key, label: Key, secret: true}
base_url: \($settings.base_url)
auth:
  type: oauth2_client_credentials
  token_url: \($settings.base_url)/token
  client_id: someone
  client_secret: \($secrets.client_secret)
streams:
  people:
    request: {path: /people, query: {passkey: '\($secrets.query_key)'}, headers: {X-Other: '\($secrets.query_key)'}}
    response: {records: .data}
    paging: {type: none}
  broken:
    request: {path: /broken, query: {passkey: '\($secrets.query_key)'}}
    response: {records: .data}
    paging: {type: none}
"#;

const EMPLOYEES: &str = "from: people\nremote_id: .id\nfields:\n  first_name: .name\n";
const ABSENCES: &str = "from: broken\nremote_id: .id\nfields:\n  employee_id: .employee\n";

/// A tool that repeats in its answers, and in its errors, what it was sent.
fn start_tool() -> String {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    listener.set_nonblocking(true).expect("a socket");
    let echo = |request: &Request| {
        let headers: Vec<String> =
            request.headers().iter().map(|header| format!("{header:?}")).collect();
        json!({"uri": request.uri().to_string(), "headers": headers})
    };
    let token =
        async || axum::Json(json!({"access_token": TOKEN, "expires_in": 900, "echo": SECRET}));
    let people = async move |request: Request| {
        axum::Json(json!({"data": [{"id": 1, "name": NAME}], "echo": echo(&request)}))
    };
    let broken = async move |request: Request| {
        (StatusCode::BAD_REQUEST, axum::Json(json!({"error": format!("no {}", echo(&request))})))
    };
    let router = axum::Router::new().route("/token", post(token)).route("/people", get(people));
    let router = router.route("/broken", get(broken));
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
            axum::serve(listener, router).await
        })
    });
    url
}

/// Whether a text stands anywhere in the files of a folder.
fn found(folder: &std::path::Path, text: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            names.extend(found(&entry.path(), text));
        } else if let Ok(bytes) = std::fs::read(entry.path())
            && bytes.windows(text.len()).any(|window| window == text.as_bytes())
        {
            names.push(entry.path().display().to_string());
        }
    }
    names
}

#[test]
fn credentials_are_nowhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let connector = folder.path().join("leaky");
    std::fs::create_dir_all(connector.join("map")).expect("a folder");
    for (name, text) in [
        ("connector.yaml", MANIFEST),
        ("map/hris_employees.yaml", EMPLOYEES),
        ("map/hris_absences.yaml", ABSENCES),
    ] {
        std::fs::write(connector.join(name), text).expect("a file");
    }
    let own = folder.path().display().to_string();
    let installation =
        Installation::new(&[("CADRE_CONNECTORS_DIR", &own), ("CADRE_LOG", "debug,hyper=info")]);
    let tool = start_tool();
    let server = installation.serve();
    let caller = Caller::new(&server.url, server.api_key.as_deref().expect("a key"));
    let form = [("base_url", tool.as_str()), ("client_secret", SECRET), ("query_key", KEY)];
    let integration = installation.link("leaky", &form, &[]);
    caller.wait_until_readable(&integration, "/v1/hris/employees", 60);
    let said = installation.sync(&integration);
    assert!(said.contains("PARTIALLY_FAILED"), "the tool refuses one stream: {said}");
    let runs = installation.run(&["integration", "runs", &integration]);
    let (_, _, people): (_, _, Value) =
        caller.send("GET", "/v1/hris/employees", Some(&integration), None);
    let link = installation.run(&["login-link"]);
    assert_eq!(server.process.terminate(), Some(0));

    for secret in [SECRET, KEY, TOKEN] {
        let none: Vec<String> = Vec::new();
        assert_eq!(found(installation.folder(), secret), none, "{secret} can be read");
        for words in [&said, &runs, &people.to_string(), &link] {
            assert!(!words.contains(secret), "{words}");
        }
    }
    // The key of the API and the token of the log-in link are kept as hashes.
    let data = installation.folder().join("data");
    assert_eq!(found(&data, &caller.key), Vec::<String>::new());
    assert!(!found(&data, NAME).is_empty(), "the search does not find what is there");
    assert!(!found(&data, "[redacted]").is_empty(), "exchanges are kept, without secrets");
}
