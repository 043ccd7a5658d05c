//! 1:N over fingers: every reference looked at briefly, the likeliest compared in full.
//!
//! A candidate is a lead for a human, never a verdict: among N strangers somebody looks alike (`evaluation::Fpir`).

use std::fmt;

use super::kernel::likenesses;
use super::matcher::{Coded, FingerCompareError, FingerProbe, FingerReference, compare};
use super::relax::MOST_TURN;
use crate::comparison::ComparisonScore;

/// Enrolled fingers, by the order in which they came. Personal data, wiped on drop.
#[derive(Default)]
pub struct FingerGallery(Vec<FingerReference>);

impl FingerGallery {
    /// Fingers at most: a few kilobytes of memory each.
    pub const CAPACITY: usize = 100_000;

    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a finger; its position is the number of those before.
    ///
    /// # Errors
    /// [`FingerGalleryError::Full`] if there are [`FingerGallery::CAPACITY`].
    pub fn insert(&mut self, reference: FingerReference) -> Result<(), FingerGalleryError> {
        if self.0.len() >= Self::CAPACITY {
            return Err(FingerGalleryError::Full { most: Self::CAPACITY });
        }
        self.0.push(reference);
        Ok(())
    }

    /// How many fingers are in it.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The likeliest fingers, best first, at most `most`.
    ///
    /// Every finger is looked at by its cylinders alone; the best fiftieth part, and two hundred at least, are compared
    /// as [`compare`] does it. What that loses is in the recall of `docs/biometric-evaluation.md`.
    ///
    /// # Errors
    /// [`FingerCompareError`] if an extractor of the gallery is not the probe's.
    pub fn search(&self, probe: &FingerProbe, most: usize) -> Result<Vec<FingerCandidate>, FingerCompareError> {
        let Self(references) = self;
        let mut glances: Vec<(f32, usize)> = Vec::with_capacity(references.len());
        let mut row = Vec::new();
        for (position, reference) in references.iter().enumerate() {
            probe.meets(reference)?;
            let glance = |impression: &Coded| glance(impression, probe.coded(), &mut row);
            glances.push((reference.coded().map(glance).fold(0.0, f32::max), position));
        }
        let chosen = (references.len() / LOOKED_AT).max(LEAST_LOOKED_AT);
        glances.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut found = Vec::with_capacity(chosen.min(references.len()));
        for (_, position) in glances.into_iter().take(chosen) {
            let Some(reference) = references.get(position) else { continue };
            found.push(FingerCandidate { position, score: compare(probe, reference)? });
        }
        found.sort_by(|a, b| b.score.value().total_cmp(&a.score.value()));
        found.truncate(most);
        Ok(found)
    }
}

/// The mean of the best likenesses of minutiae, each of the reference's taken once.
fn glance(reference: &Coded, probe: &Coded, row: &mut Vec<f32>) -> f32 {
    let mut best: Vec<f32> = Vec::with_capacity(reference.cylinders.len());
    for (place, code) in reference.centres.iter().zip(&reference.cylinders) {
        let Some(centre) = reference.minutiae.get(usize::from(*place)) else { continue };
        let mut most = 0.0_f32;
        for range in probe.centres_by_angle.around(centre.angle, MOST_TURN) {
            likenesses(code, probe.cylinders.get(range).unwrap_or(&[]), row);
            most = row.iter().copied().fold(most, f32::max);
        }
        best.push(most);
    }
    best.sort_unstable_by(|a, b| b.total_cmp(a));
    best.iter().take(COUNTED).sum::<f32>() / COUNTED as f32
}

impl fmt::Debug for FingerGallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(references) = self;
        f.debug_struct("FingerGallery").field("fingers", &references.len()).finish_non_exhaustive()
    }
}

/// A finger that may be the probe's.
#[derive(Debug, Clone, Copy)]
pub struct FingerCandidate {
    position: usize,
    score: ComparisonScore,
}

impl FingerCandidate {
    /// Which one of the gallery.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// How alike.
    #[must_use]
    pub const fn score(&self) -> ComparisonScore {
        self.score
    }
}

/// Why a finger was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerGalleryError {
    /// There is no room.
    #[error("a gallery holds {most} fingers at most")]
    Full {
        /// The greatest number.
        most: usize,
    },
}

/// One in so many is compared in full.
const LOOKED_AT: usize = 50;
const LEAST_LOOKED_AT: usize = 200;
/// Minutiae that a glance counts.
const COUNTED: usize = 12;
