//! The API and the pages behind `log_url`.
//!
//! A request passes these rooms: [`router`] (every route in one list), the recorder (each call is an
//! interaction), [`scope`] (who calls, and for which integration), a handler under `api/` or
//! `console/`, and on the way out [`refuse`], which alone knows statuses and the error envelope.
//!
//! Nothing here talks to a vendor or speaks SQL: handlers extract, make one call into the store or
//! the jobs, and convert.
//!
//! To add an endpoint: a file under `api/`, its route in [`router`], its operation in [`openapi`].

pub mod listing;
pub mod openapi;
pub mod refuse;
