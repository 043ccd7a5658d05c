//! One finger among ten thousand: real prints sought in galleries that are mostly made up.

use super::fingers::{EXTRACTORS, SETS, templates};
use super::table::{count, number, percent, thousands};
use super::{Bench, EvaluateError};
use std::fmt::Write;

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let mut text = String::from(
        "| set | minutiae by | fingers in the gallery | of these made up | searches | first | among the first ten | searches in which a stranger reached the threshold | ms a search |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    let mut recalls = String::new();
    for extractor in EXTRACTORS {
        // Those that `fingers` kept in this run, or the pictures anew.
        let kept = SETS.iter().all(|(set, _)| templates(bench).join(set).join(extractor).is_dir());
        if extractor == "leader" && !kept {
            continue;
        }
        let place = |set: &str| if kept { templates(bench).join(set).join(extractor) } else { data.join(set) };
        let [mut searches, mut first, mut tenth] = [0; 3];
        for (set, _) in SETS {
            let mut search =
                bench.command(&["search", "--extractor", extractor, "--gallery", GALLERY, "--probes", PROBES]);
            search.arg("--fingers").arg(place(set));
            for (other, _) in SETS.iter().filter(|(other, _)| *other != set) {
                search.arg("--others").arg(place(other));
            }
            let answer = bench.json(&mut search)?;
            let _ = writeln!(
                text,
                "| {set} | {extractor} | {} | {} | {} | {} | {} | {} | {:.0} |",
                thousands(count(&answer, &["gallery"])),
                thousands(count(&answer, &["invented"])),
                count(&answer, &["probes"]),
                count(&answer, &["rank1"]),
                count(&answer, &["rank10"]),
                count(&answer, &["strangers_at_threshold"]),
                number(&answer, &["ms_per_probe_median"]),
            );
            searches += count(&answer, &["probes"]);
            first += count(&answer, &["rank1"]);
            tenth += count(&answer, &["rank10"]);
        }
        let recall = |found: u64| percent(found as f64 / searches.max(1) as f64);
        let _ = writeln!(
            recalls,
            "Recall over the four sets, {extractor}: {} % first ({first} of {searches}), {} % among the first ten ({tenth}).\n",
            recall(first),
            recall(tenth)
        );
    }
    Ok(format!("{text}\n{recalls}"))
}

/// Fingers in the gallery.
const GALLERY: &str = "10000";
/// Of the seventy that there are.
const PROBES: &str = "30";
