//! The sandbox as a caller sees it: over HTTP, as a real client would.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod coverage;
mod faults;
mod sandboxats;
mod sandboxhris;
mod twins;
