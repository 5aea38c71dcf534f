//! Known job boards: what each answer means is worked out by hand in the `expected.yaml` beside it. The
//! answers are made up in the shape that the vendor publishes; the board's file names where.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cadre_apply::{Boards, Kind};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    url: String,
    read: String,
    job: BTreeMap<String, Value>,
    location: BTreeMap<String, Value>,
    #[serde(default)]
    page: Option<String>,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    questions: Vec<Asked>,
    /// Texts that are in the body of a form without answers.
    #[serde(default)]
    sent: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    label: String,
    #[serde(rename = "type")]
    kind: Kind,
    required: bool,
    is: Option<String>,
    name: String,
}

#[test]
fn every_board_is_read_as_its_vendor_documents_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let boards = fs::read_dir(folder.join("boards")).expect("boards").flatten();
    let mut seen = 0;
    for file in boards {
        let name = file.path().file_stem().expect("a name").to_string_lossy().into_owned();
        let case = folder.join("tests/boards").join(&name);
        let text = fs::read_to_string(case.join("expected.yaml")).expect("a case of every board");
        let expected: Expected = serde_saphyr::from_str(&text).expect("an expected.yaml");
        let answer =
            fs::read(case.join("answer.json")).or_else(|_| fs::read(case.join("answer.xml")));
        judge(&name, &expected, &answer.expect("an answer"));
        seen += 1;
    }
    assert_eq!(seen, 8);
}

fn judge(name: &str, expected: &Expected, answer: &[u8]) {
    let url = Url::parse(&expected.url).expect("an address");
    let boards = Boards::built_in();
    let on = boards.find(&url).unwrap_or_else(|| panic!("{name}: {url} is on no board"));
    assert_eq!(on.read.as_str(), expected.read, "{name}");
    let posted = on.posted(answer).unwrap_or_else(|why| panic!("{name}: {why}"));
    let posted = posted.unwrap_or_else(|| panic!("{name}: no posting"));
    for (member, value) in &expected.job {
        assert_eq!(posted.job[member], *value, "{name}: {member}");
    }
    for (member, value) in &expected.location {
        assert_eq!(posted.job["location"][member], *value, "{name}: location.{member}");
    }
    assert_eq!(posted.page.map(|page| page.to_string()), expected.page, "{name}");
    let Some((form, sheet)) = posted.form else {
        assert!(expected.questions.is_empty(), "{name}");
        return;
    };
    let sent = sheet.submission(&form, &[]).expect("a form that can be sent");
    assert_eq!(Some(sent.url.to_string()), expected.target, "{name}");
    let body = String::from_utf8_lossy(&sent.body);
    for part in &expected.sent {
        assert!(body.contains(part), "{name}: {part:?} in {body}");
    }
    assert_eq!(form.questions().len(), expected.questions.len(), "{name}: {form:?}");
    for (one, asked) in form.questions().iter().zip(&expected.questions) {
        let found = (one.label.as_str(), one.kind, one.required, one.subject.as_deref());
        assert_eq!(
            found,
            (asked.label.as_str(), asked.kind, asked.required, asked.is.as_deref()),
            "{name}"
        );
        let part = format!("name=\"{}\"", asked.name);
        let shown = body.contains(&part) || matches!(one.kind, Kind::Boolean | Kind::MultiSelect);
        assert!(shown, "{name}: {part} in {body}");
    }
}

#[test]
fn a_posting_that_is_gone_is_known() {
    let boards = Boards::built_in();
    for (url, answer) in [
        ("https://jobs.ashbyhq.com/example/a1", r#"{"jobs":[]}"#),
        ("https://acme.recruitee.com/o/x", r#"{"offers":[]}"#),
        ("https://boards.greenhouse.io/x/jobs/1", r#"{"status":404,"error":"Job not found"}"#),
        ("https://acme.jobs.personio.de/job/9", "<workzag-jobs></workzag-jobs>"),
    ] {
        let url = Url::parse(url).expect("an address");
        let on = boards.find(&url).expect("a known board");
        assert!(on.posted(answer.as_bytes()).expect("an answer").is_none(), "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_board_is_said() {
    let wrong =
        Boards::read(&[("x", "sources: [a]\npostings: []\nread: a\nposting: '.['\njob: .\n")]);
    assert!(wrong.expect_err("no jq").contains("`posting`"));
    let wrong = Boards::read(&[("x", "sources: []\npostings: []\nread: a\nposting: .\njob: .\n")]);
    assert!(wrong.expect_err("no source").contains("`sources`"));
}
