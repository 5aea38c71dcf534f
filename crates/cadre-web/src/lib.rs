//! The API and the pages behind `log_url`.
//!
//! A request passes these rooms: [`router`] (every route in one list), [`recorder`] (each call is an
//! interaction), [`scope`] (who calls, and for which integration), a handler under [`api`],
//! [`connect`] or [`console`], and on the way out [`refuse`], which alone knows statuses and the error envelope.
//!
//! Nothing here talks to a vendor or speaks SQL: handlers extract, make one call into the store or
//! the jobs, and convert.
//!
//! To add an endpoint: a file under `api/`, its route in [`router`], its operation in [`openapi`].

pub mod address;
pub mod api;
pub mod assets;
pub mod body;
pub mod connect;
pub mod console;
pub mod gate;
pub mod limit;
pub mod listing;
pub mod openapi;
pub mod recorder;
pub mod refuse;
pub mod reply;
pub mod router;
pub mod scope;
pub mod state;

pub use router::router;
pub use state::{AppState, WebSettings};
