//! `degrade`: portraits spoilt step by step, and the list of pairs by which `evaluate` shows what quality notices.

use std::path::PathBuf;

use biometrics::Sample;
use biometrics::simulation::{Degradation, MOST_LEVEL, Seed, degraded};
use serde_json::json;

use super::embedding_cache::progress;
use super::simulate::portrait;
use super::{Answer, Failure, home};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Photographs of one person, three or more: each is spoilt in turn and compared with the others, enrolled together.
    #[arg(long = "portrait", value_name = "IMG", required = true)]
    portraits: Vec<PathBuf>,
    /// Photographs of other people: spoilt too, to count false matches.
    #[arg(long = "other", value_name = "IMG", required = true)]
    others: Vec<PathBuf>,
    /// Where the pictures go, with pairs.csv: a folder that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Arguments { portraits, others, out } = arguments;
    if portraits.len() < 3 {
        return Err(Failure::usage("three portraits of one person are needed", "give --portrait three times or more"));
    }
    let storage =
        |error: &dyn std::fmt::Display| Failure::storage(format!("{}: {error}", out.display()), "choose another --out");
    let mut engine = home::load_engine(home)?;
    std::fs::create_dir(out).map_err(|error| storage(&error))?;
    let absolute = |path: &PathBuf| {
        let path = std::fs::canonicalize(path).map_err(|error| storage(&error))?;
        path.to_str().map(str::to_owned).ok_or_else(|| Failure::usage("a name is not in UTF-8", "rename the picture"))
    };
    let own = portraits.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    let mut list = String::from("reference,probe,mated\n");
    let (mut mated, mut non_mated) = (0_usize, 0_usize);
    let bar = progress(((portraits.len() + others.len()) * Degradation::ALL.len()) as u64, "kinds");
    for (i, path) in portraits.iter().chain(others).enumerate() {
        let sample = home::read_sample(path)?;
        let portrait = portrait(&mut engine, path, &sample)?;
        let rest: Vec<&str> = own.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, path)| path.as_str()).collect();
        for kind in Degradation::ALL {
            for level in 1..=MOST_LEVEL {
                let seed = Seed(i as u64 * 1000 + u64::from(level));
                let spoilt = degraded(&portrait, kind, level, seed).map_err(Failure::internal)?;
                let name = format!("{i}-{}-{level}.png", kind.code());
                save(&spoilt, &out.join(&name)).map_err(|error| storage(&error))?;
                list.push_str(&format!("{},{name},{}\n", rest.join(";"), u8::from(i < own.len())));
                *if i < own.len() { &mut mated } else { &mut non_mated } += 1;
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    std::fs::write(out.join("pairs.csv"), list).map_err(|error| storage(&error))?;
    Ok(Answer {
        object: json!({ "simulated": true, "mated": mated, "non_mated": non_mated }),
        sentences: format!(
            "{mated} mated and {non_mated} non-mated pairs with SIMULATED faults are in {}.",
            out.display()
        ),
    })
}

fn save(sample: &Sample, path: &std::path::Path) -> Result<(), image::ImageError> {
    image::save_buffer(path, sample.as_rgb(), sample.width(), sample.height(), image::ExtendedColorType::Rgb8)
}
