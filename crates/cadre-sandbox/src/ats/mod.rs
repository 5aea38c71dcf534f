//! Sandbox ATS: what it stores. How it is served stands in `api`.
//!
//! `setup` makes users, roles and lists, `jobs` the jobs, `questions` what they ask, `candidates` the
//! people who apply, `process` what happens to their applications.

pub(crate) mod api;
pub(crate) mod candidates;
mod jobs;
mod process;
mod questions;
mod setup;
mod writes;

use crate::plan::Plan;
use crate::table::Tables;

/// Fills the tables.
pub(crate) fn seed(plan: &Plan) -> Tables {
    let mut tables = Tables::new();
    setup::seed(plan, &mut tables);
    jobs::seed(plan, &mut tables);
    candidates::seed(plan, &mut tables);
    process::seed(plan, &mut tables);
    tables
}
