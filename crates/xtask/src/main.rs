//! Development only: tidy checks and generated files.
fn main() {}
