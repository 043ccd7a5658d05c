//! `instructions`: what the parts of an unlock that are ours cost in instructions, counted by valgrind, and what that may mean on
//! an old telephone. Counts do not depend on what else a machine does; the networks are left to `latency`. It takes minutes: under
//! valgrind the networks run, too, and their multiply-and-add is imitated number by number.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{Answer, Failure, home};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A portrait that the product takes.
    image: PathBuf,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    home::read_named(&arguments.image)?;
    let own = std::env::current_exe().map_err(Failure::internal)?;
    let counts = std::env::temp_dir().join(format!("amparo-instructions-{}", std::process::id()));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--quiet"]).arg(format!("--callgrind-out-file={}", counts.display()));
    valgrind.arg(own).args(home.iter().flat_map(|home| [Path::new("--home"), home.as_path()]));
    valgrind.arg("latency").arg(&arguments.image).args(["--turns", "0"]).stdin(Stdio::null());
    let done = valgrind.output().map_err(|error| {
        Failure::usage(format!("valgrind does not start: {error}"), "install valgrind, with apt-get install valgrind")
    })?;
    if !done.status.success() {
        let told = String::from_utf8_lossy(&done.stderr);
        let last = told.lines().last().unwrap_or_default().to_owned();
        return Err(Failure::usage(format!("valgrind: {last}"), "try the same with `latency` first"));
    }
    let text = std::fs::read_to_string(&counts);
    let _ = std::fs::remove_file(&counts);
    let inclusive = inclusive(&text.map_err(Failure::internal)?);
    if !inclusive.keys().any(|name| name.starts_with("biometrics::")) {
        return Err(Failure::usage(
            "this program was stripped of its functions' names, by which valgrind counts",
            "build it with `cargo build --release -p biometrics` and the linker of the system",
        ));
    }
    let mut told = Vec::new();
    let mut sentences =
        format!("{:<36} {:>12} {:>6}  {:>9}\n", "an unlock's own parts", "instructions", "calls", "estimate");
    let mut all = 0;
    for (part, function) in PARTS {
        let Some(Cost { calls, instructions }) = inclusive.get(function) else {
            // Nothing is never the answer: a function that is renamed or no longer kept whole would be counted as free.
            return Err(Failure::internal(format!("valgrind saw no call of {function} ({part})")));
        };
        all += instructions;
        let ms = estimated_ms(*instructions);
        told.push(json!({ "part": part, "calls": calls, "instructions": instructions, "estimated_ms": ms }));
        sentences.push_str(&row(part, *instructions, *calls));
    }
    sentences.push_str(&row("all of these", all, 1));
    sentences.push_str(ASSUMPTIONS);
    let object = json!({
        "parts": told, "instructions": all, "estimated_ms": estimated_ms(all), "assumptions": ASSUMPTIONS,
    });
    Ok(Answer { object, sentences })
}

fn row(part: &str, instructions: u64, calls: u64) -> String {
    format!("{part:<36} {instructions:>12} {calls:>6}  {:>6.1} ms\n", estimated_ms(instructions))
}

fn estimated_ms(instructions: u64) -> f64 {
    (instructions as f64 / PER_MILLISECOND * 10.0).round() / 10.0
}

/// What a function and all that it calls cost, over all its calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Cost {
    calls: u64,
    instructions: u64,
}

/// Reads what callgrind wrote: after `cfn=` (who is called) and `calls=` a line with the cost of it all.
///
/// # Source
/// Valgrind manual, "Callgrind Format Specification", names compressed.
fn inclusive(text: &str) -> BTreeMap<String, Cost> {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    let mut called = "";
    let mut calls: Option<u64> = None;
    for line in text.lines() {
        if let Some(named) = line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")) {
            let (id, name) = named.split_once(' ').unwrap_or((named, ""));
            if !name.is_empty() {
                names.insert(id, name);
            }
            called = names.get(id).copied().unwrap_or_default();
        } else if let Some(rest) = line.strip_prefix("calls=") {
            calls = rest.split(' ').next().and_then(|count| count.parse().ok());
        } else if let Some(count) = calls.take() {
            let instructions: u64 = line.split(' ').nth(1).and_then(|cost| cost.parse().ok()).unwrap_or(0);
            let cost = costs.entry(path(called)).or_default();
            cost.calls += count;
            cost.instructions += instructions;
        }
    }
    costs
}

/// The path of a function: `<a::b::Type>::function` and, called by itself, `a::b::function'2` are told without what is not its path.
fn path(name: &str) -> String {
    let name = name.split_once('\'').map_or(name, |(name, _)| name);
    let plain = name.strip_prefix('<').and_then(|rest| rest.split_once(">::"));
    plain.map_or_else(|| name.to_owned(), |(of, function)| format!("{of}::{function}"))
}

/// Functions that are kept whole (`inline(never)`), none of which calls another.
const PARTS: [(&str, &str); 8] = [
    ("decode the picture", "biometrics::sample::Sample::decode"),
    ("reduce it", "biometrics::face::pyramid::Pyramid::new"),
    ("lay it on the detector's canvas", "biometrics::face::detect::Placement::planes"),
    ("read what the detector says", "biometrics::face::detect::read"),
    ("cut the face out", "biometrics::face::align::AlignedFace::cut"),
    ("judge its quality", "biometrics::face::quality::Quality::measure"),
    ("release the key", "biometrics::protection::release"),
    ("compare", "biometrics::comparison::compare"),
];

/// Instructions in a millisecond.
const PER_MILLISECOND: f64 = 1.3e6;
const ASSUMPTIONS: &str = "The estimate is one, not a measurement: a telephone of 2016 (Cortex-A53 at 1.3 GHz) that ends one \
instruction a cycle, as many instructions on ARM as here, caches as good as here. The networks are not in it.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callgrind_writes_is_added_up_by_who_is_called() {
        let text = "version: 1\nevents: Ir\n\nfn=(1) main\n16 400\ncfn=(2) <biometrics::sample::Sample>::decode\ncalls=2 50\n16 700\n\
                    cfn=(3) other\ncalls=1 9\n17 5\nfn=(3)\n20 300\ncfn=(2)\ncalls=1 50\n21 30\n\nfn=(2)\n51 730\n";
        let costs = inclusive(text);
        assert_eq!(costs["biometrics::sample::Sample::decode"], Cost { calls: 3, instructions: 730 });
        assert_eq!(path("biometrics::protection::release"), "biometrics::protection::release");
        assert_eq!(path("<a::B as c::D>::e'2"), "a::B as c::D::e");
        assert_eq!(costs["other"], Cost { calls: 1, instructions: 5 });
        assert_eq!(costs.len(), 2);
        assert!(inclusive("nothing\nof\ncalls=the kind\n").is_empty());
    }
}
