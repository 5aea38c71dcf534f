//! Development only: servers, databases and callers for tests.
