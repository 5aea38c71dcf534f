//! Candidates of Sandbox ATS and their applications.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::jobs::{job_id, status};
use super::questions::answers;
use super::setup::stage_id;
use crate::dice::Dice;
use crate::people::{address, person, phone};
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{REJECTION_REASONS, SOURCES, STAGES, TAGS, TITLES};

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    for index in 0..plan.candidates {
        candidate(plan, tables, index);
        // Every tenth is only in the pool; every seventh applied twice.
        let count = if index % 10 == 9 { 0 } else { 1 + usize::from(index % 7 == 3) };
        for turn in 0..count {
            application(plan, tables, index, turn);
        }
    }
}

/// Id of a candidate.
pub(crate) fn candidate_id(index: usize) -> String {
    format!("cand-{:05}", index + 1)
}

fn candidate(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "candidate", index);
    let person = person(&mut dice, index);
    let made = plan.hours_ago(24 * dice.between(30, 300));
    let changed = plan.hours_ago(dice.between(1, 24 * 29));
    let mut emails = vec![
        json!({"kind": "private", "address": format!("{}{index}@post.example", person.handle)}),
    ];
    if dice.chance(30) {
        emails.push(json!({"kind": null, "address": format!("{index}@uni.example")}));
    }
    if index % 9 == 8 {
        emails.clear();
    }
    let phones = match index % 4 {
        0 => json!([]),
        1 => json!([
            {"kind": "mobile", "number": phone(&mut dice, person.region)},
            {"kind": null, "number": phone(&mut dice, person.region)},
        ]),
        _ => json!([{"kind": "work", "number": phone(&mut dice, person.region)}]),
    };
    let linkup = format!("https://linkup.example/in/{}", person.handle);
    let profiles = match index % 3 {
        0 => json!([
            {"network": "linkup", "handle": null, "url": linkup},
            {"network": "codehub", "handle": person.handle, "url": null},
        ]),
        _ => json!([]),
    };
    let tags: Vec<String> =
        (0..index % 3).map(|turn| format!("tag-{}", (index + turn) % TAGS.len() + 1)).collect();
    let body = json!({
        "id": candidate_id(index),
        "first_name": person.given,
        "last_name": if index % 50 == 49 { None } else { Some(person.family) },
        "employer": dice.chance(50).then_some("Buddelwerk AG"),
        "headline": dice.chance(50).then(|| *dice.pick(TITLES)),
        "confidential": index % 12 == 11,
        "source": dice.chance(80).then(|| *dice.pick(SOURCES)),
        "emails": emails,
        "phones": phones,
        "profiles": profiles,
        "tag_ids": tags,
        "location": match index % 6 {
            5 => Value::Null,
            4 => json!({"text": format!("{}, {}", person.region.cities[0].0, person.region.name)}),
            _ => address(&mut dice, person.region),
        },
        "url": format!("https://ats.sandbox.example/candidates/{}", candidate_id(index)),
    });
    tables.entry("candidates").or_default().add(body, made, changed);
}

/// Jobs that people can have applied for: all but drafts.
fn applied_for(plan: &Plan, index: usize, turn: usize) -> usize {
    let place = (index * 3 + turn) % plan.jobs;
    (place..place + plan.jobs)
        .map(|job| job % plan.jobs)
        .find(|&job| status(job) != "draft")
        .unwrap_or(place)
}

fn application(plan: &Plan, tables: &mut Tables, index: usize, turn: usize) {
    let place = tables.get("applications").map_or(0, crate::table::Table::len);
    let mut dice = Dice::of(plan.seed, "application", place);
    let job = applied_for(plan, index, turn);
    let questions = tables["jobs"]
        .get(&job_id(job))
        .and_then(|row| row.value["questions"].as_array().cloned())
        .unwrap_or_default();
    let made = plan.hours_ago(24 * dice.between(14, 120));
    let changed = plan.hours_ago(dice.between(1, 24 * 13));
    let (status, stage) = match place % 5 {
        0 => ("active", place / 5 % 5),
        1 => ("rejected", 1),
        2 => ("hired", 5),
        3 => ("active", dice.below(STAGES.len() - 1)),
        _ => ("rejected", dice.below(4)),
    };
    let rejection = match place % 10 {
        _ if status != "rejected" => Value::Null,
        // Rejected without a reason.
        9 => json!({"reason_id": null, "at": changed.to_string()}),
        _ => {
            let reason = format!("reason-{}", place % REJECTION_REASONS.len() + 1);
            json!({"reason_id": reason, "at": changed.to_string()})
        }
    };
    let body = application_body(
        place,
        &candidate_id(index),
        &job_id(job),
        json!({"status": status, "stage_id": stage_id(stage), "rejection": rejection}),
        answers(&mut dice, &questions),
    );
    tables.entry("applications").or_default().add(body, made, changed);
}

fn application_body(
    place: usize,
    candidate: &str,
    job: &str,
    standing: Value,
    answers: Vec<Value>,
) -> Value {
    let id = format!("app-{:05}", place + 1);
    json!({
        "id": id,
        "candidate_id": candidate,
        "job_id": job,
        "stage_id": standing["stage_id"],
        "status": standing["status"],
        "rejection": standing["rejection"],
        "answers": answers,
        "url": format!("https://ats.sandbox.example/applications/{id}"),
    })
}

/// Takes in an application that came over the API; the candidate is known already.
pub(crate) fn apply(
    tables: &mut Tables,
    candidate: &str,
    job: &str,
    answers: Vec<Value>,
    now: Timestamp,
) -> Value {
    let table = tables.entry("applications").or_default();
    let place = table.len();
    let standing = json!({"status": "active", "stage_id": stage_id(0), "rejection": null});
    table.add(application_body(place, candidate, job, standing, answers), now, now);
    table.at(place).map(|row| row.value.clone()).unwrap_or_default()
}

/// Adds a candidate who came over the API; returns the id.
pub(crate) fn take_in(tables: &mut Tables, body: &Value, now: Timestamp) -> String {
    let table = tables.entry("candidates").or_default();
    let id = candidate_id(table.len());
    let email = json!([{"kind": "private", "address": body["email"]}]);
    let phones = match body["phone"].as_str() {
        Some(number) => json!([{"kind": "mobile", "number": number}]),
        None => json!([]),
    };
    let candidate = json!({
        "id": id,
        "first_name": body["first_name"],
        "last_name": body["last_name"],
        "employer": null,
        "headline": null,
        "confidential": false,
        "source": body["source"],
        "emails": email,
        "phones": phones,
        "profiles": [],
        "tag_ids": [],
        "location": null,
        "url": format!("https://ats.sandbox.example/candidates/{id}"),
    });
    table.add(candidate, now, now);
    id
}

/// The candidate who has this address, without regard to case.
pub(crate) fn by_email(tables: &Tables, email: &str) -> Option<String> {
    let owns = |value: &Value| {
        value["emails"].as_array().is_some_and(|emails| {
            emails.iter().any(|one| {
                one["address"].as_str().is_some_and(|text| text.eq_ignore_ascii_case(email))
            })
        })
    };
    tables
        .get("candidates")?
        .rows()
        .find(|row| !row.archived && owns(&row.value))
        .map(|row| row.key.clone())
}

/// Rolls somebody who applies out of the blue: the body of a `POST /applications`.
pub(crate) fn somebody(seed: u64, place: usize, job: &str) -> Value {
    let mut dice = Dice::of(seed, "somebody", place);
    let person = person(&mut dice, place);
    json!({
        "job_id": job,
        "candidate": {
            "first_name": person.given,
            "last_name": person.family,
            "email": format!("{}.new{place}@post.example", person.handle),
        },
    })
}
