//! `amparo-issuer`: the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    issuer::cli::main()
}
