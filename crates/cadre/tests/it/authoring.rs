//! Writing a connector: begun, tried, recorded, checked, and changed under a running server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Installation, Server, fail, succeed};

const PEOPLE: &str = r#"{"data": [
    {"id": 7, "firstName": "Petra", "lastName": "Echtname", "email": "petra.echtname@firma.example",
     "status": "active", "startDate": "2020-02-30", "managerId": null},
    {"id": 8, "firstName": "Kurt", "lastName": "Wirklich", "email": null, "status": "sabbatical",
     "startDate": "2021-09-15", "managerId": 7}]}"#;

/// A tool on this machine that answers a number of requests: people, for whoever has the token.
fn tool(requests: usize) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().take(requests).flatten() {
            let mut stream = stream;
            let mut asked = Vec::new();
            let mut buffer = [0; 4096];
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(read) if read > 0 => asked.extend_from_slice(&buffer[..read]),
                    _ => break,
                }
            }
            let asked = String::from_utf8_lossy(&asked).to_lowercase();
            let (status, body) = if asked.contains("authorization: bearer real-token-1234") {
                ("200 OK", PEOPLE)
            } else {
                ("401 Unauthorized", r#"{"message": "who are you?"}"#)
            };
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Connection: close\r\nSet-Cookie: sid=real-cookie\r\n\r\n{body}",
                body.len()
            );
        }
    });
    format!("http://{address}/api")
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "{word:?} is missing in:\n{text}");
    }
}

fn with_token<'a>(command: &'a mut Command, token: &str) -> &'a mut Command {
    command.env("CADRE_TRY_ACCESS_TOKEN", token).stdin(std::process::Stdio::null())
}

#[test]
fn a_connector_from_nothing_to_a_case() {
    let here = Installation::new(&[]);
    let url = tool(8);
    let begun = here.run(&["connector", "new", "acmehr", "--label", "Acme HR", "--base-url", &url]);
    says(&begun, &["connectors/acmehr is begun", "cases/first/case.yaml", "connector check"]);
    says(&here.run(&["connector", "check", "connectors/acmehr"]), &["acmehr: 1 cases, 0 failed"]);
    says(&here.refuse(&["connector", "new", "acmehr"]), &["is there already"]);
    says(&here.refuse(&["connector", "new", "../up"]), &["no name for a connector"]);
    assert!(here.folder().join("connectors/.schema/map/hris_employees.json").is_file());

    // Nothing at this machine is asked unless that is allowed.
    let attempt = ["connector", "try", "connectors/acmehr"];
    let mut guarded = here.command(&attempt);
    guarded.env_remove("CADRE_ALLOW_PRIVATE_NETWORKS");
    says(&fail(1, with_token(&mut guarded, "real-token-1234")), &["127.0.0.1"]);
    let missing = fail(1, here.command(&attempt).stdin(std::process::Stdio::null()));
    says(&missing, &["access_token", "CADRE_TRY_NAME"]);

    let shown = succeed(with_token(&mut here.command(&attempt), "real-token-1234"));
    says(&shown, &["raw employees", "│", "\"firstName\": \"Petra\"", "first_name: Petra"]);
    says(&shown, &["start_date: invalid_date", "employment_status: unknown_value", "200,"]);
    assert!(!shown.contains("real-token"), "{shown}");
    let mut json = here.command(&[&attempt[..], &["--json", "--model", "hris_employees"]].concat());
    let json: Value =
        serde_json::from_str(&succeed(with_token(&mut json, "real-token-1234"))).expect("JSON");
    let record = &json["streams"][0]["records"][1];
    assert_eq!(record["raw"]["id"], 8);
    assert_eq!(record["unified"][0]["record"]["manager_id"], "7");
    assert_eq!(record["issues"][0]["field"], "employment_status");
    let refused = fail(1, with_token(&mut here.command(&attempt), "wrong-token"));
    says(&refused, &["INTEGRATION.AUTHENTICATION_INVALID", "who are you?", "Copy the credentials"]);
    says(&here.refuse(&["connector", "try", "connectors/acmehr", "--stream", "x"]), &["employees"]);

    let mut record = here.command(&["connector", "record", "connectors/acmehr", "--case", "real"]);
    let recorded = succeed(with_token(&mut record, "real-token-1234"));
    says(&recorded, &["cases/real: 1 exchanges", "names:", "data[].firstName", "unverified"]);
    let case = here.folder().join("connectors/acmehr/cases/real");
    let mut kept = String::new();
    for file in std::fs::read_dir(&case).expect("the case").flatten() {
        kept.push_str(&std::fs::read_to_string(file.path()).expect("text"));
    }
    for real in ["Petra", "Echtname", "Kurt", "Wirklich", "firma", "real-token", "real-cookie"] {
        assert!(!kept.contains(real), "{real} was kept:\n{kept}");
    }
    // Ids stay, so that references do.
    says(&kept, &["\"manager_id\": \"7\"", "unverified: true", "unknown_value", "invalid_date"]);
    let checked = here.run(&["connector", "check", "connectors/acmehr"]);
    says(&checked, &["nobody has verified", "acmehr: 2 cases, 0 failed, 1 not verified"]);
    let verified = std::fs::read_to_string(case.join("case.yaml")).expect("text");
    std::fs::write(case.join("case.yaml"), verified.replace("unverified: true\n", ""))
        .expect("a file");
    says(&here.run(&["connector", "check", "connectors/acmehr"]), &["2 cases, 0 failed\n"]);
}

#[test]
fn editors_are_told_what_files_may_hold() {
    let here = Installation::new(&[]);
    for of in ["connector", "action", "case", "exchanges", "records", "issues", "error"] {
        let schema: Value =
            serde_json::from_str(&here.run(&["connector", "schema", of])).expect("JSON");
        assert!(schema["$schema"].is_string(), "{of}: {schema}");
    }
    let map = here.run(&["connector", "schema", "map", "--model", "ats_jobs"]);
    says(&map, &["remote_created_at", "post_url"]);
    says(&here.refuse(&["connector", "schema", "map", "--model", "jobs"]), &["ats_jobs"]);
}

/// Waits until the log says something.
fn until(server: &Server, words: &str) {
    let end = Instant::now() + Duration::from_secs(20);
    while !server.log().contains(words) {
        assert!(Instant::now() < end, "{words:?} is missing in:\n{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_changed_connector_is_picked_up_by_a_running_server() {
    let here = Installation::new(&[("CADRE_CONNECTORS_DIR", "connectors")]);
    std::fs::create_dir(here.folder().join("connectors")).expect("a folder");
    let server = here.serve();
    let caller = server.caller();
    let label = || {
        let (_, _, body) = caller.send("GET", "/v1/tools/hris", None, None);
        let tools = body["data"]["tools"].as_array().expect("tools").clone();
        tools.iter().find(|tool| tool["id"] == "acmehr").map(|tool| tool["label"].clone())
    };
    assert_eq!(label(), None);
    here.run(&["connector", "new", "acmehr", "--label", "Acme HR"]);
    until(&server, "a changed connector is in use");
    assert_eq!(label(), Some("Acme HR".into()));

    let manifest = here.folder().join("connectors/acmehr/connector.yaml");
    let good = std::fs::read_to_string(&manifest).expect("text");
    std::fs::write(&manifest, good.replace("streams:", "streems:")).expect("a file");
    until(&server, "a changed connector cannot be used");
    says(&server.log(), &["streems", "the version before the change stays in use"]);
    assert_eq!(label(), Some("Acme HR".into()));
    says(&here.refuse(&["doctor"]), &["failed  connectors", "streems"]);

    std::fs::write(&manifest, good.replace("Acme HR", "Acme People")).expect("a file");
    let end = Instant::now() + Duration::from_secs(20);
    while label() != Some("Acme People".into()) {
        assert!(Instant::now() < end, "{:?}\n{}", label(), server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}
