//! `pairs.csv`: which references are to be compared with which probes, and whether they are of one person.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use biometrics::comparison::Threshold;

use super::Failure;

/// One line of the list.
pub(super) struct Pair {
    /// The enrolment captures, in order.
    pub(super) reference: Vec<PathBuf>,
    /// The frames of one attempt, in order.
    pub(super) probe: Vec<PathBuf>,
    pub(super) mated: bool,
    /// Under what it was taken, where the list says so.
    pub(super) condition: Option<String>,
    /// Further fingers of the same two people, each with its captures and frames.
    pub(super) further: Vec<(Vec<PathBuf>, Vec<PathBuf>)>,
}

impl Pair {
    /// Each finger's captures and frames; of faces there is one.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Vec<PathBuf>, &Vec<PathBuf>)> {
        let Self { reference, probe, mated: _, condition: _, further } = self;
        std::iter::once((reference, probe)).chain(further.iter().map(|(reference, probe)| (reference, probe)))
    }
}

/// Refuses a list whose lines the product would decide by several thresholds: one rate of errors would be said of none of them.
pub(super) fn expect_uniform(pairs: &[Pair]) -> Result<(), Failure> {
    let kind = |pair: &Pair| (pair.reference.len() > 1, pair.probe.len() > 1);
    if pairs.iter().zip(pairs.iter().skip(1)).all(|(one, next)| kind(one) == kind(next)) {
        return Ok(());
    }
    Err(Failure::usage(
        "the list mixes one capture or frame with several, which have thresholds of their own".to_owned(),
        "make a list of each kind; --pairs takes several",
    ))
}

/// The product's threshold for a list of faces: for as many captures and frames as its first pair has.
pub(super) fn threshold(pairs: &[Pair]) -> Threshold {
    pairs.first().map_or(Threshold::DEFAULT, |pair| Threshold::of_counts(pair.reference.len(), pair.probe.len()))
}

/// The same for a list of fingers.
pub(super) fn finger_threshold(pairs: &[Pair]) -> Threshold {
    pairs.first().map_or(Threshold::FINGER, |pair| Threshold::of_impressions(pair.reference.len()))
}

/// Reads lists of faces, each as [`read`] does.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Vec<Vec<Pair>>, Failure> {
    paths.iter().map(|path| read(path)).collect()
}

/// Reads a list of faces.
pub(super) fn read(path: &Path) -> Result<Vec<Pair>, Failure> {
    let pairs = read_fingers(path)?;
    if pairs.iter().any(|pair| !pair.further.is_empty()) {
        return Err(Failure::usage(
            format!("{}: several fingers are joined by |, and these are faces", path.display()),
            "join captures and frames of a face by ;",
        ));
    }
    Ok(pairs)
}

/// Reads a list; every picture in it must be there, so that an evaluation does not end in its middle.
pub(super) fn read_fingers(path: &Path) -> Result<Vec<Pair>, Failure> {
    let name = path.display();
    let hint = "the first line is reference,probe,mated; several captures or frames are joined by ; and several fingers by | on \
                both sides; mated is 1 or 0; a fourth column, condition, may name what the probe was taken under";
    let fail = |message: String| Failure::usage(format!("{name}: {message}"), hint);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(|error| fail(error.to_string()))?;
    let header = reader.headers().map_err(|error| fail(error.to_string()))?;
    let columns: Vec<&str> = header.iter().collect();
    if !matches!(columns[..], ["reference", "probe", "mated"] | ["reference", "probe", "mated", "condition"]) {
        return Err(fail("not a list of pairs".to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut seen = HashSet::new();
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| fail(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let (Some(reference), Some(probe), Some(mated)) = (record.get(0), record.get(1), record.get(2)) else {
            return Err(fail(format!("line {line} has not three fields")));
        };
        let mated = match mated {
            "1" => true,
            "0" => false,
            other => return Err(fail(format!("line {line}: mated is {other:?}"))),
        };
        let mut paths = |field: &str| -> Result<Vec<PathBuf>, Failure> {
            let paths: Vec<PathBuf> =
                field.split(';').map(str::trim).filter(|p| !p.is_empty()).map(|p| folder.join(p)).collect();
            if paths.is_empty() {
                return Err(fail(format!("line {line} names no picture")));
            }
            for picture in &paths {
                if !seen.contains(picture) {
                    if !picture.is_file() {
                        return Err(fail(format!("line {line}: {} is no file", picture.display())));
                    }
                    seen.insert(picture.clone());
                }
            }
            Ok(paths)
        };
        let mut fingers = |field: &str| field.split('|').map(&mut paths).collect::<Result<Vec<_>, _>>();
        let (references, probes) = (fingers(reference)?, fingers(probe)?);
        if references.len() != probes.len() {
            return Err(fail(format!(
                "line {line} has {} fingers enrolled and {} shown",
                references.len(),
                probes.len()
            )));
        }
        let mut each = references.into_iter().zip(probes);
        if let Some((reference, probe)) = each.next() {
            let condition = record.get(3).filter(|condition| !condition.is_empty()).map(str::to_owned);
            pairs.push(Pair { reference, probe, mated, condition, further: each.collect() });
        }
    }
    if pairs.is_empty() {
        return Err(fail("there is no pair".to_owned()));
    }
    Ok(pairs)
}
