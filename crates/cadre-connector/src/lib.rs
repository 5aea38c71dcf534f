//! Talking to vendors: manifest, auth, paging, transports, throttling, error rules.

pub mod format;
pub mod transport;
