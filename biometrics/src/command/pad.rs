//! `pad`: APCER and BPCER on simulated presentations, for the challenge and for an operator's network.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use biometrics::evaluation::Rate;
use biometrics::pad::network::{ModelHash, PadNetwork};
use biometrics::simulation::{Portrait, Seed, Species, print_rephotographed, screen_replayed};
use biometrics::{Engine, Sample};
use serde_json::{Value, json};

use super::embedding_cache::progress;
use super::simulate::{play, portrait};
use super::{Answer, Failure, home};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A photograph from which presentations are made up, and a bona fide one for the network. Two or more.
    #[arg(long = "portrait", value_name = "IMG", required = true)]
    portraits: Vec<PathBuf>,
    /// A photograph of a real attack, for the network.
    #[arg(long = "attack", value_name = "IMG")]
    attacks: Vec<PathBuf>,
    /// Presentations of each species that are made of each portrait.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    presentations: u32,
    /// The operator's network.
    #[arg(long, value_name = "FILE", requires = "sha256")]
    network: Option<PathBuf>,
    /// Its SHA-256: another file is refused.
    #[arg(long, value_name = "HEX", requires = "network")]
    sha256: Option<ModelHash>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let network = match (&arguments.network, &arguments.sha256) {
        (Some(path), Some(hash)) => Some(load(path, hash, home.clone())?),
        _ => None,
    };
    let mut engine = home::load_engine(home.clone())?;
    let samples: Vec<Sample> = arguments.portraits.iter().map(|p| home::read_sample(p)).collect::<Result<_, _>>()?;
    let portraits: Vec<Portrait<'_>> = samples
        .iter()
        .zip(&arguments.portraits)
        .map(|(sample, path)| portrait(&mut engine, path, sample))
        .collect::<Result<_, _>>()?;
    let mut sentences =
        String::from("All presentations below are SIMULATED from photographs, but where it says real.\n");
    let mut tables = serde_json::Map::new();
    let rows = challenges(&mut engine, &portraits, arguments.presentations, home)?;
    sentences.push_str("\nchallenge, with the screen's light:\n");
    tables.insert("challenge".to_owned(), rows.iter().map(|row| row.told(&mut sentences)).collect());
    if let Some(mut network) = network {
        let rows = images(&mut engine, &mut network, &samples, arguments)?;
        sentences.push_str("\nnetwork (a frame counts as bona fide from .5 up):\n");
        tables.insert("network".to_owned(), rows.iter().map(|row| row.told(&mut sentences)).collect());
    }
    tables.insert("simulated".to_owned(), Value::Bool(true));
    Ok(Answer { object: Value::Object(tables), sentences })
}

fn load(path: &std::path::Path, hash: &ModelHash, home: Option<PathBuf>) -> Result<PadNetwork, Failure> {
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), "give the network's file"))?;
    PadNetwork::load(&home::runtime(home)?, &bytes, hash).map_err(|error| Failure {
        exit: 7,
        code: "models",
        message: format!("{}: {error}", path.display()),
        hint: "give a network of the documented contract, and its own SHA-256".to_owned(),
    })
}

/// How many presentations of one species were taken for bona fide ones.
struct Row {
    species: &'static str,
    is_attack: bool,
    taken: usize,
    trials: usize,
    signs: BTreeMap<&'static str, usize>,
}

impl Row {
    const fn new(species: &'static str, is_attack: bool) -> Self {
        Self { species, is_attack, taken: 0, trials: 0, signs: BTreeMap::new() }
    }

    fn told(&self, sentences: &mut String) -> Value {
        let Self { species, is_attack, taken, trials, signs } = self;
        let (name, misses) = if *is_attack { ("APCER", *taken) } else { ("BPCER", trials - taken) };
        let rate = Rate { misses, trials: *trials };
        let interval = rate.interval();
        let found: Vec<String> = signs.iter().map(|(sign, n)| format!("{sign} {n}")).collect();
        sentences.push_str(&format!(
            "  {species}: {name} {:.1} % ({misses}/{trials}, {:.1}–{:.1} % exact) {}\n",
            rate.value() * 100.0,
            interval.low * 100.0,
            interval.high * 100.0,
            found.join(", ")
        ));
        json!({
            "species": species, "rate": name, "value": rate.value(), "misses": misses, "trials": trials,
            "ci95": [interval.low, interval.high], "signs": signs,
        })
    }
}

/// One presentation to be played: species, whose, who comes in at a cut, seed.
type Planned<'a> = (Species, &'a Portrait<'a>, &'a Portrait<'a>, u64);

/// Every species, played by every portrait, on as many cores as there are: times are not measured here.
fn challenges(
    engine: &mut Engine,
    portraits: &[Portrait<'_>],
    presentations: u32,
    home: Option<PathBuf>,
) -> Result<Vec<Row>, Failure> {
    let mut planned: Vec<Planned<'_>> = Vec::new();
    for species in Species::ALL {
        for (i, one) in portraits.iter().enumerate() {
            let others = portraits.iter().cycle().skip(i + 1).take(portraits.len().max(2) - 1);
            let seeds = (0..presentations).map(|n| u64::from(n) + 1000 * i as u64);
            planned.extend(seeds.zip(others.cycle()).map(|(seed, other)| (species, one, other, seed)));
        }
    }
    let bar = progress(planned.len() as u64, "presentations");
    let next = AtomicUsize::new(0);
    let work = |engine: &mut Engine| {
        let mut outcomes = Vec::new();
        while let Some((species, one, other, seed)) = planned.get(next.fetch_add(1, Ordering::Relaxed)) {
            outcomes.push((*species, play(engine, one, other, *species, *seed, true, |_, _| Ok(()))?));
            bar.inc(1);
        }
        Ok::<_, Failure>(outcomes)
    };
    let helpers = std::thread::available_parallelism().map_or(1, NonZero::get).min(8) - 1;
    let outcomes = std::thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..helpers)
            .map(|_| {
                let home = home.clone();
                scope.spawn(move || work(&mut home::load_engine(home)?))
            })
            .collect();
        let mut outcomes = work(engine)?;
        for thread in threads {
            outcomes.extend(thread.join().map_err(|_| Failure::internal("a presentation could not be played"))??);
        }
        Ok::<_, Failure>(outcomes)
    })?;
    bar.finish_and_clear();
    let mut rows = Species::ALL.map(|species| (species, Row::new(species.code(), species != Species::BonaFide)));
    for (species, sign) in outcomes {
        for (_, row) in rows.iter_mut().filter(|(of, _)| *of == species) {
            row.trials += 1;
            match sign {
                None => row.taken += 1,
                Some(sign) => *row.signs.entry(sign).or_default() += 1,
            }
        }
    }
    Ok(rows.into_iter().map(|(_, row)| row).collect())
}

fn images(
    engine: &mut Engine,
    network: &mut PadNetwork,
    samples: &[Sample],
    arguments: &Arguments,
) -> Result<Vec<Row>, Failure> {
    let mut real = [Row::new("real photographs", false), Row::new("real attacks", true)];
    let mut made = [Row::new("print, rephotographed", true), Row::new("screen, replayed", true)];
    let attacks: Vec<Sample> = arguments.attacks.iter().map(|p| home::read_sample(p)).collect::<Result<_, _>>()?;
    let [bona_fide, attack] = &mut real;
    for (row, pictures) in [(bona_fide, samples), (attack, &attacks)] {
        for sample in pictures {
            examine(engine, network, sample, row)?;
        }
    }
    let [print, screen] = &mut made;
    for (i, sample) in samples.iter().enumerate() {
        for n in 0..arguments.presentations {
            let seed = Seed(u64::from(n) + 1000 * i as u64);
            examine(engine, network, &print_rephotographed(sample, seed).map_err(Failure::internal)?, print)?;
            examine(engine, network, &screen_replayed(sample, seed).map_err(Failure::internal)?, screen)?;
        }
    }
    Ok(real.into_iter().chain(made).filter(|row| row.trials > 0).collect())
}

/// A picture in which no face is found is no presentation that passes.
fn examine(engine: &mut Engine, network: &mut PadNetwork, sample: &Sample, row: &mut Row) -> Result<(), Failure> {
    row.trials += 1;
    let Ok(capture) = engine.capture_ungated(sample) else {
        *row.signs.entry("no-face").or_default() += 1;
        return Ok(());
    };
    let score = network.examine(sample, capture.place()).map_err(Failure::internal)?;
    if score.is_bona_fide() {
        row.taken += 1;
    } else {
        *row.signs.entry("attack").or_default() += 1;
    }
    Ok(())
}
