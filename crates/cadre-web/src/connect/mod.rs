//! The connect flow: the pages on which an end customer links an account.
//!
//! The link is the proof of who may: its token stands in the path of every page, and no cookie is
//! needed, so that the flow works inside a frame of another site. Pages work without scripts; the one
//! script only speaks with the page around the frame. What was chosen so far stands in the address of
//! the page, so that *back* works and nothing has to be remembered.
//!
//! The way: [`choose`] a tool, [`review`] what is read and written, [`credentials`] or [`consent`],
//! [`setup`] where something is left to do, [`done`]. To add a language: a file in `texts/`, a line in [`texts`].

pub mod choose;
pub mod consent;
pub mod credentials;
pub mod done;
mod guide;
mod page;
pub mod review;
pub mod setup;
mod texts;

pub use page::{script, style};
