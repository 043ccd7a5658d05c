//! `cargo xtask test`: every check there is, cheapest first; CI runs the same.

use crate::checks::{self, ChecksError};
use crate::graph;
use crate::setup::{self, Home, Scope, SetupError};
use crate::shell::{self, ShellError};
use std::process::Command;
use std::time::Instant;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Only the tests whose name contains this; no lints.
    filter: Option<String>,
}

/// Which check did not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GateError {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error("{step} does not hold: {source}")]
    Step { step: &'static str, source: ShellError },
    #[error("the crate graph does not hold: {0}")]
    Graph(#[from] graph::GraphError),
    #[error(transparent)]
    Checks(#[from] ChecksError),
}

/// Sets up and runs everything.
pub(crate) fn run(arguments: &Arguments) -> Result<(), GateError> {
    let started = Instant::now();
    let home = setup::run(Scope::Everything)?;
    if let Some(filter) = &arguments.filter {
        return tests(&home, Some(filter));
    }
    step("rustfmt", shell::cargo().args(["fmt", "--all", "--check"]))?;
    println!("\n== crate graph");
    graph::run()?;
    println!("\n== docs/checks.md against the tests");
    checks::run()?;
    deny(&home)?;
    step(
        "clippy",
        shell::cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]),
    )?;
    step(
        "the verifier library without its service",
        shell::cargo().args([
            "clippy",
            "--quiet",
            "--package",
            "verifier",
            "--lib",
            "--no-default-features",
            "--",
            "--deny",
            "warnings",
        ]),
    )?;
    // The radio is in no other build, and on no machine of ours (docs/decisions/0130): that it compiles is what is known.
    if cfg!(target_os = "linux") {
        let radio = ["clippy", "--quiet", "--package", "nearby", "--all-targets", "--features", "ble", "--"];
        step("the link with its radio", shell::cargo().args(radio).args(["--deny", "warnings"]))?;
    }
    tests(&home, None)?;
    step("doc tests", shell::cargo().args(["test", "--quiet", "--doc", "--workspace"]))?;
    println!("\nEverything holds ({} s).", started.elapsed().as_secs());
    Ok(())
}

fn step(name: &'static str, command: &mut Command) -> Result<(), GateError> {
    println!("\n== {name}: {}", shell::describe(command));
    let started = Instant::now();
    shell::run(command).map_err(|source| GateError::Step { step: name, source })?;
    println!("== {name}: holds ({} s)", started.elapsed().as_secs());
    Ok(())
}

fn tests(home: &Home, filter: Option<&str>) -> Result<(), GateError> {
    let nextest = on_path("cargo-nextest").then(shell::cargo).or_else(|| {
        home.tool("cargo-nextest").map(|tool| {
            let mut command = Command::new(tool);
            command.current_dir(shell::root());
            command
        })
    });
    let mut command = match nextest {
        Some(mut command) => {
            command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
            command
        }
        None => {
            println!("cargo-nextest is not to be had here: its plain equivalent `cargo test` runs the same tests");
            let mut command = shell::cargo();
            command.args(["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"]);
            command
        }
    };
    if let Some(filter) = filter {
        command.arg(filter);
    }
    command.env("AMPARO_HOME", home.path());
    step("tests", &mut command)
}

/// Bans, licences and sources always; advisories where a database is at hand.
fn deny(home: &Home) -> Result<(), GateError> {
    let mut command = if on_path("cargo-deny") {
        let mut command = shell::cargo();
        command.arg("deny");
        command
    } else if let Some(tool) = home.tool("cargo-deny") {
        let mut command = Command::new(tool);
        command.current_dir(shell::root());
        command
    } else {
        println!("\ncargo-deny is not here and is installed by name (this takes minutes, once)");
        step("cargo-deny", shell::cargo().args(["install", "--quiet", "--locked", "cargo-deny@0.20.2"]))?;
        let mut command = shell::cargo();
        command.arg("deny");
        command
    };
    // Every platform's crates are looked at, also those that this machine does not build; once fetched, no network is needed.
    step("crates of every platform", shell::cargo().args(["fetch", "--quiet", "--locked"]))?;
    command.args(["--log-level", "error", "--offline", "check", "bans", "licenses", "sources"]);
    if advisory_database() {
        command.arg("advisories");
    } else {
        println!(
            "\nno advisory database is at hand (~/.cargo/advisory-dbs): advisories are not checked on this machine"
        );
    }
    step("cargo deny", &mut command)
}

fn advisory_database() -> bool {
    let cargo_home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = cargo_home.or_else(|| directories::BaseDirs::new().map(|d| d.home_dir().join(".cargo")));
    home.and_then(|h| std::fs::read_dir(h.join("advisory-dbs")).ok())
        .is_some_and(|mut entries| entries.next().is_some())
}

pub(crate) fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}
