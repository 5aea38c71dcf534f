//! Files and overlays: what is read, and what is said about mistakes.

use cadre_map::{Context, Mapping, Overlay};
use serde_json::{Value, json};

fn problems(file: &str, yaml: &str) -> Vec<String> {
    match Mapping::parse(file, yaml) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[track_caller]
fn wrong(yaml: &str, expected: &[&str]) {
    let found = problems("map/hris_employees.yaml", yaml);
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.contains(expected), "{found} has no {expected}");
    }
}

const HEAD: &str = "from: people\nremote_id: .id\nfields:\n";

#[test]
fn mistakes_are_named_with_line_and_hint() {
    wrong(
        &format!("{HEAD}  frist_name: .a\n"),
        &[
            "hris_employees.yaml:4: unknown field of hris_employees `frist_name` (did you mean `first_name`?)",
        ],
    );
    wrong(&format!("{HEAD}  first_name: .a |\n"), &[":4: `first_name`: the expression ends"]);
    wrong(
        &format!("{HEAD}  first_name: .a\n  last_name: nope(.b)\n"),
        &[":5: `last_name`: unknown function `nope/1`, at `nope(.b)`"],
    );
    wrong(
        &format!("{HEAD}  first_name: |\n    .a\n    | nope\n"),
        &[":6: `first_name`: unknown function `nope/0`"],
    );
    wrong(
        &format!("{HEAD}  first_name: $secrets.key\n"),
        &["`$secrets` means nothing in a mapping (offered here: $settings"],
    );
    wrong(&format!("{HEAD}  first_name: $foo\n"), &["unknown variable `$foo`"]);
    wrong(&format!("{HEAD}  first_name:\n"), &["`first_name` has no value"]);
    wrong(
        &format!("{HEAD}  first_name: {{valeu: .a}}\n"),
        &["did you mean `value`?", "has no `value`"],
    );
    wrong(&format!("{HEAD}  first_name: {{none: why, value: .a}}\n"), &["`none` and more"]);
    wrong(
        &format!(
            "{HEAD}  employment_status:\n    value: .s\n    enum:\n      a: ACTIVE\n      b: ACTIV\n"
        ),
        &[":8: `ACTIV` is no value of `employment_status` (did you mean `ACTIVE`?)"],
    );
    wrong(
        &format!("{HEAD}  employment_status: {{value: .s, enum: {{a: ACTIVE, A: LEAVE}}}}\n"),
        &["`A` is there twice"],
    );
    wrong(&format!("{HEAD}  groups: {{value: .s, enum: {{a: b}}}}\n"), &["`groups` are links"]);
    wrong(&format!("{HEAD}  first_name: {{value: .s, format: '%d'}}\n"), &["holds no date"]);
    wrong(
        &format!("{HEAD}  start_date: {{value: .s, format: 'dd.mm.yyyy'}}\n"),
        &["no date format"],
    );
    wrong(&format!("zone: Mars\n{HEAD}  start_date: .s\n"), &[":1: unknown zone `Mars`"]);
    for zone in ["{}", "{jq: '.zone ['}", "$settings.zone"] {
        let found =
            problems("hris_employees.yaml", &format!("zone: {zone}\n{HEAD}  start_date: .s\n"));
        assert_eq!(found.len(), 1, "{zone}: {found:?}");
    }
    wrong("from: people\nfields: {}\n", &["the key `remote_id` is missing"]);
    wrong(
        "form: people\nremote_id: .id\nfields: {}\n",
        &["did you mean `from`?", "the key `from` is missing"],
    );
    wrong("just text\n", &["a table is expected"]);
    wrong("[]\n", &["holds no table"]);
    wrong("from: [\n", &["not valid YAML"]);
    wrong(&format!("{HEAD}  first_name: .a: b\n"), &["not valid YAML"]);
    let found = problems("map/hris_absences.yaml", HEAD.trim_end_matches("fields:\n"));
    assert!(found[0].contains("`fields` is missing"), "{found:?}");
    let found = problems("map/hris_absences.yaml", &format!("{HEAD}  amount: .a\n"));
    assert!(found[0].contains("`employee_id` is missing"), "{found:?}");
    let found = problems("map/hris_employee.yaml", HEAD);
    assert!(found[0].contains("did you mean `hris_employees`?"), "{found:?}");
}

#[test]
fn coverage_is_read_off_the_file() {
    let yaml = format!("{HEAD}  first_name: .a\n  ethnicity: {{none: not held}}\n  groups: [.a]\n");
    let mapping = Mapping::parse("hris_employees.yaml", &yaml).expect("parses");
    assert_eq!(mapping.model().id, "hris_employees");
    assert_eq!(mapping.streams().collect::<Vec<_>>(), ["people"]);
    assert_eq!(mapping.offered_fields().into_iter().collect::<Vec<_>>(), ["first_name", "groups"]);
    assert_eq!(mapping.missing_fields(), [("ethnicity", "not held")]);
}

fn employee(mapping: &Mapping, raw: &Value) -> (String, Value) {
    let null = Value::Null;
    let context = Context { settings: &null, parent: None, lookup: &null, now: &null };
    let mut outcome = mapping.apply("people", raw, &context);
    let record = outcome.records.swap_remove(0);
    assert_eq!(record.issues, []);
    (record.remote_id, Value::Object(record.fields.into_map()))
}

#[test]
fn an_overlay_goes_over_field_by_field() {
    let yaml =
        format!("{HEAD}  first_name: .first\n  last_name: .last\n  job_title: {{none: unknown}}\n");
    let mapping = Mapping::parse("hris_employees.yaml", &yaml).expect("parses");
    let overlay = Overlay::parse(&json!({"hris_employees": {
        "remote_id": {"column": "Personal-\"Nr\" \\(x)"},
        "first_name": {"column": "Vorname"},
        "last_name": null,
        "start_date": {"column": "Eintritt", "format": "%d.%m.%Y"},
        "employment_status": {"column": "Status", "enum": {"aktiv": "ACTIVE"}},
        "job_title": {"jq": ".Title // .Position"},
    }}))
    .expect("parses");
    let raw = json!({"Personal-\"Nr\" \\(x)": 12.0, "Vorname": "Ann", "last": "Lee", "Eintritt": "31.01.2020",
        "Position": "Nurse", "Status": "Aktiv"});
    let (id, fields) = employee(&mapping.with(&overlay), &raw);
    assert_eq!(id, "12");
    assert_eq!(
        fields,
        json!({"first_name": "Ann", "job_title": "Nurse",
        "start_date": "2020-01-31T00:00:00.000Z", "employment_status": "ACTIVE"})
    );
    assert_eq!(mapping.with(&overlay).offered_fields().len(), 4);
    let none = Overlay::parse(&Value::Null).expect("parses");
    assert_eq!(
        employee(&mapping.with(&none), &json!({"id": 1, "first": "A"})).1,
        json!({"first_name": "A"})
    );
}

#[test]
fn mistakes_of_an_overlay() {
    for (mapping, expected) in [
        (json!([]), "an object by model is expected"),
        (json!({"hris_employes": {}}), "did you mean `hris_employees`?"),
        (json!({"hris_employees": []}), "an object by field"),
        (json!({"hris_employees": {"firstname": {"column": "a"}}}), "did you mean `first_name`?"),
        (json!({"hris_employees": {"first_name": "a"}}), "is an object"),
        (json!({"hris_employees": {"first_name": {}}}), "one of `column`, `path` and `jq`"),
        (
            json!({"hris_employees": {"first_name": {"column": "a", "jq": ".a"}}}),
            "one of `column`, `path` and `jq`",
        ),
        (
            json!({"hris_employees": {"first_name": {"colum": "a", "jq": ".a"}}}),
            "did you mean `column`?",
        ),
        (json!({"hris_employees": {"first_name": {"jq": ".a |"}}}), "the expression ends"),
        (
            json!({"hris_employees": {"start_date": {"column": "a", "format": "x"}}}),
            "no date format",
        ),
        (
            json!({"hris_employees": {"gender": {"column": "a", "enum": {"m": "MAN"}}}}),
            "is no value of `gender`",
        ),
    ] {
        let problems = Overlay::parse(&mapping).expect_err("wrong");
        let words: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(words.iter().any(|word| word.contains(expected)), "{mapping}: {words:?}");
    }
}
