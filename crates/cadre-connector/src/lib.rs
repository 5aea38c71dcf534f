//! Talking to vendors: manifest, auth, paging, transports, throttling, error rules.
