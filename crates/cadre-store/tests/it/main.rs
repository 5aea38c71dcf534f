//! The store, each story on SQLite and on PostgreSQL.

// Taken as a file: as a dependency it would build the API and all the rest before these tests.
#[allow(dead_code)]
#[path = "../../../cadre-testkit/src/postgres.rs"]
mod postgres;

mod bed;
mod connecting;
mod ends;
mod events;
mod filters;
mod interactions;
mod jobs;
mod lists;
mod odd;
mod open;
mod pages;
mod search;
mod tenants;
mod touches;
