//! A server that is killed in the middle of a sync goes on where it stopped.

use std::time::Duration;

use cadre_testkit::paged_vendor;

use super::process::{Caller, Installation, root};

const EMPLOYEES: &str = "/v1/hris/employees";

/// An installation that knows the tool for measuring.
pub fn with_bench_vendor(settings: &[(&str, &str)]) -> Installation {
    let connectors = root().join("bench/connectors").display().to_string();
    let mut all = vec![("CADRE_CONNECTORS_DIR", connectors.as_str())];
    all.extend(settings);
    Installation::new(&all)
}

fn story(settings: &[(&str, &str)]) {
    // At least two seconds, however far the server reads ahead.
    const COUNT: u64 = 8_000;
    let installation = with_bench_vendor(settings);
    let vendor = paged_vendor::start(COUNT, Duration::from_millis(200));

    // The first start makes the key; the sync begins with the link, and is killed on its way.
    let server = installation.serve();
    let caller = server.caller();
    let integration = installation.link("benchhr", &[("base_url", &vendor)], &[]);
    std::thread::sleep(Duration::from_millis(1_200));
    let (status, _, body) = caller.send("GET", EMPLOYEES, Some(&integration), None);
    assert_eq!(status, 503, "the sync was already over when it should be killed: {body}");
    assert_eq!(body["error"]["code"], "INTEGRATION.SETUP_SYNC_PENDING");
    server.process.kill();

    let server = installation.serve();
    let caller = Caller::new(&server.url, &caller.key);
    caller.wait_until_readable(&integration, EMPLOYEES, 120);
    let records = caller.list(EMPLOYEES, &integration, 250);
    let mut remote_ids: Vec<u64> = records
        .iter()
        .map(|record| record["remote_id"].as_str().expect("an id").parse().expect("a number"))
        .collect();
    remote_ids.sort_unstable();
    assert_eq!(remote_ids, (0..COUNT).collect::<Vec<_>>());
    let runs = installation.run(&["integration", "runs", &integration]);
    assert_eq!(runs.lines().count(), 1, "the run was resumed, not repeated:\n{runs}");
    assert!(runs.contains("SUCCEEDED"), "{runs}");
    assert_eq!(server.process.terminate(), Some(0));
}

#[test]
fn a_killed_sync_resumes_on_sqlite() {
    story(&[]);
}

#[test]
fn a_killed_sync_resumes_on_postgres() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server =
        cadre_testkit::postgres::Postgres::start().expect("PostgreSQL; scripts/setup installs it");
    let database = runtime.block_on(server.database());
    story(&[("CADRE_DATABASE_URL", database.url())]);
    runtime.block_on(database.remove());
}
