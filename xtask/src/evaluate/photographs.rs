//! SIMULATED photographs of fingertips: against scans of the same fingers, and against each other.

use super::table::{at, count, lists, number, percent, rate, thousands};
use super::{Bench, EvaluateError};
use serde_json::Value;
use std::fmt::Write;

/// Set, its resolution, conditions: the second set is the one that nothing was set on.
const CASES: [(&str, &str, &str); 4] =
    [("DB1_B", "500", "ordinary"), ("DB2_B", "569", "good"), ("DB2_B", "569", "ordinary"), ("DB2_B", "569", "hard")];

pub(super) fn measured(bench: &Bench) -> Result<String, EvaluateError> {
    let data = bench.images("fingers/fvc2002")?;
    let mut text = String::from(
        "All photographs are SIMULATED from scanners' images, one of each; a photograph is never compared with the scan that it was made of.\n\n\
         | set, conditions | photographs against | mated | non-mated | EER | FNMR at FMR 1e-2 | FNMR at FMR 1e-3 | at the product's threshold, FNMR | FMR | no template | refused by the gate |\n\
         |---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    let mut drawings = String::new();
    for (set, dpi, conditions) in CASES {
        let scans = data.join(set);
        let photographs = bench.folder.join(format!("photographs-{set}-{conditions}"));
        let mut simulate = bench.command(&["simulate", "--dpi", dpi, "--conditions", conditions, "--fingers"]);
        simulate.arg(&scans).arg("--out").arg(&photographs);
        let _ = bench.json(&mut simulate)?;
        let names = photographs.display().to_string();
        let across =
            bench.list(&format!("pairs-{set}-{conditions}-scans.csv"), &["--probes", &names, "--fingers"], &scans)?;
        let among =
            bench.list(&format!("pairs-{set}-{conditions}.csv"), &["--splits", "8", "--fingers"], &photographs)?;
        let against = [
            ("scans", "scan", &across),
            ("scans, evened", "even-scan", &across),
            ("photographs", "photograph", &among),
        ];
        let ordinary = conditions == "ordinary";
        for (name, reference, list) in against.into_iter().filter(|(_, reference, _)| ordinary || *reference != "scan")
        {
            let mut evaluate = bench.command(&["evaluate", "--modality", "finger", "--capture", "photograph"]);
            evaluate.args(["--dpi", dpi, "--reference-capture", reference, "--pairs"]).arg(list);
            if ordinary && reference != "scan" {
                let drawing = format!("photographs-{set}-{reference}.svg");
                evaluate.arg("--plot").arg(bench.drawing(&drawing));
                let _ = writeln!(
                    drawings,
                    "![DET and scores, SIMULATED photographs of {set} against {name}](evaluation/{drawing})"
                );
            }
            let answer = bench.json(&mut evaluate)?;
            for list in lists(&answer) {
                let _ = writeln!(text, "{}", row(&format!("{set}, {conditions}"), name, list));
            }
        }
    }
    Ok(format!("{text}\n{drawings}"))
}

fn row(set: &str, against: &str, list: &Value) -> String {
    let at_fmr = |fmr: &str| {
        let point = at(list, &["fnmr_at_fmr", fmr]);
        let cell = rate(count(point, &["misses"]), count(point, &["trials"]), at(point, &["ci95"]));
        format!("{cell} from {:.3}", number(point, &["threshold"]))
    };
    let (mated, non_mated) = (count(list, &["mated"]), count(list, &["non_mated"]));
    let misses = count(list, &["at_product_threshold", "misses"]);
    let false_matches = count(list, &["at_product_threshold", "false_matches"]);
    let refused: Vec<String> = at(list, &["quality"])
        .as_object()
        .map(|codes| codes.iter().filter(|(code, _)| *code != "ok").map(|(code, n)| format!("{code} {n}")).collect())
        .unwrap_or_default();
    format!(
        "| {set} | {against} | {} | {} | {} % | {} | {} | {} % ({misses}) | {} % ({false_matches}) | {} | {} |",
        thousands(mated),
        thousands(non_mated),
        percent(number(list, &["eer"])),
        at_fmr("1e-2"),
        at_fmr("1e-3"),
        percent(misses as f64 / mated.max(1) as f64),
        percent(false_matches as f64 / non_mated.max(1) as f64),
        count(list, &["failures_to_extract"]),
        refused.join(", "),
    )
}
