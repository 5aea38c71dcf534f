//! What people get: pay runs, payslips and their lines.

use serde_json::{Value, json};

use super::org::LEGAL_ENTITIES;
use super::people::FIRST_EMPLOYEE;
use crate::dice::Dice;
use crate::plan::Plan;
use crate::table::Tables;

/// Months that were paid.
const MONTHS: usize = 2;
/// Currencies of the legal entities.
const CURRENCIES: [&str; LEGAL_ENTITIES] = ["EUR", "EUR", "GBP", "USD", "PLN"];

/// Fills the tables.
pub(super) fn seed(plan: &Plan, tables: &mut Tables) {
    for month in 0..MONTHS {
        let begin = plan
            .today()
            .first_of_month()
            .saturating_sub(jiff::Span::new().months(MONTHS as i64 - month as i64));
        let end = begin.last_of_month();
        for (entity, currency) in CURRENCIES.iter().enumerate() {
            let id = month * LEGAL_ENTITIES + entity + 1;
            let made = plan.hours_ago(24 * 25 * (MONTHS - month) as i64);
            let mut sum = [0_i64; 2];
            for index in (0..plan.employees).filter(|index| index % LEGAL_ENTITIES == entity) {
                let (gross, net) = payslip(plan, tables, month, index, id, currency);
                sum = [sum[0] + gross, sum[1] + net];
            }
            // A run that has not been paid out yet knows no more than what it costs.
            let open = month + 1 == MONTHS && entity + 1 == LEGAL_ENTITIES;
            let paid = if open { Value::Null } else { money(sum[1], currency) };
            let body = json!({
                "id": format!("pr-{id}"),
                "legal_entity": (entity != 3).then(|| json!({"id": entity + 1})),
                "from": begin.to_string(),
                "until": end.to_string(),
                "totals": {"gross": money(sum[0], currency), "net": money(sum[1], currency), "paid": paid},
            });
            tables.entry("pay-runs").or_default().add(body, made, made);
        }
    }
}

/// Adds a payslip; returns gross and net in hundredths.
fn payslip(
    plan: &Plan,
    tables: &mut Tables,
    month: usize,
    index: usize,
    run: usize,
    currency: &str,
) -> (i64, i64) {
    let mut dice = Dice::of(plan.seed, "payslip", index * MONTHS + month);
    let gross = dice.between(180_000, 980_000);
    let tax = gross * dice.between(12, 38) / 100;
    let insurance = gross * 9 / 100;
    let net = gross - tax - insurance;
    let id = format!("ps-{run}-{index}");
    let mut lines = vec![
        json!({"id": format!("{id}-1"), "label": "Grundgehalt", "amount": money(gross, currency)}),
        json!({"id": format!("{id}-2"), "label": "Lohnsteuer", "amount": money(-tax, currency)}),
        json!({"id": format!("{id}-3"), "label": "Insurance", "amount": money(-insurance, currency)}),
    ];
    if dice.chance(15) {
        lines.push(json!({"id": format!("{id}-4"), "label": "Company bike", "amount": null}));
    }
    let made = plan.hours_ago(24 * 24 * (MONTHS - month) as i64);
    let paid = money(net, currency);
    let body = json!({
        "id": id,
        "employee": {"id": FIRST_EMPLOYEE + index},
        "pay_run": (index % 19 != 18).then(|| json!({"id": format!("pr-{run}")})),
        "totals": {"gross": money(gross, currency), "net": paid, "paid": paid},
        "lines": lines,
    });
    tables.entry("payslips").or_default().add(body, made, made);
    (gross, net)
}

/// An amount as the vendor writes it: a text with two decimals.
fn money(hundredths: i64, currency: &str) -> Value {
    let sign = if hundredths < 0 { "-" } else { "" };
    let amount = hundredths.abs();
    json!({"amount": format!("{sign}{}.{:02}", amount / 100, amount % 100), "currency": currency})
}
