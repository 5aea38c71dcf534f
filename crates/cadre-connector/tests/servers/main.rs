//! The transports against real servers.
