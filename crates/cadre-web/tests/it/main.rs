//! The API as its callers meet it.

mod actions;
mod app;
mod authorization;
mod browser;
mod connect;
mod consent;
mod console;
mod contract;
mod embedded;
mod errors;
mod gates;
mod general;
mod lists;
mod live;
mod openapi;
mod passthrough;
mod property;
mod receiver;
mod sample;
mod webhooks;
