//! Records: the mirror itself.
//!
//! * [`write`]: one page of a stream, all of it or nothing.
//! * [`touch`]: which other records show a record, so that `updated_after` finds them.
//! * [`delete`]: what a complete pass did not see.
//! * [`keys`]: the values that filters look at.
//! * [`list`] and [`filter`]: the one generic list.
//! * [`plans`]: what the database knows of the sizes of its tables.
//! * [`raw`]: the raw values that records were made of, and making them once more.
//! * [`render`]: joining, by splicing text.
//! * [`version`]: whether what was rendered still holds.

mod among;
mod delete;
mod filter;
mod find;
pub(crate) mod keys;
mod learn;
mod list;
mod plans;
mod proof;
mod raw;
mod render;
pub(crate) mod sql;
mod touch;
pub(crate) mod version;
mod write;

pub(crate) use filter::Bound;
pub use find::FoundRecord;
pub use list::{ListPage, ListQuery, ModelStats};
pub use proof::{Before, Fingerprint, Freshness, Suspect};
pub use raw::RawRow;
pub(crate) use sql::chunks;
pub use write::{PageOutcome, PageWrite};
