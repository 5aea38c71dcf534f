//! Memory stays flat, however large the customer is.

use std::time::Duration;

use cadre_testkit::paged_vendor;

use super::crash::with_bench_vendor;

#[test]
fn two_hundred_thousand_records_stay_under_150_mib() {
    let installation = with_bench_vendor(&[]);
    let vendor = paged_vendor::start(200_000, Duration::ZERO);
    let server = installation.serve();
    let caller = server.caller();
    let integration = installation.link("benchhr", &[("base_url", &vendor)], &[]);
    // A debug build on a busy machine is slow.
    caller.wait_until_readable(&integration, "/v1/hris/employees", 2_400);
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", server.process.pid())).expect("proc");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak");
    let kib: u64 = peak.trim().trim_end_matches(" kB").trim().parse().expect("a number");
    assert!(kib < 150 * 1024, "the server's memory reached {} MiB", kib / 1024);
    let (_, _, body) =
        caller.send("GET", "/v1/hris/employees?page_size=250", Some(&integration), None);
    assert_eq!(body["data"]["results"].as_array().map(Vec::len), Some(250));
}
