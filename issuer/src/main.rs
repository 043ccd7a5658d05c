//! issuer: the command.
fn main() {}
