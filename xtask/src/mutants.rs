//! `cargo xtask mutants`: one change at a time to what decides, and whether a test notices (docs/mutants.md).

use crate::gate::on_path;
use crate::shell::{self, ShellError};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Which files.
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask mutants credentials/src/key_binding.rs")]
pub(crate) struct Arguments {
    /// Only these of the listed files.
    files: Vec<PathBuf>,
    /// Only one part of each file's mutants: 0/4 is the first of four.
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only mutants whose description matches: a function, or what it is replaced by.
    #[arg(long, value_name = "REGEX")]
    matching: Option<String>,
    /// Only list the files.
    #[arg(long)]
    list: bool,
}

/// What did not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MutantsError {
    #[error("{0} is not in the list: cargo xtask mutants --list")]
    NotListed(String),
    #[error("the tests of {0} fail without a mutant; see {1}")]
    Baseline(String, String),
    #[error("{path}: {source}")]
    Outcomes { path: String, source: std::io::Error },
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// What decides whether somebody is believed, by the package whose own tests must notice. What only tests over HTTP would notice
/// is left out.
const FILES: [&str; 18] = [
    "credentials/src/key_binding.rs",
    "credentials/src/sd_jwt/process.rs",
    "credentials/src/sd_jwt/payload.rs",
    "credentials/src/sd_jwt/verify.rs",
    "credentials/src/jws.rs",
    "credentials/src/jws/headers.rs",
    "credentials/src/key/der.rs",
    "credentials/src/consent/check.rs",
    "credentials/src/consent/fit.rs",
    "credentials/src/mdoc/verify.rs",
    "credentials/src/status_list/list.rs",
    "credentials/src/status_list/verified.rs",
    "credentials/src/status_list/token.rs",
    "credentials/src/trust/chain.rs",
    "credentials/src/trust/cache.rs",
    "credentials/src/trust/certificate.rs",
    "credentials/src/trust/path.rs",
    "verifier/src/verification.rs",
];

const TOOL: &str = "cargo-mutants";
const VERSION: &str = "26.0.0";

/// Prints a row of a table for each file, as it is done; survivors below it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), MutantsError> {
    if arguments.list {
        println!("{}", FILES.join("\n"));
        return Ok(());
    }
    let chosen: Vec<&str> = if arguments.files.is_empty() {
        FILES.to_vec()
    } else {
        arguments.files.iter().map(|file| listed(file)).collect::<Result<_, _>>()?
    };
    if !on_path(TOOL) {
        println!("{TOOL} is not here and is installed by name (this takes minutes, once)");
        shell::run(shell::cargo().args(["install", "--quiet", "--locked", &format!("{TOOL}@{VERSION}")]))?;
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| shell::root().join("target"), PathBuf::from);
    let target = target.join("mutants");
    println!("| file | mutants | caught | unviable | timeouts | survivors |\n|---|---|---|---|---|---|");
    for file in chosen {
        one(file, &target, arguments)?;
    }
    Ok(())
}

fn listed(file: &Path) -> Result<&'static str, MutantsError> {
    let found = FILES.into_iter().find(|listed| Path::new(listed) == file);
    found.ok_or_else(|| MutantsError::NotListed(file.display().to_string()))
}

fn one(file: &'static str, target: &Path, arguments: &Arguments) -> Result<(), MutantsError> {
    let output = target.join(file.replace('/', "_"));
    let package = file.split('/').next().unwrap_or_default();
    let mut mutants = shell::cargo();
    mutants.args(["mutants", "--file", file, "--package", package, "--test-tool", "nextest"]);
    // One at a time, in a copy of the tree; a test that hangs is a mutant noticed.
    mutants.args(["--jobs", "1", "--no-shuffle", "--colors", "never", "--minimum-test-timeout", "60"]);
    // What `Debug` hides is pinned by tests of its own.
    mutants.args(["--exclude-re", "fmt"]);
    mutants.arg("--output").arg(&output);
    if let Some(shard) = &arguments.shard {
        mutants.args(["--shard", shard]);
    }
    if let Some(matching) = &arguments.matching {
        mutants.args(["--re", matching]);
    }
    // Compiling is most of it: ours without optimisation, what we depend on as ever.
    mutants.env("CARGO_TARGET_DIR", target.join("build"));
    mutants.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    // It fails when a mutant survives, which is an answer here.
    let ended = shell::run(&mut mutants);
    let path = output.join("mutants.out").join("outcomes.json");
    let text = std::fs::read_to_string(&path)
        .map_err(|source| MutantsError::Outcomes { path: path.display().to_string(), source })?;
    let outcomes: Value = serde_json::from_str(&text).unwrap_or_default();
    let number = |name: &str| outcomes.get(name).and_then(Value::as_u64).unwrap_or(0);
    let [all, caught, unviable, timeouts, missed] =
        ["total_mutants", "caught", "unviable", "timeout", "missed"].map(number);
    if ended.is_err() && caught + unviable + timeouts + missed == 0 {
        return Err(MutantsError::Baseline(file.to_owned(), output.display().to_string()));
    }
    println!("| `{file}` | {all} | {caught} | {unviable} | {timeouts} | {missed} |");
    let survivors = std::fs::read_to_string(output.join("mutants.out").join("missed.txt")).unwrap_or_default();
    survivors.lines().for_each(|survivor| println!("  survives: {survivor}"));
    Ok(())
}
