//! The whole product from the outside: the real binary, real servers, the official clients.

mod bad_input;
mod cli;
mod crash;
mod dashboard;
mod demo;
mod error_guide;
mod faults;
mod logs;
mod memory;
mod postings;
mod process;
mod sandbox;
mod schema;
mod scim;
mod secrets;
mod servers;
mod trust;
mod twins;
mod webdriver;
mod webhooks;
