//! Users, roles, stages, tags, reasons for rejecting.

use serde_json::json;

use crate::dice::Dice;
use crate::people::person;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{REJECTION_REASONS, ROLES, STAGES, TAGS};

/// Users of Sandbox ATS.
pub(super) const USERS: usize = 12;

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    let made = plan.hours_ago(24 * 1500);
    for (index, (label, level, function)) in ROLES.iter().enumerate() {
        let body =
            json!({"id": role_id(index), "label": label, "level": level, "function": function});
        tables.entry("roles").or_default().add(body, made, made);
    }
    for (index, (name, active)) in STAGES.iter().enumerate() {
        let body =
            json!({"id": stage_id(index), "name": name, "active": active, "position": index});
        tables.entry("stages").or_default().add(body, made, made);
    }
    for (index, name) in TAGS.iter().enumerate() {
        let body = json!({"id": format!("tag-{}", index + 1), "name": name});
        tables.entry("tags").or_default().add(body, made, made);
    }
    for (index, name) in REJECTION_REASONS.iter().enumerate() {
        let body = json!({"id": format!("reason-{}", index + 1), "name": name});
        tables.entry("rejection-reasons").or_default().add(body, made, made);
    }
    for index in 0..USERS {
        user(plan, tables, index);
    }
}

fn user(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "user", index);
    let person = person(&mut dice, index);
    let system_roles = ROLES.iter().filter(|(_, level, _)| *level == "system").count();
    let roles: Vec<String> = match index {
        0 => vec![role_id(0), role_id(1)],
        // Somebody who has a role only in jobs.
        5 => Vec::new(),
        _ => vec![role_id(index % system_roles)],
    };
    let made = plan.hours_ago(24 * dice.between(200, 1400));
    let email = format!("{}@sandkasten.example", person.handle);
    let body = json!({
        "id": user_id(index),
        "first_name": person.given,
        "last_name": if index == 7 { None } else { Some(person.family) },
        "email": (index != 8).then_some(email),
        "active": index % 5 != 4,
        "role_ids": roles,
    });
    tables.entry("users").or_default().add(body, made, made);
}

/// Id of a user.
pub(super) fn user_id(index: usize) -> String {
    format!("usr-{:03}", index + 1)
}

/// Id of a role.
pub(super) fn role_id(index: usize) -> String {
    format!("role-{}", index + 1)
}

/// Id of a stage.
pub(super) fn stage_id(index: usize) -> String {
    format!("stg-{}", index + 1)
}
