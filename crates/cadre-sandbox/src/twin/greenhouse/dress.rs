//! Records as they go out.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{USERS, changed_in};
use crate::twin::call::{Call, Reply};
use crate::twin::house::{House, day, full_name, is, text};

pub(super) fn users(house: &House) -> Vec<Value> {
    let people = house.rows("people").take(USERS).map(|row| &row.value);
    let dress = |row: &Value| {
        json!({
            "id": row["id"], "name": full_name(row), "first_name": row["first"],
            "last_name": row["last"], "primary_email_address": row["email"], "emails": [row["email"]],
            "employee_id": row["id"].to_string(), "disabled": row["status"] == "left",
            "site_admin": row["manager"].is_null(), "linked_candidate_ids": [], "offices": [],
            "departments": [], "created_at": row["created_at"], "updated_at": row["updated_at"],
        })
    };
    people.map(dress).collect()
}

/// A user as other records name one.
pub(super) fn user(house: &House, id: &Value) -> Value {
    let row = house.get("people", id);
    if row.is_null() {
        return Value::Null;
    }
    json!({"id": row["id"], "first_name": row["first"], "last_name": row["last"],
        "name": full_name(row), "employee_id": row["id"].to_string()})
}

pub(super) fn department(row: &Value) -> Value {
    json!({"id": row["id"], "name": row["name"], "parent_id": row["parent"], "child_ids": [],
        "external_id": null})
}

pub(super) fn office(row: &Value) -> Value {
    let place = format!("{}, {}", text(row, "city"), text(row, "country"));
    json!({"id": row["id"], "name": row["name"], "location": {"name": place}, "parent_id": null,
        "primary_contact_user_id": null, "child_ids": [], "external_id": null})
}

pub(super) fn job(house: &House, row: &Value) -> Value {
    let mut recruiter = user(house, &row["recruiter"]);
    recruiter["responsible"] = true.into();
    let closed = row["status"] == "closed";
    json!({
        "id": row["id"], "name": row["name"], "requisition_id": format!("R-{}", row["id"]),
        "notes": null, "confidential": false, "status": row["status"], "created_at": row["created_at"],
        "opened_at": row["opened_at"], "closed_at": row["closed_at"], "updated_at": row["updated_at"],
        "is_template": false, "copied_from_id": null,
        "departments": [department(house.get("departments", &row["department"]))],
        "offices": [office(house.get("offices", &row["office"]))],
        "hiring_team": {"hiring_managers": [user(house, &row["hiring_manager"])],
            "recruiters": [recruiter], "coordinators": [], "sourcers": []},
        "openings": [{"id": row["id"], "opening_id": format!("{}-1", row["id"]),
            "status": if closed { "closed" } else { "open" }, "opened_at": row["opened_at"],
            "closed_at": row["closed_at"], "application_id": null, "close_reason": null}],
        "custom_fields": {}, "keyed_custom_fields": {},
    })
}

pub(super) fn post_of(house: &House, row: &Value) -> Value {
    let live = row["status"] == "open";
    let place = office(house.get("offices", &row["office"]));
    json!({
        "id": row["id"].as_u64().unwrap_or(0) + 500_000, "title": row["name"],
        "location": place["location"],
        "internal": false, "external": true, "active": true, "live": live, "job_id": row["id"],
        "first_published_at": row["opened_at"], "content": row["text"], "internal_content": null,
        "updated_at": row["updated_at"], "created_at": row["created_at"],
        "demographic_question_set_id": null,
        "questions": [
            {"required": true, "private": false, "label": "First Name", "name": "first_name",
                "type": "short_text", "values": [], "description": null},
            {"required": true, "private": false, "label": "Last Name", "name": "last_name",
                "type": "short_text", "values": [], "description": null},
            {"required": true, "private": false, "label": "Email", "name": "email",
                "type": "short_text", "values": [], "description": null},
            {"required": true, "private": false, "label": "May you work here?",
                "name": format!("question_{}", row["id"]), "type": "boolean",
                "values": [{"value": 0, "label": "No"}, {"value": 1, "label": "Yes"}],
                "description": null}],
    })
}

pub(super) fn stage(row: &Value) -> Value {
    json!({"id": row["id"], "name": row["name"], "created_at": row["created_at"],
        "updated_at": row["updated_at"], "active": true, "job_id": row["job"],
        "priority": row["place"], "interviews": []})
}

pub(super) fn reason(row: &Value) -> Value {
    json!({"id": row["id"], "name": row["name"], "type": {"id": 1, "name": "We rejected them"}})
}

pub(super) fn files(house: &House, list: &str, id: &Value, base: &str) -> Vec<Value> {
    let own = house.rows("files").map(|row| &row.value);
    let own = own.filter(|file| file["owner"] == list && file["of"] == *id);
    let dress = |file: &Value| {
        json!({"filename": file["name"], "url": format!("{base}/files/{}", file["id"]),
            "type": file["kind"], "created_at": file["created_at"]})
    };
    own.map(dress).collect()
}

/// Behind a signed address: whoever has it may read.
pub(super) fn file(house: &House, id: &str) -> Reply {
    use base64::Engine as _;
    let file = house.get("files", id);
    match base64::engine::general_purpose::STANDARD.decode(text(file, "base64")) {
        Ok(bytes) if !file.is_null() => Reply::text(200, "application/octet-stream", bytes),
        _ => Reply::text(403, "application/xml", "<Error><Code>AccessDenied</Code></Error>"),
    }
}

pub(super) fn candidates(house: &House, call: &Call) -> Vec<Value> {
    let ids = call.param("candidate_ids");
    let applied_for = |row: &Value, job: &str| {
        let own = house.rows("applications").map(|own| &own.value);
        own.filter(|own| own["candidate"] == row["id"]).any(|own| is(&own["job"], job))
    };
    let rows = house.rows("candidates").map(|row| &row.value).filter(|row| {
        changed_in(call, row)
            && call
                .param("email")
                .is_none_or(|wanted| text(row, "email").eq_ignore_ascii_case(wanted))
            && ids.is_none_or(|ids| ids.split(',').any(|id| is(&row["id"], id.trim())))
            && call.param("job_id").is_none_or(|job| applied_for(row, job))
    });
    rows.map(|row| candidate(house, row, &call.base)).collect()
}

pub(super) fn candidate(house: &House, row: &Value, base: &str) -> Value {
    let own = house.rows("applications").map(|own| &own.value);
    let own: Vec<Value> = own
        .filter(|own| own["candidate"] == row["id"])
        .map(|own| application(house, own))
        .collect();
    let ids: Vec<&Value> = own.iter().map(|own| &own["id"]).collect();
    let (email, phone) = (text(row, "email"), text(row, "phone"));
    let value = |kind: &str, value: &str| match value {
        "" => json!([]),
        value => json!([{"value": value, "type": kind}]),
    };
    json!({
        "id": row["id"], "first_name": row["first"], "last_name": row["last"],
        "company": row["company"], "title": row["title"], "created_at": row["created_at"],
        "updated_at": row["updated_at"], "last_activity": row["updated_at"], "is_private": false,
        "photo_url": null, "application_ids": ids, "phone_numbers": value("mobile", phone),
        "addresses": [], "email_addresses": value("personal", email), "website_addresses": [],
        "social_media_addresses": [], "recruiter": null, "coordinator": null, "can_email": true,
        "tags": row["tags"], "attachments": files(house, "candidates", &row["id"], base),
        "applications": own, "educations": [], "employments": [], "linked_user_ids": [],
        "custom_fields": {}, "keyed_custom_fields": {},
    })
}

pub(super) fn applications(house: &House, call: &Call) -> Vec<Value> {
    let since = |name: &str| call.param(name).and_then(|text| text.parse::<Timestamp>().ok());
    let active = since("last_activity_after");
    let rows = house.rows("applications").filter(|row| {
        changed_in(call, &row.value)
            && active.is_none_or(|after| row.updated >= after)
            && call.param("status").is_none_or(|wanted| row.value["status"] == wanted)
            && call.param("job_id").is_none_or(|wanted| is(&row.value["job"], wanted))
    });
    rows.map(|row| application(house, &row.value)).collect()
}

pub(super) fn application(house: &House, row: &Value) -> Value {
    let (job, at) = (house.get("jobs", &row["job"]), house.get("stages", &row["stage"]));
    let rejected = row["status"] == "rejected";
    let why = house.get("reasons", &row["reason"]);
    let hired = row["status"] == "hired";
    json!({
        "id": row["id"], "candidate_id": row["candidate"], "prospect": false,
        "applied_at": row["applied_at"],
        "rejected_at": if rejected { row["ended_at"].clone() } else { Value::Null },
        "last_activity_at": row["updated_at"], "location": null, "source": null, "credited_to": null,
        "recruiter": user(house, &job["recruiter"]), "coordinator": null,
        "rejection_reason": if why.is_null() { Value::Null } else { reason(why) },
        "rejection_details": rejected.then(|| json!({"custom_fields": {}, "keyed_custom_fields": {}})),
        "jobs": [{"id": job["id"], "name": job["name"]}], "job_post_id": null,
        "status": row["status"],
        "current_stage": if hired { Value::Null } else { json!({"id": at["id"], "name": at["name"]}) },
        "answers": [], "prospective_office": null, "prospective_department": null,
        "prospect_detail": {"prospect_pool": null, "prospect_stage": null, "prospect_owner": null},
        "custom_fields": {}, "keyed_custom_fields": {},
        "attachments": files(house, "applications", &row["id"], ""),
    })
}

pub(super) fn interview(house: &House, row: &Value) -> Value {
    let mut by = user(house, &row["interviewer"]);
    by["email"] = house.get("people", &row["interviewer"])["email"].clone();
    by["response_status"] = "needs_action".into();
    by["scorecard_id"] = Value::Null;
    json!({
        "id": row["id"], "application_id": row["application"], "external_event_id": row["id"].to_string(),
        "start": {"date_time": row["from"]}, "end": {"date_time": row["until"]}, "location": row["place"],
        "video_conferencing_url": null, "status": "scheduled",
        "interview": {"id": row["id"], "name": row["title"]}, "organizer": user(house, &row["interviewer"]),
        "interviewers": [by], "created_at": row["created_at"], "updated_at": row["updated_at"],
    })
}

pub(super) fn offer(house: &House, row: &Value) -> Value {
    let own = house.get("applications", &row["application"]);
    let accepted = row["status"] == "accepted";
    json!({
        "id": row["id"], "version": 1, "application_id": own["id"], "job_id": own["job"],
        "candidate_id": own["candidate"], "opening": null, "created_at": row["created_at"],
        "updated_at": row["updated_at"], "sent_at": day(text(row, "created_at")),
        "resolved_at": accepted.then(|| row["updated_at"].clone()), "starts_at": row["starts_on"],
        "status": if accepted { "accepted" } else { "unresolved" }, "custom_fields": {},
        "keyed_custom_fields": {},
    })
}

pub(super) fn note(house: &House, row: &Value) -> Value {
    json!({"id": row["id"], "created_at": row["created_at"], "body": row["body"],
        "user": user(house, &row["author"]), "private": row["visibility"] == "private",
        "visibility": row["visibility"]})
}

/// Every tag in use, and those that were made; a tag's number follows from its place.
pub(super) fn tags(house: &House) -> Vec<Value> {
    let mut names: Vec<String> = Vec::new();
    let used = house.rows("candidates").filter_map(|row| row.value["tags"].as_array()).flatten();
    let made = house.notes.get("tags").and_then(Value::as_array).into_iter().flatten();
    for name in
        crate::words::TAGS.iter().map(|name| Value::from(*name)).chain(made.chain(used).cloned())
    {
        let name = name.as_str().unwrap_or_default().to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names.iter().enumerate().map(|(place, name)| json!({"id": 601 + place, "name": name})).collect()
}
