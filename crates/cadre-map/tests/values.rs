//! Reading values by type, and what comes of those that do not fit.

use cadre_map::{Context, Mapping, Outcome};
use cadre_model::mapped::Issue;
use serde_json::{Value, json};

static NULL: Value = Value::Null;

fn map_with(file: &str, yaml: &str, raw: &Value, settings: &Value) -> Outcome {
    let mapping = Mapping::parse(file, yaml).unwrap_or_else(|problems| {
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", words.join("\n"))
    });
    let lookup = json!({"departments": {"7": {"name": "Sales"}}});
    let now = json!("2026-01-15T00:00:00Z");
    let parent = json!({"id": 99});
    let context = Context { settings, parent: Some(&parent), lookup: &lookup, now: &now };
    mapping.apply("s", raw, &context)
}

fn map(model: &str, fields: &str, raw: &Value) -> Outcome {
    let yaml = format!("from: s\nremote_id: .id // \"1\"\nfields:\n  {fields}\n");
    map_with(&format!("map/{model}.yaml"), &yaml, raw, &NULL)
}

/// `path problem` of every issue.
fn words(issues: &[Issue]) -> Vec<String> {
    let word =
        |issue: &Issue| format!("{} {}", issue.field.as_deref().unwrap_or("-"), issue.problem);
    issues.iter().map(word).collect()
}

/// One field of an employee: the value and the issues that come of it.
#[track_caller]
fn check(line: &str, raw: Value, expected: Value, issues: &[&str]) {
    field("hris_employees", line, raw, expected, issues);
}

#[track_caller]
fn field(model: &str, line: &str, raw: Value, expected: Value, issues: &[&str]) {
    let outcome = map(model, line, &json!({"v": raw}));
    assert_eq!(words(&outcome.issues), [""; 0], "{line} on {raw}");
    let record = outcome.records.first().expect("a record");
    let name = line.split(':').next().expect("a name");
    let got = record.fields.get(name).unwrap_or(&Value::Null);
    assert_eq!(got, &expected, "{line} on {raw}");
    assert_eq!(words(&record.issues), issues, "{line} on {raw}");
}

#[test]
fn texts() {
    check("first_name: .v", json!("Ann"), json!("Ann"), &[]);
    check("first_name: .v", json!(" "), json!(null), &[]);
    check("first_name: .v", json!(12), json!("12"), &[]);
    check("first_name: .v", json!(12.0), json!("12"), &[]);
    check("first_name: .v", json!(12.5), json!("12.5"), &[]);
    check("first_name: .v", json!(true), json!("true"), &[]);
    check("first_name: .v", json!(["a"]), json!(null), &["first_name wrong_type"]);
    check("first_name: .v", json!({"a": 1}), json!(null), &["first_name wrong_type"]);
    check("first_name: .v", json!("a\u{0}b"), json!(null), &["first_name invalid_text"]);
    let long = "x".repeat(1_000_000);
    check("first_name: .v", json!(long), json!(long), &[]);
}

#[test]
fn numbers() {
    check("weekly_hours: .v", json!(38.5), json!(38.5), &[]);
    check("weekly_hours: .v", json!("38.5"), json!(38.5), &[]);
    check("weekly_hours: .v", json!(" 40 "), json!(40), &[]);
    check("weekly_hours: .v", json!(""), json!(null), &[]);
    for wrong in [
        json!("1,234.50"),
        json!("38,5"),
        json!("40 h"),
        json!("NaN"),
        json!("inf"),
        json!("."),
        json!("1e999"),
        json!(true),
        json!([]),
    ] {
        check("weekly_hours: .v", wrong, json!(null), &["weekly_hours wrong_type"]);
    }
    let links = "stages: '[{remote_id: 1, index: .v}]'";
    for (raw, expected) in [
        (json!(3), json!(3)),
        (json!(3.0), json!(3)),
        (json!("3"), json!(3)),
        (json!("3.0"), json!(3)),
    ] {
        let outcome = map("ats_jobs", links, &json!({"v": raw}));
        let (_, links) = &outcome.records[0].links[0];
        assert_eq!(links[0].attributes["index"], expected);
    }
    let outcome = map("ats_jobs", links, &json!({"v": 3.5}));
    assert_eq!(words(&outcome.records[0].issues), ["stages[0].index wrong_type"]);
}

#[test]
fn booleans() {
    for (raw, expected) in
        [("true", true), ("Yes", true), ("1", true), ("no", false), ("0", false), ("OFF", false)]
    {
        field("ats_jobs", "confidential: .v", json!(raw), json!(expected), &[]);
    }
    field("ats_jobs", "confidential: .v", json!(1), json!(true), &[]);
    field(
        "ats_jobs",
        "confidential: .v",
        json!("maybe"),
        json!(null),
        &["confidential wrong_type"],
    );
    field(
        "ats_jobs",
        "confidential: {value: .v, enum: {ja: true, nein: false}}",
        json!("Nein"),
        json!(false),
        &[],
    );
}

#[test]
fn dates() {
    check("date_of_birth: .v", json!("1990-02-28"), json!("1990-02-28T00:00:00.000Z"), &[]);
    check(
        "date_of_birth: .v",
        json!("1990-02-28T23:00:00+02:00"),
        json!("1990-02-28T00:00:00.000Z"),
        &[],
    );
    check(
        "date_of_birth: {value: .v, format: \"%d.%m.%Y\"}",
        json!("28.02.1990"),
        json!("1990-02-28T00:00:00.000Z"),
        &[],
    );
    check(
        "date_of_birth: {value: .v, format: \"%Y%m%d\"}",
        json!(19900228),
        json!("1990-02-28T00:00:00.000Z"),
        &[],
    );
    for wrong in [
        json!("28.02.1990"),
        json!("1990-02-30"),
        json!(33000),
        json!("soon"),
        json!({}),
        json!("0001-01-01"),
    ] {
        check("date_of_birth: .v", wrong, json!(null), &["date_of_birth invalid_date"]);
    }
    check(
        "remote_created_at: .v",
        json!("2026-01-31T08:15:00+01:00"),
        json!("2026-01-31T07:15:00.000Z"),
        &[],
    );
    check(
        "remote_created_at: {value: .v, zone: Europe/Berlin}",
        json!("2026-07-31 08:15"),
        json!("2026-07-31T06:15:00.000Z"),
        &[],
    );
    let told = "remote_created_at: {value: .v.at, zone: {jq: .v.zone}}";
    let at = |zone: Value| json!({"at": "2026-07-31 08:15", "zone": zone});
    check(told, at(json!("Asia/Tokyo")), json!("2026-07-30T23:15:00.000Z"), &[]);
    check(told, at(json!("-03:00")), json!("2026-07-31T11:15:00.000Z"), &[]);
    for unsaid in [json!(null), json!(" ")] {
        check(told, at(unsaid), json!("2026-07-31T08:15:00.000Z"), &[]);
    }
    for wrong in [json!("Nowhere"), json!(2), json!(["UTC"])] {
        check(told, at(wrong), json!(null), &["remote_created_at invalid_zone"]);
    }
    check("remote_created_at: .v", json!(1_767_225_600), json!("2026-01-01T00:00:00.000Z"), &[]);
    check(
        "remote_created_at: .v",
        json!(1_767_225_600_123_i64),
        json!("2026-01-01T00:00:00.123Z"),
        &[],
    );
    check("start_date: .v", json!("0000-00-00"), json!(null), &[]);
    check("remote_created_at: .v", json!("0000-00-00 00:00:00"), json!(null), &[]);
    check("remote_created_at: .v", json!(5), json!(null), &["remote_created_at invalid_date"]);
    let absence = |line: &str, raw: Value, expected: Value| {
        let outcome =
            map("hris_absences", &format!("employee_id: 1\n  {line}"), &json!({"v": raw}));
        let name = line.split(':').next().expect("a name");
        assert_eq!(outcome.records[0].fields[name], expected);
    };
    absence("start_date: .v", json!("2026-01-31T10:00:00Z"), json!("2026-01-31"));
    absence("start_time: .v", json!("8:30"), json!("08:30:00"));
}

#[test]
fn choices() {
    let line = "employment_status: {value: .v, enum: {Aktiv: ACTIVE, weg: null}}";
    check(line, json!("AKTIV"), json!("ACTIVE"), &[]);
    check(line, json!("active"), json!("ACTIVE"), &[]);
    check(line, json!("weg"), json!(null), &[]);
    check(line, json!("sabbatical"), json!("sabbatical"), &["employment_status unknown_value"]);
    check(line, json!(["a"]), json!(null), &["employment_status wrong_type"]);
    let job = |raw: Value| {
        let raw = json!({"v": raw});
        map("ats_job_postings", "job_id: 1\n  status: .v", &raw).records.swap_remove(0)
    };
    assert_eq!(job(json!("Draft")).fields["status"], json!("DRAFT"));
    let closed = job(json!("secret"));
    assert_eq!(closed.fields.get("status"), None);
    assert_eq!(words(&closed.issues), ["status unknown_value"]);
}

#[test]
fn addresses_and_codes() {
    check("work_email: .v", json!(" Ann.O'Lee@Example.COM "), json!("Ann.O'Lee@example.com"), &[]);
    for wrong in [
        "ann",
        "ann@",
        "@example.com",
        "a b@example.com",
        "ann@example",
        "ann@-x.com",
        "a@b@c.com",
        ".a@b.de",
        "Ann <a@b.de>",
    ] {
        check("work_email: .v", json!(wrong), json!(null), &["work_email invalid_email"]);
    }
    field(
        "ats_jobs",
        "remote_url: .v",
        json!("https://example.com/a?b=c"),
        json!("https://example.com/a?b=c"),
        &[],
    );
    for wrong in ["example.com", "/jobs/1", "javascript:alert(1)", "https://"] {
        field("ats_jobs", "remote_url: .v", json!(wrong), json!(null), &["remote_url invalid_url"]);
    }
    let encoded = json!("https://example.org/a%20b");
    field("ats_jobs", "remote_url: .v", json!("https://example.org/a b"), encoded, &[]);
    field("ats_jobs", "salary_currency: .v", json!("eur"), json!("EUR"), &[]);
    field(
        "ats_jobs",
        "salary_currency: .v",
        json!("Euro"),
        json!(null),
        &["salary_currency unknown_currency"],
    );
    let home = "home_address: '{country: .v, city: \"x\"}'";
    check(home, json!("Germany"), json!({"city": "x", "country": "DE"}), &[]);
    check(home, json!("AUT"), json!({"city": "x", "country": "AT"}), &[]);
    check(home, json!("Narnia"), json!({"city": "x"}), &["home_address.country unknown_country"]);
    // What is left of an object without its only part is nothing, not an object without parts.
    let home = "home_address: '{country: .v, city: null}'";
    check(home, json!("Narnia"), json!(null), &["home_address.country unknown_country"]);
}

#[test]
fn objects_lists_and_unions() {
    check("home_address: .v", json!({"city": null, "country": ""}), json!(null), &[]);
    check(
        "home_address: .v",
        json!({"town": "x", "city": "y"}),
        json!({"city": "y"}),
        &["home_address.town unknown_field"],
    );
    check("home_address: .v", json!("Street 1"), json!(null), &["home_address wrong_type"]);
    check(
        "bank_accounts: .v",
        json!([{"iban": 5}, null, {"iban": null}, {"iban": ["x"], "bic": "B"}]),
        json!([{"iban": "5"}, {"bic": "B"}]),
        &["bank_accounts[3].iban wrong_type"],
    );
    check(
        "bank_accounts: .v",
        json!([{"iban": ["x"]}]),
        json!([]),
        &["bank_accounts[0].iban wrong_type"],
    );
    check(
        "bank_accounts: .v[]",
        json!([{"iban": "a"}, {"iban": "b"}]),
        json!([{"iban": "a"}, {"iban": "b"}]),
        &[],
    );
    check(
        "bank_accounts: .v",
        json!([{"domestic_bank_routing": {"type": "US_ABA_ROUTING_TRANSIT_NUMBER"}, "iban": "x"}]),
        json!([{"iban": "x"}]),
        &["bank_accounts[0].domestic_bank_routing.number missing_required"],
    );
    let question = |raw: Value, expected: Value, issues: &[&str]| {
        field("ats_screening_questions", "format: .v", raw, expected, issues);
    };
    question(json!({"type": "text"}), json!({"type": "TEXT"}), &[]);
    question(json!({"type": "SLIDER"}), json!(null), &["format.type unknown_value"]);
    question(json!(7), json!(null), &["format wrong_type"]);
    let outcome = map(
        "ats_applications",
        "screening_question_answers: .v",
        &json!({"v": [
            {"question": {"title": "Visa?", "type": "BOOLEAN"}, "answer": {"checked": "yes"}},
            {"question": {"title": "Skills?", "type": "MULTI_SELECT"}, "answer": {"choices": ["a", 2]}},
            {"question": {"title": "Why?", "type": "TEXT"}, "answer": {"text": "because"}},
        ]}),
    );
    let record = &outcome.records[0];
    let answers = &record.fields["screening_question_answers"];
    assert_eq!(answers[0]["answer"], json!({"checked": true}));
    assert_eq!(answers[1]["answer"], json!({"choices": ["a", "2"]}));
    assert_eq!(answers[2]["answer"], json!({"content": null}));
    assert_eq!(words(&record.issues), ["screening_question_answers[2].answer.text unknown_field"]);
}

#[test]
fn references_and_links() {
    check("manager_id: .v", json!(7), json!("7"), &[]);
    check("manager_id: .v", json!(7.0), json!("7"), &[]);
    check("manager_id: .v", json!(false), json!(null), &["manager_id wrong_type"]);
    check("manager_id: .v", json!("x".repeat(600)), json!(null), &["manager_id invalid_id"]);
    let groups = |line: &str, raw: Value, expected: &[&str], issues: &[&str]| {
        let outcome = map("hris_employees", line, &raw);
        let record = &outcome.records[0];
        let links = record.links.first().map(|(_, links)| &links[..]).unwrap_or_default();
        let ids: Vec<&str> = links.iter().map(|link| link.remote_id.as_str()).collect();
        assert_eq!(ids, expected, "{line} on {raw}");
        assert_eq!(words(&record.issues), issues, "{line} on {raw}");
    };
    groups("groups: [.d, .t]", json!({"d": 4, "t": "t9"}), &["4", "t9"], &[]);
    groups("groups: [.d, .t]", json!({"d": 4}), &["4"], &[]);
    groups(
        "groups: .all",
        json!({"all": ["a", "a", "", null, {"remote_id": "b"}, {}, true]}),
        &["a", "b"],
        &["groups[5] missing_remote_id", "groups[6] wrong_type"],
    );
    groups("groups: .all[].id", json!({"all": [{"id": 1}, {"id": 2}]}), &["1", "2"], &[]);
    groups("groups: .d", json!({"d": "one"}), &["one"], &[]);
    let outcome = map(
        "ats_jobs",
        "hiring_team: .team",
        &json!({"team": [
            {"remote_id": 5, "hiring_team_roles": ["recruiter", "boss"], "job_roles": []},
        ]}),
    );
    let (name, links) = &outcome.records[0].links[0];
    assert_eq!((*name, links[0].remote_id.as_str()), ("hiring_team", "5"));
    assert_eq!(links[0].attributes["hiring_team_roles"], json!(["RECRUITER"]));
    assert_eq!(
        words(&outcome.records[0].issues),
        ["hiring_team[0].hiring_team_roles[1] unknown_value"]
    );
}

#[test]
fn records_that_cannot_be() {
    let file = "map/hris_absences.yaml";
    let yaml = "from: s\nwhen: .kind != \"skip\"\nremote_id: .id\nfields: {employee_id: .who, start_date: .day}\n";
    let run = |raw: Value| map_with(file, yaml, &raw, &NULL);
    assert_eq!(run(json!({"id": 1, "who": 2})).records.len(), 1);
    assert!(run(json!({"kind": "skip"})).records.is_empty());
    for (raw, expected) in [
        (json!({"who": 2}), vec!["remote_id missing_remote_id"]),
        (json!({"id": "  ", "who": 2}), vec!["remote_id missing_remote_id"]),
        (json!({"id": true, "who": 2}), vec!["remote_id wrong_type"]),
        (
            json!({"id": 1, "day": "x"}),
            vec!["start_date invalid_date", "employee_id missing_required"],
        ),
        (json!("text"), vec!["when expression_failed"]),
        (
            json!({"id": 1, "who": [1]}),
            vec!["employee_id wrong_type", "employee_id missing_required"],
        ),
    ] {
        let outcome = run(raw.clone());
        assert!(outcome.records.is_empty(), "{raw}");
        assert_eq!(words(&outcome.issues), expected, "{raw}");
    }
    let outcome = map("hris_employees", "first_name: .a.b", &json!({"a": "text"}));
    assert_eq!(words(&outcome.records[0].issues), ["first_name expression_failed"]);
    let outcome = map("hris_employees", "first_name: .a[]", &json!({"a": [1, 2]}));
    assert_eq!(words(&outcome.records[0].issues), ["first_name expression_failed"]);
}

#[test]
fn several_tables_and_each() {
    let yaml = r#"
- from: s
  each: .items[]
  remote_id: '"\($parent.id):\(.id)"'
  zone: {jq: $settings.zone}
  fields: {name: .name, type: "\"DEPARTMENT\""}
- from: other
  remote_id: .id
  fields: {name: .name}
"#;
    let raw = json!({"items": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]});
    let settings = json!({"zone": "Europe/Berlin"});
    let outcome = map_with("hris_teams.yaml", yaml, &raw, &settings);
    let ids: Vec<&str> = outcome.records.iter().map(|record| record.remote_id.as_str()).collect();
    assert_eq!(ids, ["99:1", "99:2"]);
    let wrong = map_with("hris_teams.yaml", yaml, &raw, &json!({"zone": "Nowhere"}));
    assert_eq!(words(&wrong.issues), ["zone invalid_zone", "zone invalid_zone"]);
}
