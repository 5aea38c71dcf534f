//! The sync: a tool's records into the store.
//!
//! * [`plan`]: which integrations are due.
//! * [`run`]: one run, from the first page to the last.
//! * `write`: mapped pages into the store, beside reading and mapping.
//! * [`finish`]: deletions, the state of the run, what the integration's state becomes.

pub mod finish;
mod guard;
mod history;
mod issues;
mod pages;
pub mod plan;
mod proof;
pub mod quality;
mod receipt;
pub mod run;
mod write;
