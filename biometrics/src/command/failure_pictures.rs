//! The worst errors of an evaluation of fingers, as pictures: both prints beside each other.
//!
//! Prints only: a face that was mistaken for another is somebody's, and nobody's business.

use std::path::Path;

use biometrics::Sample;
use biometrics::comparison::{ComparisonScore, Decision};
use image::{GrayImage, Luma};

use super::pair_list::{Pair, finger_threshold};
use super::{Failure, home};

/// Writes the mated pairs of lowest score and the non-mated ones of highest, where they are errors at the product's threshold.
/// Beside each picture lies a drawing of the minutiae, where there is one.
pub(super) fn write(
    folder: &Path,
    list: usize,
    pairs: &[Pair],
    scores: &[ComparisonScore],
    drawn: impl Fn(&Pair) -> Option<String>,
) -> Result<(), Failure> {
    let storage =
        |error: String| Failure::storage(format!("{}: {error}", folder.display()), "choose another --failures");
    std::fs::create_dir_all(folder).map_err(|error| storage(error.to_string()))?;
    let threshold = finger_threshold(pairs);
    for mated in [true, false] {
        let mut errors: Vec<(&Pair, f64)> = pairs
            .iter()
            .zip(scores)
            .filter(|(pair, score)| pair.mated == mated && (threshold.decide(**score) == Decision::Match) != mated)
            .map(|(pair, score)| (pair, score.value()))
            .collect();
        errors.sort_by(|(_, a), (_, b)| if mated { a.total_cmp(b) } else { b.total_cmp(a) });
        let kind = if mated { "false-non-match" } else { "false-match" };
        for (n, (pair, score)) in errors.into_iter().take(MOST).enumerate() {
            let (Some(reference), Some(probe)) = (pair.reference.first(), pair.probe.first()) else { continue };
            let both = beside(&home::read_sample(reference)?, &home::read_sample(probe)?);
            let path = folder.join(format!("list-{}-{kind}-{}-score-{score:.2}.png", list + 1, n + 1));
            both.save(&path).map_err(|error| storage(error.to_string()))?;
            if let Some(drawing) = drawn(pair) {
                let path = folder.join(format!("list-{}-{kind}-{}.svg", list + 1, n + 1));
                std::fs::write(path, drawing).map_err(|error| storage(error.to_string()))?;
            }
        }
    }
    Ok(())
}

/// Two prints at half their size, the one beside the other.
fn beside(left: &Sample, right: &Sample) -> GrayImage {
    let (width, height) = ((left.width() + right.width()) / 2, left.height().max(right.height()) / 2);
    GrayImage::from_fn(width.max(1), height.max(1), |x, y| {
        let (sample, x) = if x < left.width() / 2 { (left, x) } else { (right, x - left.width() / 2) };
        let at = (2 * y as usize * sample.width() as usize + 2 * x as usize) * 3;
        let inside = 2 * x < sample.width() && 2 * y < sample.height();
        Luma([sample.as_rgb().get(at).copied().filter(|_| inside).unwrap_or(u8::MAX)])
    })
}

/// Of each kind.
const MOST: usize = 3;
