//! `evaluate`: error rates over a list of pairs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use biometrics::comparison::{ComparisonScore, Threshold, compare};
use biometrics::evaluation::{Evaluation, OperatingPoint};
use biometrics::template::{Probe, Reference};
use serde_json::{Map, Value, json};

use super::embedding_cache::EmbeddingCache;
use super::pair_list::{self, Pair};
use super::{Answer, Failure, ModalityArguments, home, median_ms, plot};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    modality: ModalityArguments,
    /// The list: reference,probe,mated.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Take only pictures that the product would take.
    #[arg(long)]
    gate: bool,
    /// Draw the DET curve and the scores' histograms.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    arguments.modality.require_face()?;
    let pairs = pair_list::read(&arguments.pairs)?;
    let mut engine = home::load_engine(home)?;
    let cache = EmbeddingCache::fill(&mut engine, &pairs, arguments.gate)?;
    let sides = Sides::of(&pairs, &cache)?;

    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    for pair in &pairs {
        if pair.mated { &mut mated } else { &mut non_mated }.push(sides.score(pair)?);
    }
    let evaluation = Evaluation::new(mated, non_mated).map_err(|error| {
        Failure::usage(error.to_string(), "error rates need both: pairs of one person and pairs of two")
    })?;
    if let Some(path) = &arguments.plot {
        let drawing = plot::draw(&evaluation).map_err(Failure::internal)?;
        std::fs::write(path, drawing)
            .map_err(|error| Failure::storage(format!("{}: {error}", path.display()), "choose another --plot"))?;
    }
    Ok(report(&evaluation, &cache, sides.comparisons_per_second(&pairs)?))
}

/// Every reference and every probe of the list, made once.
struct Sides<'a> {
    references: HashMap<&'a [PathBuf], Option<Reference>>,
    probes: HashMap<&'a [PathBuf], Option<Probe>>,
}

impl<'a> Sides<'a> {
    fn of(pairs: &'a [Pair], cache: &EmbeddingCache) -> Result<Self, Failure> {
        let mut sides = Self { references: HashMap::new(), probes: HashMap::new() };
        for pair in pairs {
            if !sides.references.contains_key(pair.reference.as_slice()) {
                sides.references.insert(&pair.reference, cache.reference(&pair.reference)?);
            }
            if !sides.probes.contains_key(pair.probe.as_slice()) {
                sides.probes.insert(&pair.probe, cache.probe(&pair.probe)?);
            }
        }
        Ok(sides)
    }

    fn get(&self, pair: &Pair) -> Option<(&Reference, &Probe)> {
        let reference = self.references.get(pair.reference.as_slice())?.as_ref()?;
        Some((reference, self.probes.get(pair.probe.as_slice())?.as_ref()?))
    }

    fn score(&self, pair: &Pair) -> Result<ComparisonScore, Failure> {
        let Some((reference, probe)) = self.get(pair) else { return Ok(ComparisonScore::LOWEST) };
        compare(probe, reference).map_err(Failure::internal)
    }

    fn comparisons_per_second(&self, pairs: &[Pair]) -> Result<f64, Failure> {
        let sides: Vec<_> = pairs.iter().filter_map(|pair| self.get(pair)).collect();
        let (start, mut count) = (Instant::now(), 0_u64);
        while !sides.is_empty() && start.elapsed() < Duration::from_millis(200) {
            for (reference, probe) in sides.iter().take(10_000) {
                std::hint::black_box(compare(probe, reference)).map_err(Failure::internal)?;
                count += 1;
            }
        }
        Ok((count as f64 / start.elapsed().as_secs_f64()).round())
    }
}

fn report(evaluation: &Evaluation, cache: &EmbeddingCache, comparisons_per_second: f64) -> Answer {
    let mut points = Map::new();
    let mut sentences = format!(
        "{} mated and {} non-mated pairs; {} pictures gave no template.\nEER {:.2} %.\n",
        evaluation.mated().len(),
        evaluation.non_mated().len(),
        cache.failures,
        evaluation.eer() * 100.0
    );
    for (name, most) in FMRS {
        let OperatingPoint { threshold, fmr, fnmr } = evaluation.at_fmr(most);
        let interval = fnmr.interval();
        let point = json!({
            "fnmr": fnmr.value(), "threshold": threshold, "ci95": [interval.low, interval.high],
            "misses": fnmr.misses, "trials": fnmr.trials,
            "false_matches": fmr.misses, "fmr_ci95": [fmr.interval().low, fmr.interval().high],
        });
        points.insert(name.to_owned(), point);
        sentences.push_str(&format!(
            "FNMR {:.2} % ({}/{}, {:.2}–{:.2} % exact) at FMR {} % (threshold {threshold:.3}, {} of {} non-mated pairs matched).\n",
            fnmr.value() * 100.0, fnmr.misses, fnmr.trials, interval.low * 100.0, interval.high * 100.0,
            most * 100.0, fmr.misses, fmr.trials,
        ));
    }
    let product = Threshold::DEFAULT.value();
    let (fmr, fnmr) = (evaluation.fmr(product), evaluation.fnmr(product));
    sentences.push_str(&format!(
        "At the product's threshold, {product}: FNMR {:.2} % ({}/{}), FMR {:.4} % ({}/{}).\n",
        fnmr.value() * 100.0,
        fnmr.misses,
        fnmr.trials,
        fmr.value() * 100.0,
        fmr.misses,
        fmr.trials
    ));
    let template_ms = median_ms(cache.times.clone());
    sentences.push_str(&format!(
        "A template takes {template_ms:.0} ms (median); {comparisons_per_second} comparisons a second."
    ));
    let object = json!({
        "modality": "face",
        "mated": evaluation.mated().len(),
        "non_mated": evaluation.non_mated().len(),
        "failures_to_extract": cache.failures,
        "eer": evaluation.eer(),
        "fnmr_at_fmr": Value::Object(points),
        "at_product_threshold": {
            "threshold": product, "fnmr": fnmr.value(), "misses": fnmr.misses, "fmr": fmr.value(), "false_matches": fmr.misses,
        },
        "template_ms_median": template_ms,
        "comparisons_per_second": comparisons_per_second,
        "quality": cache.quality,
    });
    Answer { object, sentences }
}

const FMRS: [(&str, f64); 3] = [("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4)];
