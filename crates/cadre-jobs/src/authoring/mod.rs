//! What people who write connectors are helped with.
//!
//! [`start`] writes a folder to begin with, [`schema`] tells editors what its files may hold, [`trial`] reads a
//! page of the real tool, [`recording`] makes a case of what was said there, and [`coverage`] lists what
//! connectors cover.

pub mod coverage;
pub mod recording;
pub mod schema;
mod scrub;
pub mod start;
pub mod trial;
