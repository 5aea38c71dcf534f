//! What callers may change.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Refused, enrolment, invalid, matches, no_record, rows};
use crate::twin::house::{House, is};

/// Answers a write; lists that a fresh site has none of are empty.
pub(super) fn run(
    house: &mut House,
    function: &str,
    form: &BTreeMap<String, String>,
) -> Result<Value, Refused> {
    let number = |name: &str| form.get(name).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Ok(match function {
        "core_user_create_users" => create_users(house, &rows(form, "users"))?,
        "core_user_update_users" => update_users(house, &rows(form, "users")),
        "core_user_delete_users" => {
            for (_, id) in form.iter().filter(|(key, _)| key.starts_with("userids[")) {
                if !house.delete("people", id) {
                    return Err(no_record("user"));
                }
            }
            Value::Null
        }
        "core_course_create_courses" => create_courses(house, &rows(form, "courses"))?,
        "core_course_update_courses" => {
            for one in rows(form, "courses") {
                let mut fields = json!({});
                for (theirs, ours) in
                    [("fullname", "name"), ("shortname", "code"), ("summary", "text")]
                {
                    if let Some(value) = one.get(theirs) {
                        fields[ours] = value.clone().into();
                    }
                }
                if let Some(visible) = one.get("visible") {
                    fields["visible"] = (visible == "1").into();
                }
                house.change("courses", one.get("id").cloned().unwrap_or_default(), fields);
            }
            json!({"warnings": []})
        }
        "core_course_delete_courses" => {
            for (_, id) in form.iter().filter(|(key, _)| key.starts_with("courseids[")) {
                house.delete("courses", id);
            }
            json!({"warnings": []})
        }
        "enrol_manual_enrol_users" => enrol(house, &rows(form, "enrolments"))?,
        "enrol_manual_unenrol_users" => {
            for one in rows(form, "enrolments") {
                let id =
                    |name: &str| one.get(name).and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
                let row = enrolment(house, id("userid"), id("courseid"));
                if let Ok(row) = row {
                    let id = row["id"].clone();
                    house.delete("enrolments", id);
                }
            }
            Value::Null
        }
        "core_completion_override_activity_completion_status" => {
            let course = number("cmid").saturating_sub(10_000);
            let row = enrolment(house, number("userid"), course)?;
            let (id, done) = (row["id"].clone(), number("newstate") == 1);
            let at = house.now().to_string();
            let patch =
                json!({"progress": if done { 100 } else { 0 }, "completed_at": done.then_some(at)});
            house.change("enrolments", id, patch);
            json!({"cmid": number("cmid"), "userid": number("userid"), "state": number("newstate"),
                "timecompleted": house.now().as_second(), "overrideby": 2, "tracking": 1})
        }
        _ => json!([]),
    })
}

fn create_users(house: &mut House, users: &[BTreeMap<String, String>]) -> Result<Value, Refused> {
    let field =
        |one: &BTreeMap<String, String>, name: &str| one.get(name).cloned().unwrap_or_default();
    // One transaction: nobody is made when one cannot be.
    for one in users {
        for name in ["username", "firstname", "lastname", "email"] {
            if field(one, name).is_empty() {
                return Err(invalid(&format!("Missing required key in single structure: {name}")));
            }
        }
        if field(one, "username") != field(one, "username").to_lowercase() {
            return Err(invalid("The username must be in lower case"));
        }
        if !one.contains_key("password") && field(one, "createpassword") != "1" {
            return Err(invalid(
                "Invalid password: you must provide a password, or set createpassword.",
            ));
        }
        let taken = |row: &Value| {
            matches(row, "email", &field(one, "email"))
                || matches(row, "username", &field(one, "username"))
        };
        if house.find("people", taken).is_some() {
            // Which of the two it is stands in `debuginfo`, which a site shows while it is debugged only.
            let words = "Invalid parameter value detected".to_owned();
            return Err(("invalid_parameter_exception", "invalidparameter", words));
        }
    }
    let mut made = Vec::new();
    for one in users {
        let id = house.add(
            "people",
            json!({"first": field(one, "firstname"), "last": field(one, "lastname"),
            "email": field(one, "email"), "status": "active", "start": null, "end": null,
            "idnumber": field(one, "idnumber"), "country": field(one, "country")}),
        );
        made.push(json!({"id": id, "username": field(one, "username")}));
    }
    Ok(made.into())
}

fn update_users(house: &mut House, users: &[BTreeMap<String, String>]) -> Value {
    let mut warnings = Vec::new();
    for one in users {
        let id = one.get("id").cloned().unwrap_or_default();
        let taken = |row: &Value| {
            !is(&row["id"], &id)
                && one.get("email").is_some_and(|email| matches(row, "email", email))
        };
        if house.find("people", taken).is_some() {
            warnings.push(json!({"item": "user", "itemid": id.parse::<u64>().ok(),
                "warningcode": "useremailduplicate", "message": "Duplicate email address"}));
            continue;
        }
        let mut fields = json!({});
        for (theirs, ours) in [("firstname", "first"), ("lastname", "last"), ("email", "email")] {
            if let Some(value) = one.get(theirs) {
                fields[ours] = value.clone().into();
            }
        }
        if let Some(suspended) = one.get("suspended") {
            fields["status"] = if suspended == "1" { "left" } else { "active" }.into();
        }
        house.change("people", id, fields);
    }
    json!({"warnings": warnings})
}

fn create_courses(
    house: &mut House,
    courses: &[BTreeMap<String, String>],
) -> Result<Value, Refused> {
    let mut made = Vec::new();
    for one in courses {
        let field = |name: &str| one.get(name).cloned().unwrap_or_default();
        for name in ["fullname", "shortname", "categoryid"] {
            if field(name).is_empty() {
                return Err(invalid(&format!("Missing required key in single structure: {name}")));
            }
        }
        if house.find("courses", |row| row["code"] == field("shortname").as_str()).is_some() {
            let words =
                format!("Short name is already used for another course ({})", field("shortname"));
            return Err(("moodle_exception", "shortnametaken", words));
        }
        let id = house.add(
            "courses",
            json!({"name": field("fullname"), "code": field("shortname"),
            "category": "Compliance", "text": field("summary"), "visible": field("visible") != "0",
            "idnumber": field("idnumber")}),
        );
        made.push(json!({"id": id, "shortname": field("shortname")}));
    }
    Ok(made.into())
}

fn enrol(house: &mut House, enrolments: &[BTreeMap<String, String>]) -> Result<Value, Refused> {
    for one in enrolments {
        let id = |name: &str| one.get(name).and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
        let (person, course) = (id("userid"), id("courseid"));
        if house.get("courses", course).is_null() {
            return Err(no_record("course"));
        }
        if house.get("people", person).is_null() {
            return Err(no_record("user"));
        }
        // Whoever is in already keeps the place: it is no error.
        if enrolment(house, person, course).is_err() {
            let today = house.today();
            house.add(
                "enrolments",
                json!({"person": person, "course": course, "from": today,
                "until": null, "progress": 0, "completed_at": null}),
            );
        }
    }
    Ok(Value::Null)
}
