//! The demo, read with the official clients.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::process::{Caller, Demo, cadre, printed, root};

/// Runs a client script with the demo's first line on its standard input.
pub fn read_with(program: &str, script: &str, demo: &Demo) -> Value {
    let root = root();
    let mut child = Command::new(root.join(program))
        .arg(root.join(script))
        .current_dir(root.join("target/sdk-typescript"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}; scripts/setup installs it"));
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(demo.ready.to_string().as_bytes()).expect("the script reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{script}\n{}", printed(&output));
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn check(seen: &Value, demo: &Demo) {
    for (list, counts) in seen["lists"].as_object().expect("lists") {
        assert!(
            counts["count"].as_u64() > Some(0),
            "{list} is empty: the demo has data for every list"
        );
        assert_eq!(counts["count"], counts["distinct"], "{list}: a record came twice");
    }
    assert_eq!(seen["integration"], demo.integration("sandboxhris"));
    assert_eq!(seen["environment_id"].as_str().map(str::len), Some(24));
    let expect = [
        ("bad_key", 401, "PLATFORM.AUTHENTICATION_INVALID"),
        ("unknown_integration", 404, "PLATFORM.INTEGRATION_NOT_FOUND"),
        ("bad_page_size", 400, "PLATFORM.INPUT_INVALID"),
        ("wrong_category", 400, "INTEGRATION.MODEL_NOT_AVAILABLE"),
    ];
    for (name, status, code) in expect {
        let error = &seen["errors"][name];
        assert_eq!(error["status"], status, "{name}: {error}");
        assert_eq!(error["code"], code, "{name}: {error}");
        assert_eq!(error["header"], code, "{name}: {error}");
        // Nobody is known to have called with a bad key, so nobody could open the log.
        assert_eq!(error["has_log"], name != "bad_key", "{name}: {error}");
    }
}

#[test]
fn the_python_sdk_reads_everything() {
    let demo = Demo::start();
    let seen = read_with("target/python/bin/python", "tests/sdk-python/read_everything.py", &demo);
    check(&seen, &demo);
    assert_eq!(seen["packages"], serde_json::json!(["sums"]));
    assert_eq!(seen["orders"], 0);
}

#[test]
fn the_typescript_sdk_reads_everything() {
    let demo = Demo::start();
    let seen = read_with_node("read-everything.mjs", &demo);
    check(&seen, &demo);
}

/// Runs a script of `tests/sdk-typescript`.
pub fn read_with_node(script: &str, demo: &Demo) -> Value {
    // Node finds packages beside the script's own folder, so a copy lies beside the packages.
    let copy = format!("target/sdk-typescript/{script}");
    std::fs::copy(root().join("tests/sdk-typescript").join(script), root().join(&copy))
        .expect("scripts/setup made the folder");
    let node = String::from_utf8(Command::new("which").arg("node").output().expect("which").stdout)
        .expect("UTF-8");
    read_with(node.trim(), &copy, demo)
}

#[test]
fn sigterm_ends_the_demo_cleanly() {
    let demo = Demo::start();
    assert_eq!(demo.ready["pid"], demo.process.pid());
    assert_eq!(demo.process.terminate(), Some(0));
}

#[test]
fn the_printed_curl_lines_work() {
    let mut child = cadre()
        .args(["demo", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let stdout = child.stdout.take().expect("piped");
    let running = super::process::Running(child);
    let mut lines = Vec::new();
    for line in std::io::BufRead::lines(std::io::BufReader::new(stdout)).map_while(Result::ok) {
        let last = line.starts_with("The last one");
        lines.push(line);
        if last {
            break;
        }
    }
    let curls: Vec<&String> =
        lines.iter().filter(|line| line.trim().starts_with("curl ")).collect();
    assert_eq!(curls.len(), 3, "{}", lines.join("\n"));
    for (at, line) in curls.iter().enumerate() {
        let output = Command::new("sh").arg("-c").arg(line).output().expect("sh");
        let body: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{line}\n{}", printed(&output)));
        assert_eq!(body["status"], if at < 2 { "success" } else { "error" }, "{line}\n{body}");
    }
    assert_eq!(running.terminate(), Some(0));
}

#[test]
fn an_unchanged_sync_changes_nothing() {
    let demo = Demo::start();
    let caller = Caller::new(demo.text("url"), demo.text("api_key"));
    let integration = demo.integration("sandboxhris");
    let before = caller.list("/v1/hris/employees?include_deleted=true", integration, 250);
    let asked = serde_json::json!({"type": "FULL"});
    let (status, _, body) = caller.send("POST", "/v1/force-sync", Some(integration), Some(&asked));
    assert_eq!(status, 200, "{body}");
    wait_for_sync(&caller, integration, body["data"]["sync_id"].as_str().expect("an id"));
    let after = caller.list("/v1/hris/employees?include_deleted=true", integration, 250);
    assert_eq!(before, after);
}

/// Waits until a forced sync names another run, which means that the first has ended.
fn wait_for_sync(caller: &Caller, integration: &str, sync_id: &str) {
    let asked = serde_json::json!({"type": "FULL"});
    for _ in 0..600 {
        let (_, _, body) = caller.send("POST", "/v1/force-sync", Some(integration), Some(&asked));
        if body["data"]["sync_id"] != sync_id {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the sync did not end within a minute");
}
