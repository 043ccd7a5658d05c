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

/// What became of one mutant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Caught,
    Unviable,
    Survives,
}

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
    println!("| file | mutants | caught | unviable | survivors |\n|---|---|---|---|---|");
    for files in chosen.chunk_by(|one, next| package_of(one) == package_of(next)) {
        let package = files.first().map_or("", |file| package_of(file));
        let mutants = schema::list(files, arguments)?;
        let outcomes = outcomes(package, &mutants)?;
        files.iter().for_each(|file| print(file, &outcomes));
    }
    Ok(())
}

fn listed(file: &Path) -> Result<&'static str, MutantsError> {
    let found = FILES.into_iter().find(|listed| Path::new(listed) == file);
    found.ok_or_else(|| MutantsError::NotListed(file.display().to_string()))
}

fn package_of(file: &str) -> &str {
    file.split('/').next().unwrap_or_default()
}

/// What became of each mutant of a package. Nearly all are compiled at once, asleep; the tests are run for each of them anew, with
/// that one awake. Those that cannot be put to sleep, because they are no part of a function, are compiled one by one.
fn outcomes<'m>(package: &str, mutants: &'m [Mutant]) -> Result<Vec<(&'m Mutant, Outcome)>, MutantsError> {
    let tree = Tree::copied(package)?;
    let (together, alone): (Vec<&Mutant>, Vec<&Mutant>) = mutants.iter().partition(|mutant| mutant.can_sleep());
    let mut unviable = BTreeSet::new();
    loop {
        tree.write(mutants, together.iter().copied().filter(|mutant| !unviable.contains(&mutant.id)))?;
        let found = tree.refused_by_the_compiler()?;
        if found.is_empty() {
            break;
        }
        unviable.extend(found);
    }
    let tests = tree.build()?.ok_or_else(|| MutantsError::Build(package.to_owned(), String::new()))?;
    if !tests.pass(None, "") {
        return Err(MutantsError::Baseline(package.to_owned()));
    }
    let outcome = |tests: &Tests, mutant: &Mutant| {
        let awake = mutant.can_sleep().then_some(mutant.id);
        // First the tests that bear the name of the module, of which there are few.
        let survives = tests.pass(awake, &mutant.module()) && tests.pass(awake, "");
        if survives { Outcome::Survives } else { Outcome::Caught }
    };
    let mut outcomes = Vec::new();
    for mutant in together {
        let is_viable = !unviable.contains(&mutant.id);
        outcomes.push((mutant, if is_viable { outcome(&tests, mutant) } else { Outcome::Unviable }));
    }
    for mutant in alone {
        tree.write_alone(mutants, mutant)?;
        outcomes.push((mutant, tree.build()?.map_or(Outcome::Unviable, |tests| outcome(&tests, mutant))));
    }
    Ok(outcomes)
}

fn print(file: &str, outcomes: &[(&Mutant, Outcome)]) {
    let of_file = || outcomes.iter().filter(|(mutant, _)| mutant.file == file);
    let count = |wanted: Outcome| of_file().filter(|(_, outcome)| *outcome == wanted).count();
    let [caught, unviable, survive] = [Outcome::Caught, Outcome::Unviable, Outcome::Survives].map(count);
    println!("| `{file}` | {} | {caught} | {unviable} | {survive} |", of_file().count());
    for (mutant, _) in of_file().filter(|(_, outcome)| *outcome == Outcome::Survives) {
        println!("  survives: {}", mutant.name);
    }
}
