//! Faces: comparison and release, on the people in shared/data and on people that nothing was chosen on.

use super::table::{at, count, lists, number, percent, rate, thousands};
use super::{Bench, EvaluateError, conditions, storage};
use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Captures enrolled, and frames a probe.
const COMPARED: [(&str, &str); 6] = [("1", "1"), ("1", "3"), ("3", "1"), ("3", "3"), ("5", "1"), ("5", "3")];
/// Of these, what is drawn.
const DRAWN: [(&str, &str); 3] = [("1", "1"), ("5", "1"), ("5", "3")];
const RELEASED: [(&str, &str); 8] =
    [("1", "1"), ("2", "1"), ("3", "1"), ("3", "3"), ("3", "5"), ("5", "1"), ("5", "3"), ("5", "5")];
/// Of these, the ones of which at most so many transactions may fail.
const TRANSACTED: [&str; 2] = ["3", "5"];
const MOST_FAILED: f64 = 0.03;
/// What is aimed at: captures and frames, the EER if one is aimed at, and the FNMR at FMR 1e-3.
const AIMS: [(&str, &str, Option<f64>, f64); 3] =
    [("1", "1", Some(0.015), 0.035), ("3", "1", None, 0.003), ("3", "3", None, 0.003)];

pub(super) fn compared(bench: &Bench) -> Result<String, EvaluateError> {
    comparison(bench, &bench.images("faces/orl")?, "faces")
}

fn comparison(bench: &Bench, people: &Path, name: &str) -> Result<String, EvaluateError> {
    let mut evaluate = bench.command(&["evaluate", "--modality", "face"]);
    for (enrol, frames) in COMPARED {
        let list = listed(bench, people, name, enrol, frames)?;
        evaluate.arg("--pairs").arg(list);
    }
    let answer = bench.json(&mut evaluate)?;
    let mut draw = bench.command(&["evaluate", "--modality", "face"]);
    for (enrol, frames) in DRAWN {
        let list = bench.folder.join(format!("pairs-{name}-{enrol}-{frames}.csv"));
        draw.arg("--pairs").arg(list).arg("--plot").arg(bench.drawing(&format!("{name}-{enrol}-{frames}.svg")));
    }
    let _ = bench.json(&mut draw)?;
    let mut text = String::from(
        "| captures enrolled, frames a probe | mated | non-mated | EER | FNMR at FMR 1e-2 | at 1e-3 | at 1e-4 | FMR and FNMR at the product's threshold |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for ((enrol, frames), list) in COMPARED.iter().zip(lists(&answer)) {
        let at_fmr = |fmr: &str| {
            let point = at(list, &["fnmr_at_fmr", fmr]);
            let rate = rate(count(point, &["misses"]), count(point, &["trials"]), at(point, &["ci95"]));
            format!("{rate} from {:.3}", number(point, &["threshold"]))
        };
        let (mated, non_mated) = (count(list, &["mated"]), count(list, &["non_mated"]));
        let false_matches = count(list, &["at_product_threshold", "false_matches"]);
        let _ = writeln!(
            text,
            "| {enrol}, {frames} | {} | {} | {} % | {} | {} | {} | {} % ({false_matches}/{}), {} % from {:.3} |",
            thousands(mated),
            thousands(non_mated),
            percent(number(list, &["eer"])),
            at_fmr("1e-2"),
            at_fmr("1e-3"),
            at_fmr("1e-4"),
            percent(false_matches as f64 / non_mated.max(1) as f64),
            thousands(non_mated),
            percent(number(list, &["at_product_threshold", "fnmr"])),
            number(list, &["at_product_threshold", "threshold"]),
        );
    }
    let _ = writeln!(text, "\nAims: {}.", aims(lists(&answer)));
    text.push_str(
        "\nFNMR, and the score it is from, when the people are drawn anew a thousand times (95 %), and who errs at the product's threshold:\n\n",
    );
    text.push_str("| captures, frames | at FMR 1e-2 | at 1e-3 | at 1e-4 | people without error | the others |\n|---|---|---|---|---|---|\n");
    for ((enrol, frames), list) in COMPARED.iter().zip(lists(&answer)) {
        let drawn = |fmr: &str| {
            let bounds = |of: &str| {
                let interval = at(list, &[of, fmr]);
                [0, 1].map(|i| interval.get(i).and_then(Value::as_f64).unwrap_or(f64::NAN))
            };
            let [low, high] = bounds("fnmr_ci95_by_subject").map(percent);
            let [from, to] = bounds("threshold_ci95_by_subject");
            format!("{low}–{high} % from {from:.3}–{to:.3}")
        };
        let (people, others) = by_person(list);
        let _ = writeln!(
            text,
            "| {enrol}, {frames} | {} | {} | {} | {people} | {others} |",
            drawn("1e-2"),
            drawn("1e-3"),
            drawn("1e-4")
        );
    }
    if let Some(single) = lists(&answer).first() {
        text.push_str("\nOne against one by condition, as the pictures' own measures tell it: missed at the product's threshold (in brackets the interval when the people are drawn anew):\n\n");
        text.push_str(&conditions::measured(single));
    }
    text.push('\n');
    for (enrol, frames) in DRAWN {
        let _ = writeln!(
            text,
            "![DET and scores, {enrol} enrolled, {frames} frames](evaluation/{name}-{enrol}-{frames}.svg)"
        );
    }
    Ok(text)
}

/// Each aim, what was measured, and whether that reaches it.
fn aims(lists: &[Value]) -> String {
    let mut told = Vec::new();
    for (enrol, frames, eer, fnmr) in AIMS {
        let of = COMPARED.iter().zip(lists).find_map(|(compared, list)| (*compared == (enrol, frames)).then_some(list));
        let Some(list) = of else { continue };
        let mut tell = |what: &str, measured: f64, aim: f64| {
            let verdict = if measured <= aim { "reached" } else { "**missed**" };
            told.push(format!(
                "{enrol} enrolled, {frames} shown, {what} {} % (at most {} %): {verdict}",
                percent(measured),
                percent(aim)
            ));
        };
        if let Some(aim) = eer {
            tell("EER", number(list, &["eer"]), aim);
        }
        tell("FNMR at FMR 1e-3", number(list, &["fnmr_at_fmr", "1e-3", "fnmr"]), fnmr);
    }
    told.join("; ")
}

/// How many people had no error, of how many; and what the others had.
fn by_person(list: &Value) -> (String, String) {
    let people = at(list, &["by_subject"]).as_array().map_or(&[][..], Vec::as_slice);
    let errs = |person: &&Value| count(person, &["misses"]) + count(person, &["false_matches"]) > 0;
    let told: Vec<String> = people
        .iter()
        .filter(errs)
        .map(|person| {
            let name = at(person, &["subject"]).as_str().unwrap_or_default();
            let (misses, mated) = (count(person, &["misses"]), count(person, &["mated"]));
            format!("{name}: {misses}/{mated} missed, in {} false matches", count(person, &["false_matches"]))
        })
        .collect();
    (format!("{} of {}", people.len() - told.len(), people.len()), told.join("; "))
}

pub(super) fn released(bench: &Bench) -> Result<String, EvaluateError> {
    let mut text = release(bench, &bench.images("faces/orl")?, "faces")?;
    // Portraits of the size that the product asks for: two enrolled, the third shown, in all orders.
    let portrait = |name: &str| bench.portrait(name).display().to_string();
    let [one, two, three, other] = ["obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg"].map(portrait);
    let mut rows = String::from("reference,probe,mated\n");
    for (first, second, shown) in [(&one, &two, &three), (&one, &three, &two), (&two, &three, &one)] {
        let _ = writeln!(rows, "{first};{second},{shown},1\n{first};{second},{other},0");
    }
    let list = bench.folder.join("pairs-portraits.csv");
    std::fs::write(&list, rows).map_err(|source| storage(&list, source))?;
    let answer = bench.json(bench.command(&["release", "--gate", "--enrolments", "200", "--pairs"]).arg(list))?;
    let (released, mated) = (count(&answer, &["released_mated"]), count(&answer, &["mated"]));
    let (wrong, non_mated) = (count(&answer, &["released_non_mated"]), count(&answer, &["non_mated"]));
    let _ = write!(
        text,
        "\nPortraits of two public figures, two pictures enrolled and the third shown, in all three orders, each under 200 fresh \
         transforms, behind the quality gate: released {released} of {mated} mated and {wrong} of {non_mated} non-mated attempts."
    );
    Ok(text)
}

fn release(bench: &Bench, people: &Path, name: &str) -> Result<String, EvaluateError> {
    let mut release = bench.command(&["release"]);
    for (enrol, frames) in RELEASED {
        release.arg("--pairs").arg(listed(bench, people, name, enrol, frames)?);
    }
    let answer = bench.json(&mut release)?;
    let mut text = String::from(
        "| captures enrolled, frames a probe | released, mated | transactions of three attempts that failed | released, non-mated |\n|---|---|---|---|\n",
    );
    let mut worst = 0.0_f64;
    for ((enrol, frames), list) in RELEASED.iter().zip(lists(&answer)) {
        let (released, mated) = (count(list, &["released_mated"]), count(list, &["mated"]));
        let (wrong, non_mated) = (count(list, &["released_non_mated"]), count(list, &["non_mated"]));
        let (failed, share) = failed_transactions(list);
        if TRANSACTED.contains(enrol) {
            worst = worst.max(share);
        }
        let most = at(list, &["released_non_mated_ci95"]).get(1).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "| {enrol}, {frames} | {} | {failed} | {wrong} of {} (at most {} %: {:.1} bits) |",
            rate(released, mated, at(list, &["released_mated_ci95"])),
            thousands(non_mated),
            percent(most),
            number(list, &["bits_at_most"])
        );
    }
    let verdict = if worst <= MOST_FAILED { "reached" } else { "**missed**" };
    let _ = writeln!(
        text,
        "\nTransactions, three or five enrolled: at most {} % failed (aim: at most {} %): {verdict}. No two attempts of a transaction have a frame in common; in \
         brackets the exact interval, and the one when the people are drawn anew. Where ten pictures of a person hold no three such attempts, a transaction fails no more often than an attempt.",
        percent(worst),
        percent(MOST_FAILED)
    );
    let _ = writeln!(
        text,
        "\nA release takes {:.2} ms (median).",
        number(lists(&answer).first().unwrap_or(&Value::Null), &["release_ms_median"])
    );
    Ok(text)
}

/// The transactions that failed, with both intervals, and their share; where there are none, what bounds it: the attempts that failed.
fn failed_transactions(list: &Value) -> (String, f64) {
    let transactions = at(list, &["transactions"]);
    let (failed, trials) = (count(transactions, &["failed"]), count(transactions, &["trials"]));
    if trials == 0 {
        let (released, mated) = (count(list, &["released_mated"]), count(list, &["mated"]));
        let share = 1.0 - released as f64 / mated.max(1) as f64;
        return (format!("as attempts: at most {} %", percent(share)), share);
    }
    let exact = rate(failed, trials, at(transactions, &["failed_ci95"]));
    let bound = |i: usize| at(transactions, &["failed_ci95_by_subject"]).get(i).and_then(Value::as_f64).map(percent);
    let people = bound(0).zip(bound(1)).map(|(low, high)| format!("; {low}–{high}")).unwrap_or_default();
    (format!("{}{people})", exact.trim_end_matches(')')), failed as f64 / trials as f64)
}

pub(super) fn held_out(bench: &Bench, people: Option<&Path>) -> Result<String, EvaluateError> {
    let people = given(people, "--held-out DIR")?;
    let (compared, released) = (comparison(bench, people, "held-out")?, release(bench, people, "held-out")?);
    Ok(format!("{compared}\n{released}"))
}

/// As [`held_out`], and what discarding by quality is worth where the pictures are large enough for its measures.
pub(super) fn original(bench: &Bench, people: Option<&Path>) -> Result<String, EvaluateError> {
    let people = given(people, "--original DIR")?;
    let (compared, released) = (comparison(bench, people, "original")?, release(bench, people, "original")?);
    let single = bench.folder.join("pairs-original-1-1.csv");
    let mut discard = bench.command(&["evaluate", "--modality", "face", "--plot-discard"]);
    discard.arg(bench.drawing("discard-original.svg")).arg("--pairs").arg(single);
    let answer = bench.json(&mut discard)?;
    let curves = lists(&answer).first().map(super::quality::curves).unwrap_or_default();
    Ok(format!(
        "{compared}\n{released}\n\
         One against one; FNMR in % at the product's threshold when so many of the mated pairs are left out, those of lowest quality first:\n\n{curves}\n\
         ![error versus discard, original size](evaluation/discard-original.svg)"
    ))
}

fn given<'a>(people: Option<&'a Path>, option: &str) -> Result<&'a Path, EvaluateError> {
    people.filter(|p| p.is_dir()).ok_or_else(|| EvaluateError::NoData(PathBuf::from(option)))
}

fn listed(bench: &Bench, people: &Path, name: &str, enrol: &str, frames: &str) -> Result<PathBuf, EvaluateError> {
    let file = format!("pairs-{name}-{enrol}-{frames}.csv");
    bench.list(&file, &["--enrol", enrol, "--frames", frames, "--people"], people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_told_with_what_was_measured_and_whether_it_is_reached() {
        let list = |eer: f64, fnmr: f64| serde_json::json!({ "eer": eer, "fnmr_at_fmr": { "1e-3": { "fnmr": fnmr } } });
        // As many lists as were compared, in their order.
        let all =
            [list(0.02, 0.01), list(1.0, 1.0), list(1.0, 0.003), list(1.0, 0.004), list(1.0, 1.0), list(1.0, 1.0)];
        let told = aims(&all);
        assert_eq!(
            told,
            "1 enrolled, 1 shown, EER 2.00 % (at most 1.50 %): **missed**; 1 enrolled, 1 shown, FNMR at FMR 1e-3 1.00 % (at most 3.50 %): reached; \
             3 enrolled, 1 shown, FNMR at FMR 1e-3 0.30 % (at most 0.30 %): reached; 3 enrolled, 3 shown, FNMR at FMR 1e-3 0.40 % (at most 0.30 %): **missed**"
        );
    }

    #[test]
    fn failed_transactions_have_both_intervals_and_an_attempt_bounds_those_that_there_are_not() {
        let list = serde_json::json!({
            "released_mated": 1397, "mated": 1400,
            "transactions": { "attempts": 3, "trials": 400, "failed": 2, "failed_ci95": [0.0006, 0.0179], "failed_ci95_by_subject": [0.0, 0.015] },
        });
        assert_eq!(failed_transactions(&list), ("0.50 % (2/400, 0.060–1.79; 0–1.50)".to_owned(), 0.005));
        let none =
            serde_json::json!({ "released_mated": 99, "mated": 100, "transactions": { "trials": 0, "failed": 0 } });
        let (told, share) = failed_transactions(&none);
        assert!(told == "as attempts: at most 1.00 %" && (share - 0.01).abs() < 1e-9);
    }
}
