//! The verifier's command, `amparo-verifier`.

use std::process::ExitCode;

fn main() -> ExitCode {
    verifier::service::cli::main()
}
