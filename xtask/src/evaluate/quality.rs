//! Quality of faces: what its measures are worth on real pictures, and on portraits spoilt step by step.

use super::table::{at, count, percent};
use super::{Bench, EvaluateError, conditions};
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
    let covered = bench.folder.join("covered");
    let mut cover = bench.command(&["degrade", "--out"]);
    cover.arg(&covered).arg("--people").arg(bench.images("faces/orl")?);
    for kind in ["eyes-covered", "mouth-covered", "hand-before"] {
        cover.args(["--kind", kind]);
    }
    let _ = bench.json(&mut cover)?;
    let mut evaluate = bench.command(&["evaluate", "--modality", "face"]);
    for (list, drawing) in [
        (real, "discard-real.svg"),
        (spoilt.join("pairs.csv"), "discard-spoilt.svg"),
        (covered.join("pairs.csv"), "discard-covered.svg"),
    ] {
        evaluate.arg("--pairs").arg(list).arg("--plot-discard").arg(bench.drawing(drawing));
    }
    let answer = bench.json(&mut evaluate)?;
    let [real, spoilt, covered] = super::table::lists(&answer) else { return Ok(String::new()) };
    Ok(format!(
        "Real pictures, one against one; FNMR in % at the product's threshold when so many of the mated pairs are left out:\n\n{}\n\
         ![error versus discard, real pictures](evaluation/discard-real.svg)\n\n\
         Portraits with SIMULATED faults, two unspoilt pictures enrolled:\n\n{}\n\
         ![error versus discard, simulated faults](evaluation/discard-spoilt.svg)\n\n\
         What the gate says of the spoilt ones:\n\n{}\n\
         Pictures of the enrolled person that were missed, by fault and level:\n\n{}\n\
         The first picture of each of the twenty people with a SIMULATED cover before eyes or mouth, or a hand, three others enrolled:\n\n{}\n\
         ![error versus discard, simulated covers](evaluation/discard-covered.svg)\n\n\
         Of the twenty people, missed by cover and level:\n\n{}\n\
         What each component would refuse by itself, those that only advise as if they refused: of the people's pictures as they are (aimed at for `eyes-visible`: at most 1 %), and of \
         the covered ones; of these, how many were a non-match at the product's threshold, and how many would have released no key (below .60):\n\n{}",
        curves(real),
        curves(spoilt),
        gate(spoilt),
        conditions::named(spoilt),
        curves(covered),
        conditions::named(covered),
        refusals(real, covered)
    ))
}

/// A row for each measure that varies.
pub(super) fn curves(list: &Value) -> String {
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

/// A row for each component that finds fault with anything.
fn refusals(clean: &Value, covered: &Value) -> String {
    let mut text = String::from(
        "| component | pictures as they are | covered pictures | of these a non-match | of these no key |\n|---|---|---|---|---|\n",
    );
    let Some(rows) = at(covered, &["refusals"]).as_object() else { return text };
    let all = count(covered, &["mated"]);
    for (name, row) in rows {
        let before = at(clean, &["refusals", name]);
        let (refused, of) = (count(before, &["pictures"]), count(before, &["of"]));
        let [mated, misses, unreleased] = ["mated", "misses", "unreleased"].map(|key| count(row, &[key]));
        let advises = if at(row, &["advisory"]).as_bool() == Some(true) { " (advises only)" } else { "" };
        if refused + mated > 0 {
            let _ =
                writeln!(text, "| {name}{advises} | {refused} of {of} | {mated} of {all} | {misses} | {unreleased} |");
        }
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
