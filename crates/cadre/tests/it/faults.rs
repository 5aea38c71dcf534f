//! A sync of a tool that misbehaves: no record is lost, none is mixed up with another, and the run says why.

use serde_json::{Value, json};

use super::process::{Caller, Installation, Server};
use super::sandbox::Tools;

pub const EMPLOYEES: &str = "/v1/hris/employees";

pub struct Synced {
    pub installation: Installation,
    pub tools: Tools,
    pub server: Server,
    pub caller: Caller,
    pub integration: String,
}

/// Tools that were synced once; the server does no syncs of its own.
pub fn synced(employees: usize) -> Synced {
    let installation = Installation::new(&[("CADRE_CONCURRENT_SYNCS", "0")]);
    let tools = Tools::start(employees);
    let integration = installation.link("sandboxhris", &tools.form(), &[]);
    let words = installation.sync(&integration);
    assert!(words.contains("SUCCEEDED"), "{words}");
    let server = installation.serve();
    let caller = Caller::new(&server.url, &installation.key());
    Synced { installation, tools, server, caller, integration }
}

impl Synced {
    pub fn employees(&self) -> Vec<Value> {
        self.caller.list(EMPLOYEES, &self.integration, 250)
    }

    pub fn sync(&self) -> String {
        self.installation.sync(&self.integration)
    }

    pub fn find(&self, remote_id: &str) -> Vec<Value> {
        self.caller.list(&format!("{EMPLOYEES}?remote_ids={remote_id}"), &self.integration, 10)
    }

    /// Every deleted record, by remote id.
    pub fn deleted(&self) -> Vec<String> {
        let all =
            self.caller.list(&format!("{EMPLOYEES}?include_deleted=true"), &self.integration, 250);
        let gone = all.iter().filter(|record| !record["remote_deleted_at"].is_null());
        gone.map(|record| record["remote_id"].as_str().expect("an id").to_owned()).collect()
    }
}

#[test]
fn a_page_that_fails_for_good_deletes_nothing() {
    let synced = synced(150);
    let before = synced.employees();
    assert_eq!(before.len(), 150);
    for (fault, words) in [
        ("invalid_json", &["employees", "JSON"][..]),
        ("duplicate_page", &["employees", "repeats"]),
        ("html", &["employees"]),
        ("empty_page", &["employees"]),
    ] {
        synced.tools.fail("/hris/v1/employees", "page=2", 0, fault);
        let said = synced.sync();
        // A list that is shorter than its total may be one that shrank meanwhile: no failure, but no deletions.
        assert!(fault == "empty_page" || !said.contains("SUCCEEDED"), "{fault}: {said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{fault}: {said}"));
        assert_eq!(synced.employees(), before, "{fault}");
        synced.tools.heal();
    }
    // A connection that breaks once is asked again.
    synced.tools.fail("/hris/v1/employees", "page=2", 1, "cut_body");
    synced.tools.fail("/hris/v1/departments", "", 1, "drop_connection");
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    assert_eq!(synced.employees(), before);
    let runs = synced.installation.run(&["integration", "runs", &synced.integration]);
    assert_eq!(runs.lines().count(), 6, "{runs}");
}

/// A record without what it shows of the manager, who is a record of its own.
fn own(record: &Value) -> Value {
    let mut own = record.clone();
    own.as_object_mut().expect("a record").remove("manager");
    own
}

#[test]
fn values_that_do_not_fit_are_issues() {
    let synced = synced(30);
    let before = synced.employees();
    let id = |at: usize| before[at]["remote_id"].as_str().expect("an id").to_owned();
    let large = "x".repeat(1 << 20);
    let set = |id: &str, patch: Value| json!({"op": "set", "tool": "hris", "table": "employees", "id": id, "patch": patch});
    synced.tools.change(&json!([
        set(&id(0), json!({"personal": {"gender": "unheard_of"}, "position_title": "New"})),
        set(&id(1), json!({"name": {"display": large}})),
        set(&id(2), json!({"employment": {"hired_on": "31.02.2024", "weekly_hours": "many"}})),
        set(&id(3), json!({"bank_accounts": [], "contact": {"work_email": "nobody at all"}})),
    ]));
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    let issues = synced.installation.issues(&synced.integration);
    for (at, word) in [(0, "unheard_of"), (2, "31.02.2024"), (3, "nobody at all")] {
        let line = issues.lines().find(|line| line.contains(word));
        let line = line.unwrap_or_else(|| panic!("no issue about {word}:\n{issues}"));
        assert!(line.contains(&id(at)), "{line}");
    }
    assert!(issues.len() < 20_000, "a large value is shortened in issues");
    let changed = synced.find(&id(0));
    assert_eq!(changed[0]["job_title"], "New", "the rest of the record is there");
    assert_eq!(synced.find(&id(1))[0]["display_full_name"].as_str().map(str::len), Some(1 << 20));
    assert_eq!(synced.find(&id(2))[0]["start_date"], Value::Null);
    // Nobody else changed but in what they show of a manager who did, and nobody is gone.
    let after = synced.employees();
    assert_eq!(after.len(), before.len());
    for record in before.iter().skip(4) {
        let now = synced.find(record["remote_id"].as_str().expect("an id"));
        assert_eq!(now.iter().map(own).collect::<Vec<_>>(), [own(record)]);
    }
}

#[test]
fn two_records_of_one_id_are_an_issue() {
    let synced = synced(30);
    let before = synced.employees();
    let id = |at: usize| before[at]["remote_id"].as_str().expect("an id");
    let number: u64 = id(0).parse().expect("a number");
    synced.tools.change(&json!({
        "op": "set", "tool": "hris", "table": "employees", "id": id(1),
        "patch": {"id": number, "position_title": "The other"},
    }));
    synced.sync();
    let issues = synced.installation.issues(&synced.integration);
    assert!(issues.contains("duplicate_remote_id") && issues.contains(id(0)), "{issues}");
    assert_eq!(synced.find(id(0)).len(), 1);
    // Nobody else is touched; whoever had the one that is gone as manager shows that.
    for record in before.iter().skip(2) {
        let now = synced.find(record["remote_id"].as_str().expect("an id"));
        assert_eq!(now.iter().map(own).collect::<Vec<_>>(), [own(record)]);
    }
}

#[test]
fn deletions_need_a_complete_pass_and_belief() {
    let synced = synced(60);
    let before = synced.employees();
    let id = |at: usize| before[at]["remote_id"].as_str().expect("an id").to_owned();
    let delete =
        |at: usize| json!({"op": "delete", "tool": "hris", "table": "employees", "id": id(at)});
    synced.tools.change(&json!([delete(0), delete(1), delete(2)]));
    synced.tools.fail("/hris/v1/employees", "page=1", 0, "invalid_json");
    let said = synced.sync();
    assert!(!said.contains("SUCCEEDED"), "{said}");
    assert_eq!(synced.deleted(), Vec::<String>::new(), "a failed pass deletes nothing");
    synced.tools.heal();
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    let mut gone = synced.deleted();
    gone.sort();
    let mut expected = vec![id(0), id(1), id(2)];
    expected.sort();
    assert_eq!(gone, expected, "a complete pass marks exactly what is gone");

    let most: Vec<Value> = (3..45).map(delete).collect();
    synced.tools.change(&json!(most));
    let said = synced.sync();
    for word in ["PARTIALLY_FAILED", "hris_employees", "accept-drop", &synced.integration] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert_eq!(synced.deleted().len(), 3, "too many at once were kept");
    synced.installation.run(&["integration", "accept-drop", &synced.integration]);
    let said = synced.sync();
    assert!(said.contains("SUCCEEDED"), "{said}");
    assert_eq!((synced.deleted().len(), synced.employees().len()), (45, 15));
    assert!(!synced.server.log().contains("ERROR"), "{}", synced.server.log());
}
