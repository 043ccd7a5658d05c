//! `amparo-attester`: the command.

use std::process::ExitCode;

fn main() -> ExitCode {
    attester::cli::main()
}
