//! `evaluate`: error rates over a list of pairs.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::comparison::{ComparisonScore, Threshold, compare};
use biometrics::evaluation::{Evaluation, EvaluationError, OperatingPoint};
use biometrics::template::{Probe, Reference};
use serde_json::{Map, Value, json};

use super::by_condition;
use super::by_subject::BySubject;
use super::discard::{Discard, gate, refusals};
use super::embedding_cache::EmbeddingCache;
use super::pair_list::{self, Pair};
use super::{Answer, CaptureName, Failure, ModalityArguments, finger, home, median_ms, plot};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    modality: ModalityArguments,
    /// Fingers: how the references were taken, where that differs from --capture.
    #[arg(long, value_enum, value_name = "KIND")]
    reference_capture: Option<CaptureName>,
    /// The list: reference,probe,mated. Several lists are told one by one, each picture taken once. With a fourth column, condition, faces
    /// are told apart by it.
    #[arg(long, value_name = "FILE", required = true)]
    pairs: Vec<PathBuf>,
    /// Take only pictures that the product would take.
    #[arg(long)]
    gate: bool,
    /// Draw the DET curve and the scores' histograms; one file a list.
    #[arg(long, value_name = "FILE.svg")]
    plot: Vec<PathBuf>,
    /// Draw what the FNMR becomes when faces of low quality are not taken; one file a list.
    #[arg(long, value_name = "FILE.svg")]
    plot_discard: Vec<PathBuf>,
    /// Fingers only: put the worst errors of each list here as pictures.
    #[arg(long, value_name = "DIR")]
    failures: Option<PathBuf>,
    /// Fingers only: keep every template here, by the name of its picture. Personal data, unprotected.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Arguments { modality, reference_capture, pairs, gate, plot, plot_discard, failures, keep } = arguments;
    if plot.len() > pairs.len() || plot_discard.len() > pairs.len() {
        return Err(Failure::usage("there are more drawings than lists", "name one --pairs for each drawing"));
    }
    let answers = if let Some(settings) = modality.finger(*reference_capture)? {
        let lists = pairs.iter().map(|path| pair_list::read_fingers(path)).collect::<Result<Vec<_>, _>>()?;
        let wanted = finger::Wanted { gate: *gate, plots: plot, failures: failures.as_deref(), keep: keep.as_deref() };
        finger::evaluate(&lists, &mut settings.taker(home)?, &wanted)?
    } else {
        let lists = pair_list::read_all(pairs)?;
        let mut engine = home::load_engine(home)?;
        let cache = EmbeddingCache::fill(&mut engine, lists.iter().flatten(), *gate)?;
        let list = |(i, list): (usize, &Vec<Pair>)| {
            faces(list, &cache, plot.get(i).map(PathBuf::as_path), plot_discard.get(i).map(PathBuf::as_path))
        };
        lists.iter().enumerate().map(list).collect::<Result<_, _>>()?
    };
    Ok(told(pairs, answers))
}

/// One list's answer as it is; those of several in the order of the lists.
pub(super) fn told(lists: &[PathBuf], mut answers: Vec<Answer>) -> Answer {
    match (answers.pop(), answers.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            answers.extend(last);
            let name = |(list, answer): (&PathBuf, &Answer)| format!("{}:\n{}\n", list.display(), answer.sentences);
            let sentences = lists.iter().zip(&answers).map(name).collect::<Vec<_>>().join("\n");
            let objects: Vec<Value> = answers.into_iter().map(|answer| answer.object).collect();
            Answer { object: json!({ "lists": objects }), sentences }
        }
    }
}

fn faces(
    pairs: &[Pair],
    cache: &EmbeddingCache,
    plot: Option<&Path>,
    plot_discard: Option<&Path>,
) -> Result<Answer, Failure> {
    pair_list::expect_uniform(pairs)?;
    let sides = Sides::of(pairs, cache)?;
    let scores: Vec<ComparisonScore> = pairs.iter().map(|pair| sides.score(pair)).collect::<Result<_, _>>()?;
    let (mut mated, mut non_mated) = (Vec::new(), Vec::new());
    for (pair, score) in pairs.iter().zip(&scores) {
        if pair.mated { &mut mated } else { &mut non_mated }.push(*score);
    }
    let evaluation = Evaluation::new(mated, non_mated).map_err(unbalanced)?;
    drawn(&evaluation, plot)?;
    let measured = Measured {
        modality: "face",
        threshold: pair_list::threshold(pairs),
        failures: cache.failures,
        times: cache.times.clone(),
        quality: cache.quality.clone(),
        comparisons_per_second: sides.comparisons_per_second(pairs)?,
    };
    let mut answer = Discard::of(pairs, &scores, cache).told_with(report(&evaluation, &measured), plot_discard)?;
    if let Some(fields) = answer.object.as_object_mut() {
        fields.insert("gate".to_owned(), gate(pairs, &scores, cache));
        fields.insert("refusals".to_owned(), refusals(pairs, &scores, cache));
    }
    let answer = by_condition::told_with(answer, pairs, &scores, cache);
    Ok(match BySubject::of(pairs, &scores) {
        Some(people) => people.told_with(answer, &FMRS),
        None => answer,
    })
}

pub(super) fn unbalanced(error: EvaluationError) -> Failure {
    Failure::usage(error.to_string(), "error rates need both: pairs of one person and pairs of two")
}

/// Draws the curves, if that was asked for.
pub(super) fn drawn(evaluation: &Evaluation, path: Option<&Path>) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    write_drawing(path, &plot::draw(evaluation).map_err(Failure::internal)?)
}

pub(super) fn write_drawing(path: &Path, drawing: &str) -> Result<(), Failure> {
    std::fs::write(path, drawing).map_err(|error| {
        Failure::storage(format!("{}: {error}", path.display()), "choose another file for the drawing")
    })
}

/// What was measured beside the scores.
pub(super) struct Measured {
    pub(super) modality: &'static str,
    /// The product's own.
    pub(super) threshold: Threshold,
    /// Pictures that gave no template.
    pub(super) failures: usize,
    /// How long each picture took.
    pub(super) times: Vec<Duration>,
    /// What the quality gate says of the pictures, by code.
    pub(super) quality: BTreeMap<&'static str, usize>,
    pub(super) comparisons_per_second: f64,
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

pub(super) fn report(evaluation: &Evaluation, measured: &Measured) -> Answer {
    let Measured { modality, threshold, failures, times, quality, comparisons_per_second } = measured;
    let mut points = Map::new();
    let mut sentences = format!(
        "{} mated and {} non-mated pairs; {} pictures gave no template.\nEER {:.2} %.\n",
        evaluation.mated().len(),
        evaluation.non_mated().len(),
        failures,
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
    let product = threshold.value();
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
    let template_ms = median_ms(times.clone());
    sentences.push_str(&format!(
        "A template takes {template_ms:.0} ms (median); {comparisons_per_second} comparisons a second."
    ));
    let object = json!({
        "modality": modality,
        "mated": evaluation.mated().len(),
        "non_mated": evaluation.non_mated().len(),
        "failures_to_extract": failures,
        "eer": evaluation.eer(),
        "fnmr_at_fmr": Value::Object(points),
        "at_product_threshold": {
            "threshold": product, "fnmr": fnmr.value(), "misses": fnmr.misses, "fmr": fmr.value(), "false_matches": fmr.misses,
        },
        "template_ms_median": template_ms,
        "comparisons_per_second": comparisons_per_second,
        "quality": quality,
    });
    Answer { object, sentences }
}

const FMRS: [(&str, f64); 3] = [("1e-2", 1e-2), ("1e-3", 1e-3), ("1e-4", 1e-4)];
