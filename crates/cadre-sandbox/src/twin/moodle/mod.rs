//! Moodle's web services over REST.
//!
//! Written from <https://docs.moodle.org/dev/Creating_a_web_service_client>,
//! <https://docs.moodle.org/dev/Web_service_API_functions> and the source of version 4.4
//! (<https://github.com/moodle/moodle/tree/MOODLE_404_STABLE>, user/externallib.php, course/externallib.php,
//! enrol/externallib.php, completion/classes/external.php): one address, the function a parameter of a form
//! in brackets; every answer 200, errors included, told by `exception`; XML unless JSON is asked for; users
//! by criteria without pages; the site itself as the first course; `null` for what has no result; a user
//! who exists refused as `invalidparameter`, updates that fail named in `warnings` only.

mod writes;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::RateLimit;
use crate::twin::Vendor;
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, full_name, is, millis, text};

/// The role of a student on a fresh site.
const STUDENT: u64 = 5;

/// What the token's service holds.
const FUNCTIONS: &[&str] = &[
    "core_webservice_get_site_info",
    "core_user_get_users",
    "core_user_get_users_by_field",
    "core_course_get_courses",
    "core_course_get_courses_by_field",
    "core_course_get_categories",
    "core_course_get_contents",
    "core_enrol_get_enrolled_users",
    "core_enrol_get_users_courses",
    "core_completion_get_course_completion_status",
    "core_completion_get_activities_completion_status",
    "core_user_create_users",
    "core_user_update_users",
    "core_user_delete_users",
    "core_course_create_courses",
    "core_course_update_courses",
    "core_course_delete_courses",
    "enrol_manual_enrol_users",
    "enrol_manual_unenrol_users",
    "core_completion_override_activity_completion_status",
    "core_competency_list_competency_frameworks",
    "core_competency_list_competencies",
    "core_cohort_get_cohorts",
];

#[derive(Debug)]
pub(crate) struct Moodle;

impl Vendor for Moodle {
    fn credentials(&self, seed: u64) -> Vec<(&'static str, String)> {
        vec![("token", format!("{seed:032x}"))]
    }

    fn budget(&self) -> Option<RateLimit> {
        None
    }

    fn error(&self, status: u16, words: &str) -> Reply {
        match status {
            401 => refusal("moodle_exception", "invalidtoken", "Invalid token - token not found"),
            403 => refusal(
                "webservice_access_exception",
                "accessexception",
                "Access control exception",
            ),
            // What stands before the site answers for it.
            _ => Reply::text(
                status,
                "text/html; charset=utf-8",
                format!("<h1>{status}</h1><p>{words}</p>"),
            ),
        }
    }

    fn throttled(&self, seconds: u64, _: Timestamp) -> Reply {
        self.error(429, "Too many requests").with("retry-after", seconds)
    }

    fn answer(&self, house: &mut House, call: &Call) -> Reply {
        if !call.path.ends_with("/webservice/rest/server.php") {
            return self.error(404, "Not found");
        }
        let form: BTreeMap<String, String> =
            call.params.iter().cloned().chain(call.form()).collect();
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("moodlewsrestformat") != "json" {
            let body = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?><RESPONSE></RESPONSE>";
            return Reply::text(200, "application/xml; charset=utf-8", body);
        }
        if field("wstoken") != format!("{:032x}", house.plan.seed) {
            return self.error(401, "");
        }
        let function = field("wsfunction");
        if !FUNCTIONS.contains(&function) || house.forbidden.contains(function) {
            return self.error(403, "");
        }
        match run(house, call, function, &form) {
            Ok(body) => Reply::json(200, &body),
            Err((class, code, words)) => refusal(class, code, &words),
        }
    }
}

type Refused = (&'static str, &'static str, String);

fn refusal(class: &str, code: &str, words: &str) -> Reply {
    Reply::json(200, &json!({"exception": class, "errorcode": code, "message": words}))
}

fn invalid(words: &str) -> Refused {
    let words = format!("Invalid parameter value detected ({words})");
    ("invalid_parameter_exception", "invalidparameter", words)
}

fn no_record(table: &str) -> Refused {
    (
        "dml_missing_record_exception",
        "invalidrecord",
        format!("Can't find data record in database table {table}."),
    )
}

/// The rows of a list of a form: `users[0][email]=…`, by number.
fn rows(form: &BTreeMap<String, String>, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut found: BTreeMap<usize, BTreeMap<String, String>> = BTreeMap::new();
    for (key, value) in form {
        let Some(rest) = key.strip_prefix(&format!("{name}[")) else { continue };
        let Some((number, rest)) = rest.split_once(']') else { continue };
        let field = rest.trim_matches(['[', ']']).to_owned();
        let number = number.parse().unwrap_or(0);
        found.entry(number).or_default().insert(field, value.clone());
    }
    found.into_values().collect()
}

/// Answers what is no write.
fn run(
    house: &mut House,
    call: &Call,
    function: &str,
    form: &BTreeMap<String, String>,
) -> Result<Value, Refused> {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let number = |name: &str| field(name).parse::<u64>().unwrap_or(0);
    Ok(match function {
        "core_webservice_get_site_info" => {
            let functions: Vec<Value> = FUNCTIONS
                .iter()
                .map(|name| json!({"name": name, "version": "2024042200"}))
                .collect();
            json!({"sitename": "Twin", "username": "cadre", "firstname": "Web", "lastname": "Service",
                "fullname": "Web Service", "lang": "en", "userid": 2, "siteurl": call.base,
                "release": "4.4 (Build: 20240422)", "version": "2024042200", "functions": functions})
        }
        "core_user_get_users" => users_by(house, &rows(form, "criteria"))?,
        "core_user_get_users_by_field" => {
            let values: Vec<&String> = form
                .iter()
                .filter(|(key, _)| key.starts_with("values["))
                .map(|(_, value)| value)
                .collect();
            let fits = |row: &Value| values.iter().any(|value| matches(row, field("field"), value));
            house.rows("people").map(|row| &row.value).filter(|row| fits(row)).map(user).collect()
        }
        "core_course_get_courses" => {
            let ids: Vec<&String> = form
                .iter()
                .filter(|(key, _)| key.starts_with("options[ids]"))
                .map(|(_, id)| id)
                .collect();
            let mut all = vec![site()];
            all.extend(house.rows("courses").map(|row| course(&row.value)));
            all.retain(|row| ids.is_empty() || ids.iter().any(|id| is(&row["id"], id)));
            all.into()
        }
        "core_course_get_courses_by_field" => {
            let (name, value) = (field("field"), field("value"));
            let mut all: Vec<Value> = house.rows("courses").map(|row| course(&row.value)).collect();
            all.retain(|row| match name {
                "" => true,
                "ids" => value.split(',').any(|id| is(&row["id"], id)),
                "category" => is(&row["categoryid"], value),
                name => row[name].as_str().map_or(row[name].to_string(), str::to_owned) == value,
            });
            json!({"courses": all, "warnings": []})
        }
        "core_course_get_categories" => {
            json!([{"id": 3, "name": "Compliance", "idnumber": "", "parent": 0,
            "description": "", "coursecount": house.rows("courses").count(), "visible": 1}])
        }
        "core_course_get_contents" => {
            let own = house.get("courses", number("courseid"));
            if own.is_null() {
                return Err(no_record("course"));
            }
            json!([{"id": own["id"], "name": "General", "section": 0, "summary": "", "modules": [
                {"id": module(own), "name": "Test", "modname": "quiz", "instance": own["id"],
                    "completion": 1,
                    "url": format!("{}/mod/quiz/view.php?id={}", call.base, module(own)), "visible": 1}]}])
        }
        "core_enrol_get_enrolled_users" => enrolled(house, number("courseid"), form)?,
        "core_enrol_get_users_courses" => {
            let own = house.rows("enrolments").map(|row| &row.value);
            let own = own.filter(|row| row["person"] == number("userid"));
            own.map(|row| users_course(house, row)).collect()
        }
        "core_completion_get_course_completion_status" => {
            let row = enrolment(house, number("userid"), number("courseid"))?;
            let done = row["progress"] == 100;
            json!({"completionstatus": {"completed": done, "aggregation": 1, "completions": [
                {"type": 4, "title": "Activity completion", "status": if done { "Yes" } else { "No" },
                    "complete": done, "timecompleted": seconds(&row["completed_at"]),
                    "details": {"type": "Activity completion", "criteria": "Test", "requirement": "",
                    "status": ""}}]},
                "warnings": []})
        }
        "core_completion_get_activities_completion_status" => {
            let row = enrolment(house, number("userid"), number("courseid"))?;
            let own = house.get("courses", &row["course"]);
            json!({"statuses": [{"cmid": module(own), "modname": "quiz", "instance": own["id"],
                "state": u8::from(row["progress"] == 100),
                "timecompleted": seconds(&row["completed_at"]).as_i64().unwrap_or(0),
                "tracking": 1, "overrideby": null, "valueused": false, "hascompletion": true,
                "isautomatic": false,
                "istrackeduser": true, "uservisible": true, "details": []}], "warnings": []})
        }
        _ => writes::run(house, function, form)?,
    })
}

/// The number of a course's one activity.
fn module(course: &Value) -> u64 {
    course["id"].as_u64().unwrap_or(0) + 10_000
}

/// A moment or day as seconds of the epoch.
fn seconds(value: &Value) -> Value {
    millis(value).as_i64().map_or(Value::Null, |ms| (ms / 1_000).into())
}

fn user(row: &Value) -> Value {
    let name = text(row, "email").split('@').next().unwrap_or_default().to_lowercase();
    json!({"id": row["id"], "username": name, "firstname": row["first"], "lastname": row["last"],
        "fullname": full_name(row), "email": row["email"], "department": "", "institution": "",
        "idnumber": row["idnumber"].as_str().unwrap_or(""), "firstaccess": 0, "lastaccess": 0,
        "auth": "manual",
        "suspended": row["status"] == "left", "confirmed": true, "lang": "en", "theme": "",
        "timezone": "99",
        "mailformat": 1, "country": row["country"].as_str().unwrap_or(""), "description": "",
        "descriptionformat": 1, "profileimageurlsmall": "", "profileimageurl": ""})
}

/// Whether a user has a value, where `%` stands for anything.
fn matches(row: &Value, key: &str, value: &str) -> bool {
    let own = &user(row)[key];
    let own = own.as_str().map_or_else(|| own.to_string(), str::to_owned).to_lowercase();
    let value = value.to_lowercase();
    match (value.strip_prefix('%'), value.strip_suffix('%')) {
        (Some(_), Some(_)) => own.contains(value.trim_matches('%')),
        (Some(end), None) => own.ends_with(end),
        (None, Some(start)) => own.starts_with(start),
        (None, None) => own == value,
    }
}

fn users_by(house: &House, criteria: &[BTreeMap<String, String>]) -> Result<Value, Refused> {
    let mut keys: Vec<&String> = criteria.iter().filter_map(|one| one.get("key")).collect();
    let count = keys.len();
    keys.dedup();
    if keys.len() < count {
        return Err(("moodle_exception", "keyalreadyset", "The key is set twice".to_owned()));
    }
    let fits = |row: &Value| {
        criteria.iter().all(|one| {
            matches(
                row,
                one.get("key").map_or("", String::as_str),
                one.get("value").map_or("", String::as_str),
            )
        })
    };
    let all: Vec<Value> =
        house.rows("people").map(|row| &row.value).filter(|row| fits(row)).map(user).collect();
    Ok(json!({"users": all, "warnings": []}))
}

fn site() -> Value {
    json!({"id": 1, "shortname": "twin", "categoryid": 0, "fullname": "Twin", "displayname": "Twin",
        "idnumber": "", "summary": "", "summaryformat": 1, "format": "site", "startdate": 0, "enddate": 0,
        "visible": 1, "timecreated": 1_700_000_000, "timemodified": 1_700_000_000, "enablecompletion": 0,
        "lang": ""})
}

fn course(row: &Value) -> Value {
    json!({"id": row["id"], "shortname": row["code"], "categoryid": 3, "categorysortorder": 30_002,
        "fullname": row["name"], "displayname": row["name"],
        "idnumber": row["idnumber"].as_str().unwrap_or(""),
        "summary": row["text"], "summaryformat": 1, "format": "topics", "showgrades": 1, "newsitems": 5,
        "startdate": seconds(&row["created_at"]), "enddate": 0, "numsections": 1, "maxbytes": 0,
        "visible": u8::from(row["visible"] != false), "groupmode": 0,
        "timecreated": seconds(&row["created_at"]),
        "timemodified": seconds(&row["updated_at"]), "enablecompletion": 1, "completionnotify": 0,
        "lang": "",
        "categoryname": row["category"]})
}

fn enrolment(house: &House, person: u64, course: u64) -> Result<&Value, Refused> {
    if house.get("courses", course).is_null() {
        return Err(no_record("course"));
    }
    let fits = |row: &Value| row["person"] == person && row["course"] == course;
    let refusal = ("moodle_exception", "usernotenroled", "User is not enrolled".to_owned());
    house.find("enrolments", fits).ok_or(refusal)
}

fn enrolled(house: &House, course: u64, form: &BTreeMap<String, String>) -> Result<Value, Refused> {
    if house.get("courses", course).is_null() {
        return Err(no_record("course"));
    }
    let options = rows(form, "options");
    let option = |name: &str| {
        let found = options.iter().find(|one| one.get("name").is_some_and(|own| own == name));
        found.and_then(|one| one.get("value")?.parse::<usize>().ok())
    };
    let own = house.rows("enrolments").map(|row| &row.value).filter(|row| row["course"] == course);
    let all = own.filter_map(|row| {
        let who = house.get("people", &row["person"]);
        if who.is_null() {
            return None;
        }
        let mut dressed = user(who);
        dressed["roles"] =
            json!([{"roleid": STUDENT, "name": "", "shortname": "student", "sortorder": 0}]);
        dressed["lastcourseaccess"] = 0.into();
        dressed["enrolledcourses"] = json!([{"id": course}]);
        Some(dressed)
    });
    let (skip, take) = (option("limitfrom").unwrap_or(0), option("limitnumber").unwrap_or(0));
    let take = if take == 0 { usize::MAX } else { take };
    Ok(all.skip(skip).take(take).collect())
}

fn users_course(house: &House, row: &Value) -> Value {
    let mut dressed = course(house.get("courses", &row["course"]));
    dressed["enrolledusercount"] = 1.into();
    dressed["completionhascriteria"] = true.into();
    dressed["completionusertracked"] = true.into();
    dressed["category"] = 3.into();
    dressed["progress"] = row["progress"].clone();
    dressed["completed"] = (row["progress"] == 100).into();
    dressed["lastaccess"] = Value::Null;
    dressed["enablecompletion"] = true.into();
    dressed
}
