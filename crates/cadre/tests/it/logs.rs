//! `cadre logs`: what a person at the terminal sees of a call that failed.

use super::faults::{EMPLOYEES, synced};

#[test]
fn the_terminal_shows_what_failed_and_what_to_do() {
    let synced = synced(5);
    let (status, _, body) = synced.caller.send(
        "GET",
        &format!("{EMPLOYEES}?page_size=0"),
        Some(&synced.integration),
        None,
    );
    assert_eq!(status, 400, "{body}");
    let url = body["error"]["log_url"].as_str().expect("a log");
    let id = url.rsplit('/').next().expect("an id");

    let run = |arguments: &[&str]| synced.installation.run(arguments);
    let listed = run(&["logs", "list", "--state", "failed"]);
    assert_eq!(listed.lines().count(), 1, "{listed}");
    for word in [id, "api", "PLATFORM.INPUT_INVALID", EMPLOYEES] {
        assert!(listed.contains(word), "{word}: {listed}");
    }
    assert!(run(&["logs", "list", "--type", "sync"]).contains("sync"));
    assert_eq!(run(&["logs", "list", "--code", "ATS.JOB_CLOSED"]), "");
    let followed = run(&["logs", "follow", "--seconds", "1", "--after", "2020-01-01T00:00:00Z"]);
    assert!(followed.contains(id), "{followed}");

    let shown = run(&["logs", "show", id]);
    for word in ["cause:       caller", "must act:    caller", "page_size", "next step:"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let sync = run(&["logs", "list", "--type", "sync"]);
    let sync = sync.lines().next().and_then(|line| line.split_whitespace().nth(1)).expect("an id");
    let shown = run(&["logs", "show", sync]);
    assert!(shown.contains("/hris/v1/employees") && shown.contains("-> 200"), "{shown}");

    for (arguments, words) in [
        (&["logs", "list", "--type", "x"][..], "expected one of api, sync"),
        (&["logs", "list", "--code", "NOTHING"], "no error code"),
        (&["logs", "show", "nobody"], "no interaction nobody"),
        (&["logs", "list", "--environment", "moon"], "no environment"),
    ] {
        let said = synced.installation.refuse(arguments);
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn environments_have_addresses_too() {
    let synced = synced(2);
    let said = synced.installation.run(&["key", "restrict", "--allow", "192.0.2.0/24"]);
    assert!(said.contains("192.0.2.0/24"), "{said}");
    let (status, _, body) = synced.caller.send("GET", EMPLOYEES, Some(&synced.integration), None);
    assert_eq!(status, 403, "{body}");
    assert_eq!(body["error"]["code"], "PLATFORM.IP_NOT_WHITELISTED");
    synced.installation.run(&["key", "restrict"]);
    let (status, _, body) = synced.caller.send("GET", EMPLOYEES, Some(&synced.integration), None);
    assert_eq!(status, 200, "{body}");
    let said = synced.installation.refuse(&["key", "restrict", "--allow", "everybody"]);
    assert!(said.contains("everybody"), "{said}");
}
