//! The dashboard: pages for the people who run Cadre.
//!
//! A page makes the same calls into the store and the jobs as the API does; one file is one page. Who
//! may open it stands beside its path in [`route`], and [`door`] asks before the page begins: for a
//! session, for the role, and of every form whether it is one of ours. [`shell`] finds the environment
//! and the integration that the path names; what is not in the environment is not there.
//!
//! Everything works without a script. With one, lists narrow while one types, a running sync moves by
//! itself, and times are shown in the reader's zone.
//!
//! To add a page: a file here, its template, its line in [`route`].

mod account;
mod assessment;
mod audit;
mod chart;
mod coverage;
mod data;
mod door;
mod environments;
mod integration;
mod integrations;
mod issues;
mod keys;
mod links;
mod log;
pub mod login;
mod logs;
mod mapping;
mod overview;
mod page;
mod people;
mod posting;
mod postings;
mod readme;
mod record;
mod route;
mod scope;
mod scopes;
mod settings;
mod shell;
pub mod sign_on;
mod syncs;
mod tool;
mod tryout;
mod webhook;
mod webhooks;
mod welcome;

pub use route::{Route, router, routes};
