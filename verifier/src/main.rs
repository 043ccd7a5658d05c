//! verifier: the command.
fn main() {}
