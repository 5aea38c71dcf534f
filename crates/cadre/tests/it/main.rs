//! The whole product from the outside: the real binary, real servers, the official clients.

mod crash;
mod demo;
mod memory;
mod process;
