//! The comparison: cylinder codes relaxed, times what meets when one print is laid over the other.

use std::fmt;

use zeroize::Zeroizing;

use super::alignment::align;
use super::by_angle::ByAngle;
use super::cylinder::Cylinder;
use super::extractor::Extractor;
use super::field::OrientationField;
use super::hull::Hull;
use super::relax::pairings;
use super::template::{FingerTemplate, MOST_MINUTIAE, Minutia};
use crate::comparison::ComparisonScore;

/// Impressions enrolled at once at most: a bound on the work of a comparison.
pub const MAX_IMPRESSIONS: usize = 16;

/// One enrolled finger: one or several impressions, made ready to be compared. Personal data, wiped on drop.
pub struct FingerReference(Vec<Coded>);

impl FingerReference {
    /// Enrols one finger. Does not check that the impressions are of the same one.
    ///
    /// # Errors
    /// [`FingerEnrolError`] if there is none or more than [`MAX_IMPRESSIONS`], or if extractors differ.
    pub fn enrol<'a>(impressions: impl IntoIterator<Item = &'a FingerTemplate>) -> Result<Self, FingerEnrolError> {
        let coded: Vec<Coded> = impressions.into_iter().take(MAX_IMPRESSIONS + 1).map(Coded::new).collect();
        if let Some((first, other)) = coded.iter().zip(coded.iter().skip(1)).find(|(a, b)| a.extractor != b.extractor) {
            return Err(FingerEnrolError::MixedExtractors { first: first.extractor, other: other.extractor });
        }
        match coded.len() {
            0 => Err(FingerEnrolError::NoImpression),
            1..=MAX_IMPRESSIONS => Ok(Self(coded)),
            _ => Err(FingerEnrolError::TooManyImpressions { most: MAX_IMPRESSIONS }),
        }
    }

    /// Each impression.
    pub(super) fn coded(&self) -> impl Iterator<Item = &Coded> {
        self.0.iter()
    }

    /// How many impressions were enrolled.
    #[must_use]
    pub const fn impressions(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for FingerReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(impressions) = self;
        f.debug_struct("FingerReference").field("impressions", &impressions.len()).finish_non_exhaustive()
    }
}

/// The print of one attempt, made ready to be compared. Personal data, wiped on drop.
pub struct FingerProbe(Coded);

impl FingerProbe {
    /// Codes a template.
    #[must_use]
    pub fn new(template: &FingerTemplate) -> Self {
        Self(Coded::new(template))
    }

    pub(super) const fn coded(&self) -> &Coded {
        &self.0
    }

    /// Refuses a reference of another extractor.
    pub(super) fn meets(&self, reference: &FingerReference) -> Result<(), FingerCompareError> {
        match reference.0.iter().find(|impression| !impression.extractor.meets(self.0.extractor)) {
            Some(other) => {
                Err(FingerCompareError::ExtractorMismatch { probe: self.0.extractor, reference: other.extractor })
            }
            None => Ok(()),
        }
    }
}

impl fmt::Debug for FingerProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("FingerProbe").finish_non_exhaustive()
    }
}

/// Compares a probe with an enrolled finger: the best of its impressions counts.
///
/// The score is in `[0, 1)`, larger meaning more alike; [`crate::comparison::Threshold::FINGER`] is the product's
/// threshold. Decides nothing, and must reach no log and no peer.
///
/// # Errors
/// [`FingerCompareError`] if two extractors made them; what was read from a standard's record is compared with either.
///
/// # Source
/// ISO/IEC 2382-37:2022, "comparison score". Its form: our choice, decision 0040.
pub fn compare(probe: &FingerProbe, reference: &FingerReference) -> Result<ComparisonScore, FingerCompareError> {
    probe.meets(reference)?;
    let best = reference.0.iter().map(|impression| likeness(impression, &probe.0)).fold(0.0_f32, f32::max);
    Ok(ComparisonScore::from_value(f64::from(best / (best + HALF))))
}

/// Several fingers of one person, each compared with its own reference: the mean of their scores counts, against the same threshold
/// ([`crate::comparison::Threshold::of_impressions`]) as one finger's. No finger counts more than a good one does
/// (.7): one that fits perfectly cannot speak for another that a stranger shows. One that could not be compared counts as wholly unlike.
///
/// # Source
/// ISO/IEC TR 24722:2015 (fusion at the level of scores, by their mean); no weights, decision 0128.
#[must_use]
pub fn fused(fingers: impl IntoIterator<Item = ComparisonScore>) -> ComparisonScore {
    let scores: Vec<ComparisonScore> = fingers.into_iter().collect();
    match scores.as_slice() {
        [only] => *only,
        several => ComparisonScore::mean(
            several.iter().map(|score| ComparisonScore::from_value(score.value().clamp(0.0, MOST_OF_ONE))),
        ),
    }
}

fn likeness(reference: &Coded, probe: &Coded) -> f32 {
    let pairings = pairings(reference, probe);
    let least = reference.minutiae.len().min(probe.minutiae.len()) as f32;
    // Fewer count where there are few: the paper's n_P.
    let counted = LEAST_COUNTED + ((MOST_COUNTED - LEAST_COUNTED) / (1.0 + (-0.4 * (least - 20.0)).exp())).floor();
    let relaxed = pairings.iter().take(counted as usize).map(|p| p.relaxed).sum::<f32>() / counted;
    let agreement = align(reference, probe, &pairings);
    let likeness = relaxed * agreement.minutiae * agreement.ridges.unwrap_or(UNKNOWN_RIDGES).max(0.0);
    if likeness.is_finite() { likeness } else { 0.0 }
}

/// A template made ready to be compared. Minutiae are in the order of their angles.
pub(super) struct Coded {
    extractor: Extractor,
    pub(super) minutiae: Zeroizing<Vec<Minutia>>,
    pub(super) by_angle: ByAngle,
    /// Where each is, as numbers to reckon with.
    pub(super) spots: Zeroizing<Vec<(f32, f32)>>,
    pub(super) field: Option<OrientationField>,
    pub(super) hull: Hull,
    /// Minutiae with enough around them: their places in the list, their codes, and where each angle begins.
    pub(super) centres: Zeroizing<Vec<u8>>,
    pub(super) cylinders: Vec<Cylinder>,
    pub(super) centres_by_angle: ByAngle,
}

impl Coded {
    fn new(template: &FingerTemplate) -> Self {
        let FingerTemplate { extractor, width: _, height: _, minutiae, field } = template;
        let mut minutiae = minutiae.clone();
        minutiae.sort_by_key(|m| m.angle);
        let hull = Hull::around(&minutiae);
        // Lists that grow leave copies behind that nobody wipes.
        let (mut centres, mut cylinders) = (Vec::with_capacity(minutiae.len()), Vec::with_capacity(minutiae.len()));
        for (i, code) in (0_u8..).zip(Cylinder::of_all(&minutiae, &hull)) {
            if let Some(code) = code {
                centres.push(i);
                cylinders.push(code);
            }
        }
        let angle = |m: &Minutia| m.angle;
        let angles: Zeroizing<Vec<u8>> = Zeroizing::new(minutiae.iter().map(angle).collect());
        let of_centre = |i: &u8| angles.get(usize::from(*i)).copied().unwrap_or_default();
        let centre_angles: Zeroizing<Vec<u8>> = Zeroizing::new(centres.iter().map(of_centre).collect());
        Self {
            extractor: *extractor,
            by_angle: ByAngle::of(&angles),
            spots: Zeroizing::new(minutiae.iter().map(Minutia::place).collect()),
            field: field.as_ref().map(OrientationField::duplicate),
            hull,
            centres: Zeroizing::new(centres),
            cylinders,
            centres_by_angle: ByAngle::of(&centre_angles),
            minutiae,
        }
    }
}

const _: () = assert!(MOST_MINUTIAE <= 128, "places are kept in bytes, and sets of them in the bits of a number");

/// Why a finger could not be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerEnrolError {
    /// Nothing to enrol.
    #[error("no impression was given")]
    NoImpression,
    /// More than are taken at once.
    #[error("at most {most} impressions are enrolled")]
    TooManyImpressions {
        /// The greatest number.
        most: usize,
    },
    /// Two extractors see other minutiae in the same finger.
    #[error("impressions taken by {first} and by {other} are not enrolled together: take all with one --extractor")]
    MixedExtractors {
        /// That of one impression.
        first: Extractor,
        /// That of another.
        other: Extractor,
    },
}

/// Why two prints are not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerCompareError {
    /// Two extractors see other minutiae in the same finger.
    #[error("the probe was taken by {probe}, the reference by {reference}: take both with the same --extractor")]
    ExtractorMismatch {
        /// That of the probe.
        probe: Extractor,
        /// That of the reference.
        reference: Extractor,
    },
}

/// What one of several fingers counts at most.
const MOST_OF_ONE: f64 = 0.7;
const LEAST_COUNTED: f32 = 4.0;
const MOST_COUNTED: f32 = 12.0;
/// The likeness that becomes a score of 1/2: what one in a thousand pairs of two fingers reached on DB1 and DB3.
const HALF: f32 = 0.13;
/// What an imported template without ridges' directions gets in their place.
const UNKNOWN_RIDGES: f32 = 0.7;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Decision, Threshold};

    #[test]
    fn finger_13_the_mean_of_two_fingers_counts_and_one_alone_does_not_do_for_both() {
        let of = |scores: &[f64]| fused(scores.iter().map(|score| ComparisonScore::from_value(*score)));
        let decision = |scores: &[f64]| Threshold::FINGER.decide(of(scores));
        assert_eq!(decision(&[0.6, 0.45]), Decision::Match);
        assert_eq!(decision(&[0.97, 0.35]), Decision::Match);
        // However well the one fits: what strangers show beside it is not near enough.
        assert_eq!(decision(&[0.99, 0.25]), Decision::NonMatch);
        // A finger that gave no print is wholly unlike, no less.
        assert_eq!(of(&[0.6, -1.0]).value(), 0.3);
        // One finger is what it was, and none is nobody's.
        assert_eq!((of(&[0.7]).value(), of(&[-1.0]).value(), of(&[]).value()), (0.7, -1.0, -1.0));
    }
}
