//! `protection`: unlinkability and irreversibility of what is stored, measured on real embeddings.

use std::collections::HashMap;
use std::path::PathBuf;

use biometrics::protection::audit::{Inverted, TransformedSigns, d_sys, helper_agreement, plausibility_rank};
use biometrics::protection::{HelperData, Message, TransformSeed, release, seal};
use biometrics::template::{Probe, Reference};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::{Value, json};

use super::embedding_cache::EmbeddingCache;
use super::pair_list::Pair;
use super::{Answer, Failure, by_subject, home, linkage_plot, pair_list, round3};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The list: reference,probe,mated. Both sides are enrolled, each under a seed of its own.
    #[arg(long, value_name = "FILE")]
    pairs: PathBuf,
    /// Messages among which someone without a face looks for the sealed one.
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    candidates: u32,
    /// Draw the linkage scores' histograms.
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let pairs = pair_list::read(&arguments.pairs)?;
    let mut engine = home::load_engine(home)?;
    let cache = EmbeddingCache::fill(&mut engine, &pairs, false)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(Failure::internal)?;
    let mut rng = ChaCha20Rng::from_seed(key);
    let sides = Sides::enrol(&pairs, &cache, &mut rng)?;

    let linkages = sides.linkages(&pairs);
    if linkages.iter().any(|linkage| linkage.mated.is_empty() || linkage.non_mated.is_empty()) {
        return Err(Failure::usage("mated and non-mated pairs are needed", "list pairs of one person and of two"));
    }
    if let Some(path) = &arguments.plot {
        let drawing = linkage_plot::draw(&linkages).map_err(Failure::internal)?;
        std::fs::write(path, drawing)
            .map_err(|error| Failure::storage(format!("{}: {error}", path.display()), "choose another --plot"))?;
    }
    let mut sentences = String::from("Unlinkability (D_sys; beside it what chance alone makes of as many scores):\n");
    let mut unlinkability = Vec::new();
    for linkage in &linkages {
        let (value, chance) = (round3(d_sys(&linkage.mated, &linkage.non_mated)), round3(linkage.by_chance()));
        let (name, mated, non_mated) = (linkage.name, linkage.mated.len(), linkage.non_mated.len());
        sentences.push_str(&format!("  {name}: {value} ({chance}), {mated} mated and {non_mated} non-mated.\n"));
        unlinkability.push(json!({
            "setting": name, "d_sys": value, "d_sys_by_chance": chance, "mated": mated, "non_mated": non_mated,
        }));
    }
    let guesses = sides.guesses(arguments.candidates, &mut rng);
    sentences.push_str("Irreversibility (the sealed message among random ones, by plausibility alone, no face):\n");
    let mut irreversibility = Vec::new();
    for Guesses { setting, first, trials, median_rank } in &guesses {
        let candidates = arguments.candidates;
        sentences.push_str(&format!(
            "  {setting}: first in {first} of {trials}, median rank {median_rank} of {candidates}.\n"
        ));
        irreversibility.push(json!({
            "setting": setting, "first": first, "trials": trials, "median_rank": median_rank, "candidates": candidates,
        }));
    }
    sentences.push_str(
        "Inversion (whose face, by what helper data give back, is nearest in a gallery of all other pictures):\n",
    );
    let mut inversion = Vec::new();
    for Inversions { setting, right, trials, chance } in &sides.inversions(&mut rng) {
        sentences.push_str(&format!(
            "  {setting}: the right person's in {right} of {trials}; by chance {:.1} %.\n",
            chance * 100.0
        ));
        inversion.push(json!({ "setting": setting, "right": right, "trials": trials, "chance": round3(*chance) }));
    }
    let releases = sides.releases(&pairs, &cache)?;
    sentences.push_str("Release by someone who tries faces:\n");
    let mut tried = Vec::new();
    for Releases { setting, released, trials } in &releases {
        sentences.push_str(&format!("  {setting}: {released} of {trials}.\n"));
        tried.push(json!({ "setting": setting, "released": released, "trials": trials }));
    }
    Ok(Answer {
        object: json!({
            "unlinkability": unlinkability, "irreversibility": irreversibility,
            "inversion": inversion, "release": Value::Array(tried),
            "failures_to_extract": cache.failures,
        }),
        sentences,
    })
}

/// Scores by which someone would link two enrolments.
pub(super) struct Linkage {
    pub(super) name: &'static str,
    pub(super) mated: Vec<f64>,
    pub(super) non_mated: Vec<f64>,
}

impl Linkage {
    /// The same estimate for scores that have nothing to tell: non-mated ones, as many as there are mated ones against the rest.
    fn by_chance(&self) -> f64 {
        let split = self.mated.len().min(self.non_mated.len() / 2);
        let (some, rest) = self.non_mated.split_at(split);
        d_sys(some, rest)
    }
}

struct Guesses {
    setting: &'static str,
    first: usize,
    trials: usize,
    median_rank: usize,
}

/// How often the picture nearest to what was given back is one of the person's own.
struct Inversions {
    setting: &'static str,
    right: usize,
    trials: usize,
    /// The share of the gallery that is the person's.
    chance: f64,
}

struct Releases {
    setting: &'static str,
    released: usize,
    trials: usize,
}

struct Enrolment {
    reference: Reference,
    seed: TransformSeed,
    message: Message,
    helper: HelperData,
}

impl Enrolment {
    fn new(reference: Reference, rng: &mut ChaCha20Rng) -> Self {
        let (seed, message) = (TransformSeed::generate(rng), Message::generate(rng));
        let helper = seal(&reference, &seed, &message);
        Self { reference, seed, message, helper }
    }
}

/// Every list of pictures enrolled once, under seeds of their own; and one seed that all would share.
struct Sides<'a> {
    enrolments: HashMap<&'a [PathBuf], Enrolment>,
    stolen: TransformSeed,
}

impl<'a> Sides<'a> {
    fn enrol(pairs: &'a [Pair], cache: &EmbeddingCache, rng: &mut ChaCha20Rng) -> Result<Self, Failure> {
        let mut enrolments = HashMap::new();
        for pictures in pairs.iter().flat_map(|pair| [pair.reference.as_slice(), pair.probe.as_slice()]) {
            if !enrolments.contains_key(pictures)
                && let Some(reference) = cache.reference(pictures)?
            {
                enrolments.insert(pictures, Enrolment::new(reference, rng));
            }
        }
        Ok(Self { enrolments, stolen: TransformSeed::generate(rng) })
    }

    fn linkages(&self, pairs: &[Pair]) -> [Linkage; 3] {
        let signs = |seed_of: &dyn Fn(&'_ Enrolment) -> Vec<u8>| {
            let mut all = HashMap::new();
            for (pictures, enrolment) in &self.enrolments {
                if let Ok(seed) = <[u8; 32]>::try_from(seed_of(enrolment).as_slice()) {
                    let seed = TransformSeed::from_bytes(&seed);
                    all.insert(*pictures, TransformedSigns::of(&enrolment.reference, &seed));
                }
            }
            all
        };
        let own = signs(&|enrolment| enrolment.seed.as_bytes().to_vec());
        let shared = signs(&|_| self.stolen.as_bytes().to_vec());
        let mut linkages =
            ["helper data, seeds of their own", "bare signs, seeds of their own", "bare signs, one seed (forbidden)"]
                .map(|name| Linkage { name, mated: Vec::new(), non_mated: Vec::new() });
        for pair in pairs {
            let (a, b) = (pair.reference.as_slice(), pair.probe.as_slice());
            let (Some(one), Some(other)) = (self.enrolments.get(a), self.enrolments.get(b)) else { continue };
            let of = |signs: &HashMap<&[PathBuf], TransformedSigns>| Some(signs.get(a)?.agreement(signs.get(b)?));
            let scores = [Some(helper_agreement(&one.helper, &other.helper)), of(&own), of(&shared)];
            for (linkage, score) in linkages.iter_mut().zip(scores) {
                if pair.mated { &mut linkage.mated } else { &mut linkage.non_mated }.extend(score);
            }
        }
        linkages
    }

    /// The plausibility attack, with the seed (device key and PIN are known) and without it.
    fn guesses(&self, candidates: u32, rng: &mut ChaCha20Rng) -> [Guesses; 2] {
        let mut others = Vec::new();
        others.resize_with(candidates as usize, || Message::generate(rng));
        let mut trial = |setting, with_seed: bool| {
            let mut ranks: Vec<usize> = Vec::new();
            for Enrolment { reference: _, seed, message, helper } in self.enrolments.values().take(TRIALS) {
                let guessed = TransformSeed::generate(rng);
                let seed = if with_seed { seed } else { &guessed };
                ranks.push(plausibility_rank(helper, seed, message, &others));
            }
            ranks.sort_unstable();
            let median_rank = ranks.get(ranks.len() / 2).copied().unwrap_or_default();
            let first = ranks.iter().filter(|rank| **rank == 0).count();
            Guesses { setting, first, trials: ranks.len(), median_rank }
        };
        [trial("with device key and PIN, no face", true), trial("without device key or PIN, no face", false)]
    }

    /// Template inversion by nearest gallery: of someone who has all, up to the message that opened the vault, and of someone who has neither
    /// device key nor PIN and guesses seed and message.
    fn inversions(&self, rng: &mut ChaCha20Rng) -> [Inversions; 2] {
        let mut trial = |setting, with_all: bool, guesses: usize| {
            let (mut right, mut trials, mut own, mut all) = (0, 0, 0_usize, 0_usize);
            let tried = self.enrolments.iter().flat_map(|enrolment| std::iter::repeat_n(enrolment, guesses));
            for (pictures, Enrolment { reference: _, seed, message, helper }) in tried {
                let (other_seed, other_message) = (TransformSeed::generate(rng), Message::generate(rng));
                let (seed, message) = if with_all { (seed, message) } else { (&other_seed, &other_message) };
                let inverted = Inverted::of(helper, seed, message);
                let is_own = |other: &[PathBuf]| by_subject::folder(other) == by_subject::folder(pictures);
                let others = self.enrolments.iter().filter(|(other, _)| *other != pictures);
                let likenesses =
                    others.map(|(other, enrolment)| (inverted.likeness(&enrolment.reference), is_own(other)));
                let likenesses: Vec<(f64, bool)> = likenesses.collect();
                let nearest = likenesses.iter().max_by(|(a, _), (b, _)| a.total_cmp(b));
                right += usize::from(nearest.is_some_and(|(_, is_own)| *is_own));
                own += likenesses.iter().filter(|(_, is_own)| *is_own).count();
                all += likenesses.len();
                trials += 1;
            }
            Inversions { setting, right, trials, chance: own as f64 / all.max(1) as f64 }
        };
        [trial("with device key, PIN and the message", true, 1), trial("without device key or PIN", false, GUESSES)]
    }

    /// Faces tried on stolen enrolments: other pictures of the person, everybody else's, each with the seed and without it.
    fn releases(&self, pairs: &[Pair], cache: &EmbeddingCache) -> Result<Vec<Releases>, Failure> {
        let mut all: Vec<Releases> = [
            "a photograph of the person, with device key and PIN",
            "nearest of a gallery of others, with device key and PIN",
            "a photograph of the person, without device key or PIN",
            "nearest of a gallery of others, without device key or PIN",
        ]
        .map(|setting| Releases { setting, released: 0, trials: 0 })
        .into();
        let mut probes: HashMap<&[PathBuf], Option<Probe>> = HashMap::new();
        for pair in pairs {
            let Some(enrolment) = self.enrolments.get(pair.reference.as_slice()) else { continue };
            if !probes.contains_key(pair.probe.as_slice()) {
                probes.insert(&pair.probe, cache.probe(&pair.probe)?);
            }
            let Some(probe) = probes.get(pair.probe.as_slice()).and_then(Option::as_ref) else { continue };
            let opens = |seed: &TransformSeed| {
                let found = release(probe, seed, &enrolment.helper);
                found.iter().any(|candidate| candidate.as_bytes() == enrolment.message.as_bytes())
            };
            let outcomes = if pair.mated {
                [Some(opens(&enrolment.seed)), None, Some(opens(&self.stolen)), None]
            } else {
                [None, Some(opens(&enrolment.seed)), None, Some(opens(&self.stolen))]
            };
            for (row, outcome) in all.iter_mut().zip(outcomes) {
                row.trials += usize::from(outcome.is_some());
                row.released += usize::from(outcome == Some(true));
            }
        }
        Ok(all)
    }
}

/// Seeds that someone without device key or PIN guesses for each enrolment.
const GUESSES: usize = 10;
/// Enrolments that the plausibility attack is tried on.
const TRIALS: usize = 100;
