//! One probe against one reference: the score, and the threshold that turns it into an answer.

use std::fmt;

use crate::template::{Probe, Reference};

/// Compares a probe with the enrolled reference.
///
/// Both are unit vectors in fixed point; the score is their dot product, in `[-1, 1]`, larger meaning more alike. Decides
/// nothing: see [`Threshold::decide`]. A score is personal data and an attacker's compass: it never leaves the process.
///
/// # Errors
/// [`CompareError::ModelMismatch`] if the two came from different models.
///
/// # Source
/// ISO/IEC 2382-37:2022, "comparison score". Dot product: what the embedder was trained for.
#[inline(never)]
pub fn compare(probe: &Probe, reference: &Reference) -> Result<ComparisonScore, CompareError> {
    if probe.model() != reference.model() {
        return Err(CompareError::ModelMismatch);
    }
    Ok(ComparisonScore(probe.vector().cosine(reference.vector())))
}

/// How alike a probe and a reference are, in `[-1, 1]`. Its `Debug` does not show the number.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct ComparisonScore(f64);

impl ComparisonScore {
    /// What a pair gets whose sample or reference could not be made into a vector.
    pub const LOWEST: Self = Self(-1.0);

    pub(crate) const fn from_value(value: f64) -> Self {
        Self(value)
    }

    /// The score of another matcher, to be evaluated beside ours; nothing unless it is in `[-1, 1]`.
    #[must_use]
    pub fn of_a_peer(value: f64) -> Option<Self> {
        (-1.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The mean of the frames of one attempt; the lowest if there is none.
    #[must_use]
    pub fn mean(scores: impl IntoIterator<Item = Self>) -> Self {
        let (sum, count) = scores.into_iter().fold((0.0, 0_u32), |(sum, count), score| (sum + score.0, count + 1));
        if count == 0 { Self::LOWEST } else { Self(sum / f64::from(count)) }
    }

    /// The number, for evaluation only: it must reach no log and no answer to a peer.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Debug for ComparisonScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("ComparisonScore").finish_non_exhaustive()
    }
}

/// The score from which a probe counts as the enrolled person.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f64);

impl Threshold {
    /// The product's own for faces, one capture against one frame. It is the second look behind a released key, never the only one.
    /// `docs/biometric-evaluation.md` has counts and intervals.
    pub const DEFAULT: Self = Self(0.46);

    /// The product's own for faces: for a reference of so many captures and a probe of so many frames. Means of more pictures make
    /// look-alikes more alike, so they need more. Set on twenty people, measured on twenty others for one false match in a thousand attempts
    /// (decision 0122).
    #[must_use]
    pub fn for_faces(probe: &Probe, reference: &Reference) -> Self {
        Self::of_counts(reference.captures(), probe.frames())
    }

    /// The same, for numbers of pictures.
    #[must_use]
    pub const fn of_counts(captures: usize, frames: usize) -> Self {
        match (captures > 1, frames > 1) {
            (false, false) => Self::DEFAULT,
            (true, true) => Self(0.50),
            (true, false) | (false, true) => Self(0.47),
        }
    }

    /// The product's own for fingers: on the two sensors that it was set on (FVC2002 DB1 and DB3) about one pair of two
    /// fingers in a thousand reaches it. `docs/biometric-evaluation.md` has counts and intervals.
    pub const FINGER: Self = Self(0.5);

    /// The product's own for fingers: for a reference of so many impressions. The best of several counts, so strangers have as many
    /// chances: at [`Threshold::FINGER`] two to ten times as many of them would pass. Set and measured as that one.
    #[must_use]
    pub const fn of_impressions(impressions: usize) -> Self {
        if impressions > 1 { Self(0.54) } else { Self::FINGER }
    }

    /// A threshold in `[-1, 1]`.
    ///
    /// # Errors
    /// [`ThresholdError`] if the number lies outside, or is none.
    pub fn new(value: f64) -> Result<Self, ThresholdError> {
        if (-1.0..=1.0).contains(&value) { Ok(Self(value)) } else { Err(ThresholdError::OutOfRange) }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// Whether a score reaches the threshold.
    pub fn decide(self, score: ComparisonScore) -> Decision {
        if score.0 >= self.0 { Decision::Match } else { Decision::NonMatch }
    }
}

/// The answer to "is it the same person": an answer, not an error. Opens nothing by itself, see [`crate::protection`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Decision {
    /// The score reaches the threshold.
    Match,
    /// It does not.
    NonMatch,
}

/// Why two vectors could not be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Made by different embedders.
    #[error("probe and reference were made with different models")]
    ModelMismatch,
}

/// Why a number is no threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThresholdError {
    /// Not within `[-1, 1]`.
    #[error("a threshold lies between -1 and 1")]
    OutOfRange,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_pictures_ask_for_more() {
        let of = |captures, frames| Threshold::of_counts(captures, frames).value();
        assert_eq!(Threshold::of_counts(1, 1), Threshold::DEFAULT);
        for many in [2, 3, 5, 64] {
            assert!(of(1, 1) < of(many, 1) && of(many, 1) < of(many, many));
            assert_eq!(of(many, 1), of(1, many));
        }
        // Most keys are released from about .60 up: hardly anybody to whom one is may be refused after it.
        assert!(of(64, 64) < 0.55);
    }

    #[test]
    fn more_impressions_ask_for_more() {
        let of = |impressions| Threshold::of_impressions(impressions).value();
        assert_eq!(Threshold::of_impressions(1), Threshold::FINGER);
        assert!([2, 3, 16].into_iter().all(|many| of(many) > of(1)));
    }
}
