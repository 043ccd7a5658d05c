//! `search`: 1:N on generated vectors, 8-bit against 32-bit; over fingers; or over the people of a folder.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use biometrics::search::Gallery;
use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::embedding_cache::progress;
use super::finger_search::{self, Search};
use super::finger_source::FingerSource;
use super::{Answer, ExtractorName, Failure, finger, median_ms, people_search, round3};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many references.
    #[arg(long, value_name = "N", default_value_t = 1, required_unless_present = "people", value_parser = clap::value_parser!(u32).range(1..=(Gallery::CAPACITY as i64)))]
    gallery: u32,
    /// How many probes, each of a person in the gallery.
    #[arg(long, value_name = "M", default_value_t = 1, required_unless_present = "people", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    probes: u32,
    /// A folder of people, one folder of pictures each, all of whose pictures are enrolled.
    #[arg(long, value_name = "DIR", requires = "probe", conflicts_with_all = ["gallery", "probes", "seed", "fingers"])]
    people: Option<PathBuf>,
    /// Who is sought among them: frames of one attempt.
    #[arg(long, value_name = "IMG", requires = "people")]
    probe: Vec<PathBuf>,
    /// The seed of the generated vectors.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Prints named FINGER_IMPRESSION, or templates of them: the first of each finger is enrolled, the others are sought.
    #[arg(long, value_name = "DIR")]
    fingers: Option<PathBuf>,
    /// Prints of other people: enrolled, too, and the gallery is filled with fingers made up from them.
    #[arg(long, value_name = "DIR", requires = "fingers")]
    others: Vec<PathBuf>,
    /// Resolution of finger images [default: 500].
    #[arg(long, value_name = "N", requires = "fingers")]
    dpi: Option<u32>,
    /// What finds the minutiae of fingers [default: mindtct].
    #[arg(long, value_enum, value_name = "NAME", requires = "fingers")]
    extractor: Option<ExtractorName>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    if let Some(people) = &arguments.people {
        return people_search::run(people, &arguments.probe, home);
    }
    if let Some(fingers) = &arguments.fingers {
        let source = FingerSource::scan(arguments.dpi)?;
        let extractor = arguments.extractor.unwrap_or_default();
        let settings = finger::Settings { reference: source, source, extractor };
        let search = Search {
            fingers,
            others: &arguments.others,
            gallery: arguments.gallery as usize,
            probes: arguments.probes as usize,
            seed: arguments.seed,
        };
        return finger_search::run(&search, &mut settings.taker(home)?);
    }
    let model = ModelId::new([0; 32]);
    let sought: Vec<u32> = (0..arguments.probes)
        .map(|i| (u64::from(i) * u64::from(arguments.gallery) / u64::from(arguments.probes)) as u32)
        .collect();
    let directions: Vec<Vec<f32>> = sought.iter().map(|index| noisy(arguments.seed, *index)).collect();
    let Filled { gallery, exact, build } = fill(arguments, model, &directions)?;

    let mut probes = Vec::new();
    for direction in &directions {
        let embedding = Embedding::from_output(direction, model).map_err(Failure::internal)?;
        probes.push(Probe::from_frames(&[embedding]).map_err(Failure::internal)?);
    }
    let (mut times, mut right, mut first_same, mut same) = (Vec::new(), 0_u32, 0_u32, 0_usize);
    for ((probe, index), exact) in probes.iter().zip(&sought).zip(&exact) {
        let start = Instant::now();
        let found = gallery.search(probe, RANKS).map_err(Failure::internal)?;
        times.push(start.elapsed());
        let found: Vec<usize> = found.iter().map(|candidate| candidate.position().index()).collect();
        right += u32::from(found.first() == usize::try_from(*index).ok().as_ref());
        first_same += u32::from(found.first() == exact.first().map(|(_, i)| i));
        same += exact.iter().filter(|(_, i)| found.contains(i)).count();
    }
    let start = Instant::now();
    let together: Vec<&Probe> = probes.iter().collect();
    std::hint::black_box(gallery.search_all(&together, RANKS).map_err(Failure::internal)?);
    let batch_ms = round3(start.elapsed().as_secs_f64() * 1e3 / probes.len().max(1) as f64);

    let (ms, share) = (median_ms(times), |n: u32| round3(f64::from(n) / f64::from(arguments.probes)));
    let (right, first_same) = (share(right), share(first_same));
    let recall = round3(same as f64 / exact.iter().map(Vec::len).sum::<usize>().max(1) as f64);
    let megabytes = round3((gallery.len() * Gallery::BYTES_EACH) as f64 / 1e6);
    let build_ms = round3(build.as_secs_f64() * 1e3);
    let instructions = gallery.instructions().name();
    Ok(Answer {
        object: json!({
            "gallery": arguments.gallery, "probes": arguments.probes, "dimensions": DIMENSION, "ms_per_probe_median": ms,
            "ms_per_probe_in_batch": batch_ms, "rank1": right, "recall_against_f32": first_same, "recall_at_10": recall,
            "megabytes": megabytes, "build_ms": build_ms, "instructions": instructions,
        }),
        sentences: format!(
            "{ms} ms a probe (median), {batch_ms} ms each of {} together, among {} generated vectors ({instructions}, \
             {megabytes} MB, filled in {build_ms} ms); the right one came first for {:.1} %, the same one as with 32-bit \
             numbers for {:.1} %; recall@10 against 32-bit numbers {recall}.",
            arguments.probes,
            arguments.gallery,
            right * 100.0,
            first_same * 100.0
        ),
    })
}

/// A gallery, the exact answer for each probe, and how long it took to fill.
struct Filled {
    gallery: Gallery,
    exact: Vec<Vec<(f32, usize)>>,
    build: Duration,
}

/// Vectors are made in portions, so that filling can be timed apart and none is kept in 32 bits.
fn fill(arguments: &Arguments, model: ModelId, directions: &[Vec<f32>]) -> Result<Filled, Failure> {
    let mut gallery = Gallery::new(model);
    let mut exact: Vec<Vec<(f32, usize)>> = directions.iter().map(|_| Vec::new()).collect();
    let mut build = Duration::ZERO;
    let bar = progress(arguments.gallery.into(), "vectors");
    for first in (0..arguments.gallery).step_by(PORTION) {
        let mut references = Vec::new();
        for index in first..arguments.gallery.min(first.saturating_add(PORTION as u32)) {
            let vector = direction(arguments.seed, index);
            for (best, probe) in exact.iter_mut().zip(directions) {
                let score: f32 = vector.iter().zip(probe).map(|(a, b)| a * b).sum();
                if best.len() < RANKS || best.last().is_some_and(|(least, _)| score > *least) {
                    let at = best.partition_point(|(other, _)| *other >= score);
                    best.insert(at, (score, index as usize));
                    best.truncate(RANKS);
                }
            }
            let capture = Embedding::from_output(&vector, model).map_err(Failure::internal)?;
            references.push(Reference::fuse(&[capture]).map_err(Failure::internal)?);
        }
        let start = Instant::now();
        for reference in &references {
            gallery.insert(reference).map_err(Failure::internal)?;
        }
        build += start.elapsed();
        bar.set_position(first.into());
    }
    bar.finish_and_clear();
    Ok(Filled { gallery, exact, build })
}

/// A uniform direction, fixed by seed and index.
fn direction(seed: u64, index: u32) -> Vec<f32> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed ^ (u64::from(index) << 24) ^ 0x5EED);
    let mut values: Vec<f32> = (0..DIMENSION).map(|_| gaussian(&mut rng)).collect();
    normalise(&mut values);
    values
}

/// The same, as another capture of the same person would be: at a cosine around 0.6.
fn noisy(seed: u64, index: u32) -> Vec<f32> {
    let mut rng = ChaCha20Rng::seed_from_u64(!seed ^ (u64::from(index) << 24));
    let mut values = direction(seed, index);
    let scale = 1.33 / (DIMENSION as f32).sqrt();
    values.iter_mut().for_each(|v| *v += scale * gaussian(&mut rng));
    normalise(&mut values);
    values
}

/// The sum of twelve uniform numbers: Gaussian enough, and the same on every machine.
fn gaussian(rng: &mut ChaCha20Rng) -> f32 {
    let mut bytes = [0; 12];
    rng.fill_bytes(&mut bytes);
    bytes.iter().map(|byte| f32::from(*byte) / 255.0 - 0.5).sum()
}

fn normalise(values: &mut [f32]) {
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    values.iter_mut().for_each(|v| *v /= norm);
}

/// How many candidates a search gives.
pub(super) const RANKS: usize = 10;
const PORTION: usize = 4096;
