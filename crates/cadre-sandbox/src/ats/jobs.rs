//! Jobs of Sandbox ATS, and where they are posted.

use serde_json::{Value, json};

use super::questions;
use super::setup::{USERS, role_id, stage_id, user_id};
use crate::dice::Dice;
use crate::people::address;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{DEPARTMENTS, REGIONS, ROLES, Region, STAGES, TITLES};

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    for index in 0..plan.jobs {
        job(plan, tables, index);
        for turn in 0..index % 3 {
            posting(plan, tables, index, turn);
        }
    }
}

/// Id of a job.
pub(super) fn job_id(index: usize) -> String {
    format!("job-{:04}", index + 1)
}

/// Where a job stands. The first are open, so that there is something to apply for.
pub(super) fn status(index: usize) -> &'static str {
    const STATUSES: &[&str] = &["open", "open", "open", "closed", "draft", "open", "archived"];
    STATUSES[index % STATUSES.len()]
}

fn job(plan: &Plan, tables: &mut Tables, index: usize) {
    const KINDS: &[&str] =
        &["full_time", "part_time", "contract", "seasonal", "internship", "full_time", "gig"];
    const WORKPLACES: &[Option<&str>] =
        &[Some("remote"), Some("hybrid"), Some("on_site"), Some("remote_for_now"), None];
    const AUDIENCES: &[&str] = &["public", "internal", "unlisted", "confidential", "public"];
    let mut dice = Dice::of(plan.seed, "job", index);
    let region = &REGIONS[index % REGIONS.len()];
    let made = plan.hours_ago(24 * dice.between(40, 400));
    let changed = plan.hours_ago(dice.between(1, 24 * 39));
    let status = status(index);
    let audience = AUDIENCES[index % AUDIENCES.len()];
    let body = json!({
        "id": job_id(index),
        "code": dice.chance(80).then(|| format!("R-{}", 1000 + index)),
        "title": dice.pick(TITLES),
        "status": status,
        "confidential": audience == "confidential",
        "audience": audience,
        "department": dice.chance(85).then(|| dice.pick(DEPARTMENTS).0),
        "category": dice.chance(50).then_some("Tech & Product"),
        "seniority": dice.chance(60).then(|| *dice.pick(&["Junior", "Senior", "Führungskraft"])),
        "description_html": "<h2>Aufgaben</h2><ul><li>Sand &amp; Burgen</li></ul>",
        "kind": KINDS[index % KINDS.len()],
        "hours_per_week": if index % 4 == 3 { Value::Null } else { json!(40) },
        "workplace": WORKPLACES[index % WORKPLACES.len()],
        "pay": pay(&mut dice, region, index),
        "location": dice.chance(85).then(|| address(&mut dice, region)),
        "stages": stages(index),
        "questions": questions::of_job(plan, index),
        "team": team(&mut dice, index),
        "contact_id": dice.chance(70).then(|| user_id(dice.below(USERS))),
        "apply_url": format!("https://jobs.sandbox.example/{}", job_id(index)),
        "url": format!("https://ats.sandbox.example/jobs/{}", job_id(index)),
        "opened_at": (status != "draft").then(|| made.to_string()),
        "closed_at": (status == "closed").then(|| changed.to_string()),
    });
    tables.entry("jobs").or_default().add(body, made, changed);
}

fn stages(index: usize) -> Vec<Value> {
    (0..STAGES.len())
        .filter(|&stage| stage != 6 || index.is_multiple_of(4))
        .enumerate()
        .map(|(position, stage)| json!({"stage_id": stage_id(stage), "position": position}))
        .collect()
}

fn pay(dice: &mut Dice, region: &Region, index: usize) -> Value {
    const PER: &[&str] = &["year", "month", "two_weeks", "week", "day", "hour"];
    let low = dice.between(20, 90) * 1000;
    // A third has none, see below: counted without them, all periods occur.
    let per = PER[(index - index / 3) % PER.len()];
    match index % 3 {
        0 => {
            json!({"from": low, "to": low + 12_500, "exact": null, "currency": region.currency, "per": per})
        }
        1 => {
            json!({"from": null, "to": null, "exact": low, "currency": region.currency, "per": per})
        }
        _ => Value::Null,
    }
}

/// Who hires: one to four users, each with one or two roles of the job.
fn team(dice: &mut Dice, index: usize) -> Vec<Value> {
    let job_roles: Vec<usize> = (0..ROLES.len()).filter(|&role| ROLES[role].1 == "job").collect();
    let first = dice.below(USERS);
    (0..1 + index % 4)
        .map(|turn| {
            let place = index + turn;
            let mut roles = vec![job_roles[place % job_roles.len()]];
            if dice.chance(30) {
                roles.push(job_roles[(place + 1) % job_roles.len()]);
            }
            let roles: Vec<String> = roles.into_iter().map(role_id).collect();
            json!({"user_id": user_id((first + turn) % USERS), "role_ids": roles})
        })
        .collect()
}

fn posting(plan: &Plan, tables: &mut Tables, index: usize, turn: usize) {
    const STATES: &[&str] = &["live", "offline", "draft"];
    const AUDIENCES: &[&str] = &["public", "internal", "unlisted"];
    let table = tables.entry("postings").or_default();
    let place = table.len();
    let mut dice = Dice::of(plan.seed, "posting", place);
    let made = plan.hours_ago(24 * dice.between(1, 39));
    let id = format!("post-{}", place + 1);
    let body = json!({
        "id": id,
        "job_id": job_id(index),
        "title": dice.pick(TITLES),
        "html": dice.chance(80).then_some("<p>Komm in den Sandkasten!</p>"),
        "state": STATES[(index + turn) % STATES.len()],
        "audience": AUDIENCES[place % AUDIENCES.len()],
        "url": format!("https://jobs.sandbox.example/p/{id}"),
    });
    table.add_below(Some(job_id(index)), body, made, made);
}
