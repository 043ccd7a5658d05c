//! Prints of four sensors: one and three impressions enrolled, then the peers on the same images.

use super::table::{at, count, lists, number, percent, rate, thousands};
use super::{Bench, EvaluateError};
use crate::shell;
use serde_json::Value;
use std::fmt::Write;

const SETS: [(&str, &str); 4] = [("DB1_B", "500"), ("DB2_B", "569"), ("DB3_B", "500"), ("DB4_B", "500")];
const ENROLLED: [&str; 2] = ["1", "3"];

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let mut text = String::from(
        "| set | impressions enrolled | mated | non-mated | EER | FNMR at FMR 1e-2 | FNMR at FMR 1e-3 | FMR at the product's threshold | refused by the gate |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (set, dpi) in SETS {
        let mut evaluate = bench.command(&["evaluate", "--modality", "finger", "--dpi", dpi, "--failures"]);
        evaluate.arg(bench.folder.join("finger-failures").join(set));
        for enrol in ENROLLED {
            let list = bench.list(
                &format!("pairs-{set}-{enrol}.csv"),
                &["--splits", "8", "--enrol", enrol, "--fingers"],
                &data.join(set),
            )?;
            evaluate.arg("--pairs").arg(list).arg("--plot").arg(bench.drawing(&format!("finger-{set}-{enrol}.svg")));
        }
        let answer = bench.json(&mut evaluate)?;
        for (enrol, list) in ENROLLED.iter().zip(lists(&answer)) {
            let _ = writeln!(text, "{}", row(set, enrol, list));
        }
    }
    text.push_str("\nPeers on the same images and pairs, in the same run:\n\n");
    let mut peers = bench.built("examples/finger_peers");
    for (set, dpi) in SETS {
        peers.arg(dpi).arg(data.join(set));
    }
    text.push_str(&shell::output(&mut peers)?);
    text.push('\n');
    for (set, _) in SETS {
        let _ = writeln!(text, "![DET and scores, {set}](evaluation/finger-{set}-1.svg)");
    }
    Ok(text)
}

fn row(set: &str, enrol: &str, list: &Value) -> String {
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
        "| {set} | {enrol} | {} | {} | {} % | {} | {} | {} % ({false_matches}) | {} |",
        thousands(count(list, &["mated"])),
        thousands(non_mated),
        percent(number(list, &["eer"])),
        at_fmr("1e-2"),
        at_fmr("1e-3"),
        percent(false_matches as f64 / non_mated.max(1) as f64),
        refused.join(", "),
    )
}
