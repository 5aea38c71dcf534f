//! Development only: servers, databases and callers for tests, and what speed is measured with.
//!
//! Real servers that a test starts for itself (`openssh`, `openldap`), a database of its own
//! (`postgres`), a vendor for measuring (`paged_vendor`). Nothing of the product imports this crate.

pub mod drift;
pub mod keep_alive;
pub mod openldap;
pub mod openssh;
pub mod paged_vendor;
pub mod postgres;
pub mod scim_service;
pub mod soak;
mod soak_events;
pub mod soak_receiver;
pub mod soak_worker;
pub mod tryton;
pub mod write_soak;
