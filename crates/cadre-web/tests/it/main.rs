//! The API as its callers meet it.

mod actions;
mod app;
mod authorization;
mod browser;
mod codes;
mod console;
mod contract;
mod desk;
mod errors;
mod gates;
mod general;
mod interactions;
mod limits;
mod lists;
mod live;
mod openapi;
mod passthrough;
mod property;
mod receiver;
mod sample;
mod sessions;
mod webhooks;
