//! What callers may change.

use serde_json::{Value, json};

use super::dress::{application, candidate, interview, note, tags};
use super::{Greenhouse, conflict, invalid, missing, one};
use crate::twin::Vendor;
use crate::twin::call::{Call, Reply};
use crate::twin::change::apply;
use crate::twin::house::{House, is, text};

/// Answers what is no read.
pub(super) fn write(house: &mut House, call: &Call, path: &[&str]) -> Reply {
    let Some(body) = call.json().or_else(|| call.body.is_empty().then(|| json!({}))) else {
        return Greenhouse.error(400, "The body is not JSON.");
    };
    let id = path.get(1).and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
    let list = match path.first() {
        Some(&"candidates") => "candidates",
        Some(&"applications") => "applications",
        Some(&"scheduled_interviews") => "interviews",
        _ => "",
    };
    if path.len() > 1 && !list.is_empty() && house.get(list, id).is_null() {
        return missing();
    }
    match (call.method.as_str(), path) {
        ("POST", ["candidates"]) => create_candidate(house, call, &body),
        ("PATCH", ["candidates", _]) => {
            house.change("candidates", id, names_in(&body));
            one(house.get("candidates", id), |row| candidate(house, row, &call.base))
        }
        ("DELETE", ["candidates", _]) => {
            house.delete("candidates", id);
            Reply::json(200, &json!({"message": format!("Candidate {id} has been deleted.")}))
        }
        ("POST", ["candidates", _, "applications"]) => match applied(house, id, &body) {
            Ok(made) => one(house.get("applications", made), |row| application(house, row)),
            Err(refusal) => refusal,
        },
        ("POST", ["candidates" | "applications", _, "attachments"]) => {
            attach(house, list, id, call, &body)
        }
        ("POST", ["candidates", _, "activity_feed", "notes"]) => write_note(house, id, &body),
        ("PUT", ["candidates", _, "tags", tag]) => tagged(house, id, tag, true),
        ("DELETE", ["candidates", _, "tags", tag]) => tagged(house, id, tag, false),
        ("POST", ["tags", "candidate"]) => new_tag(house, &body),
        ("POST", ["applications", _, what @ ("move" | "advance")]) => {
            moved(house, id, &body, *what == "move")
        }
        ("POST", ["applications", _, "reject"]) => rejected(house, id, &body),
        ("POST", ["scheduled_interviews"]) => plan_interview(house, &body),
        ("PATCH", ["scheduled_interviews", _]) => {
            house.change("interviews", id, interview_in(&body));
            one(house.get("interviews", id), |row| interview(house, row))
        }
        _ => missing(),
    }
}

fn new_tag(house: &mut House, body: &Value) -> Reply {
    let Some(name) = body["name"].as_str() else { return invalid("name", "Must be present") };
    let known = tags(house).into_iter().find(|tag| tag["name"] == name);
    if let Some(tag) = known {
        return Reply::json(200, &tag);
    }
    let made = house.notes.entry("tags".to_owned()).or_insert_with(|| json!([]));
    if let Value::Array(made) = made {
        made.push(name.into());
    }
    let tag = tags(house).into_iter().find(|tag| tag["name"] == name);
    Reply::json(201, &tag.unwrap_or_default())
}

fn tagged(house: &mut House, id: u64, tag: &str, on: bool) -> Reply {
    let Some(tag) = tags(house).into_iter().find(|one| is(&one["id"], tag)) else {
        return missing();
    };
    let old = house.get("candidates", id)["tags"].as_array().cloned().unwrap_or_default();
    let mut new: Vec<Value> = old.into_iter().filter(|name| *name != tag["name"]).collect();
    if on {
        new.push(tag["name"].clone());
    }
    house.change("candidates", id, json!({"tags": new}));
    Reply::json(200, &if on { tag } else { json!({"message": "Tag removed."}) })
}

/// The fields of a candidate that a body names.
fn names_in(body: &Value) -> Value {
    let mut fields = json!({});
    for (theirs, ours) in [
        ("first_name", "first"),
        ("last_name", "last"),
        ("company", "company"),
        ("title", "title"),
        ("tags", "tags"),
    ] {
        if !body[theirs].is_null() {
            fields[ours] = body[theirs].clone();
        }
    }
    for (theirs, ours) in [("email_addresses", "email"), ("phone_numbers", "phone")] {
        // A list replaces the whole list.
        if let Some(list) = body[theirs].as_array() {
            fields[ours] = list.first().map_or("".into(), |first| first["value"].clone());
        }
    }
    fields
}

fn create_candidate(house: &mut House, call: &Call, body: &Value) -> Reply {
    for field in ["first_name", "last_name"] {
        if text(body, field).is_empty() {
            return invalid(field, "Must be present");
        }
    }
    let wanted = body["applications"].as_array().cloned().unwrap_or_default();
    if wanted.is_empty() {
        return invalid("applications", "Must have at least one");
    }
    if let Some(refusal) = wanted.iter().find_map(|wish| unfit(house, wish)) {
        return refusal;
    }
    let mut fields = json!({"email": "", "phone": "", "company": null, "title": null, "tags": []});
    if let (Value::Object(fields), Value::Object(named)) = (&mut fields, names_in(body)) {
        fields.extend(named);
    }
    let id = house.add("candidates", fields);
    for wish in &wanted {
        if let Err(refusal) = applied(house, id, wish) {
            return refusal;
        }
    }
    let made = candidate(house, house.get("candidates", id), &call.base);
    Reply::json(201, &made)
}

/// Why an application cannot be made as wished, whoever the candidate is.
fn unfit(house: &House, wish: &Value) -> Option<Reply> {
    let job = house.get("jobs", &wish["job_id"]);
    if job.is_null() {
        return Some(invalid("job_id", "Must be a valid job"));
    }
    let stage = &wish["initial_stage_id"];
    if !stage.is_null() && house.get("stages", stage)["job"] != job["id"] {
        return Some(invalid("initial_stage_id", "Must be a stage of the job"));
    }
    None
}

fn applied(house: &mut House, candidate: u64, wish: &Value) -> Result<u64, Reply> {
    if let Some(refusal) = unfit(house, wish) {
        return Err(refusal);
    }
    let job = wish["job_id"].as_u64().unwrap_or(0);
    let before = |row: &Value| row["candidate"] == candidate && row["job"] == job;
    if house.find("applications", before).is_some() {
        return Err(invalid("job_id", "Candidate already has an application on this job"));
    }
    let id = apply(house, candidate, job);
    if !wish["initial_stage_id"].is_null() {
        house.change("applications", id, json!({"stage": wish["initial_stage_id"]}));
    }
    for file in wish["attachments"].as_array().cloned().unwrap_or_default() {
        keep(house, "applications", id, &file);
    }
    Ok(id)
}

fn keep(house: &mut House, list: &str, id: u64, file: &Value) -> u64 {
    let kept = json!({"owner": list, "of": id, "name": file["filename"], "kind": file["type"],
        "base64": file["content"]});
    house.add("files", kept)
}

fn attach(house: &mut House, list: &'static str, id: u64, call: &Call, body: &Value) -> Reply {
    if text(body, "filename").is_empty() {
        return invalid("filename", "Must be present");
    }
    let known = match list {
        "candidates" => &["resume", "cover_letter", "admin_only"][..],
        _ => &[
            "resume",
            "cover_letter",
            "other",
            "take_home_test",
            "offer_letter",
            "signed_offer_letter",
        ],
    };
    if !known.contains(&text(body, "type")) {
        return invalid("type", &format!("Must be one of: {}", known.join(", ")));
    }
    if body["url"].is_null() {
        if body["content"].is_null() {
            return invalid("content", "Must be present unless url is given");
        }
        if text(body, "content_type").is_empty() {
            return invalid("content_type", "Must be present");
        }
    }
    let kept = keep(house, list, id, body);
    let body = json!({"filename": body["filename"], "url": format!("{}/files/{kept}", call.base),
        "type": body["type"], "created_at": house.now().to_string()});
    Reply::json(201, &body)
}

fn write_note(house: &mut House, candidate: u64, body: &Value) -> Reply {
    if house.get("people", &body["user_id"]).is_null() {
        return invalid("user_id", "Must be a valid user");
    }
    if !["admin_only", "private", "public"].contains(&text(body, "visibility")) {
        return invalid("visibility", "Must be one of: admin_only, private, public");
    }
    let id = house.add(
        "notes",
        json!({"candidate": candidate, "author": body["user_id"], "body": body["body"],
            "visibility": body["visibility"]}),
    );
    Reply::json(201, &note(house, house.get("notes", id)))
}

fn moved(house: &mut House, id: u64, body: &Value, named: bool) -> Reply {
    let own = house.get("applications", id).clone();
    if own["status"] != "active" {
        return conflict(&format!("Application must be 'active', is currently {}", own["status"]));
    }
    if body["from_stage_id"] != own["stage"] {
        return conflict("The application is not in from_stage_id");
    }
    let next = own["stage"].as_u64().unwrap_or(0) + 1;
    let to = if named { body["to_stage_id"].clone() } else { next.into() };
    if house.get("stages", &to)["job"] != own["job"] {
        return invalid("to_stage_id", "Must be a stage of the application's job");
    }
    house.change("applications", id, json!({"stage": to}));
    one(house.get("applications", id), |row| application(house, row))
}

fn rejected(house: &mut House, id: u64, body: &Value) -> Reply {
    let status = house.get("applications", id)["status"].clone();
    if status != "active" {
        return conflict(&format!("Application must be 'active', is currently {status}"));
    }
    let reason = &body["rejection_reason_id"];
    if !reason.is_null() && house.get("reasons", reason).is_null() {
        return invalid("rejection_reason_id", "Must be a valid rejection reason");
    }
    let at = house.now().to_string();
    let patch = json!({"status": "rejected", "reason": reason, "ended_at": at});
    house.change("applications", id, patch);
    one(house.get("applications", id), |row| application(house, row))
}

fn interview_in(body: &Value) -> Value {
    let mut fields = json!({});
    for (ours, theirs) in [
        ("from", &body["start"]["date_time"]),
        ("until", &body["end"]["date_time"]),
        ("place", &body["location"]),
        ("interviewer", &body["interviewers"][0]["user_id"]),
    ] {
        if !theirs.is_null() {
            fields[ours] = theirs.clone();
        }
    }
    fields
}

fn plan_interview(house: &mut House, body: &Value) -> Reply {
    if house.get("applications", &body["application_id"]).is_null() {
        return invalid("application_id", "Must be a valid application");
    }
    if body["start"]["date_time"].is_null() || body["end"]["date_time"].is_null() {
        return invalid("start", "Must be present");
    }
    let mut fields = interview_in(body);
    fields["application"] = body["application_id"].clone();
    fields["title"] = "Interview".into();
    let id = house.add("interviews", fields);
    let made = interview(house, house.get("interviews", id));
    Reply::json(201, &made)
}
