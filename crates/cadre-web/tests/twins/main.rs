//! The real connectors against the twins of their vendors.
//!
//! Both were written from the vendor's documentation, neither from the other. What Cadre holds after a
//! sync is compared with the company behind the twin, in words of no vendor.

mod bench;
mod compare;
mod faults;
mod hris;
mod learning;
mod recruiting;
