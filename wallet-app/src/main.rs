//! wallet-app: the command.
fn main() {}
