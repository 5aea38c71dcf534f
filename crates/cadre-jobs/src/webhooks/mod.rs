//! Telling customers what happened: the events of the ledger, to their webhook endpoints.
//!
//! * [`deliver`]: who is told what next, in which order, and when it is tried again.
//! * [`message`]: one event as bytes: body, signatures, headers.
//! * [`post`]: one attempt, and what its answer means.

mod deliver;
mod message;
mod post;
#[cfg(test)]
mod tests;

pub use deliver::{drain, work};
pub use message::{Message, absolute};
pub use post::{Outcome, check_url, send_test};
