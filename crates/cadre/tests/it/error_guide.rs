//! The three scenarios of the error guide, met by the official clients: our own refusal, one of the tool that
//! has a code of its own, and a tool that is down.

use serde_json::Value;

use super::demo::{read_with, read_with_node};
use super::process::Demo;

fn check(seen: &Value) {
    assert_eq!(seen["applied"], true, "{seen}");
    for (name, status, code, title, words) in [
        (
            "invalid",
            400,
            "PLATFORM.INPUT_INVALID",
            "Your request contains invalid data and failed validation.",
            "`body.candidate.email_address`: expected an e-mail address, got \"nobody\"",
        ),
        (
            "twice",
            400,
            "ATS.APPLICATION_ALREADY_EXISTS",
            "The candidate has already applied to this job.",
            "already applied",
        ),
        (
            "down",
            500,
            "REMOTE.SERVICE_UNAVAILABLE",
            "The remote system is currently unavailable.",
            "(tried 4 times)",
        ),
    ] {
        let error = &seen[name];
        assert_eq!(error["class"], "KomboAtsError", "{name}: {error}");
        assert_eq!(error["status"], status, "{name}: {error}");
        assert_eq!(error["code"], code, "{name}: {error}");
        assert_eq!(error["title"], title, "{name}: {error}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(words), "{name}: {error}");
        assert_eq!(error["has_log"], true, "{name}: {error}");
    }
    // A refusal of ours asks nobody; a tool that is down is asked four times before the caller hears of it.
    assert_eq!(seen["asked"]["invalid"], 0, "{seen}");
    assert_eq!(seen["asked"]["down"], 4, "{seen}");
}

#[test]
fn the_python_sdk_meets_the_error_guide() {
    let demo = Demo::start();
    check(&read_with("target/python/bin/python", "tests/sdk-python/error_guide.py", &demo));
}

#[test]
fn the_typescript_sdk_meets_the_error_guide() {
    let demo = Demo::start();
    check(&read_with_node("error-guide.mjs", &demo));
}
