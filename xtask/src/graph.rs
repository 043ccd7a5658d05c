//! Who imports whom: what Cargo says against what the README draws.

use crate::shell;
use std::collections::{BTreeMap, BTreeSet};

/// Why the graph does not hold.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GraphError {
    #[error("cargo metadata: {0}")]
    Metadata(#[from] cargo_metadata::Error),
    #[error("README.md: {0}")]
    Readme(std::io::Error),
    #[error("README.md holds no crate graph: a fenced block `text crate-graph` with lines `a -> b c`")]
    NoPicture,
    #[error(
        "the crates do not stand as the README draws them:\n{0}\nMend the import, or move the wall first and say so in docs/decisions/"
    )]
    Differs(String),
}

/// What must never be, whatever the README says.
const NEVER: &[(&str, &[&str])] = &[
    ("schemas", &["biometrics", "credentials", "guarded-http", "wallet-core", "issuer", "verifier", "wallet-app"]),
    ("biometrics", &["schemas", "credentials", "guarded-http", "wallet-core", "issuer", "verifier", "wallet-app"]),
    ("guarded-http", &["schemas", "biometrics", "credentials", "wallet-core", "issuer", "verifier", "wallet-app"]),
    (
        "nearby",
        &["schemas", "biometrics", "credentials", "guarded-http", "wallet-core", "issuer", "verifier", "wallet-app"],
    ),
    ("credentials", &["biometrics", "guarded-http", "nearby", "wallet-core", "issuer", "verifier", "wallet-app"]),
    ("data-integrity", &["biometrics", "guarded-http", "nearby", "wallet-core", "issuer", "verifier", "wallet-app"]),
    ("wallet-core", &["issuer", "verifier", "attester", "guarded-http", "nearby", "wallet-app"]),
    ("issuer", &["biometrics", "wallet-core", "verifier", "attester", "wallet-app"]),
    // It sees keys and nothing else: no credential of anybody, no person, no network of its own.
    ("attester", &["biometrics", "guarded-http", "nearby", "wallet-core", "issuer", "verifier", "wallet-app"]),
    ("verifier", &["biometrics", "wallet-core", "issuer", "wallet-app"]),
];

/// External crates that would bring I/O below floor 4.
const NO_IO_BELOW: &[(&str, &[&str])] = &[
    ("schemas", &["tokio", "reqwest", "axum", "rusqlite", "getrandom"]),
    ("biometrics", &["tokio", "reqwest", "axum", "rusqlite"]),
    ("credentials", &["tokio", "reqwest", "axum", "rusqlite", "getrandom"]),
    ("data-integrity", &["tokio", "reqwest", "axum", "rusqlite", "getrandom"]),
    ("wallet-core", &["tokio", "reqwest", "axum", "rusqlite", "getrandom"]),
];

type Graph = BTreeMap<String, BTreeSet<String>>;

/// Compares and prints the graph.
pub(crate) fn run() -> Result<(), GraphError> {
    let metadata = cargo_metadata::MetadataCommand::new().current_dir(shell::root()).no_deps().exec()?;
    let members: BTreeSet<String> = metadata.packages.iter().map(|p| p.name.to_string()).collect();
    let mut ours = Graph::new();
    let mut faults = Vec::new();
    for package in &metadata.packages {
        let name = package.name.to_string();
        // Tests may look across; the product may not.
        let product = package.dependencies.iter().filter(|d| d.kind != cargo_metadata::DependencyKind::Development);
        let all: BTreeSet<String> = product.map(|d| d.name.to_string()).collect();
        for (floor, forbidden) in NO_IO_BELOW {
            for io in forbidden.iter().filter(|io| *floor == name && all.contains(**io) && !is_for_a_bin(package, io)) {
                faults.push(format!("  {name} may do no I/O, but depends on {io}"));
            }
        }
        ours.insert(name, all.intersection(&members).cloned().collect());
    }
    let drawn = picture(&std::fs::read_to_string(shell::root().join("README.md")).map_err(GraphError::Readme)?)
        .ok_or(GraphError::NoPicture)?;
    for (name, imports) in &ours {
        if name == "tests" || name == "xtask" {
            continue;
        }
        let expected = drawn.get(name).cloned().unwrap_or_default();
        for extra in imports.difference(&expected) {
            faults.push(format!("  {name} imports {extra}, the README does not draw it"));
        }
        for absent in expected.difference(imports) {
            faults.push(format!("  the README draws {name} -> {absent}, nobody imports it"));
        }
        let never = NEVER.iter().find(|(n, _)| n == name).map_or(&[][..], |(_, list)| list);
        for forbidden in never.iter().filter(|f| imports.contains(**f)) {
            faults.push(format!("  {name} must never import {forbidden}"));
        }
    }
    if !faults.is_empty() {
        return Err(GraphError::Differs(faults.join("\n")));
    }
    for (name, imports) in ours.iter().filter(|(n, _)| *n != "xtask") {
        println!("{name} -> {}", imports.iter().cloned().collect::<Vec<_>>().join(" "));
    }
    println!("The crates stand as the README draws them.");
    Ok(())
}

/// `biometrics` has a bin of its own, and Cargo knows no dependencies of a bin alone.
fn is_for_a_bin(package: &cargo_metadata::Package, io: &str) -> bool {
    package.name.as_str() == "biometrics" && io == "getrandom"
}

fn picture(readme: &str) -> Option<Graph> {
    let (_, block) = readme.split_once("```text crate-graph\n")?;
    let (block, _) = block.split_once("```")?;
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    Some(block.lines().filter_map(|l| l.split_once("->")).map(|(a, b)| (a.trim().to_owned(), words(b))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_read_from_the_readme() {
        let graph = picture("x\n```text crate-graph\na -> b c\nb ->\n```\n").unwrap();
        assert_eq!(graph["a"].iter().collect::<Vec<_>>(), ["b", "c"]);
        assert!(graph["b"].is_empty());
        assert!(picture("no picture").is_none());
    }
}
