//! Talking to vendors: manifest, auth, paging, transports, throttling, error rules.
//!
//! A [`Connector`] is a checked folder; a [`Session`] binds it to one [`Account`]; a [`Reader`] hands out
//! one [`Page`] of raw records after the other. What a vendor needs is data in the folder, or a new
//! general mechanism in [`auth`], [`page`] or [`transport`], named for what it does: no vendor is named
//! in this crate. It maps nothing and stores nothing.
//!
//! The way of one request: `request` builds it, `auth` signs it, `budget` lets it through, an
//! [`HttpSend`] sends it, `classify` judges the answer, `redact` cleans what is told about it, `retry`
//! repeats it, `page` finds the next.

#![allow(
    clippy::result_large_err,
    reason = "a failure ends a read: it is made once, and moved a few times"
)]

mod action;
pub mod auth;
mod budget;
mod classify;
mod connector;
mod exchange;
pub mod format;
mod grant;
mod live;
mod log_in;
pub mod manifest;
mod pace;
pub mod page;
mod problem;
mod read;
mod redact;
mod replay;
mod request;
mod retry;
mod send;
mod session;
pub mod transport;
mod wire;

pub use action::{StepContext, Taken};
pub use auth::{ConsentRequest, OAuthClient};
pub use classify::Failure;
pub use connector::{Connector, Live, Stream};
pub use exchange::{
    ClientIdentity, Exchange, HttpRequest, HttpResponse, HttpSend, NoObserver, Observer, Recorded,
    SendError,
};
pub use grant::{Grant, GrantKeeper};
pub use live::{PassRequest, Passed};
pub use manifest::{FieldProblem, Manifest};
pub use problem::Problem;
pub use read::{Page, RawRecord, Reader};
pub use replay::Replay;
pub use request::multipart;
pub use session::{Account, Io, ReadLimits, Session, Standing};
pub use wire::{Wire, WireOptions};
