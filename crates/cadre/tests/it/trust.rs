//! Whether the mirror can be trusted: what is proved, what is only suspected, what is kept.

use serde_json::{Value, json};

use super::faults::{EMPLOYEES, Synced, synced};
use super::process::{Caller, Installation};
use super::sandbox::Tools;

impl Synced {
    fn command(&self, words: &[&str]) -> String {
        let mut arguments = vec!["integration", words[0], &self.integration];
        arguments.extend(&words[1..]);
        self.installation.run(&arguments)
    }

    fn receipt(&self) -> Value {
        serde_json::from_str(&self.command(&["receipt"])).expect("JSON")
    }

    fn set(&self, id: &str, patch: &Value) {
        self.tools.change(&json!([set(id, patch)]));
    }
}

fn set(id: &str, patch: &Value) -> Value {
    json!({"op": "set", "tool": "hris", "table": "employees", "id": id, "patch": patch})
}

fn ids(records: &[Value]) -> Vec<String> {
    let id = |record: &Value| record["remote_id"].as_str().expect("an id").to_owned();
    records.iter().map(id).collect()
}

#[test]
fn a_receipt_says_what_was_proved() {
    let synced = synced(60);
    let first = synced.receipt();
    let model = &first["models"]["hris_employees"];
    assert_eq!(model["proof"], "complete");
    assert_eq!((model["stored"].as_u64(), model["came"].as_u64()), (Some(60), Some(60)));
    assert_eq!(model["filled"]["last_name"], 60);
    synced.sync();
    let second = synced.receipt();
    assert_eq!(second["models"]["hris_employees"]["hash"], model["hash"], "nothing changed");
    assert_ne!(second["from"], first["from"]);
    let id = &ids(&synced.employees())[0];
    synced.set(id, &json!({"position_title": "Chief"}));
    synced.sync();
    assert_ne!(synced.receipt()["models"]["hris_employees"]["hash"], model["hash"]);
}

#[test]
fn a_delta_reads_what_changed_and_deletes_only_what_the_tool_says_is_deleted() {
    let synced = synced(60);
    let all = ids(&synced.employees());
    synced.set(&all[0], &json!({"position_title": "Changed"}));
    synced.tools.change(&json!([
        {"op": "delete", "tool": "hris", "table": "employees", "id": all[1]},
        {"op": "archive", "tool": "hris", "table": "employees", "id": all[2]},
    ]));
    let said = synced.command(&["sync", "--delta"]);
    assert!(said.contains("SUCCEEDED"), "{said}");
    assert_eq!(synced.find(&all[0])[0]["job_title"], "Changed");
    assert_eq!(synced.deleted(), [all[2].clone()], "only the one that the tool named");
    assert_eq!(synced.receipt()["models"]["hris_employees"]["proof"], "changes_only");
    synced.sync();
    let mut gone = synced.deleted();
    gone.sort();
    let mut expected = vec![all[1].clone(), all[2].clone()];
    expected.sort();
    assert_eq!(gone, expected, "a full pass finds the other one");
    // A force-sync asks for the same.
    let body = json!({"type": "DELTA"});
    let (status, _, answer) =
        synced.caller.send("POST", "/v1/force-sync", Some(&synced.integration), Some(&body));
    assert_eq!((status, answer["data"]["type"].as_str()), (200, Some("DELTA")), "{answer}");
    assert!(synced.command(&["cancel-sync"]).contains("ends at its next page"));
    synced.sync();
    assert!(synced.command(&["runs"]).contains("CANCELLED"));
}

#[test]
fn what_is_not_proved_is_suspect() {
    let synced = synced(200);
    let absences = || synced.caller.list("/v1/hris/absences", &synced.integration, 250);
    let before = absences();
    assert!(before.len() > 100, "the absences have several pages: {}", before.len());
    synced.tools.fail("/hris/v1/absences", "page=2", 0, "empty_page");
    let said = synced.sync();
    assert!(said.contains("PARTIALLY_FAILED") && said.contains("said that there are"), "{said}");
    assert_eq!(absences().len(), before.len(), "nothing is deleted");
    let model = &synced.receipt()["models"]["hris_absences"];
    assert_eq!(model["proof"], "not_whole");
    let missed = model["suspect"].as_u64().expect("a number");
    assert!(missed > 0);
    assert!(synced.command(&["suspects"]).ends_with(&format!("{missed} suspects\n")));
    synced.tools.heal();
    synced.sync();
    assert!(synced.command(&["suspects"]).ends_with("0 suspects\n"));
    assert_eq!(synced.receipt()["models"]["hris_absences"]["proof"], "complete");
}

#[test]
fn a_drop_may_be_rejected() {
    let synced = synced(60);
    let all = ids(&synced.employees());
    let gone =
        |id: &String| json!({"op": "delete", "tool": "hris", "table": "employees", "id": id});
    synced.tools.change(&Value::Array(all[..40].iter().map(gone).collect()));
    let said = synced.sync();
    assert!(said.contains("reject-drop"), "{said}");
    assert!(synced.command(&["issues"]).contains("integration.drop_held hris_employees"));
    assert!(synced.command(&["reject-drop"]).contains("hris_employees"));
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "the question is not asked again: {said}");
    assert_eq!(synced.employees().len(), 60);
    let suspects = synced.command(&["suspects"]);
    assert!(suspects.matches("hris_employees").count() == 40, "{suspects}");
}

#[test]
fn a_field_that_falls_keeps_its_values() {
    let synced = synced(60);
    let before = synced.employees();
    let filled = |records: &[Value], name: &str| {
        records.iter().filter(|record| !record[name].is_null()).count()
    };
    let emails = filled(&before, "work_email");
    assert!(emails > 40, "{emails}");
    let without = |id: &String| set(id, &json!({"contact": {"work_email": null}}));
    synced.tools.change(&Value::Array(ids(&before).iter().map(without).collect()));
    let said = synced.sync();
    assert!(
        said.contains("PARTIALLY_FAILED") && said.contains("hris_employees.work_email"),
        "{said}"
    );
    assert_eq!(filled(&synced.employees(), "work_email"), emails, "the old values were kept");
    let issues = synced.command(&["issues"]);
    let line = issues.lines().find(|line| line.contains("integration.field_degraded"));
    let line = line.unwrap_or_else(|| panic!("no issue: {issues}"));
    assert!(line.contains("a permission was lost"), "{line}");
    // It stays so until a person says that it is right.
    synced.sync();
    assert_eq!(filled(&synced.employees(), "work_email"), emails);
    let id = line.split_whitespace().next().expect("an id");
    synced.command(&["accept-issue", id]);
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    assert_eq!(filled(&synced.employees(), "work_email"), 0);
    assert!(!synced.command(&["issues"]).contains("field_degraded"));
}

#[test]
fn another_way_to_write_days_does_not_empty_a_field() {
    let synced = synced(60);
    let before = synced.employees();
    let hired = |records: &[Value]| -> Vec<(Value, Value)> {
        let pair = |record: &Value| (record["remote_id"].clone(), record["start_date"].clone());
        records.iter().filter(|record| !record["start_date"].is_null()).map(pair).collect()
    };
    assert!(hired(&before).len() > 40);
    let rewritten = |(id, _): &(Value, Value)| {
        set(id.as_str().expect("an id"), &json!({"employment": {"hired_on": "first of May"}}))
    };
    synced.tools.change(&Value::Array(hired(&before).iter().map(rewritten).collect()));
    let said = synced.sync();
    assert!(said.contains("hris_employees.start_date"), "{said}");
    assert_eq!(hired(&synced.employees()), hired(&before));
    let issues = synced.command(&["issues"]);
    assert!(issues.contains("does not fit (invalid_date: first of May)"), "{issues}");
    // The tool writes days as before: the issue is over by itself.
    let back = |(id, day): &(Value, Value)| {
        let day = day.as_str().expect("a day").get(..10).expect("a day");
        set(id.as_str().expect("an id"), &json!({"employment": {"hired_on": day}}))
    };
    synced.tools.change(&Value::Array(hired(&before).iter().map(back).collect()));
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    assert!(!synced.command(&["issues"]).contains("field_degraded"));
}

#[test]
fn reads_say_how_fresh_they_are() {
    let synced = synced(10);
    let (status, headers, _) =
        synced.caller.send("GET", EMPLOYEES, Some(&synced.integration), None);
    assert_eq!(status, 200);
    let at =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (read, changed) = (at("x-cadre-synced-at"), at("x-cadre-changed-at"));
    assert!(read.is_some() && changed.is_some(), "{headers:?}");
    synced.sync();
    let (_, headers, _) = synced.caller.send("GET", EMPLOYEES, Some(&synced.integration), None);
    let at =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    assert!(at("x-cadre-synced-at") > read, "it was read again");
    assert_eq!(at("x-cadre-changed-at"), changed, "nothing changed");
}

#[test]
fn a_first_sync_that_looks_wrong_waits_for_a_person() {
    let installation = Installation::new(&[("CADRE_CONCURRENT_SYNCS", "0")]);
    let tools = Tools::start(40);
    let integration = installation.link("sandboxhris", &tools.form(), &[]);
    tools.fail("/hris/v1/employees", "", 0, "forbid");
    installation.sync(&integration);
    let server = installation.serve();
    let caller = Caller::new(&server.url, &installation.key());
    let read = || caller.send("GET", EMPLOYEES, Some(&integration), None);
    let (status, _, body) = read();
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (503, Some("INTEGRATION.QA_FAILED")),
        "{body}"
    );
    let issues = installation.issues(&integration);
    assert!(issues.contains("0 records of hris_employees came"), "{issues}");
    // A person may say that it is right.
    installation.run(&["integration", "accept-quality", &integration]);
    assert_eq!(read().0, 200);

    // Or what was wrong is put right.
    let second = installation.link("sandboxhris", &tools.form(), &[]);
    installation.sync(&second);
    let read = || caller.send("GET", EMPLOYEES, Some(&second), None);
    assert_eq!(read().2["error"]["code"], "INTEGRATION.QA_FAILED");
    tools.heal();
    installation.sync(&second);
    assert_eq!(read().0, 200);
    assert!(!installation.issues(&second).contains("quality_failed"));
}

#[test]
fn what_a_first_sync_must_show_is_configured() {
    let installation = Installation::new(&[
        ("CADRE_CONCURRENT_SYNCS", "0"),
        ("CADRE_QUALITY__LEAST_RECORDS", "{hris_employees=41}"),
    ]);
    let tools = Tools::start(40);
    let integration = installation.link("sandboxhris", &tools.form(), &[]);
    installation.sync(&integration);
    let issues = installation.issues(&integration);
    let words = "40 records of hris_employees came; at least 41 are expected";
    assert!(issues.contains(words), "{issues}");
}
