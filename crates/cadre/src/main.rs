//! The binary: reads the configuration and wires the parts.
fn main() {}
