//! Error rates by person: a pair's people are the folders that its pictures lie in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use biometrics::comparison::{ComparisonScore, Decision, Threshold};
use biometrics::evaluation::{self, Interval, Subject, SubjectScore};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

use super::Answer;
use super::pair_list::{Pair, threshold};

/// The scores of a list, by person. Nothing where folders and the list's last column tell different stories.
pub(super) struct BySubject {
    names: Vec<String>,
    scores: Vec<SubjectScore>,
    threshold: Threshold,
}

impl BySubject {
    pub(super) fn of(pairs: &[Pair], scores: &[ComparisonScore]) -> Option<Self> {
        let folder = |paths: &[PathBuf]| Some(paths.first()?.parent()?.file_name()?.to_string_lossy().into_owned());
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut number = |name: String| {
            let next = numbers.len();
            Subject(*numbers.entry(name).or_insert(next))
        };
        let mut all = Vec::new();
        for (pair, score) in pairs.iter().zip(scores) {
            let (reference, probe) = (number(folder(&pair.reference)?), number(folder(&pair.probe)?));
            if (reference == probe) != pair.mated {
                return None;
            }
            all.push(SubjectScore { reference, probe, score: *score });
        }
        let mut names = vec![String::new(); numbers.len()];
        for (name, i) in numbers {
            if let Some(place) = names.get_mut(i) {
                *place = name;
            }
        }
        Some(Self { names, scores: all, threshold: threshold(pairs) })
    }

    /// The answer of an evaluation, and what it is by person.
    pub(super) fn told_with(&self, answer: Answer, fmrs: &[(&str, f64)]) -> Answer {
        let Answer { mut object, mut sentences } = answer;
        let (mut intervals, mut thresholds) = (serde_json::Map::new(), serde_json::Map::new());
        for (name, most) in fmrs {
            if let Some(evaluation::BySubject { fnmr: Interval { low, high }, threshold }) = self.intervals(*most) {
                thresholds.insert((*name).to_owned(), json!([threshold.low, threshold.high]));
                intervals.insert((*name).to_owned(), json!([low, high]));
                let (low, high, most) = (low * 100.0, high * 100.0, most * 100.0);
                sentences.push_str(&format!(
                    "\nFNMR at FMR {most} %: {low:.2}–{high:.2} % when people are drawn anew ({DRAWS} draws), from {:.3}–{:.3}.",
                    threshold.low, threshold.high
                ));
            }
        }
        if let Some(fields) = object.as_object_mut() {
            fields.insert("fnmr_ci95_by_subject".to_owned(), Value::Object(intervals));
            fields.insert("threshold_ci95_by_subject".to_owned(), Value::Object(thresholds));
            fields.insert("by_subject".to_owned(), Value::Array(self.table()));
        }
        sentences.push('\n');
        sentences.push_str(&self.told());
        Answer { object, sentences }
    }

    /// By drawing people anew; always the same draws.
    fn intervals(&self, fmr: f64) -> Option<evaluation::BySubject> {
        evaluation::by_subject(&self.scores, fmr, DRAWS, &mut ChaCha20Rng::seed_from_u64(1))
    }

    /// For each person at the product's threshold: mated pairs missed, and false matches that they take part in.
    fn table(&self) -> Vec<Value> {
        let mut rows = vec![[0_usize; 4]; self.names.len()];
        for SubjectScore { reference, probe, score } in &self.scores {
            let matched = self.threshold.decide(*score) == Decision::Match;
            let mated = reference == probe;
            let sides: &[Subject] = if mated { &[*reference] } else { &[*reference, *probe] };
            for side in sides {
                if let Some([missed, trials, false_matches, impostors]) = rows.get_mut(side.0) {
                    *trials += usize::from(mated);
                    *missed += usize::from(mated && !matched);
                    *impostors += usize::from(!mated);
                    *false_matches += usize::from(!mated && matched);
                }
            }
        }
        let row = |(name, [missed, trials, false_matches, impostors]): (&String, [usize; 4])| {
            json!({
                "subject": name, "misses": missed, "mated": trials, "false_matches": false_matches, "non_mated": impostors,
            })
        };
        self.names.iter().zip(rows).map(row).collect()
    }

    /// Who is missed at all, in a sentence.
    fn told(&self) -> String {
        let number = |row: &Value, name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
        let missed: Vec<String> = self
            .table()
            .iter()
            .filter(|row| number(row, "misses") > 0 || number(row, "false_matches") > 0)
            .map(|row| {
                let name = row.get("subject").and_then(Value::as_str).unwrap_or_default();
                format!(
                    "{name} {}/{} missed, {} false",
                    number(row, "misses"),
                    number(row, "mated"),
                    number(row, "false_matches")
                )
            })
            .collect();
        format!(
            "By person, at the product's threshold: {} of {} without any error; {}.",
            self.names.len() - missed.len(),
            self.names.len(),
            if missed.is_empty() { "nobody else".to_owned() } else { missed.join("; ") }
        )
    }
}

/// The person of one side: the folder that its first picture lies in.
pub(super) fn folder(pictures: &[PathBuf]) -> Option<&Path> {
    pictures.first()?.parent()
}

/// The 95 % interval of a share of failures when people are drawn anew; always the same draws.
pub(super) fn of_failures<'p>(trials: impl IntoIterator<Item = (Option<&'p Path>, bool)>) -> Option<Interval> {
    let mut numbers: BTreeMap<&Path, usize> = BTreeMap::new();
    let numbered = |(person, failed): (Option<&'p Path>, bool)| {
        let next = numbers.len();
        Some((Subject(*numbers.entry(person?).or_insert(next)), failed))
    };
    let trials: Vec<(Subject, bool)> = trials.into_iter().filter_map(numbered).collect();
    evaluation::failures_by_subject(&trials, DRAWS, &mut ChaCha20Rng::seed_from_u64(1))
}

const DRAWS: usize = 1000;
