//! `pairs`: a list of pairs for a folder with one folder of pictures for each person.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Answer, Failure};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The folder: one folder for each person, in it pictures.
    #[arg(long, alias = "orl", value_name = "DIR", required_unless_present = "fingers")]
    people: Option<PathBuf>,
    /// A folder of prints named FINGER_IMPRESSION, as FVC names them.
    #[arg(long, value_name = "DIR", conflicts_with = "people")]
    fingers: Option<PathBuf>,
    /// Probes are the pictures of the same names in this folder, each against all impressions but the one it was made of.
    #[arg(long, value_name = "DIR", requires = "fingers", conflicts_with_all = ["enrol", "frames"])]
    probes: Option<PathBuf>,
    /// How many captures are enrolled.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    enrol: u32,
    /// How many frames an attempt has.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    frames: u32,
    /// How many different choices of enrolled captures there are for each person.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100))]
    splits: u32,
}

pub(super) fn run(arguments: &Arguments) -> Result<Answer, Failure> {
    let (folder, people) = match (&arguments.fingers, &arguments.people) {
        (Some(folder), _) => (folder, fingers(folder)?),
        (None, Some(folder)) => (folder, people(folder)?),
        (None, None) => return Err(Failure::usage("no folder was given", "give --people DIR or --fingers DIR")),
    };
    if let (Some(fingers_folder), Some(probes)) = (&arguments.fingers, &arguments.probes) {
        return across(&fingers(fingers_folder)?, &fingers(probes)?);
    }
    let (enrol, frames) = (arguments.enrol as usize, arguments.frames as usize);
    let one_to_one = (enrol, frames) == (1, 1);
    let mut text = String::from("reference,probe,mated\n");
    let (mut mated, mut non_mated) = (0_usize, 0_usize);
    for (i, person) in people.iter().enumerate() {
        for split in 0..(arguments.splits as usize).min(person.len()) {
            // The split's captures: as many as asked for, in the folder's order, from the split's number on.
            let turned: Vec<&str> = person.iter().cycle().skip(split).take(person.len()).map(String::as_str).collect();
            let Some((enrolled, rest)) = turned.split_at_checked(enrol) else { continue };
            for (j, other) in people.iter().enumerate() {
                // One picture against one is the same both ways: list it once.
                if one_to_one && j < i {
                    continue;
                }
                let shown: Vec<&str> = if i != j {
                    other.iter().map(String::as_str).collect()
                } else if one_to_one {
                    person.iter().skip(split + 1).map(String::as_str).collect()
                } else {
                    rest.to_vec()
                };
                for attempt in attempts(&shown, frames) {
                    text.push_str(&format!("{},{},{}\n", enrolled.join(";"), attempt.join(";"), u8::from(i == j)));
                    *if i == j { &mut mated } else { &mut non_mated } += 1;
                }
            }
        }
    }
    if mated == 0 || non_mated == 0 {
        return Err(Failure::usage(
            format!("{} does not hold enough pictures of two or more people", folder.display()),
            "each person needs a folder with more pictures than are enrolled",
        ));
    }
    Ok(Answer {
        object: json!({ "people": people.len(), "mated": mated, "non_mated": non_mated, "pairs_csv": text }),
        sentences: text,
    })
}

/// Every picture of the one folder against every one of the other, but for those of one impression.
fn across(references: &[Vec<String>], probes: &[Vec<String>]) -> Result<Answer, Failure> {
    let stem = |name: &str| Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let finger = |name: &str| stem(name).and_then(|stem| stem.rsplit_once('_').map(|(finger, _)| finger.to_owned()));
    let mut text = String::from("reference,probe,mated\n");
    let (mut mated, mut non_mated) = (0_usize, 0_usize);
    for reference in references.iter().flatten() {
        for probe in probes.iter().flatten().filter(|probe| stem(probe) != stem(reference)) {
            let same = finger(probe) == finger(reference);
            text.push_str(&format!("{reference},{probe},{}\n", u8::from(same)));
            *if same { &mut mated } else { &mut non_mated } += 1;
        }
    }
    if mated == 0 || non_mated == 0 {
        return Err(Failure::usage(
            "the two folders do not hold several impressions of two or more fingers",
            "name the pictures FINGER_IMPRESSION in both folders",
        ));
    }
    Ok(Answer {
        object: json!({ "people": references.len(), "mated": mated, "non_mated": non_mated, "pairs_csv": text }),
        sentences: text,
    })
}

/// As many frames as an attempt has: each picture begins one, the following ones go with it.
fn attempts<'a>(shown: &'a [&'a str], frames: usize) -> impl Iterator<Item = Vec<&'a str>> {
    let count = if shown.len() < frames { 0 } else { shown.len() };
    (0..count).map(move |first| shown.iter().cycle().skip(first).take(frames).copied().collect())
}

/// The pictures of each person, sorted; names as absolute paths, since the list may go anywhere.
fn people(root: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let mut people = Vec::new();
    for folder in entries(root)? {
        if folder.is_dir() {
            people.push(pictures(entries(&folder)?)?);
        }
    }
    people.retain(|names| !names.is_empty());
    Ok(people)
}

/// The impressions of each finger: what stands before the last `_` of a name says which finger.
fn fingers(root: &Path) -> Result<Vec<Vec<String>>, Failure> {
    let mut fingers: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for path in entries(root)? {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let Some((finger, _)) = stem.rsplit_once('_') else { continue };
        match fingers.iter_mut().find(|(known, _)| known == finger) {
            Some((_, paths)) => paths.push(path),
            None => fingers.push((finger.to_owned(), vec![path])),
        }
    }
    let mut lists = fingers.into_iter().map(|(_, paths)| pictures(paths)).collect::<Result<Vec<_>, _>>()?;
    lists.retain(|names| !names.is_empty());
    Ok(lists)
}

fn pictures(paths: Vec<PathBuf>) -> Result<Vec<String>, Failure> {
    let is_named = |path: &PathBuf| path.is_file() && is_picture(path);
    let name = |path: PathBuf| match path.to_str() {
        Some(name) if !name.contains([';', ',', '"', '\n']) => Ok(name.to_owned()),
        _ => Err(Failure::usage(
            format!("{} cannot stand in a list of pairs", path.display()),
            "rename it without ; , \" and line breaks",
        )),
    };
    paths.into_iter().filter(is_named).map(name).collect()
}

/// The pictures of one folder, in the order of their names.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(entries(folder)?.into_iter().filter(|path| path.is_file() && is_picture(path)).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let fail = |error: std::io::Error| {
        Failure::usage(format!("{}: {error}", folder.display()), "give a folder with a folder for each person")
    };
    let folder = std::fs::canonicalize(folder).map_err(fail)?;
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(fail)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(fail)?;
    // s2 before s10.
    paths.sort_by_key(|path| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        (name.len(), name)
    });
    Ok(paths)
}

fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    ["jpg", "jpeg", "png", "pgm", "ppm", "pnm", "bmp", "webp", "tif", "tiff"].contains(&extension.as_str())
}
