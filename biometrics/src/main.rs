//! biometrics: the command.
fn main() {}
