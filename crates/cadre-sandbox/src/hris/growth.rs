//! How people do: review cycles, reviews, ratings of skills; and the positions they are planned for.

use serde_json::{Value, json};

use super::org::{LEGAL_ENTITIES, OFFICES, value_on};
use super::people::FIRST_EMPLOYEE;
use crate::dice::Dice;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{DEPARTMENTS, SKILLS, TITLES};

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    cycles(plan, tables);
    for index in 0..plan.employees {
        if index % 3 == 1 {
            review(plan, tables, index);
        }
        if index % 4 != 3 {
            skill_rating(plan, tables, index);
        }
    }
    for index in 0..(plan.employees / 4).max(12) {
        position(plan, tables, index);
    }
}

fn cycles(plan: &Plan, tables: &mut Tables) {
    let table = tables.entry("review-cycles").or_default();
    for (index, name) in ["Last year", "This year – Jahresgespräch"].iter().enumerate() {
        let begin = plan.days_ago(500 - 365 * index as i64);
        let made = plan.hours_ago(24 * (490 - 365 * index as i64));
        let body = json!({"id": index + 1, "name": name, "period_start": begin.to_string()});
        table.add(body, made, made);
    }
    let made = plan.hours_ago(24);
    table.add(json!({"id": 3, "name": "Probation", "period_start": null}), made, made);
}

fn review(plan: &Plan, tables: &mut Tables, index: usize) {
    const RELATIONS: &[&str] = &["manager", "self", "peer", "report"];
    let mut dice = Dice::of(plan.seed, "review", index);
    let table = tables.entry("reviews").or_default();
    let turn = table.len();
    let relation = RELATIONS[turn % RELATIONS.len()];
    let reviewer = match relation {
        "self" => Some(index),
        // Peers stay unnamed.
        "peer" => None,
        _ => Some(dice.below(plan.employees)),
    };
    let rating = match turn % 5 {
        0 | 3 => value_on(&mut dice, 0),
        1 | 4 => value_on(&mut dice, 4),
        _ => Value::Null,
    };
    let id = |place: usize| json!({"id": FIRST_EMPLOYEE + place});
    let made = plan.hours_ago(dice.between(24, 24 * 300));
    let body = json!({
        "id": format!("rv-{}", turn + 1),
        "cycle": dice.chance(90).then(|| json!({"id": dice.below(3) + 1})),
        "about": id(index),
        "by": reviewer.map(id),
        "relation": relation,
        "comment": dice.chance(70).then_some("Großartige Arbeit; s'il te plaît, plus de tests.\nありがとう。"),
        "rating": rating,
    });
    table.add(body, made, made);
}

fn skill_rating(plan: &Plan, tables: &mut Tables, index: usize) {
    const RATED_BY: &[&str] = &["self", "manager", "external"];
    let mut dice = Dice::of(plan.seed, "skill rating", index);
    let table = tables.entry("skill-ratings").or_default();
    let turn = table.len();
    let skill = turn % SKILLS.len();
    let made = plan.hours_ago(dice.between(24, 24 * 300));
    let body = json!({
        "id": format!("sr-{}", turn + 1),
        "employee": {"id": FIRST_EMPLOYEE + index},
        "skill": {"id": skill + 1},
        "rating": if turn % 7 == 6 { Value::Null } else { value_on(&mut dice, SKILLS[skill].2) },
        "rated_by": RATED_BY[turn % RATED_BY.len()],
    });
    table.add(body, made, made);
}

fn position(plan: &Plan, tables: &mut Tables, index: usize) {
    const KINDS: &[&str] = &["job", "position", "requisition"];
    const STATES: &[&str] = &["open", "open_unlimited", "planned", "frozen", "filled", "closed"];
    const EMPLOYMENT: &[&[&str]] =
        &[&["Vollzeit"], &["Vollzeit", "Teilzeit"], &["Praktikum"], &["Ehrenamt"], &[]];
    let mut dice = Dice::of(plan.seed, "position", index);
    let table = tables.entry("positions").or_default();
    let skills: Vec<Value> = (0..index % 4)
        .map(|turn| {
            let skill = (index + turn) % SKILLS.len();
            let expected =
                if turn == 2 { Value::Null } else { value_on(&mut dice, SKILLS[skill].2) };
            json!({"skill_id": skill + 1, "expected": expected})
        })
        .collect();
    let ids = |dice: &mut Dice, limit: usize| -> Vec<usize> {
        let first = dice.below(limit);
        if dice.chance(30) { vec![first + 1, (first + 1) % limit + 1] } else { vec![first + 1] }
    };
    let made = plan.hours_ago(24 * dice.between(30, 600));
    let changed = plan.hours_ago(dice.between(1, 24 * 29));
    let body = json!({
        "id": 700 + index,
        "title": dice.pick(TITLES),
        "kind": KINDS[index % KINDS.len()],
        "about": dice.chance(60).then_some("<p>Aufgaben &amp; Profil</p>"),
        "state": STATES[index % STATES.len()],
        "employment": EMPLOYMENT[index % EMPLOYMENT.len()],
        "openings": if index % 6 == 1 { Value::Null } else { json!(dice.between(0, 4)) },
        "parent": (index % 5 == 4).then(|| json!({"id": 700 + index - 1})),
        "url": dice.chance(70).then(|| format!("https://hr.sandbox.example/positions/{}", 700 + index)),
        "office_ids": ids(&mut dice, OFFICES),
        "legal_entity_ids": ids(&mut dice, LEGAL_ENTITIES),
        "department_ids": ids(&mut dice, DEPARTMENTS.len()),
        "skills": skills,
    });
    table.add(body, made, changed);
}
