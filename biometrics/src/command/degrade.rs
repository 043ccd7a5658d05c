//! `degrade`: portraits spoilt step by step, and the list of pairs by which `evaluate` shows what quality notices.

use std::path::{Path, PathBuf};

use biometrics::Sample;
use biometrics::simulation::{Degradation, MOST_LEVEL, Portrait, Seed, degraded};
use serde_json::json;

use super::embedding_cache::progress;
use super::{Answer, Failure, home, pairs};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Photographs of one person, three or more: each is spoilt in turn and compared with the others, enrolled together.
    #[arg(long = "portrait", value_name = "IMG", required_unless_present = "people")]
    portraits: Vec<PathBuf>,
    /// Photographs of other people: spoilt too, to count false matches.
    #[arg(long = "other", value_name = "IMG", required_unless_present = "people")]
    others: Vec<PathBuf>,
    /// Instead: a folder of people, one folder of pictures each. The first of each is spoilt and compared with the next three, enrolled together, and with those of the next person.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["portraits", "others"])]
    people: Option<PathBuf>,
    /// Only these faults [default: all].
    #[arg(long = "kind", value_name = "FAULT", value_parser = kind)]
    kinds: Vec<Degradation>,
    /// Where the pictures go, with pairs.csv: a folder that is not there yet.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

fn kind(text: &str) -> Result<Degradation, String> {
    let names: Vec<&str> = Degradation::ALL.iter().map(|kind| kind.code()).collect();
    Degradation::ALL.into_iter().find(|kind| kind.code() == text).ok_or_else(|| format!("one of {}", names.join(", ")))
}

/// A picture to be spoilt, who is enrolled with it, and who else is.
struct Subject {
    picture: PathBuf,
    own: Vec<String>,
    others: Vec<String>,
}

pub(super) fn run(arguments: &Arguments, home: Option<PathBuf>) -> Result<Answer, Failure> {
    let Arguments { portraits, others, people, kinds, out } = arguments;
    let subjects = match people {
        Some(folder) => of_people(folder)?,
        None => of_portraits(portraits, others)?,
    };
    let kinds = if kinds.is_empty() { &Degradation::ALL[..] } else { kinds };
    let storage =
        |error: &dyn std::fmt::Display| Failure::storage(format!("{}: {error}", out.display()), "choose another --out");
    let mut engine = home::load_engine(home)?;
    std::fs::create_dir(out).map_err(|error| storage(&error))?;
    let mut list = String::from("reference,probe,mated,condition\n");
    let (mut mated, mut non_mated) = (0_usize, 0_usize);
    let bar = progress((subjects.len() * kinds.len()) as u64, "kinds");
    for (i, Subject { picture, own, others }) in subjects.iter().enumerate() {
        let sample = home::read_sample(picture)?;
        // Data sets of faces are taken as they are, portraits as the product takes them.
        let capture = if people.is_some() { engine.capture_ungated(&sample) } else { engine.capture(&sample) };
        let capture = capture.map_err(|error| Failure::capture(&picture.display().to_string(), &error))?;
        let portrait = Portrait::new(&sample, &capture);
        for kind in kinds {
            for level in 1..=MOST_LEVEL {
                let seed = Seed(i as u64 * 1000 + u64::from(level));
                let spoilt = degraded(&portrait, *kind, level, seed).map_err(Failure::internal)?;
                let name = format!("{i}-{}-{level}.png", kind.code());
                save(&spoilt, &out.join(&name)).map_err(|error| storage(&error))?;
                for (enrolled, is_own, count) in [(own, 1, &mut mated), (others, 0, &mut non_mated)] {
                    if !enrolled.is_empty() {
                        list.push_str(&format!("{},{name},{is_own},{} {level}\n", enrolled.join(";"), kind.code()));
                        *count += 1;
                    }
                }
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

/// Each portrait against the other ones of the same person; those of others against all of them.
fn of_portraits(portraits: &[PathBuf], others: &[PathBuf]) -> Result<Vec<Subject>, Failure> {
    if portraits.len() < 3 {
        return Err(Failure::usage("three portraits of one person are needed", "give --portrait three times or more"));
    }
    let absolute = |path: &PathBuf| {
        let fail = |error: std::io::Error| Failure::usage(format!("{}: {error}", path.display()), "give a picture");
        let path = std::fs::canonicalize(path).map_err(fail)?;
        path.to_str().map(str::to_owned).ok_or_else(|| Failure::usage("a name is not in UTF-8", "rename the picture"))
    };
    let own = portraits.iter().map(absolute).collect::<Result<Vec<_>, _>>()?;
    let subject = |(i, picture): (usize, &PathBuf)| {
        let rest = own.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, path)| path.clone()).collect();
        let (own, others) = if i < own.len() { (rest, Vec::new()) } else { (Vec::new(), rest) };
        Subject { picture: picture.clone(), own, others }
    };
    Ok(portraits.iter().chain(others).enumerate().map(subject).collect())
}

/// The first picture of each person against the next three, and against three of the next person.
fn of_people(folder: &Path) -> Result<Vec<Subject>, Failure> {
    let people = pairs::people(folder)?;
    let split = |person: &Vec<String>| {
        let (first, rest) = person.split_first()?;
        Some((PathBuf::from(first), rest.get(..ENROLLED)?.to_vec()))
    };
    let people: Vec<(PathBuf, Vec<String>)> = people.iter().filter_map(split).collect();
    if people.len() < 2 {
        return Err(Failure::usage(
            format!("{} does not hold two people with four pictures each", folder.display()),
            "give a folder with a folder of pictures for each person",
        ));
    }
    let next = people.iter().cycle().skip(1).map(|(_, enrolled)| enrolled.clone());
    let subject = |((picture, own), others): (&(PathBuf, Vec<String>), Vec<String>)| Subject {
        picture: picture.clone(),
        own: own.clone(),
        others,
    };
    Ok(people.iter().zip(next).map(subject).collect())
}

fn save(sample: &Sample, path: &Path) -> Result<(), image::ImageError> {
    image::save_buffer(path, sample.as_rgb(), sample.width(), sample.height(), image::ExtendedColorType::Rgb8)
}

/// Captures of each person of a folder that are enrolled.
const ENROLLED: usize = 3;
