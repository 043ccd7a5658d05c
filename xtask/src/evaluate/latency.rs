//! What an unlock by face costs in time and memory, and whether that is what was aimed at.

use super::table::{at, count, number};
use super::{Bench, EvaluateError};
use std::fmt::Write;

/// What is aimed at, in milliseconds of one processor: detection (at 640 × 480), a template, the release after it.
const AIMS: [(&str, f64); 3] = [("detect", 12.0), ("template", 45.0), ("release of the key", 15.0)];
/// Megabytes at most, apart from Argon2's, which are given back before the models are loaded.
const MEMORY_AIM: f64 = 150.0;
const PARTS: [&str; 7] = [
    "decode",
    "detect",
    "refine the landmarks",
    "align and judge",
    "embed, two looks",
    "template",
    "release of the key",
];

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let mut text =
        format!("| pixels | {} | peak memory, MB |\n|---|{}---|\n", PARTS.join(" | "), "---|".repeat(PARTS.len()));
    let mut worst = [0.0_f64; AIMS.len()];
    let mut memory = 0.0_f64;
    for (portrait, camera) in [("obama.jpg", true), ("obama.jpg", false), ("obama3.jpg", false), ("biden.jpg", false)] {
        let mut latency = bench.command(&["latency", "--turns", "25"]);
        latency.args(camera.then_some("--camera")).arg(bench.portrait(portrait));
        let answer = bench.json(&mut latency)?;
        let ms = |part: &str| number(&answer, &["processor_ms", part]);
        let cells: Vec<String> =
            PARTS.iter().map(|part| format!("{:.1} ({:.1})", ms(part), number(&answer, &["ms", part]))).collect();
        let peak = at(&answer, &["peak_rss_kib"]).as_f64().unwrap_or(f64::NAN) * 1024.0 / 1e6;
        memory = memory.max(peak);
        worst.iter_mut().zip(AIMS).for_each(|(worst, (part, _))| *worst = worst.max(ms(part)));
        let (width, height) = (count(&answer, &["width"]), count(&answer, &["height"]));
        let _ = writeln!(text, "| {width} × {height} | {} | {peak:.0} |", cells.join(" | "));
    }
    let told: Vec<String> = AIMS
        .iter()
        .zip(worst)
        .map(|((part, aim), worst)| verdict(part, worst, *aim, "ms"))
        .chain([verdict("memory", memory, MEMORY_AIM, "MB")])
        .collect();
    let _ = writeln!(text, "\nThe worst of these: {}.", told.join("; "));
    Ok(text)
}

fn verdict(part: &str, measured: f64, aim: f64, unit: &str) -> String {
    let verdict = if measured <= aim { "reached" } else { "**missed**" };
    format!("{part} {measured:.1} {unit} (at most {aim:.0}): {verdict}")
}
