//! Missed pairs by condition: as the list names it, else as the pictures' own measures tell it.

use std::path::Path;

use biometrics::comparison::{ComparisonScore, Decision};
use biometrics::evaluation::Rate;
use biometrics::face::quality::ComponentName;
use serde_json::{Value, json};

use super::embedding_cache::EmbeddingCache;
use super::pair_list::{Pair, threshold};
use super::{Answer, by_subject};

/// A mated pair: whose it is, and whether the product's threshold misses it.
type Trial<'p> = (Option<&'p Path>, bool);

/// Mated pairs of one condition.
struct Row<'p> {
    condition: String,
    /// The least and the greatest measure; nothing where the list names the condition.
    measure: Option<[f64; 2]>,
    trials: Vec<Trial<'p>>,
}

/// The answer of an evaluation, and what it is by condition.
pub(super) fn told_with(answer: Answer, pairs: &[Pair], scores: &[ComparisonScore], cache: &EmbeddingCache) -> Answer {
    let threshold = threshold(pairs);
    let mated: Vec<(&Pair, bool)> = pairs
        .iter()
        .zip(scores)
        .filter(|(pair, _)| pair.mated)
        .map(|(pair, score)| (pair, threshold.decide(*score) == Decision::NonMatch))
        .collect();
    let rows = if pairs.iter().any(|pair| pair.condition.is_some()) { named(&mated) } else { measured(&mated, cache) };
    let Answer { mut object, mut sentences } = answer;
    if !rows.is_empty() {
        sentences.push_str("\nMissed at the product's threshold, by condition:");
        rows.iter().for_each(|row| sentences.push_str(&row.sentence()));
    }
    if let Some(fields) = object.as_object_mut() {
        fields.insert("by_condition".to_owned(), rows.iter().map(Row::told).collect());
    }
    Answer { object, sentences }
}

/// In the order in which the list first names them.
fn named<'p>(mated: &[(&'p Pair, bool)]) -> Vec<Row<'p>> {
    let mut rows: Vec<Row<'p>> = Vec::new();
    for (pair, missed) in mated {
        let condition = pair.condition.as_deref().unwrap_or("none named");
        let trial = (by_subject::folder(&pair.reference), *missed);
        match rows.iter_mut().find(|row| row.condition == condition) {
            Some(row) => row.trials.push(trial),
            None => rows.push(Row { condition: condition.to_owned(), measure: None, trials: vec![trial] }),
        }
    }
    rows
}

/// For each measure that differs, the pairs in three parts as large as each other, by the picture of the pair that is
/// worst by it.
fn measured<'p>(mated: &[(&'p Pair, bool)], cache: &EmbeddingCache) -> Vec<Row<'p>> {
    let mut rows = Vec::new();
    for name in ComponentName::ALL {
        let valued = |(pair, missed): &(&'p Pair, bool)| {
            Some((worst(pair, name, cache)?, (by_subject::folder(&pair.reference), *missed)))
        };
        let mut trials: Vec<(f64, Trial<'p>)> = mated.iter().filter_map(valued).collect();
        trials.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let ends = |part: &[(f64, Trial<'p>)]| Some([part.first()?.0, part.last()?.0]);
        if ends(&trials).is_none_or(|[least, greatest]| least >= greatest) {
            continue;
        }
        for part in trials.chunks(trials.len().div_ceil(PARTS)) {
            let trials = part.iter().map(|(_, trial)| *trial).collect();
            rows.push(Row { condition: name.code().to_owned(), measure: ends(part), trials });
        }
    }
    rows
}

/// The measure of the picture in which it is worst; angles without their side. Nothing if one of the pictures shows no face.
fn worst(pair: &Pair, name: ComponentName, cache: &EmbeddingCache) -> Option<f64> {
    let mut worst: Option<(f64, f64)> = None;
    for picture in pair.reference.iter().chain(&pair.probe) {
        let component = cache.quality_of(picture)?.components().into_iter().find(|c| c.name() == name)?;
        if worst.is_none_or(|(goodness, _)| component.goodness() < goodness) {
            worst = Some((component.goodness(), component.value()));
        }
    }
    let (_, value) = worst?;
    let is_angle = matches!(name, ComponentName::Yaw | ComponentName::Pitch | ComponentName::Roll);
    Some(if is_angle { value.abs() } else { value })
}

impl Row<'_> {
    fn rate(&self) -> Rate {
        Rate { misses: self.trials.iter().filter(|(_, missed)| *missed).count(), trials: self.trials.len() }
    }

    fn told(&self) -> Value {
        let Self { condition, measure, trials } = self;
        let rate = self.rate();
        let (exact, people) = (rate.interval(), by_subject::of_failures(trials.iter().copied()));
        json!({
            "condition": condition, "from": measure.map(|[from, _]| from), "to": measure.map(|[_, to]| to),
            "mated": rate.trials, "misses": rate.misses, "ci95": [exact.low, exact.high],
            "ci95_by_subject": people.map(|interval| [interval.low, interval.high]),
        })
    }

    fn sentence(&self) -> String {
        let rate = self.rate();
        let between = self.measure.map(|[from, to]| format!(" {from:.2} to {to:.2}")).unwrap_or_default();
        format!("\n  {}{between}: {:.2} % ({}/{})", self.condition, rate.value() * 100.0, rate.misses, rate.trials)
    }
}

/// Into how many parts a measure divides the pairs.
const PARTS: usize = 3;
