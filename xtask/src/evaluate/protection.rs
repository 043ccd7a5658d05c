//! What stored data give away, with and without device key and PIN.

use super::table::{at, count, number, percent, thousands};
use super::{Bench, EvaluateError};
use std::fmt::Write;

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let list = bench.list("pairs-protection.csv", &["--people"], &bench.images("faces/orl")?)?;
    let mut command = bench.command(&["protection", "--plot"]);
    command.arg(bench.drawing("linkage.svg")).arg("--pairs").arg(list);
    let answer = bench.json(&mut command)?;
    let rows = |name: &str| at(&answer, &[name]).as_array().cloned().unwrap_or_default();
    let mut text = String::from("| what is stored | D_sys | by chance | mated | non-mated |\n|---|---|---|---|---|\n");
    for row in rows("unlinkability") {
        let (value, chance) = (number(&row, &["d_sys"]), number(&row, &["d_sys_by_chance"]));
        let setting = at(&row, &["setting"]).as_str().unwrap_or_default();
        let (mated, non_mated) = (thousands(count(&row, &["mated"])), thousands(count(&row, &["non_mated"])));
        let _ = writeln!(text, "| {setting} | **{value:.3}** | {chance:.3} | {mated} | {non_mated} |");
    }
    let highest = rows("unlinkability").iter().take(2).map(|row| number(row, &["d_sys"])).fold(0.0, f64::max);
    let verdict = if highest <= MOST_D_SYS { "reached" } else { "**missed**" };
    let _ = writeln!(text, "\nUnder seeds of their own at most {highest:.3} (aim: at most {MOST_D_SYS}): {verdict}.");
    text.push_str("\n![linkage scores](evaluation/linkage.svg)\n\n| attacker | outcome |\n|---|---|\n");
    for row in rows("irreversibility") {
        let setting = at(&row, &["setting"]).as_str().unwrap_or_default();
        let [first, trials, rank, all] =
            ["first", "trials", "median_rank", "candidates"].map(|name| thousands(count(&row, &[name])));
        let _ = writeln!(
            text,
            "| {setting}: ranks the sealed message among {all} random ones | first in {first} of {trials}, median rank {rank} |"
        );
    }
    for row in rows("inversion") {
        let setting = at(&row, &["setting"]).as_str().unwrap_or_default();
        let ([right, trials], chance) =
            (["right", "trials"].map(|name| thousands(count(&row, &[name]))), number(&row, &["chance"]));
        let _ = writeln!(
            text,
            "| {setting}: looks for the face that helper data give back in a gallery of all other pictures | nearest is the person's in {right} of {trials} (by chance {} %) |",
            percent(chance)
        );
    }
    for row in rows("release") {
        let setting = at(&row, &["setting"]).as_str().unwrap_or_default();
        let (released, trials) = (count(&row, &["released"]), thousands(count(&row, &["trials"])));
        let _ = writeln!(text, "| {setting} | opens {released} of {trials} |");
    }
    Ok(text)
}

/// What is aimed at.
const MOST_D_SYS: f64 = 0.05;
