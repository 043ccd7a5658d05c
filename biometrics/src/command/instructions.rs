//! `instructions`: what the parts of an unlock that are ours cost in instructions, counted by valgrind, and what that may mean on
//! an old telephone. Counts do not depend on what else a machine does; the networks are left to `latency`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};

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
    valgrind.arg("latency").arg(&arguments.image).args(["--turns", "1"]).stdin(Stdio::null());
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
    let mut told = Map::new();
    let mut sentences =
        format!("{:<36} {:>12} {:>6}  {:>9}\n", "an unlock's own parts", "instructions", "calls", "estimate");
    let mut all = 0.0;
    for (part, function) in PARTS {
        let of = |name: &str| name.strip_prefix("biometrics::").is_some_and(|rest| rest.starts_with(function));
        let found = inclusive.iter().filter(|(name, _)| of(name)).map(|(_, cost)| *cost);
        let (instructions, calls) =
            found.fold((0, 0), |(sum, calls), cost| (sum + cost.instructions, calls + cost.calls));
        let (instructions, calls) = (instructions as f64 / RUNS, calls as f64 / RUNS);
        all += instructions;
        told.insert(
            part.to_owned(),
            json!({ "instructions": instructions, "calls": calls, "estimated_ms": estimated_ms(instructions) }),
        );
        sentences.push_str(&row(part, instructions, calls));
    }
    sentences.push_str(&row("all of these", all, 1.0));
    sentences.push_str(ASSUMPTIONS);
    let object = json!({
        "parts": Value::Object(told), "instructions": all, "estimated_ms": estimated_ms(all), "assumptions": ASSUMPTIONS,
    });
    Ok(Answer { object, sentences })
}

fn row(part: &str, instructions: f64, calls: f64) -> String {
    format!("{part:<36} {instructions:>12.0} {calls:>6.0}  {:>6.1} ms\n", estimated_ms(instructions))
}

fn estimated_ms(instructions: f64) -> f64 {
    (instructions / PER_MILLISECOND * 10.0).round() / 10.0
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
            let cost = costs.entry(called.to_owned()).or_default();
            cost.calls += count;
            cost.instructions += instructions;
        }
    }
    costs
}

/// `latency --turns 1` runs everything twice: the first turn is not counted there.
const RUNS: f64 = 2.0;

/// Functions that are kept whole (`inline(never)`), none of which calls another.
const PARTS: [(&str, &str); 8] = [
    ("decode the picture", "sample::Sample::decode"),
    ("reduce it", "face::pyramid::Pyramid::new"),
    ("lay it on the detector's canvas", "face::detect::Placement::planes"),
    ("read what the detector says", "face::detect::read"),
    ("cut the face out", "face::align::AlignedFace::cut"),
    ("judge its quality", "face::quality::Quality::measure"),
    ("release the key", "protection::release"),
    ("compare", "comparison::compare"),
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
        let text = "version: 1\nevents: Ir\n\nfn=(1) main\n16 400\ncfn=(2) biometrics::sample::Sample::decode\ncalls=2 50\n16 700\n\
                    cfn=(3) other\ncalls=1 9\n17 5\nfn=(3)\n20 300\ncfn=(2)\ncalls=1 50\n21 30\n\nfn=(2)\n51 730\n";
        let costs = inclusive(text);
        assert_eq!(costs["biometrics::sample::Sample::decode"], Cost { calls: 3, instructions: 730 });
        assert_eq!(costs["other"], Cost { calls: 1, instructions: 5 });
        assert_eq!(costs.len(), 2);
        assert!(inclusive("nothing\nof\ncalls=the kind\n").is_empty());
    }
}
