//! `amparo-biometrics`: for those who must judge us. Measures templates, comparisons, error rates, key release and search.

#![allow(
    clippy::disallowed_methods,
    reason = "a program: it reads files, clocks and the environment on its caller's behalf"
)]

mod command;

fn main() -> std::process::ExitCode {
    command::run()
}
