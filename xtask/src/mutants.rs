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
    Files { path: String, source: std::io::Error },
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

/// Prints a row of a table for each file, when those of its package are done; survivors below it.
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
    println!("| file | mutants | caught | unviable | survivors |\n|---|---|---|---|---|");
    // One run for each package, so that it is built and tested without a mutant once only.
    chosen
        .chunk_by(|one, next| package_of(one) == package_of(next))
        .try_for_each(|files| one_run(files, &target, arguments))
}

fn package_of(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

fn listed(file: &Path) -> Result<&'static str, MutantsError> {
    let found = FILES.into_iter().find(|listed| Path::new(listed) == file);
    found.ok_or_else(|| MutantsError::NotListed(file.display().to_string()))
}

/// Prints what became of the mutants of these files of one package.
fn one_run(files: &[&str], target: &Path, arguments: &Arguments) -> Result<(), MutantsError> {
    let package = files.first().map_or("", |file| package_of(file));
    let output = target.join("outcomes").join(package);
    let trees = target.join("trees");
    for folder in [&output, &trees] {
        std::fs::create_dir_all(folder)
            .map_err(|source| MutantsError::Files { path: folder.display().to_string(), source })?;
    }
    // What an earlier run left is not taken for this one's.
    let _ = std::fs::remove_dir_all(output.join("mutants.out"));
    let mut mutants = shell::cargo();
    // One process for all tests: a process for each, as nextest has it, makes anew what they share.
    mutants.args(["mutants", "--package", package, "--test-tool", "cargo"]);
    mutants.args(files.iter().flat_map(|file| ["--file", file]));
    // One at a time, in a copy of the tree.
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
    mutants.env("CARGO_TARGET_DIR", target.join("build")).env("TMPDIR", trees);
    mutants.env("CARGO_PROFILE_DEV_OPT_LEVEL", "0").env("CARGO_PROFILE_DEV_DEBUG", "0");
    // The copy has no neighbours: published vectors are where they are for the tree.
    let data = shell::root().join("../shared/data");
    if std::env::var_os("AMPARO_DATA").is_none() && data.is_dir() {
        mutants.env("AMPARO_DATA", data);
    }
    // It fails when a mutant survives, which is an answer here.
    let ended = shell::run(&mut mutants);
    let outcomes = read(&output, "outcomes.json");
    let outcomes: Vec<(&str, &str)> = outcomes
        .as_ref()
        .and_then(|all| all.get("outcomes")?.as_array())
        .into_iter()
        .flatten()
        .filter_map(outcome)
        .collect();
    if ended.is_err() && outcomes.is_empty() {
        return Err(MutantsError::Baseline(package.to_owned(), output.display().to_string()));
    }
    let mutants = read(&output, "mutants.json");
    let mutants: Vec<&Value> = mutants.as_ref().and_then(Value::as_array).into_iter().flatten().collect();
    let survivors = std::fs::read_to_string(output.join("mutants.out").join("missed.txt")).unwrap_or_default();
    for file in files {
        let all = mutants.iter().filter(|mutant| mutant.get("file").and_then(Value::as_str) == Some(file)).count();
        let number = |summaries: &[&str]| {
            outcomes.iter().filter(|(of, summary)| of == file && summaries.contains(summary)).count()
        };
        // A test that hangs notices as well.
        let [caught, unviable, missed] =
            [&["CaughtMutant", "Timeout"][..], &["Unviable"], &["MissedMutant"]].map(number);
        println!("| `{file}` | {all} | {caught} | {unviable} | {missed} |");
        if caught + unviable + missed < all {
            println!("  not to its end: {} were not tried", all - caught - unviable - missed);
        }
        survivors.lines().filter(|line| line.starts_with(file)).for_each(|survivor| println!("  survives: {survivor}"));
    }
    Ok(())
}

/// One of the files that cargo-mutants leaves; none when it was stopped before it wrote any.
fn read(output: &Path, name: &str) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(output.join("mutants.out").join(name)).ok()?).ok()
}

/// The file of a mutant, and what became of it; the run without a mutant is none.
fn outcome(outcome: &Value) -> Option<(&str, &str)> {
    Some((outcome.pointer("/scenario/Mutant/file")?.as_str()?, outcome.get("summary")?.as_str()?))
}
