//! `cargo xtask mutants`: one change at a time to what decides, and whether a test notices (docs/mutants.md).

mod schema;
mod tree;

use crate::gate::on_path;
use crate::shell::{self, ShellError};
use schema::Mutant;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tree::{Tests, Tree};

/// Which files.
#[derive(clap::Args)]
#[command(after_help = "Example: cargo xtask mutants credentials/src/key_binding.rs")]
pub(crate) struct Arguments {
    /// Only these of the listed files.
    files: Vec<PathBuf>,
    /// Only one part of the mutants: 0/4 is the first of four.
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
    #[error("the tests of {0} fail without a mutant")]
    Baseline(String),
    #[error("what cargo-mutants lists is not understood")]
    List,
    #[error("{0} does not compile with its mutants in it:\n{1}")]
    Build(String, String),
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error(transparent)]
    Shell(#[from] ShellError),
}

/// What decides whether somebody is believed, by the package whose own tests must notice; with it the tests that are asked first,
/// because they are nearest. What only tests of the whole world would notice is left out.
const FILES: [(&str, &[&str]); 25] = [
    ("credentials/src/key_binding.rs", &["presented::"]),
    ("credentials/src/sd_jwt/process.rs", &["disclosures::", "presented::"]),
    ("credentials/src/sd_jwt/payload.rs", &["sd_jwt::payload::"]),
    ("credentials/src/sd_jwt/verify.rs", &["presented::", "issued::", "anchor_limits::"]),
    ("credentials/src/jws.rs", &["jws::"]),
    ("credentials/src/jws/headers.rs", &["jws::headers::"]),
    ("credentials/src/key/der.rs", &["key::der::"]),
    ("credentials/src/consent/check.rs", &["consent::"]),
    ("credentials/src/consent/fit.rs", &["consent::"]),
    ("credentials/src/consent/mdoc.rs", &["consent::", "mdoc::"]),
    ("credentials/src/mdoc/verify.rs", &["mdoc::presented::", "mdoc::issued::"]),
    ("credentials/src/mdoc/mso.rs", &["mdoc::"]),
    ("credentials/src/mdoc/device_signed.rs", &["mdoc::"]),
    ("credentials/src/status_list/list.rs", &["status_list::"]),
    ("credentials/src/status_list/verified.rs", &["status_list::"]),
    ("credentials/src/status_list/token.rs", &["status_list::"]),
    ("credentials/src/status_list/cwt.rs", &["status_list::"]),
    ("credentials/src/trust/chain.rs", &["chain::"]),
    ("credentials/src/trust/cache.rs", &["trust::cache::"]),
    ("credentials/src/trust/certificate.rs", &["trust::certificate::", "chain::"]),
    ("credentials/src/trust/path.rs", &["trust::path::", "chain::"]),
    ("verifier/src/verification.rs", &["verification::"]),
    ("verifier/src/verification/authenticate.rs", &["presentation::", "verification::"]),
    ("verifier/src/verification/consent.rs", &["consent::"]),
    ("verifier/src/verification/status.rs", &["status::"]),
];

const TOOL: &str = "cargo-mutants";
const VERSION: &str = "26.0.0";

/// What became of one mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Caught,
    Unviable,
    Survives,
}

/// Prints a row of a table for each file, as soon as all of its mutants were tried; survivors below it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), MutantsError> {
    if arguments.list {
        FILES.iter().for_each(|(file, _)| println!("{file}"));
        return Ok(());
    }
    let mut chosen = FILES.to_vec();
    if !arguments.files.is_empty() {
        let is_listed = |file: &&PathBuf| !FILES.iter().any(|(listed, _)| Path::new(listed) == **file);
        if let Some(file) = arguments.files.iter().find(is_listed) {
            return Err(MutantsError::NotListed(file.display().to_string()));
        }
        chosen.retain(|(file, _)| arguments.files.iter().any(|wanted| wanted == Path::new(file)));
    }
    if !on_path(TOOL) {
        println!("{TOOL} is not here and is installed by name (this takes minutes, once)");
        shell::run(shell::cargo().args(["install", "--quiet", "--locked", &format!("{TOOL}@{VERSION}")]))?;
    }
    println!("| file | mutants | caught | unviable | survivors |\n|---|---|---|---|---|");
    chosen
        .chunk_by(|(one, _), (next, _)| package_of(one) == package_of(next))
        .try_for_each(|files| try_all(files, arguments))
}

fn package_of(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

/// Tries the mutants of these files of one package. Nearly all are compiled at once, asleep; the tests are run for each of them
/// anew, with that one awake. Those that cannot be put to sleep, because they are no part of a function, are compiled one by one.
fn try_all(files: &[(&str, &[&str])], arguments: &Arguments) -> Result<(), MutantsError> {
    let package = files.first().map_or("", |(file, _)| package_of(file));
    let mutants = schema::list(files.iter().map(|(file, _)| *file), arguments)?;
    let mut tree = Tree::copied(package)?;
    let mut unviable = BTreeSet::new();
    loop {
        tree.write(&mutants, mutants.iter().filter(|mutant| mutant.can_sleep() && !unviable.contains(&mutant.id)))?;
        match tree.refused_by_the_compiler()? {
            Some(found) if found.is_empty() => break,
            Some(found) => unviable.extend(found),
            None => {}
        }
    }
    let tests = tree.build()?.ok_or_else(|| MutantsError::Build(package.to_owned(), String::new()))?;
    if !tests.pass(None, &[]) {
        return Err(MutantsError::Baseline(package.to_owned()));
    }
    let outcome = |tests: &Tests, awake: Option<usize>, nearest: &[&str]| {
        let survives = tests.pass(awake, nearest) && tests.pass(awake, &[]);
        if survives { Outcome::Survives } else { Outcome::Caught }
    };
    let mut unfinished = Vec::new();
    for (file, nearest) in files {
        let (together, alone): (Vec<&Mutant>, Vec<&Mutant>) =
            mutants.iter().filter(|mutant| mutant.file == *file).partition(|mutant| mutant.can_sleep());
        let mut outcomes = Vec::new();
        for mutant in together {
            let is_viable = !unviable.contains(&mutant.id);
            let outcome = if is_viable { outcome(&tests, Some(mutant.id), nearest) } else { Outcome::Unviable };
            outcomes.push((mutant, outcome));
        }
        if alone.is_empty() { print(file, &outcomes) } else { unfinished.push((file, nearest, outcomes, alone)) }
    }
    for (file, nearest, mut outcomes, alone) in unfinished {
        for mutant in alone {
            tree.write_alone(&mutants, mutant)?;
            let outcome = tree.build()?.map_or(Outcome::Unviable, |tests| outcome(&tests, None, nearest));
            outcomes.push((mutant, outcome));
        }
        print(file, &outcomes);
    }
    Ok(())
}

fn print(file: &str, outcomes: &[(&Mutant, Outcome)]) {
    let count = |wanted: Outcome| outcomes.iter().filter(|(_, outcome)| *outcome == wanted).count();
    let [caught, unviable, survive] = [Outcome::Caught, Outcome::Unviable, Outcome::Survives].map(count);
    println!("| `{file}` | {} | {caught} | {unviable} | {survive} |", outcomes.len());
    for (mutant, _) in outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Survives) {
        println!("  survives: {}", mutant.name);
    }
}
