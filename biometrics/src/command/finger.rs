//! Fingers: `template`, `compare` and `evaluate` for them.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::comparison::{ComparisonScore, Decision, Threshold};
use biometrics::evaluation::Evaluation;
use biometrics::finger::{
    ExtractError, FingerCapture, FingerImage, FingerProbe, FingerReference, FingerTemplate, RecordFormat, Resolution,
    compare, read_records,
};
use serde_json::json;

use super::embedding_cache::progress;
use super::evaluate::{self, Measured};
use super::pair_list::Pair;
use super::{Answer, Failure, failure_pictures, home, round3, template};

fn take(path: &Path, resolution: Resolution) -> Result<FingerCapture, Failure> {
    let sample = home::read_sample(path)?;
    let image = FingerImage::from_scan(&sample, resolution).map_err(|error| refused(path, error))?;
    FingerCapture::take_ungated(&image).map_err(|error| refused(path, error))
}

fn refused(path: &Path, error: ExtractError) -> Failure {
    Failure::unavailable(format!("{}: {error}", path.display()), error.hint())
}

pub(super) fn template(path: &Path, out: Option<&Path>, resolution: Resolution) -> Result<Answer, Failure> {
    let start = Instant::now();
    let capture = take(path, resolution)?;
    let all = start.elapsed();
    let quality = capture.quality().clone();
    let verdict = quality.check().map_err(|fault| (fault.code(), fault.hint()));
    let minutiae = capture.template().minutiae();
    if let Some(out) = out {
        template::write_private(out, &capture.into_template().to_bytes())
            .map_err(|error| Failure::storage(format!("{}: {error}", out.display()), "choose another --out"))?;
    }
    let (reason, hint) = verdict.err().unzip();
    let name = path.display();
    let ms = all.as_secs_f64() * 1e3;
    let sentence = match verdict {
        Ok(()) => format!("{name}: a print good enough to be enrolled or recognised"),
        Err((reason, hint)) => format!("{name}: a print, but not good enough ({reason}): {hint}"),
    };
    Ok(Answer {
        object: json!({
            "modality": "finger", "acceptable": verdict.is_ok(), "reason": reason, "hint": hint, "quality": quality,
            "ms": { "all": round3(ms) },
        }),
        sentences: format!("{sentence}; {minutiae} minutiae, taken in {ms:.0} ms."),
    })
}

pub(super) fn compare_files(references: &[PathBuf], probe: &Path, resolution: Resolution) -> Result<Answer, Failure> {
    let enrolled: Vec<FingerTemplate> =
        references.iter().map(|path| stored_or_taken(path, resolution)).collect::<Result<_, _>>()?;
    let reference = FingerReference::enrol(&enrolled)
        .map_err(|error| Failure::usage(error.to_string(), "name fewer references"))?;
    let probe = FingerProbe::new(&stored_or_taken(probe, resolution)?);
    let (score, limit) = (compare(&probe, &reference), Threshold::FINGER);
    let (word, sentence) = match limit.decide(score) {
        Decision::Match => ("match", "The probe is taken for the enrolled finger"),
        Decision::NonMatch => ("non-match", "The probe is not taken for the enrolled finger"),
    };
    let (value, limit) = (score.value(), limit.value());
    Ok(Answer {
        object: json!({
            "modality": "finger", "score": value, "threshold": limit, "decision": word,
            "references": reference.impressions(),
        }),
        sentences: format!("{sentence}: score {value:.3}, threshold {limit:.3}."),
    })
}

/// A template of ours, a record of ISO/IEC 19794-2 or ANSI 378 with one view, or an image.
fn stored_or_taken(path: &Path, resolution: Resolution) -> Result<FingerTemplate, Failure> {
    let bytes = zeroize::Zeroizing::new(home::read_named(path)?);
    if let Ok(template) = FingerTemplate::from_bytes(&bytes) {
        return Ok(template);
    }
    for format in [RecordFormat::Iso19794, RecordFormat::Ansi378] {
        if let Ok(views) = read_records(format, &bytes)
            && let Ok([template]) = <[FingerTemplate; 1]>::try_from(views)
        {
            return Ok(template);
        }
    }
    take(path, resolution).map(FingerCapture::into_template)
}

/// How prints are evaluated.
pub(super) struct Settings<'a> {
    pub(super) resolution: Resolution,
    pub(super) gate: bool,
    pub(super) plots: &'a [PathBuf],
    pub(super) failures: Option<&'a Path>,
}

/// Error rates over lists of pairs of prints.
pub(super) fn evaluate(lists: &[Vec<Pair>], settings: &Settings<'_>) -> Result<Vec<Answer>, Failure> {
    let cache = TemplateCache::fill(lists.iter().flatten(), settings.gate, settings.resolution);
    let mut answers = Vec::new();
    for (i, pairs) in lists.iter().enumerate() {
        let sides = Sides::of(pairs, &cache);
        let bar = progress(pairs.len() as u64, "pairs");
        let scores: Vec<ComparisonScore> = bar.wrap_iter(pairs.iter()).map(|pair| sides.score(pair)).collect();
        bar.finish_and_clear();
        let of = |mated: bool| {
            pairs.iter().zip(&scores).filter(move |(pair, _)| pair.mated == mated).map(|(_, score)| *score)
        };
        let evaluation = Evaluation::new(of(true), of(false)).map_err(evaluate::unbalanced)?;
        evaluate::drawn(&evaluation, settings.plots.get(i).map(PathBuf::as_path))?;
        if let Some(folder) = settings.failures {
            failure_pictures::write(folder, i, pairs, &scores)?;
        }
        let measured = Measured {
            modality: "finger",
            threshold: Threshold::FINGER,
            failures: cache.failures,
            times: cache.times.clone(),
            quality: cache.quality.clone(),
            comparisons_per_second: sides.comparisons_per_second(pairs),
        };
        answers.push(evaluate::report(&evaluation, &measured));
    }
    Ok(answers)
}

/// Every image of a list taken once; nothing for those that show no print.
struct TemplateCache {
    templates: HashMap<PathBuf, FingerTemplate>,
    times: Vec<Duration>,
    failures: usize,
    quality: BTreeMap<&'static str, usize>,
}

impl TemplateCache {
    fn fill<'p>(pairs: impl IntoIterator<Item = &'p Pair>, gate: bool, resolution: Resolution) -> Self {
        let mut cache = Self { templates: HashMap::new(), times: Vec::new(), failures: 0, quality: BTreeMap::new() };
        let mut images: Vec<&PathBuf> =
            pairs.into_iter().flat_map(|pair| pair.reference.iter().chain(&pair.probe)).collect();
        images.sort_unstable();
        images.dedup();
        let bar = progress(images.len() as u64, "images");
        for image in images {
            let start = Instant::now();
            let (code, template) = Self::take(image, resolution);
            cache.times.push(start.elapsed());
            *cache.quality.entry(code).or_default() += 1;
            match template.filter(|_| !gate || code == "ok") {
                Some(template) => drop(cache.templates.insert(image.clone(), template)),
                None => cache.failures += 1,
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        cache
    }

    fn take(image: &Path, resolution: Resolution) -> (&'static str, Option<FingerTemplate>) {
        let Ok(sample) = home::read_sample(image) else { return ("not-decoded", None) };
        let taken = FingerImage::from_scan(&sample, resolution).and_then(|image| FingerCapture::take_ungated(&image));
        match taken {
            Ok(capture) => {
                (capture.quality().check().map_or_else(|fault| fault.code(), |()| "ok"), Some(capture.into_template()))
            }
            Err(error) => (error.code(), None),
        }
    }

    fn found(&self, paths: &[PathBuf]) -> Vec<&FingerTemplate> {
        paths.iter().filter_map(|path| self.templates.get(path)).collect()
    }
}

/// Every reference and every probe of the list, made ready once.
struct Sides<'a> {
    references: HashMap<&'a [PathBuf], Option<FingerReference>>,
    probes: HashMap<&'a [PathBuf], Vec<FingerProbe>>,
}

impl<'a> Sides<'a> {
    fn of(pairs: &'a [Pair], cache: &TemplateCache) -> Self {
        let mut sides = Self { references: HashMap::new(), probes: HashMap::new() };
        for pair in pairs {
            sides
                .references
                .entry(&pair.reference)
                .or_insert_with(|| FingerReference::enrol(cache.found(&pair.reference)).ok());
            sides
                .probes
                .entry(&pair.probe)
                .or_insert_with(|| cache.found(&pair.probe).into_iter().map(FingerProbe::new).collect());
        }
        sides
    }

    /// The mean over the frames of one attempt; the lowest score where there is nothing to compare.
    fn score(&self, pair: &Pair) -> ComparisonScore {
        let reference = self.references.get(pair.reference.as_slice()).and_then(Option::as_ref);
        let probes = self.probes.get(pair.probe.as_slice()).filter(|probes| !probes.is_empty());
        let (Some(reference), Some(probes)) = (reference, probes) else { return ComparisonScore::LOWEST };
        ComparisonScore::mean(probes.iter().map(|probe| compare(probe, reference)))
    }

    fn comparisons_per_second(&self, pairs: &[Pair]) -> f64 {
        let (start, mut count) = (Instant::now(), 0_u64);
        for pair in pairs.iter().cycle().take(1_000_000) {
            std::hint::black_box(self.score(pair));
            count += 1;
            if start.elapsed() > Duration::from_millis(500) {
                break;
            }
        }
        (count as f64 / start.elapsed().as_secs_f64()).round()
    }
}
