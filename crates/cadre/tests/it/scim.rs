//! An identity provider pushes people: `scim2-tester` and `scim2-client`, over a real connection.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Installation, root, succeed};

#[test]
fn a_real_client_pushes_people() {
    let installation = Installation::new(&[("CADRE_PUBLIC_URL", "http://cadre.example.com")]);
    let server = installation.serve();
    let integration = installation.link("scim", &[], &[]);
    let said = installation.run(&["integration", "address", &integration]);
    let word = |name: &str| {
        let line = said.lines().find(|line| line.starts_with(name)).expect("the line");
        line.split_whitespace().nth(1).expect("a word").to_owned()
    };
    let url = word("address").replace("http://cadre.example.com", &server.url);
    let python = root().join("target/python/bin/python");
    let printed = succeed(
        Command::new(python)
            .arg(root().join("tests/scim/check_service.py"))
            .env("SCIM_URL", url)
            .env("SCIM_TOKEN", word("secret")),
    );
    let seen: Value = serde_json::from_str(printed.trim()).expect("JSON");
    assert_eq!(seen["failed"], serde_json::json!([]), "{seen}");
    assert!(seen["checked"].as_u64().is_some_and(|checked| checked > 100), "{seen}");
    assert_eq!(
        (&seen["title"], &seen["groups"]),
        (&"Chief".into(), &serde_json::json!(["Pushed"]))
    );

    // Without any sync that anybody asked for, she is an employee.
    let caller = server.caller();
    caller.wait_until_readable(&integration, "/v1/hris/employees", 60);
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let path = format!("/v1/hris/employees?remote_ids={}", seen["id"].as_str().expect("an id"));
        let (status, _, body) = caller.send("GET", &path, Some(&integration), None);
        let one = &body["data"]["results"][0];
        if status == 200 && one["job_title"] == "Chief" {
            assert_eq!(one["groups"][0]["name"], "Pushed", "{one}");
            break;
        }
        assert!(Instant::now() < end, "{status} {body}");
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(server.process.terminate(), Some(0));
}
