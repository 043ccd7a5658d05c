//! The heart, `docs/checks.md`: every test it names exists, and every attack that is tested has its row. And `docs/haip.md`: every
//! test that it names exists.

use crate::shell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Why the table and the tests do not agree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChecksError {
    #[error("{path}: {source}")]
    Storage { path: PathBuf, source: std::io::Error },
    #[error("the documents and the tests do not agree:\n{0}")]
    Differs(String),
}

/// The attacks that must each be a test by now (`attacks.md`).
const DEMANDED: &[(u32, u32)] = &[(1, 70), (72, 74), (76, 84), (86, 96)];

/// Compares and prints the counts.
pub(crate) fn run() -> Result<(), ChecksError> {
    let path = shell::root().join("docs/checks.md");
    let table = read(&path)?;
    let mut tests = BTreeSet::new();
    collect(&shell::root(), &mut tests)?;
    let named = named_tests(&table);
    let profile = read(&shell::root().join("docs/haip.md"))?;
    let in_profile = named_tests(&profile);
    let missing = |file: &str, named: &BTreeSet<String>| -> Vec<String> {
        let missing = named.iter().filter(|name| !tests.iter().any(|test| stands_for(name, test)));
        missing.map(|name| format!("  {file} names `{name}`, no such test exists")).collect()
    };
    let mut faults = missing("docs/checks.md", &named);
    faults.extend(missing("docs/haip.md", &in_profile));
    for test in tests.iter().filter(|t| t.starts_with("attack_") && !named.iter().any(|name| stands_for(name, t))) {
        faults.push(format!("  the test `{test}` has no row in docs/checks.md"));
    }
    // One test may bear several: `attack_07_08_09_…`.
    let numbers = |test: &String| -> Option<Vec<u32>> {
        Some(test.strip_prefix("attack_")?.split('_').map_while(|n| n.parse().ok()).collect())
    };
    let attacks: BTreeSet<u32> = tests.iter().filter_map(numbers).flatten().collect();
    for attack in DEMANDED.iter().flat_map(|(first, last)| *first..=*last).filter(|a| !attacks.contains(a)) {
        faults.push(format!("  no test bears the id attack_{attack:02}"));
    }
    if !faults.is_empty() {
        return Err(ChecksError::Differs(faults.join("\n")));
    }
    println!("docs/checks.md names {} tests, all there; {} attacks have tests.", named.len(), attacks.len());
    println!("docs/haip.md names {} tests, all there.", in_profile.len());
    Ok(())
}

/// What stands in backticks in the last column and looks like a test's name, perhaps cut short by `…`.
fn named_tests(table: &str) -> BTreeSet<String> {
    let rows = table.lines().filter(|l| l.starts_with('|') && l.ends_with('|'));
    let last = rows.filter_map(|row| row.trim_end_matches('|').rsplit_once('|').map(|(_, cell)| cell));
    let names =
        last.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(|name| name.rsplit("::").next().unwrap_or(name));
    let is_name = |name: &&str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '…') && name.matches('_').count() >= 2
    };
    names.filter(is_name).map(str::to_owned).collect()
}

/// Whether a name of the table, `whole`, `start…` or `…end`, is that test's.
fn stands_for(name: &str, test: &str) -> bool {
    match (name.strip_suffix('…'), name.strip_prefix('…')) {
        (Some(start), _) => test.starts_with(start),
        (_, Some(end)) => test.ends_with(end),
        (None, None) => name == test,
    }
}

fn collect(folder: &Path, tests: &mut BTreeSet<String>) -> Result<(), ChecksError> {
    let storage = |source| ChecksError::Storage { path: folder.to_path_buf(), source };
    for entry in std::fs::read_dir(folder).map_err(storage)? {
        let path = entry.map_err(storage)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() {
            if !name.starts_with('.') && name != "target" && name != "node_modules" {
                collect(&path, tests)?;
            }
        } else if name.ends_with(".rs") {
            tests.extend(tests_in(&read(&path)?));
        }
    }
    Ok(())
}

/// The functions that follow `#[test]`, `#[tokio::test]` or stand in a `proptest!`.
fn tests_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut expected = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            expected = true;
        } else if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) {
            let name = rest.split(['(', '<']).next().unwrap_or_default();
            if expected {
                found.push(name.to_owned());
            }
            expected = false;
        }
    }
    found
}

fn read(path: &Path) -> Result<String, ChecksError> {
    std::fs::read_to_string(path).map_err(|source| ChecksError::Storage { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_in_sources_and_in_the_table() {
        let source = "#[test]\nfn attack_01_a() {}\nfn helper() {}\n#[tokio::test(flavor = \"x\")]\nasync fn b() {}\n";
        assert_eq!(tests_in(source), ["attack_01_a", "b"]);
        let table = "| id | s | `f` | test |\n|---|---|---|---|\n| 1 | `x` | `f` | `attack_01_a`, `m::is_b_too` |\n";
        assert_eq!(named_tests(table).into_iter().collect::<Vec<_>>(), ["attack_01_a", "is_b_too"]);
        assert!(
            stands_for("attack_01_…", "attack_01_a")
                && stands_for("…_too", "is_b_too")
                && !stands_for("is_b", "is_b_too")
        );
    }
}
