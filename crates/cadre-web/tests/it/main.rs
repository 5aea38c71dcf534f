//! The API as its callers meet it.

mod actions;
mod app;
mod authorization;
mod browser;
mod console;
mod contract;
mod desk;
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
mod sessions;
mod sign_on;
mod webhooks;
