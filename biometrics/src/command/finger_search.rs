//! `search --fingers`: 1:N over prints, in a gallery filled up with fingers that nobody has.

use std::path::{Path, PathBuf};

use biometrics::comparison::{Decision, Threshold};
use biometrics::finger::{FingerGallery, FingerProbe, FingerReference, FingerTemplate};
use chacha20::ChaCha20Rng;
use rand_core::SeedableRng;
use serde_json::json;

use super::embedding_cache::progress;
use super::finger::{self, Taker};
use super::moment::Moment;
use super::{Answer, Failure, median_ms, pairs, round3};

/// What is sought, and among what.
pub(super) struct Search<'a> {
    /// Prints named FINGER_IMPRESSION: the first of each finger is enrolled, the others are sought.
    pub(super) fingers: &'a Path,
    /// Other people's: enrolled too, and what fingers are made up from.
    pub(super) others: &'a [PathBuf],
    pub(super) gallery: usize,
    pub(super) probes: usize,
    pub(super) seed: u64,
}

pub(super) fn run(search: &Search<'_>, taker: &mut Taker) -> Result<Answer, Failure> {
    let Search { fingers, others, gallery: wanted, probes, seed } = search;
    let mut gallery = FingerGallery::new();
    let mut sought: Vec<(usize, FingerTemplate)> = Vec::new();
    for (index, finger) in templates(fingers, taker)?.into_iter().enumerate() {
        let mut impressions = finger.into_iter();
        let Some(first) = impressions.next() else { continue };
        enrol(&mut gallery, &first)?;
        sought.extend(impressions.map(|template| (index, template)));
    }
    let enrolled = gallery.len();
    if enrolled > *wanted || sought.is_empty() {
        return Err(Failure::usage(
            format!("{} holds {enrolled} fingers and {} further prints", fingers.display(), sought.len()),
            "give a --gallery of at least as many fingers, and a folder with several prints of each",
        ));
    }
    let mut donors = Vec::new();
    for folder in *others {
        for finger in templates(folder, taker)? {
            if let Some(first) = finger.first()
                && gallery.len() < *wanted
            {
                enrol(&mut gallery, first)?;
            }
            donors.extend(finger);
        }
    }
    let real = gallery.len();
    let mut rng = ChaCha20Rng::seed_from_u64(*seed);
    let bar = progress(*wanted as u64, "fingers");
    for donor in donors.iter().cycle().take(wanted.saturating_sub(real)) {
        enrol(&mut gallery, &FingerTemplate::invent(donor, &mut rng))?;
        bar.set_position(gallery.len() as u64);
    }
    bar.finish_and_clear();
    if gallery.len() < *wanted {
        return Err(Failure::usage(
            format!("there are {real} fingers, and none to make others up from"),
            "give --others DIR, or a smaller --gallery",
        ));
    }
    let invented = gallery.len() - real;
    let chosen = (*probes).min(sought.len());
    let (mut first, mut tenth, mut strangers, mut times) = (0_u32, 0_u32, 0_u32, Vec::new());
    let bar = progress(chosen as u64, "searches");
    for i in 0..chosen {
        let Some((finger, template)) = sought.get(i * sought.len() / chosen) else { continue };
        let probe = FingerProbe::new(template);
        let start = Moment::now();
        let found = gallery.search(&probe, RANKS).map_err(finger::not_compared)?;
        times.push(Moment::now().since(&start).own());
        first += u32::from(found.first().is_some_and(|candidate| candidate.position() == *finger));
        tenth += u32::from(found.iter().any(|candidate| candidate.position() == *finger));
        let is_match = |score| Threshold::FINGER.decide(score) == Decision::Match;
        strangers +=
            u32::from(found.iter().any(|candidate| candidate.position() != *finger && is_match(candidate.score())));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let ms = round3(median_ms(times));
    Ok(Answer {
        object: json!({
            "modality": "finger", "gallery": gallery.len(), "invented": invented, "probes": chosen, "rank1": first, "rank10": tenth,
            "strangers_at_threshold": strangers, "ms_per_probe_median": ms,
        }),
        sentences: format!(
            "{chosen} searches among {} fingers, {invented} of them made up: the right one came first in {first} and among the first \
             {RANKS} in {tenth}; in {strangers} a stranger reached the threshold. {ms} ms a search (median).",
            gallery.len()
        ),
    })
}

fn enrol(gallery: &mut FingerGallery, template: &FingerTemplate) -> Result<(), Failure> {
    let reference = FingerReference::enrol([template]).map_err(Failure::internal)?;
    gallery.insert(reference).map_err(|error| Failure::usage(error.to_string(), "give a smaller --gallery"))
}

/// The prints of each finger of a folder: pictures, or templates as `evaluate --keep` writes them.
fn templates(folder: &Path, taker: &mut Taker) -> Result<Vec<Vec<FingerTemplate>>, Failure> {
    let fingers = pairs::fingers(folder)?;
    let bar = progress(fingers.iter().map(Vec::len).sum::<usize>() as u64, "prints");
    let mut all = Vec::with_capacity(fingers.len());
    for prints in fingers {
        let taken = prints.iter().map(|path| finger::stored_or_scanned(Path::new(path), taker));
        all.push(bar.wrap_iter(taken).collect::<Result<Vec<_>, _>>()?);
    }
    bar.finish_and_clear();
    Ok(all)
}

/// How many candidates a search gives.
const RANKS: usize = 10;
