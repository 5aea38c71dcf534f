//! Development only: servers, databases and callers for tests.

pub mod openldap;
pub mod openssh;
