//! Public postings by the command line and in the demo.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Caller, Demo, Installation};

#[test]
fn a_feed_is_filled_by_the_command_line() {
    let installation = Installation::new(&[]);
    let feed = installation.run(&["feed", "create", "Board"]).trim().to_owned();
    assert_eq!(feed.len(), 24, "{feed}");
    let line = r#"{"url":"https://jobs.example/1","career_site_label":"Acme"}"#;
    installation.write("jobs.ndjson", format!("{line}\n"));
    let import = ["feed", "import", feed.as_str(), "jobs.ndjson"];
    assert!(installation.run(&import).contains("1 postings are new"));
    assert!(installation.run(&["feed", "list"]).contains("1 PENDING"));
    installation.write("jobs.ndjson", format!("{line}\nnonsense\n"));
    let wrong = installation.refuse(&import);
    assert!(wrong.contains("line 2: expected a JSON object"), "{wrong}");
    let imports = installation.run(&["feed", "imports", &feed]);
    assert!(imports.contains("refused") && imports.contains("done"), "{imports}");
    let listed = installation.run(&["posting", "list"]);
    let id = listed.split_whitespace().next().expect("an id");
    assert!(installation.run(&["posting", "archive", id]).contains("archived"));
    assert!(installation.run(&["posting", "list", "--feed", &feed]).contains("ARCHIVED"));
    assert!(installation.run(&["posting", "applications"]).contains("No applications"));
    let add = ["posting", "add", "https://jobs.example/2", "--career-site", "Acme"];
    assert_eq!(installation.run(&add).trim().len(), 24);
    assert!(installation.refuse(&["posting", "parse", "nobody"]).contains("no posting"));
}

#[test]
fn the_demo_has_postings_that_one_can_apply_to() {
    let demo = Demo::start();
    let caller = Caller::new(demo.text("url"), demo.text("api_key"));
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let list = caller.send("GET", "/v1/ai-apply/postings", None, None).2;
        let postings = list["data"]["results"].as_array().expect("a list");
        let of =
            |word: &str| postings.iter().filter(|one: &&Value| one["availability"] == word).count();
        if (of("APPLYABLE"), of("UNAVAILABLE"), of("ARCHIVED")) == (3, 1, 1) {
            break;
        }
        assert!(Instant::now() < until, "{list:#}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
