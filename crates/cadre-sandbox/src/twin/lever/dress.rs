//! Records as they go out, and ids as they are written.

use serde_json::{Value, json};

use crate::twin::call::Call;
use crate::twin::company::STAGES;
use crate::twin::house::{House, full_name, millis, text};

/// The number of the reason with which a hire is archived.
const HIRED: u64 = 9_999;

/// The id of a record: the kind and the number in the form of a UUID.
pub(super) fn uuid(kind: u64, number: &Value) -> Value {
    number
        .as_u64()
        .map_or(Value::Null, |number| format!("7a1e0000-{kind:04x}-4000-8000-{number:012}").into())
}

/// The number in an id.
pub(super) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("7a1e0000-")?.rsplit('-').next()?.parse().ok()
}

/// Stages belong to the account here: the first is built in, the others have ids of their own.
pub(super) fn stages(_: &House) -> Vec<Value> {
    let all = STAGES.iter().enumerate();
    all.map(|(place, name)| json!({"id": stage_named(place as u64), "text": name})).collect()
}

pub(super) fn stage_named(place: u64) -> Value {
    if place == 0 { "applicant-new".into() } else { uuid(5, &place.into()) }
}

pub(super) fn stage_id(house: &House, stage: &Value) -> Value {
    stage_named(house.get("stages", stage)["place"].as_u64().unwrap_or(0))
}

pub(super) fn stage_place(id: &str) -> Option<u64> {
    if id == "applicant-new" {
        Some(0)
    } else {
        number(id).filter(|place| *place < STAGES.len() as u64)
    }
}

pub(super) fn archive_reasons(house: &House, call: &Call) -> Vec<Value> {
    let dress = |row: &Value| {
        json!({"id": uuid(7, &row["id"]), "text": row["name"], "status": "active",
        "type": "non-hired"})
    };
    let mut rows: Vec<Value> = house.rows("reasons").map(|row| dress(&row.value)).collect();
    rows.push(
        json!({"id": uuid(7, &HIRED.into()), "text": "Hired", "status": "active", "type": "hired"}),
    );
    if let Some(kind) = call.param("type") {
        rows.retain(|row| row["type"] == kind);
    }
    rows
}

pub(super) fn archive_patch(house: &House, reason: &Value) -> Option<Value> {
    let at = house.now().to_string();
    if reason.is_null() {
        return Some(json!({"status": "active", "reason": null, "ended_at": null}));
    }
    match reason.as_str().and_then(number)? {
        HIRED => Some(json!({"status": "hired", "reason": null, "ended_at": at})),
        id if !house.get("reasons", id).is_null() => {
            Some(json!({"status": "rejected", "reason": id, "ended_at": at}))
        }
        _ => None,
    }
}

pub(super) fn user(row: &Value) -> Value {
    json!({"id": uuid(8, &row["id"]), "name": full_name(row),
        "username": text(row, "email").split('@').next(), "email": row["email"],
        "accessRole": if row["manager"].is_null() { "super admin" } else { "team member" }, "photo": null,
        "createdAt": millis(&row["created_at"]), "deactivatedAt": millis(&row["end"]),
        "externalDirectoryId": null, "linkedContactIds": [], "jobTitle": row["title"],
        "managerId": uuid(8, &row["manager"])})
}

pub(super) fn contact(row: &Value) -> Value {
    json!({"id": uuid(2, &row["id"]), "name": full_name(row), "headline": row["company"],
        "isAnonymized": false, "location": {"name": ""}, "emails": emails(row),
        "phones": phones(row), "dataProtection": null})
}

pub(super) fn emails(row: &Value) -> Value {
    if text(row, "email").is_empty() { json!([]) } else { json!([row["email"]]) }
}

pub(super) fn phones(row: &Value) -> Value {
    if text(row, "phone").is_empty() {
        json!([])
    } else {
        json!([{"type": "mobile", "value": row["phone"]}])
    }
}

pub(super) fn posting(house: &House, row: &Value) -> Value {
    let (office, unit) =
        (house.get("offices", &row["office"]), house.get("departments", &row["department"]));
    let state = match row["status"].as_str() {
        Some("open") => "published",
        Some("closed") => "closed",
        _ => "draft",
    };
    json!({
        "id": uuid(3, &row["id"]), "text": row["name"], "state": state,
        "distributionChannels": ["public"], "user": uuid(8, &row["recruiter"]),
        "owner": uuid(8, &row["recruiter"]), "hiringManager": uuid(8, &row["hiring_manager"]),
        "categories": {"commitment": "Full-time", "department": unit["name"], "level": null,
            "location": office["name"], "team": null, "allLocations": [office["name"]]},
        "tags": [], "content": {"description": "", "descriptionHtml": row["text"], "lists": [],
            "closing": "", "closingHtml": ""},
        "country": office["country"], "followers": [], "reqCode": null, "requisitionCodes": [],
        "salaryRange": null, "confidentiality": "non-confidential",
        "urls": {"list": "https://jobs.lever.example/twin", "show": "https://jobs.lever.example/twin/1",
            "apply": "https://jobs.lever.example/twin/1/apply"},
        "createdAt": millis(&row["created_at"]), "updatedAt": millis(&row["updated_at"]),
        "workplaceType": "onsite",
    })
}

pub(super) fn form_of(_: &House, row: &Value) -> Value {
    let field = |name: &str, text: &str| {
        json!({"name": name, "text": text, "type": "text",
        "required": true})
    };
    json!({"id": uuid(3, &row["id"]), "text": row["name"], "customQuestions": [], "urls": [],
        "personalInformation": [field("fullName", "Full name"), field("email", "Email")],
        "eeoQuestions": null})
}

pub(super) fn opportunities(house: &House, call: &Call) -> Vec<Value> {
    let (emails, ids) = (call.all("email"), call.all("posting_id"));
    let rows = house.rows("applications").map(|row| &row.value).filter(|row| {
        let who = house.get("candidates", &row["candidate"]);
        (emails.is_empty() || emails.iter().any(|one| text(who, "email").eq_ignore_ascii_case(one)))
            && (ids.is_empty()
                || ids.iter().any(|id| number(id).is_some_and(|id| row["job"] == id)))
            && call
                .param("contact_id")
                .is_none_or(|id| number(id).is_some_and(|id| row["candidate"] == id))
            && call
                .param("archived")
                .is_none_or(|wanted| (row["status"] != "active") == (wanted == "true"))
    });
    let mut rows: Vec<Value> = rows.map(|row| opportunity(house, row, call)).collect();
    within(&mut rows, call, "updatedAt", "updated_at");
    within(&mut rows, call, "createdAt", "created_at");
    rows
}

/// Leaves the records whose moment is within `…_start` and `…_end`.
pub(super) fn within(rows: &mut Vec<Value>, call: &Call, field: &str, name: &str) {
    let bound =
        |end: &str| call.param(&format!("{name}_{end}")).and_then(|text| text.parse::<i64>().ok());
    let (start, end) = (bound("start"), bound("end"));
    rows.retain(|row| {
        let at = row[field].as_i64().unwrap_or(0);
        start.is_none_or(|start| at >= start) && end.is_none_or(|end| at <= end)
    });
}

pub(super) fn deleted(house: &House, list: &str, kind: u64) -> Vec<Value> {
    let gone = house.journal.iter().filter(|event| event.list == list && event.what == "deleted");
    gone.map(|event| json!({"id": uuid(kind, &event.before["id"]), "deletedAt": event.at.as_millisecond()}))
        .collect()
}

pub(super) fn opportunity(house: &House, row: &Value, call: &Call) -> Value {
    let who = house.get("candidates", &row["candidate"]);
    // A change of the name, address or tags of the contact is a change of its opportunities.
    let at = |row: &Value| millis(&row["updated_at"]).as_i64();
    let updated = at(row).max(at(who));
    let archived = match row["status"].as_str() {
        Some("rejected") => {
            json!({"reason": uuid(7, &row["reason"]), "archivedAt": millis(&row["ended_at"])})
        }
        Some("hired") => {
            json!({"reason": uuid(7, &HIRED.into()), "archivedAt": millis(&row["ended_at"])})
        }
        _ => Value::Null,
    };
    let stage = stage_id(house, &row["stage"]);
    let (id, expands) = (uuid(1, &row["id"]), call.all("expand"));
    let mut body = json!({
        "id": id, "name": full_name(who), "contact": uuid(2, &row["candidate"]),
        "headline": who["company"], "stage": stage, "confidentiality": "non-confidential",
        "location": "", "phones": phones(who), "emails": emails(who), "links": row["links"].as_array(),
        "archived": archived, "tags": who["tags"], "sources": [who["source"]],
        "stageChanges": [{"toStageId": stage, "toStageIndex": 0, "updatedAt": updated, "userId": null}],
        "origin": "applied", "sourcedBy": null, "owner": null, "followers": [],
        "applications": if row["job"] == 0 { json!([]) } else { json!([uuid(4, &row["id"])]) },
        "createdAt": millis(&row["created_at"]),
        "updatedAt": updated, "lastInteractionAt": millis(&row["updated_at"]),
        "lastAdvancedAt": millis(&row["updated_at"]), "snoozedUntil": null,
        "urls": {"list": "https://hire.lever.example/candidates",
        "show": format!("https://hire.lever.example/candidates/{}", id.as_str().unwrap_or(""))},
        "isAnonymized": false, "dataProtection": null, "opportunityLocation": "",
    });
    if expands.contains(&"applications") && row["job"] != 0 {
        body["applications"] = json!([application(house, row)]);
    }
    if expands.contains(&"contact") {
        body["contact"] = contact(who);
    }
    if expands.contains(&"stage") {
        body["stage"] = json!({"id": stage, "text": house.get("stages", &row["stage"])["name"]});
    }
    body
}

pub(super) fn application(house: &House, row: &Value) -> Value {
    json!({
        "id": uuid(4, &row["id"]), "type": "posting", "candidateId": uuid(1, &row["id"]),
        "opportunityId": uuid(1, &row["id"]), "posting": uuid(3, &row["job"]),
        "postingHiringManager": null, "postingOwner": uuid(8, &house.get("jobs", &row["job"])["recruiter"]),
        "name": null, "company": null, "phone": null, "email": null, "links": [], "comments": null,
        "user": null, "customQuestions": [], "createdAt": millis(&row["applied_at"]),
        "archived": null, "requisitionForHire": null, "ipAddress": null,
    })
}

pub(super) fn interview(house: &House, row: &Value) -> Value {
    let by = house.get("people", &row["interviewer"]);
    let minutes = match (millis(&row["from"]).as_i64(), millis(&row["until"]).as_i64()) {
        (Some(from), Some(until)) => (until - from) / 60_000,
        _ => 60,
    };
    json!({
        "id": uuid(9, &row["id"]), "panel": uuid(9, &row["id"]), "subject": row["title"], "note": "",
        "interviewers": [{"id": uuid(8, &by["id"]), "name": full_name(by), "email": by["email"],
        "feedbackTemplate": ""}],
        "timezone": "Europe/Berlin", "createdAt": millis(&row["created_at"]), "date": millis(&row["from"]),
        "duration": minutes, "location": "", "feedbackTemplate": "", "feedbackForms": [],
        "feedbackReminder": "none", "user": uuid(8, &row["interviewer"]), "stage": null,
        "canceledAt": null, "postings": [], "gcalEventUrl": null,
        "opportunityId": uuid(1, &row["application"]),
    })
}

pub(super) fn offer(row: &Value) -> Value {
    json!({"id": uuid(10, &row["id"]), "createdAt": millis(&row["created_at"]),
        "status": if row["status"] == "accepted" { "signed" } else { "sent" }, "creator": null,
        "fields": [{"text": "Anticipated start date", "identifier": "anticipated_start_date",
            "value": millis(&row["starts_on"])}],
        "sentDocument": null, "signedDocument": null})
}

pub(super) fn note(row: &Value) -> Value {
    json!({"id": uuid(6, &row["id"]), "text": "Note", "fields": [{"type": "note", "text": "Comment",
        "user": uuid(8, &row["author"]), "score": null, "stage": null, "value": row["body"],
        "createdAt": millis(&row["created_at"])}],
        "user": uuid(8, &row["author"]), "secret": false, "completedAt": millis(&row["created_at"]),
        "createdAt": millis(&row["created_at"]), "deletedAt": null})
}

pub(super) fn kept_file(call: &Call, of: &str, what: &str, row: &Value) -> Value {
    let id = uuid(11, &row["id"]);
    let url = format!(
        "{}/v1/opportunities/{of}/{what}/{}/download",
        call.base,
        id.as_str().unwrap_or("")
    );
    let (name, at) = (text(row, "name"), millis(&row["created_at"]));
    let ext = name.rsplit('.').next().unwrap_or_default();
    if what == "resumes" {
        return json!({"id": id, "createdAt": at, "parsedData": {"positions": [], "schools": []},
            "file": {"name": name, "ext": ext, "downloadUrl": url, "uploadedAt": at,
            "status": "processed", "size": 1}});
    }
    json!({"id": id, "downloadUrl": url, "ext": ext, "name": name, "uploadedAt": at,
        "status": "processed", "size": 1})
}

pub(super) fn text_at(list: &Value, place: usize) -> String {
    list[place].as_str().unwrap_or_default().to_owned()
}

pub(super) fn split(name: &str) -> (&str, &str) {
    name.trim().rsplit_once(' ').unwrap_or((name, ""))
}
