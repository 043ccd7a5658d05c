//! `search`: 1:N on generated vectors, 8-bit against 32-bit.

use std::time::Instant;

use biometrics::search::Gallery;
use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::json;

use super::embedding_cache::progress;
use super::{Answer, Failure, median_ms, round3};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many references.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=(Gallery::CAPACITY as i64)))]
    gallery: u32,
    /// How many probes, each of a person in the gallery.
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    probes: u32,
    /// The seed of the generated vectors.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let model = ModelId::new([0; 32]);
    let mut gallery = Gallery::new(model);
    let sought: Vec<u32> = (0..arguments.probes)
        .map(|i| (u64::from(i) * u64::from(arguments.gallery) / u64::from(arguments.probes)) as u32)
        .collect();
    let probes: Vec<Vec<f32>> = sought.iter().map(|index| noisy(arguments.seed, *index)).collect();

    // The exact answer, on the side: vectors are generated twice rather than kept in 32 bits.
    let mut exact: Vec<(f32, u32)> = vec![(f32::NEG_INFINITY, 0); probes.len()];
    let bar = progress(arguments.gallery.into(), "vectors");
    for index in 0..arguments.gallery {
        let vector = direction(arguments.seed, index);
        for (best, probe) in exact.iter_mut().zip(&probes) {
            let score: f32 = vector.iter().zip(probe).map(|(a, b)| a * b).sum();
            if score > best.0 {
                *best = (score, index);
            }
        }
        let capture = Embedding::from_output(&vector, model).map_err(Failure::internal)?;
        let reference = Reference::fuse(&[capture]).map_err(Failure::internal)?;
        gallery.insert(&reference).map_err(Failure::internal)?;
        if index % 4096 == 0 {
            bar.set_position(index.into());
        }
    }
    bar.finish_and_clear();

    let (mut times, mut right, mut same) = (Vec::new(), 0_u32, 0_u32);
    for ((probe, index), (_, exact_index)) in probes.iter().zip(&sought).zip(&exact) {
        let embedding = Embedding::from_output(probe, model).map_err(Failure::internal)?;
        let probe = Probe::from_frames(&[embedding]).map_err(Failure::internal)?;
        let start = Instant::now();
        let found = gallery.search(&probe, RANKS).map_err(Failure::internal)?;
        times.push(start.elapsed());
        let first = found.first().map(|candidate| candidate.position().index());
        right += u32::from(first == usize::try_from(*index).ok());
        same += u32::from(first == usize::try_from(*exact_index).ok());
    }
    let (ms, share) = (median_ms(times), |n: u32| round3(f64::from(n) / f64::from(arguments.probes)));
    let (right, same) = (share(right), share(same));
    Ok(Answer {
        object: json!({
            "gallery": arguments.gallery, "probes": arguments.probes, "dimensions": DIMENSION, "ms_per_probe_median": ms,
            "rank1": right, "recall_against_f32": same,
        }),
        sentences: format!(
            "{ms} ms a probe (median) among {} generated vectors; the right one came first for {:.1} % of {} probes, the \
             same one as with 32-bit numbers for {:.1} %.",
            arguments.gallery,
            right * 100.0,
            arguments.probes,
            same * 100.0
        ),
    })
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
const RANKS: usize = 10;
