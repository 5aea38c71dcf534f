//! The served document, held against what is served: `schemathesis` makes requests of it.

use std::process::Command;

use super::process::{Demo, printed, root};

/// Requests of each operation.
const EXAMPLES: &str = "12";

/// Asks every operation, with the headers that an integration of the category needs.
fn ask(demo: &Demo, tool: &str, paths: &str) {
    let mut command = Command::new(root().join("target/python/bin/schemathesis"));
    // What it remembers between runs is of no use to anybody here.
    let folder = tempfile::tempdir().expect("a folder");
    command
        .current_dir(folder.path())
        .arg("run")
        .arg(format!("{}/v1/openapi.json", demo.text("url")))
        .args(["--header", &format!("Authorization: Bearer {}", demo.text("api_key"))])
        .args(["--header", &format!("X-Integration-Id: {}", demo.integration(tool))])
        .args(["--include-path-regex", paths])
        // What it switches off or deletes would make every request after it fail.
        .args(["--exclude-path-regex", "^/(integrations|force-sync|webhook-endpoints|passthrough)"])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"])
        .args(["--checks", "response_schema_conformance,response_headers_conformance"])
        .args(["--max-examples", EXAMPLES, "--max-time", "45", "--workers", "1", "--seed", "1"])
        .args(["--no-color", "--generation-database", "none"]);
    let output = command.output().expect("scripts/setup installs it");
    assert!(output.status.success(), "{}", printed(&output));
}

#[test]
fn every_answer_is_one_that_the_document_promises() {
    let demo = Demo::start();
    ask(&demo, "sandboxhris", "^/(hris|check-api-key|tools|events|interactions)");
    ask(&demo, "sandboxats", "^/(ats|assessment)");
    ask(&demo, "sandboxlms", "^/lms");
}
