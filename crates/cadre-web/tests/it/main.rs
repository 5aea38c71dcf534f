//! The API as its callers meet it.

mod actions;
mod app;
mod authorization;
mod console;
mod contract;
mod errors;
mod fields;
mod gates;
mod general;
mod hooks;
mod lists;
mod live;
mod openapi;
mod passthrough;
mod property;
mod receiver;
mod recent;
mod sample;
mod webhooks;
