//! The sync: a tool's records into the store.
//!
//! * [`plan`]: which integrations are due.
//! * [`run`]: one run, from the first page to the last.
//! * `write`: mapped pages into the store, beside reading and mapping.
//! * `look`: the passes before a set-up is done, and the filter of employees.
//! * [`finish`]: deletions, the state of the run, what the integration's state becomes.

pub mod finish;
mod guard;
mod history;
mod issues;
mod look;
mod pages;
pub mod plan;
mod proof;
pub mod quality;
mod receipt;
pub mod run;
mod write;
