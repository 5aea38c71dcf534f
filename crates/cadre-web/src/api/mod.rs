//! The API, one file per endpoint: its parameters, its handler, its answer.

pub mod check_api_key;
pub mod force_sync;
pub mod health;
pub mod integrations;
pub mod lists;
pub mod tools;
pub mod unknown;
