//! Fingers: `template`, `compare` and `evaluate` for them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::Sample;
use biometrics::comparison::{ComparisonScore, Decision, Threshold};
use biometrics::evaluation::Evaluation;
use biometrics::finger::{
    ExtractError, FingerCapture, FingerCompareError, FingerEnrolError, FingerProbe, FingerReference, FingerTemplate,
    MinutiaFinder, PhotographError, PhotographQuality, RecordFormat, compare, fused, read_records, write_record,
};
use serde_json::json;

use super::embedding_cache::progress;
use super::evaluate::{self, Measured};
use super::finger_source::FingerSource;
use super::moment::Moment;
use super::pair_list::{Pair, expect_uniform, finger_threshold};
use super::{Answer, ExtractorName, Failure, failure_drawings, failure_pictures, home, round3, template};

/// How prints are to be taken.
pub(super) struct Settings {
    pub(super) reference: FingerSource,
    pub(super) source: FingerSource,
    pub(super) extractor: ExtractorName,
}

impl Settings {
    /// Loads what is needed for it.
    pub(super) fn taker(&self, home: Option<PathBuf>) -> Result<Taker, Failure> {
        let Self { reference, source, extractor } = self;
        Ok(Taker { reference: *reference, source: *source, finder: finder(*extractor, home)? })
    }
}

/// What finds minutiae, loaded.
pub(super) fn finder(extractor: ExtractorName, home: Option<PathBuf>) -> Result<MinutiaFinder, Failure> {
    Ok(match extractor {
        ExtractorName::Mindtct => MinutiaFinder::Mindtct,
        ExtractorName::Leader => MinutiaFinder::Leader(Box::new(home::load_leader(home)?)),
    })
}

/// A print, and what there is to say of the photograph, if it is one.
type Taken = (FingerCapture, Option<PhotographQuality>);

/// Takes prints from pictures.
pub(super) struct Taker {
    reference: FingerSource,
    source: FingerSource,
    finder: MinutiaFinder,
}

impl Taker {
    fn take(&mut self, path: &Path, source: FingerSource) -> Result<Taken, Failure> {
        let sample = home::read_sample(path)?;
        self.take_sample(&sample, source).map_err(|error| refused(path, &error))
    }

    fn take_sample(&mut self, sample: &Sample, source: FingerSource) -> Result<Taken, ExtractError> {
        let (image, photograph) = source.image(sample)?;
        Ok((FingerCapture::take_ungated(&image, &mut self.finder)?, photograph))
    }
}

fn refused(path: &Path, error: &ExtractError) -> Failure {
    match error {
        ExtractError::Runtime { .. } => {
            Failure { hint: error.hint().to_owned(), ..Failure::internal(format!("{}: {error}", path.display())) }
        }
        _ => Failure::unavailable(format!("{}: {error}", path.display()), error.hint()),
    }
}

/// Takes a print and says what there is to say of it; the template goes to `out`, as a record where a standard is named.
pub(super) fn template(
    path: &Path,
    out: Option<(&Path, Option<RecordFormat>)>,
    taker: &mut Taker,
) -> Result<Answer, Failure> {
    let (start, source) = (Instant::now(), taker.source);
    let (capture, photograph) = taker.take(path, source)?;
    let all = start.elapsed();
    let quality = capture.quality().clone();
    let verdict = checked(&capture, photograph.as_ref()).map_err(|fault| (fault.code(), fault.hint()));
    let (minutiae, extractor) = (capture.template().minutiae(), capture.template().extractor());
    if let Some((out, record)) = out {
        let template = capture.into_template();
        let bytes = record.map_or_else(|| Ok(template.to_bytes()), |format| write_record(format, &template));
        template::write_private(out, &bytes.map_err(Failure::internal)?)
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
            "modality": "finger", "capture": source.code(), "acceptable": verdict.is_ok(), "reason": reason, "hint": hint,
            "quality": quality, "photograph": photograph, "extractor": extractor.name(), "ms": { "all": round3(ms) },
        }),
        sentences: format!(
            "{sentence}; {minutiae} minutiae, taken by {extractor} in {ms:.0} ms.{}",
            photograph.as_ref().map(told).unwrap_or_default()
        ),
    })
}

/// Whether the product would take it: the photograph first, then the print in it.
fn checked(capture: &FingerCapture, photograph: Option<&PhotographQuality>) -> Result<(), ExtractError> {
    photograph.map_or(Ok(()), PhotographQuality::check).map_err(PhotographError::from)?;
    Ok(capture.quality().check()?)
}

fn told(photograph: &PhotographQuality) -> String {
    let lines = photograph.components().map(|component| {
        let help = component.fault().map_or_else(String::new, |fault| format!(": {}", fault.hint()));
        format!("\n  {} {:.3} (limit {}){help}", component.name(), component.value(), component.limit())
    });
    lines.concat()
}

/// One finger or several of one person: references and a probe of each.
pub(super) fn compare_files(fingers: &[(Vec<PathBuf>, PathBuf)], taker: &mut Taker) -> Result<Answer, Failure> {
    let (reference_source, source) = (taker.reference, taker.source);
    let (mut each, mut impressions, mut most) = (Vec::new(), 0, 0);
    for (references, probe) in fingers {
        let enrolled: Vec<FingerTemplate> =
            references.iter().map(|path| stored_or_taken(path, taker, reference_source)).collect::<Result<_, _>>()?;
        let reference = FingerReference::enrol(&enrolled).map_err(not_enrolled)?;
        let probe = FingerProbe::new(&stored_or_taken(probe, taker, source)?);
        each.push(compare(&probe, &reference).map_err(not_compared)?);
        impressions += reference.impressions();
        most = most.max(reference.impressions());
    }
    let fingers = each.len();
    let (score, limit) = (fused(each), Threshold::of_impressions(most));
    let what = if fingers > 1 { "person of these fingers" } else { "finger" };
    let (word, taken) = match limit.decide(score) {
        Decision::Match => ("match", "taken"),
        Decision::NonMatch => ("non-match", "not taken"),
    };
    let (value, limit) = (score.value(), limit.value());
    Ok(Answer {
        object: json!({
            "modality": "finger", "score": value, "threshold": limit, "decision": word, "references": impressions,
            "fingers": fingers,
        }),
        sentences: format!("The probe is {taken} for the enrolled {what}: score {value:.3}, threshold {limit:.3}."),
    })
}

fn not_enrolled(error: FingerEnrolError) -> Failure {
    let hint = match error {
        FingerEnrolError::MixedExtractors { .. } => "take all impressions with the same --extractor",
        _ => "name fewer references",
    };
    Failure::usage(error.to_string(), hint)
}

pub(super) fn not_compared(error: FingerCompareError) -> Failure {
    Failure::usage(error.to_string(), "take both prints with the same --extractor")
}

/// The same for a picture that was taken as probes are.
pub(super) fn stored_or_scanned(path: &Path, taker: &mut Taker) -> Result<FingerTemplate, Failure> {
    let source = taker.source;
    stored_or_taken(path, taker, source)
}

/// A template of ours, a record of ISO/IEC 19794-2 or ANSI 378 with one view, or an image.
fn stored_or_taken(path: &Path, taker: &mut Taker, source: FingerSource) -> Result<FingerTemplate, Failure> {
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
    taker.take(path, source).map(|(capture, _)| capture.into_template())
}

/// What an evaluation is to give.
pub(super) struct Wanted<'a> {
    pub(super) gate: bool,
    pub(super) plots: &'a [PathBuf],
    pub(super) failures: Option<&'a Path>,
    pub(super) keep: Option<&'a Path>,
}

/// Error rates over lists of pairs of prints.
pub(super) fn evaluate(lists: &[Vec<Pair>], taker: &mut Taker, wanted: &Wanted<'_>) -> Result<Vec<Answer>, Failure> {
    lists.iter().try_for_each(|pairs| expect_uniform(pairs))?;
    let cache = TemplateCache::fill(lists.iter().flatten(), wanted.gate, taker);
    cache.keep(wanted.keep, taker)?;
    let minutiae: Vec<usize> = cache.templates.values().map(FingerTemplate::minutiae).collect();
    let minutiae = minutiae.iter().sum::<usize>() as f64 / minutiae.len().max(1) as f64;
    let mut answers = Vec::new();
    for (i, pairs) in lists.iter().enumerate() {
        let sides = Sides::of(pairs, &cache, taker);
        let bar = progress(pairs.len() as u64, "pairs");
        let scores: Vec<ComparisonScore> =
            bar.wrap_iter(pairs.iter()).map(|pair| sides.score(pair)).collect::<Result<_, _>>()?;
        bar.finish_and_clear();
        let of = |mated: bool| {
            pairs.iter().zip(&scores).filter(move |(pair, _)| pair.mated == mated).map(|(_, score)| *score)
        };
        let evaluation = Evaluation::new(of(true), of(false)).map_err(evaluate::unbalanced)?;
        evaluate::drawn(&evaluation, wanted.plots.get(i).map(PathBuf::as_path))?;
        if let Some(folder) = wanted.failures {
            failure_pictures::write(folder, i, pairs, &scores, |pair| cache.drawn(pair, taker))?;
        }
        let measured = Measured {
            modality: "finger",
            threshold: finger_threshold(pairs),
            failures: cache.failures,
            times: cache.times.clone(),
            quality: cache.quality.clone(),
            comparisons_per_second: sides.comparisons_per_second(pairs)?,
        };
        let mut answer = evaluate::report(&evaluation, &measured);
        if let Some(fields) = answer.object.as_object_mut() {
            fields.insert("extractor".to_owned(), json!(taker.finder.extractor().name()));
            fields.insert("minutiae_mean".to_owned(), json!(round3(minutiae)));
            fields.insert("fingers".to_owned(), json!(pairs.first().map_or(1, |pair| pair.each().count())));
            fields.insert(format!("comparisons_per_second_of_{FEW}"), json!(cache.of_few().per_second()?));
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// Every image of a list taken once; nothing for those that show no print.
struct TemplateCache {
    templates: HashMap<(PathBuf, FingerSource), FingerTemplate>,
    times: Vec<Duration>,
    failures: usize,
    quality: BTreeMap<&'static str, usize>,
}

impl TemplateCache {
    fn fill<'p>(pairs: impl IntoIterator<Item = &'p Pair>, gate: bool, taker: &mut Taker) -> Self {
        let (reference, source) = (taker.reference, taker.source);
        let mut cache = Self { templates: HashMap::new(), times: Vec::new(), failures: 0, quality: BTreeMap::new() };
        let each = |pair: &'p Pair| {
            let side = |(references, probes): (&'p Vec<PathBuf>, &'p Vec<PathBuf>)| {
                references.iter().map(|path| (path, reference)).chain(probes.iter().map(|path| (path, source)))
            };
            pair.each().flat_map(side).collect::<Vec<_>>()
        };
        let images: HashSet<(&PathBuf, FingerSource)> = pairs.into_iter().flat_map(each).collect();
        let mut images: Vec<_> = images.into_iter().collect();
        images.sort_unstable_by_key(|(path, source)| (*path, source.code()));
        let bar = progress(images.len() as u64, "images");
        for (image, source) in images {
            let start = Moment::now();
            let (code, template) = Self::take(image, taker, source);
            cache.times.push(Moment::now().since(&start).own());
            *cache.quality.entry(code).or_default() += 1;
            match template.filter(|_| !gate || code == "ok") {
                Some(template) => drop(cache.templates.insert((image.clone(), source), template)),
                None => cache.failures += 1,
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        cache
    }

    fn take(image: &Path, taker: &mut Taker, source: FingerSource) -> (&'static str, Option<FingerTemplate>) {
        let Ok(sample) = home::read_sample(image) else { return ("not-decoded", None) };
        match taker.take_sample(&sample, source) {
            Ok((capture, photograph)) => {
                let code = checked(&capture, photograph.as_ref()).map_or_else(|fault| fault.code(), |()| "ok");
                (code, Some(capture.into_template()))
            }
            Err(error) => (error.code(), None),
        }
    }

    /// Writes every template that was taken as probes are to a folder, for other programs to compare.
    fn keep(&self, folder: Option<&Path>, taker: &Taker) -> Result<(), Failure> {
        let Some(folder) = folder else { return Ok(()) };
        let storage =
            |error: std::io::Error| Failure::storage(format!("{}: {error}", folder.display()), "choose another --keep");
        std::fs::create_dir_all(folder).map_err(storage)?;
        for ((picture, source), template) in &self.templates {
            let (Some(name), true) = (picture.file_stem(), *source == taker.source) else { continue };
            template::write_private(&folder.join(name), &template.to_bytes()).map_err(storage)?;
        }
        Ok(())
    }

    /// The minutiae of a pair's first finger on both sides.
    fn drawn(&self, pair: &Pair, taker: &Taker) -> Option<String> {
        let of = |paths: &[PathBuf], source: FingerSource| self.found(paths, source).first().copied();
        failure_drawings::beside(of(&pair.reference, taker.reference)?, of(&pair.probe, taker.source)?)
    }

    /// Prints with the best minutiae of those that have as many as the aims speak of.
    fn of_few(&self) -> Few {
        let many = self.templates.values().filter(|template| template.minutiae() >= FEW);
        let fewer = many.filter_map(|template| {
            let mut fewer = FingerTemplate::from_bytes(&template.to_bytes()).ok()?;
            fewer.keep_best(FEW);
            Some((FingerReference::enrol([&fewer]).ok()?, FingerProbe::new(&fewer)))
        });
        Few(fewer.take(100).collect())
    }

    fn found(&self, paths: &[PathBuf], source: FingerSource) -> Vec<&FingerTemplate> {
        paths.iter().filter_map(|path| self.templates.get(&(path.clone(), source))).collect()
    }
}

/// Every reference and every probe of the list, made ready once.
struct Sides<'a> {
    references: HashMap<&'a [PathBuf], Option<FingerReference>>,
    probes: HashMap<&'a [PathBuf], Vec<FingerProbe>>,
}

impl<'a> Sides<'a> {
    fn of(pairs: &'a [Pair], cache: &TemplateCache, taker: &Taker) -> Self {
        let mut sides = Self { references: HashMap::new(), probes: HashMap::new() };
        for (reference, probe) in pairs.iter().flat_map(Pair::each) {
            sides
                .references
                .entry(reference)
                .or_insert_with(|| FingerReference::enrol(cache.found(reference, taker.reference)).ok());
            sides
                .probes
                .entry(probe)
                .or_insert_with(|| cache.found(probe, taker.source).into_iter().map(FingerProbe::new).collect());
        }
        sides
    }

    /// All fingers fused.
    fn score(&self, pair: &Pair) -> Result<ComparisonScore, Failure> {
        let each = pair.each().map(|(reference, probe)| self.score_of_one(reference, probe));
        Ok(fused(each.collect::<Result<Vec<_>, _>>()?))
    }

    /// The mean over the frames of one attempt; the lowest score where there is nothing to compare.
    fn score_of_one(&self, reference: &[PathBuf], probe: &[PathBuf]) -> Result<ComparisonScore, Failure> {
        let reference = self.references.get(reference).and_then(Option::as_ref);
        let probes = self.probes.get(probe).filter(|probes| !probes.is_empty());
        let (Some(reference), Some(probes)) = (reference, probes) else { return Ok(ComparisonScore::LOWEST) };
        let scores = probes.iter().map(|probe| compare(probe, reference));
        Ok(ComparisonScore::mean(scores.collect::<Result<Vec<_>, _>>().map_err(not_compared)?))
    }

    fn comparisons_per_second(&self, pairs: &[Pair]) -> Result<f64, Failure> {
        let (start, mut count) = (Moment::now(), 0_u64);
        for pair in pairs.iter().cycle().take(1_000_000) {
            std::hint::black_box(self.score(pair)?);
            count += pair.each().map(|(reference, probe)| (reference.len() * probe.len()) as u64).sum::<u64>();
            // Asked now and then: the answer takes longer than a comparison.
            if count.is_multiple_of(100) && Moment::now().since(&start).own() > Duration::from_millis(500) {
                break;
            }
        }
        Ok((count as f64 / Moment::now().since(&start).own().as_secs_f64()).round())
    }
}

/// Prints of [`FEW`] minutiae each.
struct Few(Vec<(FingerReference, FingerProbe)>);

impl Few {
    /// Comparisons of two different ones a second of the processor's time; nothing if there are too few prints.
    fn per_second(&self) -> Result<Option<f64>, Failure> {
        let Self(prints) = self;
        let (start, mut count) = (Moment::now(), 0_u64);
        for (i, (reference, _)) in prints.iter().enumerate().cycle().take(100_000) {
            for (_, (_, probe)) in prints.iter().enumerate().filter(|(j, _)| *j != i) {
                std::hint::black_box(compare(probe, reference).map_err(not_compared)?);
                count += 1;
            }
            if prints.len() < 2 || Moment::now().since(&start).own() > Duration::from_millis(500) {
                break;
            }
        }
        let seconds = Moment::now().since(&start).own().as_secs_f64();
        Ok((count > 0).then(|| (count as f64 / seconds).round()))
    }
}

/// Minutiae that a small print has, and that the aims speak of.
const FEW: usize = 40;
