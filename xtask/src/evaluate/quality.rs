//! Quality of faces: what its measures are worth on real pictures, and on portraits spoilt step by step.

use super::table::{at, count, percent};
use super::{Bench, EvaluateError};
use serde_json::Value;
use std::fmt::Write;

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let real = bench.list("pairs-quality.csv", &["--people"], &bench.images("faces/orl")?)?;
    let spoilt = bench.folder.join("spoilt");
    let mut degrade = bench.command(&["degrade", "--out"]);
    degrade.arg(&spoilt);
    for name in ["obama.jpg", "obama2.jpg", "obama3.jpg"] {
        degrade.arg("--portrait").arg(bench.portrait(name));
    }
    degrade.arg("--other").arg(bench.portrait("biden.jpg"));
    let _ = bench.json(&mut degrade)?;
    let mut evaluate = bench.command(&["evaluate", "--modality", "face"]);
    for (list, drawing) in [(real, "discard-real.svg"), (spoilt.join("pairs.csv"), "discard-spoilt.svg")] {
        evaluate.arg("--pairs").arg(list).arg("--plot-discard").arg(bench.drawing(drawing));
    }
    let answer = bench.json(&mut evaluate)?;
    let [real, spoilt] = super::table::lists(&answer) else { return Ok(String::new()) };
    Ok(format!(
        "Real pictures, one against one; FNMR in % at the product's threshold when so many of the mated pairs are left out:\n\n{}\n\
         ![error versus discard, real pictures](evaluation/discard-real.svg)\n\n\
         Portraits with SIMULATED faults, two unspoilt pictures enrolled:\n\n{}\n\
         ![error versus discard, simulated faults](evaluation/discard-spoilt.svg)\n\n\
         What the gate says of the spoilt ones:\n\n{}",
        curves(real),
        curves(spoilt),
        gate(spoilt)
    ))
}

/// A row for each measure that varies.
fn curves(list: &Value) -> String {
    let mut text = String::new();
    let Some(curves) = at(list, &["error_versus_discard"]).as_object() else { return text };
    for (name, curve) in curves {
        let points = curve.as_array().map_or(&[][..], Vec::as_slice);
        if text.is_empty() {
            let share = |p: &Value| percent(at(p, &["discarded"]).as_f64().unwrap_or_default()) + " %";
            let head: Vec<String> = points.iter().map(share).collect();
            let _ = writeln!(text, "| discarded by | {} |\n|---|{}", head.join(" | "), "---|".repeat(points.len()));
        }
        let cell = |p: &Value| percent(count(p, &["misses"]) as f64 / count(p, &["trials"]).max(1) as f64);
        let cells: Vec<String> = points.iter().map(cell).collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    text
}

fn gate(list: &Value) -> String {
    let mut text =
        String::from("| verdict | pictures of the enrolled person | of these a non-match |\n|---|---|---|\n");
    let (mut refused, mut rightly) = (0, 0);
    let Some(rows) = at(list, &["gate"]).as_object() else { return text };
    for (verdict, row) in rows {
        let (mated, misses) = (count(row, &["mated"]), count(row, &["misses"]));
        if verdict != "ok" {
            refused += mated;
            rightly += misses;
        }
        let _ = writeln!(text, "| {verdict} | {mated} | {misses} |");
    }
    let _ = writeln!(text, "| **refused, in all** | **{refused}** | **{rightly}** |");
    text
}
