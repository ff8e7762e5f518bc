//! The cluster DNS operator.
fn main() {}
