//! The sandbox as a caller sees it: over HTTP, as a real client would.

mod client;
mod coverage;
mod faults;
mod sandboxats;
mod sandboxhris;
