//! When people work and when they do not: absences, balances, time entries.

use jiff::ToSpan;
use serde_json::{Value, json};

use super::people::FIRST_EMPLOYEE;
use crate::dice::Dice;
use crate::plan::Plan;
use crate::table::Tables;
use crate::words::{ABSENCE_TYPES, REGIONS};

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    for index in 0..plan.employees {
        for turn in 0..index % 3 {
            absence(plan, tables, index, turn);
        }
        if index % 2 == 0 {
            time_entry(plan, tables, index);
        }
        balances(plan, tables, index);
    }
}

fn absence(plan: &Plan, tables: &mut Tables, index: usize, turn: usize) {
    const STATES: &[&str] =
        &["approved", "pending", "approved", "rejected", "cancelled", "withdrawn"];
    let mut dice = Dice::of(plan.seed, "absence", index * 3 + turn);
    let table = tables.entry("absences").or_default();
    let kind = dice.below(ABSENCE_TYPES.len());
    let (_, unit, half_days, hourly) = ABSENCE_TYPES[kind];
    let from = plan.days_ago(dice.between(-60, 300));
    let length = if hourly { 0 } else { dice.between(0, 9) };
    let until = from.saturating_add(length.days());
    let (from_half, until_half) =
        (half_days && dice.chance(25), half_days && length > 0 && dice.chance(25));
    let amount = if hourly {
        3.5
    } else {
        (length + 1) as f64 - 0.5 * f64::from(u8::from(from_half) + u8::from(until_half))
    };
    let made = plan.hours_ago(24 * dice.between(20, 380));
    let changed = plan.hours_ago(dice.between(1, 24 * 19));
    let body = json!({
        "id": 500_000 + table.len(),
        "employee": {"id": FIRST_EMPLOYEE + index},
        "type": {"id": kind + 1},
        "from": from.to_string(),
        "until": until.to_string(),
        "from_half": from_half,
        "until_half": until_half,
        "from_time": hourly.then_some("13:00"),
        "until_time": hourly.then_some("16:30:00"),
        "amount": amount,
        "unit": unit,
        "state": STATES[table.len() % STATES.len()],
        "approver": dice.chance(80).then(|| json!({"id": FIRST_EMPLOYEE})),
        "note": dice.chance(40).then_some("Bitte um Freigabe – grüß euch! 🙏"),
    });
    table.add(body, made, changed);
}

/// Balances of an employee: vacation in days, and for some of them flexitime in hours.
pub(super) fn balances(plan: &Plan, tables: &mut Tables, index: usize) {
    let mut dice = Dice::of(plan.seed, "balance", index);
    let table = tables.entry("time-off-balances").or_default();
    let changed = plan.hours_ago(dice.between(1, 24 * 40));
    for (kind, unit) in [(1, "day"), (3, "hour")].into_iter().take(1 + index % 2) {
        let employee = FIRST_EMPLOYEE + index;
        let body = json!({
            "id": format!("{employee}:{kind}"),
            "employee": {"id": employee},
            "type": {"id": kind},
            "left": amount(&mut dice, -8, unit),
            "taken": if dice.chance(80) { amount(&mut dice, 0, unit) } else { Value::Null },
        });
        table.add_below(Some(employee.to_string()), body, changed, changed);
    }
}

fn amount(dice: &mut Dice, least: i64, unit: &str) -> Value {
    json!({"amount": dice.between(least, 60) as f64 / 2.0, "unit": unit})
}

fn time_entry(plan: &Plan, tables: &mut Tables, index: usize) {
    const STATES: &[&str] = &["approved", "open", "rejected"];
    let mut dice = Dice::of(plan.seed, "time entry", index);
    let table = tables.entry("time-entries").or_default();
    let day = plan.days_ago(dice.between(1, 25));
    let offset = REGIONS[index % REGIONS.len()].offset;
    let at = |hour: &str| format!("{day}T{hour}:00{offset}");
    let state = STATES[table.len() % STATES.len()];
    let running = index % 20 == 18;
    let breaks: Value = match index % 6 {
        0 => json!([
            {"start": at("12:00"), "end": at("12:30"), "paid": false},
            {"start": at("15:00"), "end": at("15:10"), "paid": true},
        ]),
        2 => json!([{"start": at("12:00"), "end": at("12:45"), "paid": false}]),
        _ => json!([]),
    };
    let unpaid = match index % 6 {
        0 => 30,
        2 => 45,
        _ => 0,
    };
    let made = plan.hours_ago(dice.between(24, 600));
    let body = json!({
        "id": format!("te-{}", table.len() + 1),
        "employee": {"id": FIRST_EMPLOYEE + index},
        "start": at("08:00"),
        "end": (!running).then(|| at("17:00")),
        "utc_offset": offset,
        "paid_hours": (!running).then(|| 9.0 - f64::from(unpaid) / 60.0),
        "unpaid_break_minutes": unpaid,
        "breaks": breaks,
        "approval": {"state": state, "at": (state == "approved").then(|| made.to_string())},
        "note": dice.chance(30).then_some("Inventur"),
    });
    table.add(body, made, made);
}
