//! A server that is killed in the middle of a sync goes on where it stopped.

use std::path::Path;
use std::time::Duration;

use cadre_testkit::paged_vendor;
use serde_json::Value;

use super::process::{Caller, Server, cadre, root, succeed};

/// Links the vendor for measuring to the database of a data folder; the id of the integration.
pub fn link_bench_vendor(data: &Path, url: &str, settings: &[(&str, &str)]) -> String {
    let output = succeed(
        cadre()
            .args(["integration", "create", "--tool", "benchhr", "--no-check", "--field"])
            .arg(format!("base_url={url}"))
            .arg("--data-dir")
            .arg(data)
            .envs(settings.iter().copied())
            .current_dir(data),
    );
    output.lines().next().expect("the id").to_owned()
}

/// Settings with which the vendor for measuring can be linked.
pub fn bench_settings(connectors: &str) -> Vec<(&str, &str)> {
    vec![
        ("CADRE_CONNECTORS_DIR", connectors),
        ("CADRE_ALLOW_PRIVATE_NETWORKS", "true"),
        ("CADRE_LEASE_SECONDS", "2"),
    ]
}

fn story(database: Option<&str>) {
    const EMPLOYEES: u64 = 3_000;
    let data = tempfile::tempdir().expect("a folder");
    let connectors = root().join("bench/connectors").display().to_string();
    let mut settings = bench_settings(&connectors);
    settings.extend(database.map(|url| ("CADRE_DATABASE_URL", url)));
    let vendor = paged_vendor::start(EMPLOYEES, Duration::from_millis(60));

    // The first start makes the key; the sync begins with the link, and is killed on its way.
    let server = Server::start(data.path(), &settings);
    let caller = Caller::new(&server.url, server.api_key.as_deref().expect("a key at the first start"));
    let integration = link_bench_vendor(data.path(), &vendor, &settings);
    std::thread::sleep(Duration::from_millis(1_200));
    let (status, _, body) = caller.send("GET", "/v1/hris/employees", Some(&integration), None);
    assert_eq!(status, 503, "the sync was already over when it should be killed: {body}");
    assert_eq!(body["error"]["code"], "INTEGRATION.SETUP_SYNC_PENDING");
    server.process.kill();

    let server = Server::start(data.path(), &settings);
    let caller = Caller::new(&server.url, &caller.key);
    wait_until_readable(&caller, &integration);
    let records = caller.list("/v1/hris/employees", &integration, 250);
    let mut remote_ids: Vec<u64> = records
        .iter()
        .map(|record| record["remote_id"].as_str().expect("an id").parse().expect("a number"))
        .collect();
    remote_ids.sort_unstable();
    assert_eq!(remote_ids, (0..EMPLOYEES).collect::<Vec<_>>());
    let runs = succeed(
        cadre()
            .args(["integration", "runs", &integration, "--data-dir"])
            .arg(data.path())
            .envs(settings.iter().copied())
            .current_dir(data.path()),
    );
    assert_eq!(runs.lines().count(), 1, "the run was resumed, not repeated:\n{runs}");
    assert!(runs.contains("SUCCEEDED"), "{runs}");
    assert_eq!(server.process.terminate(), Some(0));
}

/// Waits for the end of the first sync.
pub fn wait_until_readable(caller: &Caller, integration: &str) {
    let mut last = Value::Null;
    for _ in 0..1_200 {
        let (status, _, body) = caller.send("GET", "/v1/hris/employees?page_size=1", Some(integration), None);
        if status == 200 {
            return;
        }
        last = body;
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("the integration could not be read within two minutes: {last}");
}

#[test]
fn a_killed_sync_resumes_on_sqlite() {
    story(None);
}
