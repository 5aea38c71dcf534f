//! Records: the mirror itself.
//!
//! * [`write`]: one page of a stream, all of it or nothing.
//! * [`touch`]: which other records show a record, so that `updated_after` finds them.
//! * [`delete`]: what a complete pass did not see.
//! * [`list`] and [`filter`]: the one generic list.
//! * [`render`]: joining, by splicing text.

mod delete;
mod filter;
mod find;
mod learn;
mod list;
mod proof;
mod render;
pub(crate) mod sql;
mod touch;
mod write;

pub(crate) use filter::Bound;
pub use find::FoundRecord;
pub use list::{ListPage, ListQuery, ModelStats};
pub use proof::{Before, Fingerprint, Freshness, Suspect};
pub(crate) use sql::chunks;
pub use write::{PageOutcome, PageWrite};
