//! What the quality measures are worth: the FNMR when mated pairs with a picture of low quality are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use biometrics::comparison::{ComparisonScore, Decision};
use biometrics::evaluation::{DiscardPoint, GradedScore, error_versus_discard};
use biometrics::face::quality::{Component, ComponentName};
use serde_json::{Map, Value, json};

use super::embedding_cache::EmbeddingCache;
use super::evaluate::write_drawing;
use super::pair_list::{Pair, threshold};
use super::{Answer, Failure, plot};

/// One curve for each component of quality, by its name; a component that is the same everywhere has none.
pub(super) struct Discard {
    curves: BTreeMap<&'static str, Vec<DiscardPoint>>,
}

impl Discard {
    pub(super) fn of(pairs: &[Pair], scores: &[ComparisonScore], cache: &EmbeddingCache) -> Self {
        let mut graded: BTreeMap<&'static str, Vec<GradedScore>> = BTreeMap::new();
        for (pair, score) in pairs.iter().zip(scores).filter(|(pair, _)| pair.mated) {
            for (name, goodness) in worst(pair.reference.iter().chain(&pair.probe), cache) {
                graded.entry(name).or_default().push(GradedScore { goodness, score: *score });
            }
        }
        let varies =
            |pairs: &[GradedScore]| pairs.windows(2).any(|two| matches!(two, [a, b] if a.goodness != b.goodness));
        let curve = |graded: Vec<GradedScore>| error_versus_discard(&graded, threshold(pairs), &SHARES);
        let curves = graded.into_iter().filter(|(_, pairs)| varies(pairs)).map(|(name, pairs)| (name, curve(pairs)));
        Self { curves: curves.collect() }
    }

    /// The answer of an evaluation, and the curves.
    pub(super) fn told_with(&self, answer: Answer, drawing: Option<&Path>) -> Result<Answer, Failure> {
        let Answer { mut object, mut sentences } = answer;
        if self.curves.is_empty() {
            return Ok(Answer { object, sentences });
        }
        if let Some(path) = drawing {
            write_drawing(path, &plot::draw_discard(&self.curves).map_err(Failure::internal)?)?;
        }
        sentences.push_str(
            "\nFNMR at the product's threshold when so many of the mated pairs are left out, those of lowest quality:",
        );
        let mut told = Map::new();
        for (name, curve) in &self.curves {
            sentences.push_str(&format!("\n  {name}:"));
            for DiscardPoint { discarded, fnmr } in curve {
                sentences.push_str(&format!(" {:.0} % {:.2},", discarded * 100.0, fnmr.value() * 100.0));
            }
            let point = |DiscardPoint { discarded, fnmr }: &DiscardPoint| json!({ "discarded": discarded, "misses": fnmr.misses, "trials": fnmr.trials });
            told.insert((*name).to_owned(), curve.iter().map(point).collect());
        }
        if let Some(fields) = object.as_object_mut() {
            fields.insert("error_versus_discard".to_owned(), Value::Object(told));
        }
        Ok(Answer { object, sentences })
    }
}

/// For each component, and for all of them, the least goodness among the pictures; the worst of all where one shows no face.
fn worst<'a>(pictures: impl Iterator<Item = &'a PathBuf>, cache: &EmbeddingCache) -> BTreeMap<&'static str, f64> {
    let mut worst: BTreeMap<&'static str, f64> = ComponentName::ALL.map(|name| (name.code(), f64::INFINITY)).into();
    worst.insert(ALL, 1.0);
    for picture in pictures {
        let Some(quality) = cache.quality_of(picture) else {
            worst.values_mut().for_each(|least| *least = f64::NEG_INFINITY);
            return worst;
        };
        let values = quality.components().into_iter().map(|c| (c.name().code(), c.goodness()));
        for (name, goodness) in values.chain([(ALL, quality.value())]) {
            let least = worst.entry(name).or_insert(f64::INFINITY);
            *least = least.min(goodness);
        }
    }
    worst
}

/// What the gate says of each mated pair: pairs and misses at the product's threshold, by the first fault of the first
/// picture that has one.
pub(super) fn gate(pairs: &[Pair], scores: &[ComparisonScore], cache: &EmbeddingCache) -> Value {
    let threshold = threshold(pairs);
    let mut told: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for (pair, score) in pairs.iter().zip(scores).filter(|(pair, _)| pair.mated) {
        let code = |path: &PathBuf| match cache.quality_of(path) {
            None => Some("no-face"),
            Some(quality) => quality.check().err().map(|fault| fault.code()),
        };
        let verdict = pair.reference.iter().chain(&pair.probe).find_map(code).unwrap_or("ok");
        let (mated, misses) = told.entry(verdict).or_default();
        *mated += 1;
        *misses += usize::from(threshold.decide(*score) == Decision::NonMatch);
    }
    let row = |(code, (mated, misses)): (&str, (usize, usize))| {
        (code.to_owned(), json!({ "mated": mated, "misses": misses }))
    };
    Value::Object(told.into_iter().map(row).collect())
}

/// What each component would refuse by itself, those that only advise as if they refused: pictures of the list, and mated pairs with one of them as probe; of these the misses
/// at the product's threshold, and those that would release no key.
pub(super) fn refusals(pairs: &[Pair], scores: &[ComparisonScore], cache: &EmbeddingCache) -> Value {
    let threshold = threshold(pairs);
    let pictures: BTreeSet<&PathBuf> = pairs.iter().flat_map(|pair| pair.reference.iter().chain(&pair.probe)).collect();
    let refuses = |path: &PathBuf, name: ComponentName| {
        let of = |c: &Component| c.name() == name && c.advice().is_some();
        cache.quality_of(path).is_some_and(|quality| quality.components().iter().any(of))
    };
    let told = ComponentName::ALL.into_iter().map(|name| {
        let refused = pictures.iter().filter(|path| refuses(path, name)).count();
        let mated = pairs.iter().zip(scores).filter(|(pair, _)| pair.mated && pair.probe.iter().any(|p| refuses(p, name)));
        let (mut probes, mut misses, mut unreleased) = (0_usize, 0_usize, 0_usize);
        for (_, score) in mated {
            probes += 1;
            misses += usize::from(threshold.decide(*score) == Decision::NonMatch);
            unreleased += usize::from(score.value() < RELEASES);
        }
        let row = json!({ "pictures": refused, "of": pictures.len(), "mated": probes, "misses": misses, "unreleased": unreleased, "advisory": name.is_advisory() });
        (name.code().to_owned(), row)
    });
    Value::Object(told.collect())
}

/// From about here up one frame releases a key (decision 0070).
const RELEASES: f64 = 0.6;
/// The curve of the number for all components.
const ALL: &str = "all";
const SHARES: [f64; 8] = [0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3];
