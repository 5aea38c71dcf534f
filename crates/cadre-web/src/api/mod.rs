//! The API, one file per endpoint: its parameters, its handler, its answer.

pub mod actions;
pub mod apply;
pub mod assessment;
pub mod attachments;
pub mod bulk;
pub mod check_api_key;
pub mod connect;
pub mod events;
pub mod fields;
pub mod files;
pub mod force_sync;
pub mod health;
pub mod hooks;
pub mod integrations;
pub mod interactions;
pub mod lists;
pub mod passthrough;
pub mod provisioning;
pub mod scim;
pub mod setup;
pub mod tools;
pub mod unknown;
pub mod webhook_endpoints;
