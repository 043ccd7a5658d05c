//! Prints of four sensors by both extractors: one and three impressions enrolled, then the peers on the same images.

use super::table::{at, count, lists, number, percent, rate, thousands};
use super::{Bench, EvaluateError, storage};
use crate::shell;
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(super) const SETS: [(&str, &str); 4] = [("DB1_B", "500"), ("DB2_B", "569"), ("DB3_B", "500"), ("DB4_B", "500")];
/// Impressions enrolled, and fingers of a person together: with two, the people are VIRTUAL.
const ENROLLED: [(&str, &str); 4] = [("1", "1"), ("3", "1"), ("1", "2"), ("3", "2")];

pub(super) const EXTRACTORS: [&str; 2] = ["mindtct", "leader"];

/// Where templates are kept during a run, by set and extractor.
pub(super) fn templates(bench: &Bench) -> PathBuf {
    bench.folder.join("finger-templates")
}

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let network = bench.home.path().join("models/LEADER.onnx").is_file();
    let mut text = String::from(
        "Two fingers: VIRTUAL people, every two fingers of a set once taken for one person's, the mean of their scores; intervals as if pairs were independent, and ten fingers are far from that.\n\n\
         | set | minutiae by | fingers | impressions enrolled | mated | non-mated | EER | FNMR at FMR 1e-2 | FNMR at FMR 1e-3 | at the product's threshold, FNMR | FMR | refused by the gate | minutiae | extraction ms | comparisons/s | of 40 minutiae |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let templates = templates(bench);
    let mut means = String::new();
    for extractor in EXTRACTORS.into_iter().filter(|name| *name == "mindtct" || network) {
        let mut sums = [0.0; ENROLLED.len()];
        for (set, dpi) in SETS {
            let mut evaluate =
                bench.command(&["evaluate", "--modality", "finger", "--extractor", extractor, "--dpi", dpi]);
            evaluate.arg("--failures").arg(bench.folder.join("finger-failures").join(extractor).join(set));
            evaluate.arg("--keep").arg(templates.join(set).join(extractor));
            for (enrol, together) in ENROLLED {
                let list = bench.list(
                    &format!("pairs-{set}-{enrol}-{together}.csv"),
                    &["--splits", "8", "--enrol", enrol, "--together", together, "--fingers"],
                    &data.join(set),
                )?;
                evaluate.arg("--pairs").arg(list);
            }
            // Drawings go with the first lists: those of one finger.
            for (enrol, _) in ENROLLED.iter().filter(|(_, together)| *together == "1") {
                evaluate.arg("--plot").arg(bench.drawing(&format!("finger-{set}-{extractor}-{enrol}.svg")));
            }
            let answer = bench.json(&mut evaluate)?;
            for (((enrol, _), list), sum) in ENROLLED.iter().zip(lists(&answer)).zip(&mut sums) {
                let _ = writeln!(text, "{}", row(set, extractor, enrol, list));
                *sum += number(list, &["eer"]);
            }
        }
        let [one, three, two_fingers, two_fingers_three] = sums.map(|sum| percent(sum / SETS.len() as f64));
        let _ = writeln!(
            means,
            "Mean EER over the four sets, {extractor}: {one} % with one impression enrolled, {three} % with three; {two_fingers} % and \
             {two_fingers_three} % with two fingers.\n"
        );
        let _ = writeln!(means, "{}\n", extraction(bench, extractor, &data)?);
    }
    if !network {
        means.push_str("LEADER was not measured: `cargo xtask setup` fetches it.\n");
    }
    let _ = writeln!(text, "\n{means}");
    text.push_str(&failures(bench)?);
    for (set, _) in SETS {
        for extractor in EXTRACTORS.into_iter().filter(|name| *name == "mindtct" || network) {
            let _ = writeln!(text, "![DET and scores, {set}, {extractor}](evaluation/finger-{set}-{extractor}-1.svg)");
        }
    }
    Ok(text)
}

/// How long a print of 400 × 500 pixels takes.
fn extraction(bench: &Bench, extractor: &str, data: &Path) -> Result<String, EvaluateError> {
    let (turns, aim) = if extractor == "leader" { ("3", 250.0) } else { ("9", 60.0) };
    let mut latency = bench.command(&["latency", "--modality", "finger", "--extractor", extractor, "--turns", turns]);
    let answer = bench.json(latency.arg(data.join("DB1_B/101_1.tif")))?;
    let ms = number(&answer, &["processor_ms"]);
    let peak = count(&answer, &["peak_rss_kib"]) / 1024;
    let verdict = if ms <= aim { "reached" } else { "**missed**" };
    Ok(format!(
        "Extraction from 400 × 500 pixels (a print of DB1, continued in a mirror), {extractor}: {ms:.0} ms of one processor, {} minutiae (aim: \
         {aim:.0} at most, {verdict}); peak memory of the process {peak} MiB.",
        count(&answer, &["minutiae"])
    ))
}

/// Minutiae of the worst errors on the synthetic fingers, copied beside the other drawings: nobody has those fingers, and the images themselves may
/// not be passed on.
fn failures(bench: &Bench) -> Result<String, EvaluateError> {
    let mut text = String::new();
    for extractor in EXTRACTORS {
        for kind in ["false-non-match", "false-match"] {
            let from = bench
                .folder
                .join("finger-failures")
                .join(extractor)
                .join(SYNTHETIC)
                .join(format!("list-1-{kind}-1.svg"));
            if !from.is_file() {
                continue;
            }
            let name = format!("finger-failure-{extractor}-{kind}.svg");
            std::fs::copy(&from, bench.drawing(&name)).map_err(|source| storage(&from, source))?;
            let _ = writeln!(text, "![minutiae of the worst {kind} of {SYNTHETIC}, {extractor}](evaluation/{name})");
        }
    }
    Ok(if text.is_empty() {
        text
    } else {
        format!("The worst errors on synthetic fingers ({SYNTHETIC}), as minutiae:\n\n{text}\n")
    })
}

/// The set that no people gave.
const SYNTHETIC: &str = "DB4_B";

/// BOZORTH3 and SourceAFIS on the same images and pairs; BOZORTH3 on LEADER's minutiae where [`measured`] kept them in this run.
pub(super) fn peers(bench: &Bench, source_afis: Option<&str>) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let mut peers = bench.built("examples/finger_peers");
    peers.arg(templates(bench)).env_remove("AMPARO_SOURCEAFIS");
    if let Some(class_path) = source_afis {
        peers.env("AMPARO_SOURCEAFIS", class_path);
    }
    for (set, dpi) in SETS {
        peers.arg(dpi).arg(data.join(set));
    }
    Ok(shell::output(&mut peers)?)
}

fn row(set: &str, extractor: &str, enrol: &str, list: &Value) -> String {
    let at_fmr = |fmr: &str| {
        let point = at(list, &["fnmr_at_fmr", fmr]);
        rate(count(point, &["misses"]), count(point, &["trials"]), at(point, &["ci95"]))
    };
    let non_mated = count(list, &["non_mated"]);
    let [misses, false_matches] = ["misses", "false_matches"].map(|of| count(list, &["at_product_threshold", of]));
    let refused: Vec<String> = at(list, &["quality"])
        .as_object()
        .map(|codes| codes.iter().filter(|(code, _)| *code != "ok").map(|(code, n)| format!("{code} {n}")).collect())
        .unwrap_or_default();
    // Where no print of a set has forty, there is nothing to tell.
    let of_40 = Some(number(list, &["comparisons_per_second_of_40"])).filter(|rate| rate.is_finite());
    let of_40 = of_40.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.0}"));
    format!(
        "| {set} | {extractor} | {} | {enrol} | {} | {} | {} % | {} | {} | {} % ({misses}) | {} % ({false_matches}) | {} | {:.0} | {:.0} | {:.0} | {of_40} |",
        count(list, &["fingers"]),
        thousands(count(list, &["mated"])),
        thousands(non_mated),
        percent(number(list, &["eer"])),
        at_fmr("1e-2"),
        at_fmr("1e-3"),
        percent(misses as f64 / count(list, &["mated"]).max(1) as f64),
        percent(false_matches as f64 / non_mated.max(1) as f64),
        refused.join(", "),
        number(list, &["minutiae_mean"]),
        number(list, &["template_ms_median"]),
        number(list, &["comparisons_per_second"]),
    )
}
