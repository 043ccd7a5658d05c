//! `pairs`: a list of pairs for a folder with one folder of pictures for each person.

use std::cmp::Ordering;
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
    /// How many fingers of a person are enrolled and shown together: with 2, VIRTUAL people are made of every two fingers of the folder, several sets of
    /// them one after the other, each finger in one person of a set.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "fingers", value_parser = clap::value_parser!(u32).range(1..=2), conflicts_with = "probes")]
    together: u32,
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
    let sets = if arguments.together == 1 { vec![alone(people)] } else { two_by_two(&people) };
    let mut list = List { text: String::from("reference,probe,mated\n"), mated: 0, non_mated: 0 };
    for people in &sets {
        list.add(people, arguments);
    }
    let List { text, mated, non_mated } = list;
    if mated == 0 || non_mated == 0 {
        return Err(Failure::usage(
            format!("{} does not hold enough pictures of two or more people", folder.display()),
            "each person needs a folder with more pictures than are enrolled",
        ));
    }
    let people: usize = sets.iter().map(Vec::len).sum();
    Ok(Answer {
        object: json!({ "people": people, "mated": mated, "non_mated": non_mated, "pairs_csv": text }),
        sentences: text,
    })
}

/// What a person shows at once: a picture of each finger, or the one of the face.
type Shown = Vec<String>;

/// One finger, or one face.
fn alone(people: Vec<Vec<String>>) -> Vec<Vec<Shown>> {
    let person = |pictures: Vec<String>| pictures.into_iter().map(|picture| vec![picture]).collect();
    people.into_iter().map(person).collect()
}

/// Virtual people of two fingers each, whose impressions of one number are shown together. As many sets of people as it takes for every two
/// fingers to have been one person: the first stays, the others go round.
fn two_by_two(fingers: &[Vec<String>]) -> Vec<Vec<Vec<Shown>>> {
    let Some((first, rest)) = fingers.split_first() else { return Vec::new() };
    // Of an odd number one stays alone each time: beside the place that is nobody's.
    let rest: Vec<Option<&Vec<String>>> =
        rest.iter().map(Some).chain((!fingers.len().is_multiple_of(2)).then_some(None)).collect();
    let set = |turn: usize| {
        let mut row = vec![Some(first)];
        row.extend(rest.iter().cycle().skip(turn).take(rest.len()));
        let halves = row.iter().zip(row.iter().rev()).take(row.len() / 2);
        let person = |(one, other): (&Option<&Vec<String>>, &Option<&Vec<String>>)| {
            let (one, other) = ((*one)?, (*other)?);
            Some(one.iter().zip(other).map(|(one, other)| vec![one.clone(), other.clone()]).collect())
        };
        halves.filter_map(person).collect()
    };
    (0..rest.len()).map(set).collect()
}

struct List {
    text: String,
    mated: usize,
    non_mated: usize,
}

impl List {
    /// All attempts of some people at being each of them.
    fn add(&mut self, people: &[Vec<Shown>], arguments: &Arguments) {
        let (enrol, frames) = (arguments.enrol as usize, arguments.frames as usize);
        let one_to_one = (enrol, frames) == (1, 1);
        for (i, person) in people.iter().enumerate() {
            for split in 0..(arguments.splits as usize).min(person.len()) {
                // The split's captures: as many as asked for, in the folder's order, from the split's number on.
                let turned: Vec<&Shown> = person.iter().cycle().skip(split).take(person.len()).collect();
                let Some((enrolled, rest)) = turned.split_at_checked(enrol) else { continue };
                for (j, other) in people.iter().enumerate() {
                    // One picture against one is the same both ways: list it once.
                    if one_to_one && j < i {
                        continue;
                    }
                    let shown: Vec<&Shown> = if i != j {
                        other.iter().collect()
                    } else if one_to_one {
                        person.iter().skip(split + 1).collect()
                    } else {
                        rest.to_vec()
                    };
                    for attempt in attempts(&shown, frames) {
                        let line = format!("{},{},{}\n", joined(enrolled), joined(&attempt), u8::from(i == j));
                        self.text.push_str(&line);
                        *if i == j { &mut self.mated } else { &mut self.non_mated } += 1;
                    }
                }
            }
        }
    }
}

/// The captures of each finger by `;`, the fingers by `|`.
fn joined(captures: &[&Shown]) -> String {
    let fingers = captures.first().map_or(0, |shown| shown.len());
    let of = |finger: usize| {
        let pictures: Vec<&str> = captures.iter().filter_map(|shown| shown.get(finger)).map(String::as_str).collect();
        pictures.join(";")
    };
    (0..fingers).map(of).collect::<Vec<_>>().join("|")
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

/// As many frames as an attempt has: each picture begins one, the following ones go with it. Where all are shown at once there is one.
fn attempts<'a>(shown: &'a [&'a Shown], frames: usize) -> impl Iterator<Item = Vec<&'a Shown>> {
    let count = match shown.len().cmp(&frames) {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => shown.len(),
    };
    (0..count).map(move |first| shown.iter().cycle().skip(first).take(frames).copied().collect())
}

/// The pictures of each person, sorted; names as absolute paths, since the list may go anywhere.
pub(super) fn people(root: &Path) -> Result<Vec<Vec<String>>, Failure> {
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
pub(super) fn fingers(root: &Path) -> Result<Vec<Vec<String>>, Failure> {
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
    // Templates are kept without an extension.
    let is_named = |path: &PathBuf| path.is_file() && (is_picture(path) || path.extension().is_none());
    let name = |path: PathBuf| match path.to_str() {
        Some(name) if !name.contains([';', '|', ',', '"', '\n']) => Ok(name.to_owned()),
        _ => Err(Failure::usage(
            format!("{} cannot stand in a list of pairs", path.display()),
            "rename it without ; | , \" and line breaks",
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
