//! Employees of Sandbox HR.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::org::{LEGAL_ENTITIES, OFFICES};
use crate::dice::Dice;
use crate::people::{Person, address, bank_account, person, phone};
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{COST_CENTERS, DEPARTMENTS, TEAMS, TITLES};

/// Id of the first employee.
pub(crate) const FIRST_EMPLOYEE: usize = 10_001;

/// Fills the table.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    for index in 0..plan.employees {
        add(plan, tables, index, None);
    }
}

/// Adds the employee number `index`. Somebody who is `hired` now begins today.
pub(crate) fn add(plan: &Plan, tables: &mut Tables, index: usize, hired: Option<Timestamp>) {
    let mut dice = Dice::of(plan.seed, "employee", index);
    let person = person(&mut dice, index);
    let made = plan.hours_ago(24 * 900 - (index as i64 % 700) * 24);
    let changed = plan.hours_ago(dice.between(1, 24 * 150));
    let (made, changed) = hired.map_or((made, changed), |now| (now, now));
    let hired = hired.map(|now| now.to_zoned(TimeZone::UTC).date());
    let mut employee = json!({
        "id": FIRST_EMPLOYEE + index,
        "personnel_number": format!("E-{:05}", index + 1),
        "name": {"given": person.given, "family": person.family, "display": person.display},
        "contact": contact(&mut dice, &person, index),
        "personal": personal(plan, &mut dice, &person, index),
        "home": if dice.chance(85) { address(&mut dice, person.region) } else { Value::Null },
        "employment": employment(plan, &mut dice, &person, index, hired),
        "position_title": dice.pick(TITLES),
        "photo_url": dice.chance(40).then(|| format!("https://photos.sandbox.example/{index}.jpg")),
        "bank_accounts": bank_accounts(&mut dice, &person, index),
        "custom": {"shirt_size": dice.pick(&["S", "M", "L", "XL"]), "vegetarian": dice.chance(30)},
    });
    if let (Value::Object(whole), Value::Object(org)) =
        (&mut employee, organisation(&mut dice, index))
    {
        whole.extend(org);
    }
    tables.entry("employees").or_default().add(employee, made, changed);
}

/// Where in the company somebody is: the first leads all, the next lead the departments.
fn organisation(dice: &mut Dice, index: usize) -> Value {
    let (department, manager) = match index {
        0 => (0, None),
        lead if lead < DEPARTMENTS.len() => (lead, DEPARTMENTS[lead].1),
        _ => {
            let department = dice.below(DEPARTMENTS.len());
            (department, Some(department))
        }
    };
    let teams: Vec<usize> =
        (0..TEAMS.len()).filter(|&team| index > 0 && TEAMS[team].1 == department).collect();
    let team = if teams.is_empty() { None } else { Some(*dice.pick(&teams) + 1) };
    let cost_center = dice.chance(70).then(|| dice.below(COST_CENTERS.len()) + 1);
    let id = |id: usize| json!({"id": id});
    json!({
        "department": id(department + 1),
        "team": team.map(id),
        "cost_center": cost_center.map(id),
        "manager": manager.map(|place| id(FIRST_EMPLOYEE + place)),
        "office": dice.chance(92).then(|| id(dice.below(OFFICES) + 1)),
        "legal_entity": dice.chance(95).then(|| id(index % LEGAL_ENTITIES + 1)),
    })
}

fn contact(dice: &mut Dice, person: &Person, index: usize) -> Value {
    let work = format!("{}.{}@sandkasten.example", person.handle, index + 1);
    let private = match index % 41 {
        // What people type into a field that the vendor does not check.
        19 => Some("n/a".to_owned()),
        rest if rest % 3 == 0 => None,
        _ => Some(format!("{}{}@post.example", person.handle, index)),
    };
    let mobile = dice.chance(75).then(|| phone(dice, person.region));
    json!({"work_email": (index % 23 != 22).then_some(work), "private_email": private, "mobile": mobile})
}

fn personal(plan: &Plan, dice: &mut Dice, person: &Person, index: usize) -> Value {
    const GENDERS: &[Option<&str>] = &[
        Some("female"),
        Some("male"),
        Some("diverse"),
        Some("undisclosed"),
        None,
        Some("female"),
        Some("male"),
    ];
    const MARITAL: &[Option<&str>] = &[
        Some("single"),
        Some("married"),
        Some("civil_union"),
        Some("widowed"),
        Some("divorced"),
        Some("separated"),
        Some("unmarried"),
        None,
    ];
    const ETHNICITIES: &[&str] = &[
        "white",
        "asian",
        "hispanic",
        "pacific_islander",
        "native_american",
        "black",
        "two_or_more",
        "undisclosed",
    ];
    // Only asked for where the law asks for it.
    let ethnicity =
        (person.region.country == "US").then(|| ETHNICITIES[index / 9 % ETHNICITIES.len()]);
    json!({
        "birth_date": dice.chance(90).then(|| plan.days_ago(dice.between(19 * 365, 63 * 365)).to_string()),
        "gender": GENDERS[index % GENDERS.len()],
        "marital_status": MARITAL[index % MARITAL.len()],
        "nationality": person.region.name,
        "ethnicity": ethnicity,
        "national_id": dice.chance(60).then(|| dice.digits(9)),
        "tax_number": dice.chance(60).then(|| dice.digits(11)),
    })
}

fn employment(
    plan: &Plan,
    dice: &mut Dice,
    person: &Person,
    index: usize,
    hired: Option<Date>,
) -> Value {
    const KINDS: &[&str] = &[
        "full_time",
        "full_time",
        "part_time",
        "contractor",
        "intern",
        "freelancer",
        "working_student",
        "apprentice",
        "trainee",
        "full_time",
    ];
    let status = match index {
        0..3 => "active",
        _ if hired.is_some() => "active",
        _ if index % 17 == 5 => "onboarding",
        _ if index % 13 == 7 => "on_leave",
        _ if index % 11 == 9 => "left",
        _ => "active",
    };
    let days = if status == "onboarding" { -dice.between(5, 60) } else { dice.between(200, 3000) };
    let start = hired.unwrap_or_else(|| plan.days_ago(days));
    // A kind that nobody has heard of: a customer's own word.
    let kind = if index % 31 == 17 { "board_member" } else { KINDS[index % KINDS.len()] };
    json!({
        "status": status,
        "kind": kind,
        "weekly_hours": if kind == "part_time" { json!(20) } else { json!(38.5) },
        "hired_on": start.to_string(),
        "left_on": (status == "left").then(|| plan.days_ago(dice.between(1, 190)).to_string()),
        "contracts": contracts(plan, dice, person, index, start, kind),
    })
}

/// One to three contracts; the last is the one that holds.
fn contracts(
    plan: &Plan,
    dice: &mut Dice,
    person: &Person,
    index: usize,
    start: Date,
    kind: &str,
) -> Vec<Value> {
    const PER: &[(&str, &str)] = &[
        ("month", "monthly"),
        ("year", "monthly"),
        ("hour", "biweekly"),
        ("week", "weekly"),
        ("day", "daily"),
        ("two_weeks", "semimonthly"),
        ("half_month", "quarterly"),
        ("two_months", "half_yearly"),
        ("quarter", "yearly"),
        ("half_year", "by_project"),
    ];
    let count = 1 + index % 3;
    (0..count)
        .map(|turn| {
            let (per, paid) = PER[(index + turn) % PER.len()];
            let from = if turn == 0 { start } else { plan.days_ago(((count - turn) * 60) as i64) };
            let pay = dice.chance(90).then(|| {
                json!({
                    "amount": format!("{}.{:02}", dice.between(18, 9_800), dice.between(0, 99)),
                    "currency": person.region.currency,
                    "per": per,
                    "paid": paid,
                })
            });
            json!({
                "id": format!("{}-{}", FIRST_EMPLOYEE + index, turn + 1),
                "title": dice.pick(TITLES),
                "kind": kind,
                "valid_from": from.to_string(),
                "pay": pay,
            })
        })
        .collect()
}

fn bank_accounts(dice: &mut Dice, person: &Person, index: usize) -> Vec<Value> {
    match index % 7 {
        3 => Vec::new(),
        5 => vec![bank_account(dice, person), bank_account(dice, person)],
        _ => vec![bank_account(dice, person)],
    }
}
