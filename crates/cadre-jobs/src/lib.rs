//! Sync, actions and upkeep: where connector, mapping and store meet.
//!
//! A job is a row in the database. A worker leases it, looks at the state of the world and moves it
//! towards what is intended; it takes nothing but an id from the job, so that the normal case, a
//! restart and a lost signal are the same code. [`sync::run`] is the one place that joins
//! connector, mapping and store.
//!
//! To add a kind of job: a module with a function from a leased job to an outcome, and an arm in
//! [`worker`].

pub mod actions;
pub mod apply;
pub mod assessment;
pub mod authoring;
pub mod cases;
pub mod catalog;
pub mod connect;
pub mod enqueue;
pub mod fields;
pub mod grants;
pub mod hooks;
pub mod lineage;
pub mod live;
pub mod observe;
pub mod oidc;
mod pin;
pub mod retention;
pub mod scim;
pub mod settings;
pub mod setup;
pub mod standing;
pub mod sync;
mod unlock;
pub mod webhooks;
pub mod worker;

pub use catalog::{Catalog, Entry};
pub use enqueue::{Enqueued, enqueue_sync, possible_kind};
pub use settings::{Parts, Settings};
pub use standing::Standings;
pub use unlock::{accept_quality, force_unlock};
