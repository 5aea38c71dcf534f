//! The whole product from the outside: the real binary, real servers, the official clients.

mod cli;
mod crash;
mod demo;
mod live_errors;
mod memory;
mod process;
mod servers;
