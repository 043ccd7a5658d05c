//! Prints of four sensors by both extractors: one and three impressions enrolled, then the peers on the same images.

use super::table::{at, count, lists, number, percent, rate, thousands};
use super::{Bench, EvaluateError};
use crate::shell;
use serde_json::Value;
use std::fmt::Write;
use std::path::PathBuf;

pub(super) const SETS: [(&str, &str); 4] = [("DB1_B", "500"), ("DB2_B", "569"), ("DB3_B", "500"), ("DB4_B", "500")];
const ENROLLED: [&str; 2] = ["1", "3"];

pub(super) const EXTRACTORS: [&str; 2] = ["mindtct", "leader"];

/// Where templates are kept during a run, by set and extractor.
pub(super) fn templates(bench: &Bench) -> PathBuf {
    bench.folder.join("finger-templates")
}

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let network = bench.home.path().join("models/LEADER.onnx").is_file();
    let mut text = String::from(
        "| set | minutiae by | impressions enrolled | mated | non-mated | EER | FNMR at FMR 1e-2 | FNMR at FMR 1e-3 | FMR at the product's threshold | refused by the gate | minutiae | extraction ms | comparisons/s |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
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
            for enrol in ENROLLED {
                let list = bench.list(
                    &format!("pairs-{set}-{enrol}.csv"),
                    &["--splits", "8", "--enrol", enrol, "--fingers"],
                    &data.join(set),
                )?;
                evaluate.arg("--pairs").arg(list);
                evaluate.arg("--plot").arg(bench.drawing(&format!("finger-{set}-{extractor}-{enrol}.svg")));
            }
            let answer = bench.json(&mut evaluate)?;
            for ((enrol, list), sum) in ENROLLED.iter().zip(lists(&answer)).zip(&mut sums) {
                let _ = writeln!(text, "{}", row(set, extractor, enrol, list));
                *sum += number(list, &["eer"]);
            }
        }
        let [one, three] = sums.map(|sum| percent(sum / SETS.len() as f64));
        let _ = writeln!(
            means,
            "Mean EER over the four sets, {extractor}: {one} % with one impression enrolled, {three} % with three."
        );
    }
    if !network {
        means.push_str("LEADER was not measured: `cargo xtask setup` fetches it.\n");
    }
    let _ = writeln!(text, "\n{means}");
    for (set, _) in SETS {
        for extractor in EXTRACTORS.into_iter().filter(|name| *name == "mindtct" || network) {
            let _ = writeln!(text, "![DET and scores, {set}, {extractor}](evaluation/finger-{set}-{extractor}-1.svg)");
        }
    }
    Ok(text)
}

/// BOZORTH3 on the same images and pairs; on LEADER's minutiae where [`measured`] kept them in this run.
pub(super) fn peers(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let mut peers = bench.built("examples/finger_peers");
    peers.arg(templates(bench));
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
    let false_matches = count(list, &["at_product_threshold", "false_matches"]);
    let refused: Vec<String> = at(list, &["quality"])
        .as_object()
        .map(|codes| codes.iter().filter(|(code, _)| *code != "ok").map(|(code, n)| format!("{code} {n}")).collect())
        .unwrap_or_default();
    format!(
        "| {set} | {extractor} | {enrol} | {} | {} | {} % | {} | {} | {} % ({false_matches}) | {} | {:.0} | {:.0} | {:.0} |",
        thousands(count(list, &["mated"])),
        thousands(non_mated),
        percent(number(list, &["eer"])),
        at_fmr("1e-2"),
        at_fmr("1e-3"),
        percent(false_matches as f64 / non_mated.max(1) as f64),
        refused.join(", "),
        number(list, &["minutiae_mean"]),
        number(list, &["template_ms_median"]),
        number(list, &["comparisons_per_second"]),
    )
}
