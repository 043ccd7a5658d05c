//! `release`: the same list of pairs, through enrolment, sealing and release.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use biometrics::comparison::{Decision, Threshold, compare};
use biometrics::evaluation::Rate;
use biometrics::protection::{HelperData, Message, TransformSeed, release, seal};
use biometrics::template::{Probe, Reference};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::embedding_cache::{EmbeddingCache, progress};
use super::pair_list::Pair;
use super::{Answer, Failure, by_subject, evaluate, home, median_ms, pair_list, transactions};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The list: reference,probe,mated. Several lists are told one by one, each picture taken once.
    #[arg(long, value_name = "FILE", required = true)]
    pairs: Vec<PathBuf>,
    /// Take only pictures that the product would take.
    #[arg(long)]
    gate: bool,
    /// Enrol each reference this often, each time under a fresh secret transform; pairs count each time.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    enrolments: u32,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let lists = pair_list::read_all(&arguments.pairs)?;
    let mut engine = home::load_engine(home)?;
    let cache = EmbeddingCache::fill(&mut engine, lists.iter().flatten(), arguments.gate)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(Failure::internal)?;
    let mut rng = ChaCha20Rng::from_seed(key);
    let answers = lists.iter().map(|pairs| attempted(pairs, &cache, arguments.enrolments, &mut rng));
    Ok(evaluate::told(&arguments.pairs, answers.collect::<Result<_, _>>()?))
}

fn attempted(
    pairs: &[Pair],
    cache: &EmbeddingCache,
    enrolments: u32,
    rng: &mut ChaCha20Rng,
) -> Result<Answer, Failure> {
    let mut probes: HashMap<&[PathBuf], Option<Probe>> = HashMap::new();
    let mut by_reference: HashMap<&[PathBuf], Vec<(&[PathBuf], bool)>> = HashMap::new();
    for pair in pairs {
        if !probes.contains_key(pair.probe.as_slice()) {
            probes.insert(&pair.probe, cache.probe(&pair.probe)?);
        }
        by_reference.entry(&pair.reference).or_default().push((&pair.probe, pair.mated));
    }

    let bar = progress(pairs.len() as u64 * u64::from(enrolments), "attempts");
    let work: Vec<Enrolled<'_>> =
        by_reference.into_iter().map(|(captures, attempts)| Enrolled { captures, attempts }).collect();
    let shares = std::thread::available_parallelism().map_or(1, NonZero::get).min(8);
    let attempt = |share: &[Enrolled<'_>], mut rng: ChaCha20Rng| {
        let mut counts = Counts::default();
        for Enrolled { captures, attempts } in share {
            let reference = cache.reference(captures)?;
            let own: Vec<&[PathBuf]> = attempts.iter().filter(|(_, mated)| *mated).map(|(frames, _)| *frames).collect();
            let groups = transactions::grouped(&own);
            for _ in 0..enrolments {
                let enrolment = reference.as_ref().map(|reference| Enrolment::new(reference, &mut rng));
                let mut opened_own = Vec::with_capacity(own.len());
                for (frames, mated) in attempts {
                    let sides = enrolment.as_ref().zip(probes.get(frames).and_then(Option::as_ref));
                    let start = Instant::now();
                    let opened = sides.is_some_and(|(enrolment, probe)| enrolment.opens_for(probe));
                    counts.times.push(start.elapsed());
                    counts.add(*mated, opened);
                    opened_own.extend(mated.then_some(opened));
                    bar.inc(1);
                }
                let whose = || by_subject::folder(captures).map(Path::to_path_buf);
                counts
                    .transactions
                    .extend(groups.iter().map(|group| (whose(), transactions::has_failed(group, &opened_own))));
            }
        }
        Ok::<_, Failure>(counts)
    };
    let counts = std::thread::scope(|scope| {
        let attempt = &attempt;
        let threads: Vec<_> = work
            .chunks(work.len().div_ceil(shares).max(1))
            .map(|share| {
                let rng = ChaCha20Rng::from_rng(rng);
                scope.spawn(move || attempt(share, rng))
            })
            .collect();
        let mut counts = Counts::default();
        for thread in threads {
            counts.join(thread.join().map_err(|_| Failure::internal("an attempt could not be made"))??);
        }
        Ok::<_, Failure>(counts)
    })?;
    bar.finish_and_clear();
    Ok(counts.report(cache.failures))
}

/// Pictures that are enrolled together, and the probes that are tried on them: mated or not.
struct Enrolled<'a> {
    captures: &'a [PathBuf],
    attempts: Vec<(&'a [PathBuf], bool)>,
}

/// What a vault keeps of an enrolment, as far as the face is concerned: here without PIN and device key, whose parts a run
/// derives once.
struct Enrolment<'a> {
    reference: &'a Reference,
    seed: TransformSeed,
    helper: HelperData,
    commitment: [u8; 32],
}

impl<'a> Enrolment<'a> {
    fn new(reference: &'a Reference, rng: &mut ChaCha20Rng) -> Self {
        let (seed, message) = (TransformSeed::generate(rng), Message::generate(rng));
        let helper = seal(reference, &seed, &message);
        Self { reference, seed, helper, commitment: commit(&message) }
    }

    /// Released, and the second stage agrees: what the product takes for an opened slot.
    fn opens_for(&self, probe: &Probe) -> bool {
        let mut opened = Choice::from(0);
        for candidate in release(probe, &self.seed, &self.helper) {
            opened |= commit(&candidate).ct_eq(&self.commitment);
        }
        let second =
            compare(probe, self.reference).map(|score| Threshold::for_faces(probe, self.reference).decide(score));
        bool::from(opened) && second == Ok(Decision::Match)
    }
}

fn commit(message: &Message) -> [u8; 32] {
    Sha256::digest(message.as_bytes()).into()
}

#[derive(Default)]
struct Counts {
    mated: usize,
    released_mated: usize,
    non_mated: usize,
    released_non_mated: usize,
    /// Whose each was, and whether all its attempts failed.
    transactions: Vec<(Option<PathBuf>, bool)>,
    times: Vec<Duration>,
}

impl Counts {
    fn add(&mut self, mated: bool, opened: bool) {
        let (all, released) = if mated {
            (&mut self.mated, &mut self.released_mated)
        } else {
            (&mut self.non_mated, &mut self.released_non_mated)
        };
        *all += 1;
        *released += usize::from(opened);
    }

    fn join(&mut self, other: Self) {
        let Self { mated, released_mated, non_mated, released_non_mated, transactions, times } = other;
        self.transactions.extend(transactions);
        self.mated += mated;
        self.released_mated += released_mated;
        self.non_mated += non_mated;
        self.released_non_mated += released_non_mated;
        self.times.extend(times);
    }

    fn report(self, failures: usize) -> Answer {
        let Self { mated, released_mated, non_mated, released_non_mated, transactions, times } = self;
        let failed =
            Rate { misses: transactions.iter().filter(|(_, failed)| *failed).count(), trials: transactions.len() };
        let people = by_subject::of_failures(transactions.iter().map(|(whose, failed)| (whose.as_deref(), *failed)));
        let wrong = Rate { misses: released_non_mated, trials: non_mated };
        let bits = (wrong.bits() * 10.0).floor() / 10.0;
        let interval = |misses, trials| Rate { misses, trials }.interval();
        let (genuine, impostor) = (interval(released_mated, mated), interval(released_non_mated, non_mated));
        let release_ms_median = median_ms(times);
        Answer {
            object: json!({
                "mated": mated, "released_mated": released_mated, "released_mated_ci95": [genuine.low, genuine.high],
                "non_mated": non_mated, "released_non_mated": released_non_mated,
                "released_non_mated_ci95": [impostor.low, impostor.high], "bits_at_most": bits,
                "transactions": {
                    "attempts": transactions::ATTEMPTS, "trials": failed.trials, "failed": failed.misses,
                    "failed_ci95": [failed.interval().low, failed.interval().high],
                    "failed_ci95_by_subject": people.map(|interval| [interval.low, interval.high]),
                },
                "failures_to_extract": failures, "release_ms_median": release_ms_median,
            }),
            sentences: format!(
                "Released {released_mated} of {mated} mated attempts ({:.2}–{:.2} % exact) and {released_non_mated} of \
                 {non_mated} non-mated ones (at most {:.4} %, which supports {bits} bits and no more).\n{}\nA release takes {release_ms_median:.2} ms (median); \
                 {failures} pictures gave no template.",
                genuine.low * 100.0,
                genuine.high * 100.0,
                impostor.high * 100.0,
                told(&failed)
            ),
        }
    }
}

/// How many transactions failed, in a sentence.
fn told(failed: &Rate) -> String {
    let attempts = transactions::ATTEMPTS;
    if failed.trials == 0 {
        return format!(
            "No {attempts} attempts on one enrolment are without a common frame: a transaction of {attempts} fails no more often than an attempt."
        );
    }
    let interval = failed.interval();
    format!(
        "Of {} transactions of {attempts} attempts without a common frame {} failed ({:.2}–{:.2} % exact).",
        failed.trials,
        failed.misses,
        interval.low * 100.0,
        interval.high * 100.0
    )
}
