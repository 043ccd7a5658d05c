//! Developer commands: `cargo xtask demo` and `cargo xtask test` set everything up by themselves.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a developer command: it speaks to a person, reads files and starts programs"
)]

mod bench;
mod checks;
mod demo;
mod evaluate;
mod faiss;
mod fuzz;
mod gate;
mod graph;
mod mutants;
mod services;
mod setup;
mod shell;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Amparo's developer commands.
#[derive(Parser)]
#[command(name = "cargo xtask", after_help = "Example: cargo xtask demo")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set everything up and run the main job: issue, hold, unlock, present, consent that ends, revoke.
    Demo(demo::Arguments),
    /// Set everything up and run every test and every check.
    Test(gate::Arguments),
    /// Fetch what is not on the Cargo registry: models, runtime, photographs, tools. The second time needs no network.
    Setup,
    /// Print speed side by side with other implementations, unlock stages, vault times and sizes, and flows a second of the services.
    Bench(bench::Arguments),
    /// Measure the biometrics on the images in ../shared/data, and write tables and drawings into docs/.
    Evaluate(evaluate::Arguments),
    /// Fuzz one target of tests/fuzz with libFuzzer for ten minutes, or as many as said.
    Fuzz(fuzz::Arguments),
    /// Change what decides, one thing at a time, and see whether a test notices. Takes hours; file by file if asked.
    Mutants(mutants::Arguments),
    /// Check that every test named in docs/checks.md exists, and that every attack demanded has one.
    Checks,
    /// Check who imports whom against the graph in the README.
    Graph,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments).map_err(|e| e.to_string()),
        Command::Test(arguments) => gate::run(&arguments).map_err(|e| e.to_string()),
        Command::Setup => setup::run(setup::Scope::Everything).map(|_| ()).map_err(|e| e.to_string()),
        Command::Bench(arguments) => bench::run(&arguments).map_err(|e| e.to_string()),
        Command::Evaluate(arguments) => evaluate::run(&arguments).map_err(|e| e.to_string()),
        Command::Fuzz(arguments) => fuzz::run(&arguments).map_err(|e| e.to_string()),
        Command::Mutants(arguments) => mutants::run(&arguments).map_err(|e| e.to_string()),
        Command::Checks => checks::run().map_err(|e| e.to_string()),
        Command::Graph => graph::run().map_err(|e| e.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
