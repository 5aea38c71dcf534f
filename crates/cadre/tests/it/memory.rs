//! Memory stays flat, however large the customer is.

use std::time::Duration;

use cadre_testkit::paged_vendor;

use super::crash::{bench_settings, link_bench_vendor, wait_until_readable};
use super::process::{Caller, Server, root};

#[test]
fn two_hundred_thousand_records_stay_under_150_mib() {
    let data = tempfile::tempdir().expect("a folder");
    let connectors = root().join("bench/connectors").display().to_string();
    let settings = bench_settings(&connectors);
    let vendor = paged_vendor::start(200_000, Duration::ZERO);
    let server = Server::start(data.path(), &settings);
    let caller = Caller::new(&server.url, server.api_key.as_deref().expect("a key at the first start"));
    let integration = link_bench_vendor(data.path(), &vendor, &settings);
    for _ in 0..10 {
        // Each call waits two minutes; a debug build is slow.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| wait_until_readable(&caller, &integration))).is_ok() {
            break;
        }
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.process.pid())).expect("proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    assert!(kib < 150 * 1024, "the server's memory reached {} MiB", kib / 1024);
    let (_, _, body) = caller.send("GET", "/v1/hris/employees?page_size=250", Some(&integration), None);
    assert_eq!(body["data"]["results"].as_array().map(Vec::len), Some(250));
}
