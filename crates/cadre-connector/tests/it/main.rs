//! Reading from a server on loopback that pages, refuses, breaks off and comes back.

mod auth;
mod connectors;
mod each;
mod faults;
mod guard;
mod paging;
mod replay;
mod report;
mod steps;
mod vendor;
mod xml;
