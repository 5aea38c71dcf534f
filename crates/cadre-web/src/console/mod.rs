//! The pages for the people who run Cadre: the log behind `log_url`, an overview, the log-in.
//!
//! A page makes the same calls into the store as the API does. It opens for whoever came through a
//! log-in link, which the command line prints.

pub mod log;
pub mod login;
pub mod overview;
mod page;

pub use page::Visitor;
