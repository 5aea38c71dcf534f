//! Changes of the company on order, so that the next read sees something new.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::people::person;
use crate::twin::company::{self, STAGES, list_named};
use crate::twin::house::{House, text};

/// A change. A record that is not named is picked by the dice.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Change {
    /// Somebody begins.
    Hire,
    /// Somebody leaves today.
    Leave { id: Option<u64> },
    /// Somebody takes another family name.
    Rename { id: Option<u64> },
    /// Somebody new applies for a job that is open.
    Apply { job: Option<u64> },
    /// An application moves to the next stage of its job.
    Move { id: Option<u64> },
    /// An application is rejected.
    Reject { id: Option<u64> },
    /// A job is closed.
    CloseJob { id: Option<u64> },
    /// Fields of a record are overwritten.
    Set { list: String, id: u64, patch: Map<String, Value> },
    /// A record is gone.
    Delete { list: String, id: u64 },
}

/// Makes a change: list and id of what was changed, or why it cannot be made.
pub(crate) fn perform(house: &mut House, change: Change) -> Result<(&'static str, u64), String> {
    let mut dice = Dice::of(house.plan.seed, "twin change", house.journal.len());
    let today = house.today();
    match change {
        Change::Hire => {
            let place = house.tables.get("people").map_or(0, crate::table::Table::added);
            let mut body = company::employee(&house.plan, place);
            body["start"] = today.into();
            body["status"] = "active".into();
            body["end"] = Value::Null;
            Ok(("people", house.add("people", body)))
        }
        Change::Leave { id } => {
            let id = any(house, "people", id, &mut dice, |row| row["status"] == "active")?;
            set(house, "people", id, json!({"status": "left", "end": today}))
        }
        Change::Rename { id } => {
            let id = any(house, "people", id, &mut dice, |_| true)?;
            let last = format!("{}-Neu", person(&mut dice, house.journal.len()).family);
            set(house, "people", id, json!({"last": last}))
        }
        Change::Apply { job } => {
            let job = any(house, "jobs", job, &mut dice, |row| row["status"] == "open")?;
            let place = house.tables.get("candidates").map_or(0, crate::table::Table::added);
            let candidate = house.add("candidates", company::candidate(&house.plan, place));
            Ok(("applications", apply(house, candidate, job)))
        }
        Change::Move { id } => {
            let movable = |row: &Value| row["status"] == "active";
            let id = any(house, "applications", id, &mut dice, movable)?;
            let now = house.get("applications", id)["stage"].as_u64().unwrap_or(0);
            let place = house.get("stages", now)["place"].as_u64().unwrap_or(0);
            let last = STAGES.len() as u64 - 1;
            let stage = if place == last { now - last } else { now + 1 };
            set(house, "applications", id, json!({"stage": stage}))
        }
        Change::Reject { id } => {
            let id = any(house, "applications", id, &mut dice, |row| row["status"] == "active")?;
            let reason = any(house, "reasons", None, &mut dice, |_| true)?;
            let at = house.now().to_string();
            let patch = json!({"status": "rejected", "reason": reason, "ended_at": at});
            set(house, "applications", id, patch)
        }
        Change::CloseJob { id } => {
            let id = any(house, "jobs", id, &mut dice, |row| row["status"] == "open")?;
            let at = house.now().to_string();
            set(house, "jobs", id, json!({"status": "closed", "closed_at": at}))
        }
        Change::Set { list, id, patch } => set(house, known(&list)?, id, Value::Object(patch)),
        Change::Delete { list, id } => {
            let list = known(&list)?;
            house.delete(list, id).then_some((list, id)).ok_or_else(|| missing(list, id))
        }
    }
}

/// An application of a candidate for a job, in its first stage.
pub(crate) fn apply(house: &mut House, candidate: u64, job: u64) -> u64 {
    let first = house.find("stages", |stage| stage["job"] == job).map(|stage| stage["id"].clone());
    let now = house.now().to_string();
    house.add(
        "applications",
        json!({"candidate": candidate, "job": job, "stage": first, "status": "active",
            "reason": null, "applied_at": now, "ended_at": null}),
    )
}

/// The candidate with an address, whatever its case.
pub(crate) fn candidate_with(house: &House, email: &str) -> Option<u64> {
    let fits = |row: &Value| !email.is_empty() && text(row, "email").eq_ignore_ascii_case(email);
    house.find("candidates", fits)?["id"].as_u64()
}

fn known(list: &str) -> Result<&'static str, String> {
    list_named(list).ok_or_else(|| format!("there is no list `{list}`"))
}

fn missing(list: &str, id: u64) -> String {
    format!("there is no record {id} in `{list}`")
}

fn set(
    house: &mut House,
    list: &'static str,
    id: u64,
    patch: Value,
) -> Result<(&'static str, u64), String> {
    house.change(list, id, patch).then_some((list, id)).ok_or_else(|| missing(list, id))
}

/// The record that was named, or any that fits.
fn any(
    house: &House,
    list: &str,
    named: Option<u64>,
    dice: &mut Dice,
    fits: impl Fn(&Value) -> bool,
) -> Result<u64, String> {
    if let Some(id) = named {
        return Ok(id);
    }
    let rows = house.rows(list).map(|row| &row.value).filter(|value| fits(value));
    let ids: Vec<u64> = rows.filter_map(|value| value["id"].as_u64()).collect();
    if ids.is_empty() {
        return Err(format!("nothing in `{list}` can be changed that way"));
    }
    Ok(*dice.pick(&ids))
}
