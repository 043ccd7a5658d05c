//! `search --people`: who of a folder's people could be on a picture, ranked, and how often such a search brings up the wrong one.

use std::path::{Path, PathBuf};

use biometrics::comparison::{Decision, Threshold, compare};
use biometrics::evaluation::{Fpir, Rate};
use biometrics::search::Gallery;
use biometrics::template::{Probe, Reference};
use serde_json::json;

use super::embedding_cache::{EmbeddingCache, progress};
use super::pair_list::Pair;
use super::search::RANKS;
use super::{Answer, Failure, home, pairs};

/// One person's pictures, and what is enrolled of them.
struct Person {
    name: String,
    pictures: Vec<PathBuf>,
    reference: Reference,
}

pub(super) fn run(folder: &Path, probe: &[PathBuf], home: Option<PathBuf>) -> Result<Answer, Failure> {
    for picture in probe {
        home::read_named(picture)?;
    }
    let people = pairs::people(folder)?;
    let pair = |pictures: Vec<String>| Pair {
        reference: pictures.into_iter().map(PathBuf::from).collect(),
        probe: probe.to_vec(),
        mated: false,
        condition: None,
        further: Vec::new(),
    };
    let people: Vec<Pair> = people.into_iter().map(pair).collect();
    let mut engine = home::load_engine(home)?;
    let cache = EmbeddingCache::fill(&mut engine, &people, false)?;
    let Some(sought) = cache.probe(probe)? else {
        return Err(Failure::usage("no face was found in what is sought", "give a picture of one face"));
    };
    let people = enrolled(people, &cache)?;
    let mut gallery = Gallery::new(sought.model());
    for person in &people {
        gallery
            .insert(&person.reference)
            .map_err(|error| Failure::usage(error.to_string(), "give a folder of fewer people"))?;
    }
    let false_matches = among_themselves(&people, probe.len(), &cache)?;
    let fpir = Fpir::implied(false_matches, people.len());
    let found = gallery.search(&sought, RANKS).map_err(Failure::internal)?;
    let (mut candidates, mut sentences) = (Vec::new(), String::new());
    for (i, candidate) in found.iter().enumerate() {
        let Some(Person { name, pictures: _, reference }) = people.get(candidate.position().index()) else { continue };
        let alike = candidate.decide(Threshold::for_faces(&sought, reference)) == Decision::Match;
        let said = if alike { "as alike as pictures of one person are" } else { "not as alike as that" };
        sentences.push_str(&format!("{}. {name}: {said}\n", i + 1));
        candidates.push(json!({ "rank": i + 1, "person": name, "alike": alike }));
    }
    let Rate { misses, trials } = false_matches;
    sentences.push_str(&format!(
        "Among {} people, a search for somebody who is not there brings up somebody in {:.2} % of cases ({:.2}–{:.2} %): of {trials} \
         comparisons of different people here {misses} were alike. Leads for a human to look at, never a verdict; relatives, and people of one \
         age and origin, are alike more often than that.",
        people.len(),
        fpir.value * 100.0,
        fpir.interval.low * 100.0,
        fpir.interval.high * 100.0
    ));
    Ok(Answer {
        object: json!({
            "gallery": people.len(), "failures_to_extract": cache.failures, "candidates": candidates,
            "fpir_implied": {
                "value": fpir.value, "ci95": [fpir.interval.low, fpir.interval.high], "false_matches": misses, "comparisons": trials,
            },
        }),
        sentences,
    })
}

/// Those of whom at least one picture shows a face.
fn enrolled(people: Vec<Pair>, cache: &EmbeddingCache) -> Result<Vec<Person>, Failure> {
    let mut all = Vec::with_capacity(people.len());
    for Pair { reference: pictures, .. } in people {
        let folder = super::by_subject::folder(&pictures).and_then(Path::file_name);
        let name = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(reference) = cache.reference(&pictures)? {
            all.push(Person { name, pictures, reference });
        }
    }
    if all.len() < 2 {
        return Err(Failure::usage(
            "fewer than two people could be enrolled",
            "give a folder of people, one folder of pictures each",
        ));
    }
    Ok(all)
}

/// False matches when everybody is sought among all the others, with as many frames as the probe has.
fn among_themselves(people: &[Person], frames: usize, cache: &EmbeddingCache) -> Result<Rate, Failure> {
    let probe = |person: &Person| cache.probe(&person.pictures.iter().take(frames).cloned().collect::<Vec<_>>());
    let probes: Vec<Option<Probe>> = people.iter().map(probe).collect::<Result<_, _>>()?;
    let mut rate = Rate { misses: 0, trials: 0 };
    let bar = progress(people.len() as u64, "people");
    for (i, probe) in probes.iter().enumerate() {
        let Some(probe) = probe else { continue };
        for (_, other) in people.iter().enumerate().filter(|(j, _)| *j != i) {
            let score = compare(probe, &other.reference).map_err(Failure::internal)?;
            rate.trials += 1;
            rate.misses += usize::from(Threshold::for_faces(probe, &other.reference).decide(score) == Decision::Match);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(rate)
}
