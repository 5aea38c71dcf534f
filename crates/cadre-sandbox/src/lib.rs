//! Made-up vendors that behave on the wire as real ones do.
