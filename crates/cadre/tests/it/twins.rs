//! `cadre sandbox`: one twin alone, with its address and credentials.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::process::{Running, cadre, fail};

#[test]
fn a_twin_runs_alone() {
    let mut child = cadre()
        .args(["sandbox", "--tool", "greenhouse", "--json", "--seed", "3", "--people", "9"])
        .args(["--fault", r#"{"fault": "status", "status": 503}"#])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = child.stdout.take().expect("piped");
    let process = Running(child);
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).expect("the first line");
    let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    let (url, key) = (ready["url"].as_str(), ready["credentials"]["api_key"].as_str());
    let (url, key) = (url.expect("an address"), key.expect("a key"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::new();
    let ask = || {
        let request = client.get(format!("{url}/v1/candidates")).basic_auth(key, Some(""));
        request.send().expect("an answer")
    };
    assert_eq!(ask().status(), 503, "the fault that was ordered");
    let answer = ask();
    assert_eq!(answer.headers()["x-ratelimit-limit"], "50");
    let all: Vec<Value> =
        serde_json::from_str(&answer.text().expect("text")).expect("a list of candidates");
    assert_eq!(all.len(), 9);
    assert_eq!(process.terminate(), Some(0));
}

#[test]
fn a_tool_without_a_twin_is_told_which_there_are() {
    let words = fail(1, cadre().args(["sandbox", "--tool", "nobody"]));
    assert!(words.contains("greenhouse") && words.contains("workday"), "{words}");
    let words = fail(1, cadre().args(["sandbox", "--tool", "lever", "--fault", "{"]));
    assert!(words.contains("--fault"), "{words}");
}
