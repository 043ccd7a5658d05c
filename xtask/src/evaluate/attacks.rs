//! Simulated presentation attacks, against the challenge and against the network that an operator could bring.

use super::table::{at, count, rate};
use super::{Bench, EvaluateError};
use std::fmt::Write;

pub(super) fn measured(bench: &Bench, presentations: u32) -> Result<String, EvaluateError> {
    let mut pad = bench.command(&["pad", "--presentations", &presentations.to_string()]);
    // Of two people: a cut goes from one to the other.
    for name in ["obama.jpg", "biden.jpg"] {
        pad.arg("--portrait").arg(bench.portrait(name));
    }
    let network = bench.data.join("models/minifasnet-v2-se.onnx");
    if network.is_file() {
        pad.arg("--network").arg(network).args(["--sha256", NETWORK]);
        for name in ["image_F1.jpg", "image_F2.jpg"] {
            pad.arg("--attack").arg(bench.data.join("pad").join(name));
        }
    }
    let answer = bench.json(&mut pad)?;
    let mut text = String::new();
    for (table, head) in [
        ("challenge", "The challenge, with the screen's light; all presentations SIMULATED"),
        (
            "network",
            "An operator's network (MiniFASNet, `shared/data/models`), a frame counting as bona fide from .5 up; SIMULATED but where it says real",
        ),
    ] {
        let Some(rows) = at(&answer, &[table]).as_array() else { continue };
        let _ = writeln!(text, "{head}:\n\n| species | rate | noticed as |\n|---|---|---|");
        for row in rows {
            let [species, name] = ["species", "rate"].map(|key| at(row, &[key]).as_str().unwrap_or_default());
            let rate = rate(count(row, &["misses"]), count(row, &["trials"]), at(row, &["ci95"]));
            let signs = at(row, &["signs"]).as_object().cloned().unwrap_or_default();
            let signs: Vec<String> = signs.iter().map(|(sign, n)| format!("{sign} {n}")).collect();
            let _ = writeln!(text, "| {species} | {name} {rate} | {} |", signs.join(", "));
        }
        text.push('\n');
    }
    Ok(text)
}

/// The network of shared/data/README.md, which an operator could bring.
const NETWORK: &str = "af2381b88f38769222ed93379e12444e2a50814575de1c46170de570c55a42b6";
