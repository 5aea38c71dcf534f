//! Development only: servers, databases and callers for tests, and what speed is measured with.

pub mod keep_alive;
pub mod openldap;
pub mod openssh;
pub mod paged_vendor;
pub mod postgres;
