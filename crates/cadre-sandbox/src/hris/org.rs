//! The company: departments, teams, cost centres, offices, legal entities, lists of kinds.

use serde_json::{Value, json};

use crate::dice::Dice;
use crate::people::address;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{
    ABSENCE_TYPES, COST_CENTERS, DEPARTMENTS, DOCUMENT_CATEGORIES, REGIONS, SCALES, SKILLS, TEAMS,
};

/// Offices, one per region; the last has no address.
pub(super) const OFFICES: usize = REGIONS.len() + 1;
/// Companies of the group; the last has no address.
pub(super) const LEGAL_ENTITIES: usize = 5;

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    groups(plan, tables);
    places(plan, tables);
    kinds(plan, tables);
    scales_and_skills(plan, tables);
}

fn groups(plan: &Plan, tables: &mut Tables) {
    let made = plan.hours_ago(24 * 2000);
    let departments = tables.entry("departments").or_default();
    for (index, (name, parent)) in DEPARTMENTS.iter().enumerate() {
        let parent = parent.map(|place| json!({"id": place + 1}));
        departments.add(json!({"id": index + 1, "name": name, "parent": parent}), made, made);
    }
    let teams = tables.entry("teams").or_default();
    for (index, (name, department)) in TEAMS.iter().enumerate() {
        let department = json!({"id": department + 1});
        teams.add(json!({"id": index + 1, "name": name, "department": department}), made, made);
    }
    let cost_centers = tables.entry("cost-centers").or_default();
    for (index, name) in COST_CENTERS.iter().enumerate() {
        cost_centers.add(json!({"id": index + 1, "name": name}), made, made);
    }
}

fn places(plan: &Plan, tables: &mut Tables) {
    let made = plan.hours_ago(24 * 1900);
    let offices = tables.entry("offices").or_default();
    for index in 0..OFFICES {
        let mut dice = Dice::of(plan.seed, "office", index);
        let office = match REGIONS.get(index) {
            Some(region) => {
                let address = address(&mut dice, region);
                let name = address["city"].clone();
                json!({"id": index + 1, "name": name, "kind": "office", "address": address})
            }
            None => json!({"id": index + 1, "name": "Remote", "kind": "remote", "address": null}),
        };
        offices.add(office, made, made);
    }
    let entities = tables.entry("legal-entities").or_default();
    let forms = ["GmbH", "SAS", "Ltd", "Inc.", "sp. z o.o."];
    for (index, form) in forms.iter().enumerate().take(LEGAL_ENTITIES) {
        let mut dice = Dice::of(plan.seed, "legal entity", index);
        let region = &REGIONS[index];
        let address = match index + 1 {
            LEGAL_ENTITIES => Value::Null,
            // Written as one text, as older systems have it.
            4 => json!({"text": format!("1 Sandbox Plaza, Albany, {}", region.name)}),
            _ => address(&mut dice, region),
        };
        let name = format!("Sandkasten {} {form}", region.name);
        entities.add(
            json!({"id": index + 1, "name": name, "country": region.alpha3, "registered_address": address}),
            made,
            made,
        );
    }
}

fn kinds(plan: &Plan, tables: &mut Tables) {
    let made = plan.hours_ago(24 * 1800);
    let types = tables.entry("absence-types").or_default();
    for (index, (name, unit, half_days, hourly)) in ABSENCE_TYPES.iter().enumerate() {
        let id = index + 1;
        let body = json!({
            "id": id, "name": name, "unit": unit, "half_days": half_days, "hourly": hourly,
        });
        types.add(body, made, made);
    }
    let categories = tables.entry("document-categories").or_default();
    for (index, name) in DOCUMENT_CATEGORIES.iter().enumerate() {
        categories.add(json!({"id": format!("dc-{}", index + 1), "name": name}), made, made);
    }
}

fn scales_and_skills(plan: &Plan, tables: &mut Tables) {
    let made = plan.hours_ago(24 * 1700);
    let scales = tables.entry("scales").or_default();
    for index in 0..SCALES.len() {
        scales.add(scale(index), made, made);
    }
    let skills = tables.entry("skills").or_default();
    for (index, (name, about, scale)) in SKILLS.iter().enumerate() {
        let about = if about.is_empty() { Value::Null } else { json!(about) };
        skills.add(
            json!({"id": index + 1, "name": name, "about": about, "scale_id": scale + 1}),
            made,
            made,
        );
    }
}

/// A scale as it is served: of numbers, or of steps from worst to best.
fn scale(index: usize) -> Value {
    let (name, steps) = SCALES[index];
    let id = index + 1;
    if steps.is_empty() {
        let (max, step) = if index == 0 { (5, 1.0) } else { (100, 0.5) };
        let min = i32::from(index == 0);
        return json!({
            "id": id, "name": name, "kind": "numbers", "min": min, "max": max, "step": step,
        });
    }
    let steps: Vec<Value> = steps
        .iter()
        .enumerate()
        .map(|(place, label)| json!({"id": format!("{id}-{}", place + 1), "label": label}))
        .collect();
    json!({"id": id, "name": name, "kind": "steps", "steps": steps})
}

/// A value on the scale number `index` (from 0): `{"scale_id", "number"}` or `{"scale_id", "step_id"}`.
pub(super) fn value_on(dice: &mut Dice, index: usize) -> Value {
    let steps = SCALES[index].1;
    if steps.is_empty() {
        let max = if index == 0 { 5 } else { 100 };
        return json!({"scale_id": index + 1, "number": dice.between(1, max)});
    }
    json!({"scale_id": index + 1, "step_id": format!("{}-{}", index + 1, dice.below(steps.len()) + 1)})
}
