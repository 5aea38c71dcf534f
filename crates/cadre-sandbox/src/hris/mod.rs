//! Sandbox HR: what it stores. How it is served stands in `api`.
//!
//! `org` makes the company, `people` its employees, `time` when they work, `growth` how they do and
//! `pay` what they get. `consent` asks people whether others may see it.

pub(crate) mod api;
pub(crate) mod consent;
mod growth;
mod org;
mod pay;
pub(crate) mod people;
mod skills;
mod time;
mod writes;

use jiff::Timestamp;

use crate::plan::Plan;
use crate::table::Tables;

/// Fills the tables.
pub(crate) fn seed(plan: &Plan) -> Tables {
    let mut tables = Tables::new();
    org::seed(plan, &mut tables);
    people::seed(plan, &mut tables);
    time::seed(plan, &mut tables);
    growth::seed(plan, &mut tables);
    pay::seed(plan, &mut tables);
    tables
}

/// Hires one more person, who begins today; returns the id.
pub(crate) fn hire(plan: &Plan, tables: &mut Tables, now: Timestamp) -> String {
    let index = tables["employees"].added();
    people::add(plan, tables, index, Some(now));
    time::balances(plan, tables, index);
    (people::FIRST_EMPLOYEE + index).to_string()
}
