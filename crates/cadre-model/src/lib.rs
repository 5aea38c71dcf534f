//! The words of the domain: unified models, ids, faults, time.
//!
//! Everything here is plain data and pure functions. This crate does no input or output, knows no
//! database, no HTTP and no vendor, and imports no other crate of Cadre. Start at [`registry`] for
//! the list of models, at [`shape`] for how a model is declared, at [`fault`] for errors.

pub mod action;
pub mod ats;
pub mod email;
pub mod fault;
pub mod fields;
pub mod hris;
pub mod ids;
pub mod live;
pub mod lms;
pub mod mapped;
pub mod model;
pub mod registry;
pub mod secret;
pub mod shape;
pub mod time;
pub mod values;
