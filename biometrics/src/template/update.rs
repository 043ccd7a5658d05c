//! Following a face as it ages: a reference moved a little towards a probe that opened the vault, within caps.
//!
//! An update is the one way in which somebody else's face could come into a template: slowly, one accepted probe after the
//! other. Hence the caps. The caller holds what they need: the reference as it was enrolled, and when it was last updated;
//! and it asks only after device key, PIN and face opened the vault, never in a session opened under duress. An update makes
//! a new reference: it must be sealed anew, under a fresh seed and with a fresh message.

use std::time::Duration;

use zeroize::Zeroizing;

use super::{DIMENSION, FixedVector, MIN_NORM, Probe, Reference, norm_of};

impl Reference {
    /// Moves the reference by a tenth towards `probe`. `enrolled` is the reference as it was enrolled (this one, before the
    /// first update), `elapsed` the time since it was enrolled or last updated.
    ///
    /// # Errors
    /// [`UpdateError`]: it is too soon, the probe is too different, or the reference would come too far from what was enrolled.
    ///
    /// # Source
    /// `security.md` §2.9 for the form and the week; the cap on drift is closer than there (decision 0071).
    pub fn updated(&self, enrolled: &Self, probe: &Probe, elapsed: Duration) -> Result<Self, UpdateError> {
        if self.model != enrolled.model || self.model != probe.model {
            return Err(UpdateError::ModelMismatch);
        }
        if elapsed < LEAST_ELAPSED {
            return Err(UpdateError::TooSoon);
        }
        if self.vector.cosine(&probe.vector) < LEAST_ALIKE {
            return Err(UpdateError::TooDifferent);
        }
        let mut sum = Zeroizing::new([0.0_f64; DIMENSION]);
        for ((to, old), new) in sum.iter_mut().zip(self.vector.iter()).zip(probe.vector.iter()) {
            *to = (1.0 - SHARE) * f64::from(old) + SHARE * f64::from(new);
        }
        let norm = norm_of(sum.iter().copied());
        if norm < MIN_NORM {
            return Err(UpdateError::TooDifferent);
        }
        sum.iter_mut().for_each(|v| *v /= norm);
        let vector = FixedVector::from_unit(&sum);
        if vector.cosine(&enrolled.vector) < MOST_DRIFT {
            return Err(UpdateError::Drifted);
        }
        Ok(Self { vector, model: self.model, captures: self.captures })
    }
}

/// Why a reference was not updated. None of these is a fault: the reference stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// Less than a week since the last update.
    #[error("the template was updated less than a week ago")]
    TooSoon,
    /// A probe that opened the vault, but by too little to learn from.
    #[error("the face is too different from the template to learn from")]
    TooDifferent,
    /// All updates together would have gone too far: the person should enrol anew.
    #[error("the template has come as far from its enrolment as it may")]
    Drifted,
    /// Vectors of different embedders.
    #[error("probe and template were made with different models")]
    ModelMismatch,
}

/// At most one update in this time.
pub const LEAST_ELAPSED: Duration = Duration::from_secs(7 * 24 * 3600);
/// The cosine from which a probe is learnt from.
const LEAST_ALIKE: f64 = 0.60;
/// How much of the probe goes in.
const SHARE: f64 = 0.1;
/// The cosine to what was enrolled below which no update goes. At this angle, 25.8°, a face with nothing in common with the
/// enrolled one reaches a cosine of .436 with the updated reference whatever was slipped in: less than
/// [`crate::comparison::Threshold::DEFAULT`], and far less than what releases a key. At the .70 of `security.md` it could reach .714.
const MOST_DRIFT: f64 = 0.90;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::{Decision, Threshold, compare};
    use crate::template::{Embedding, ModelId};

    const WEEK: Duration = LEAST_ELAPSED;

    fn model() -> ModelId {
        ModelId::new([7; 32])
    }

    /// A unit vector in the plane of two directions, so many degrees from the first.
    fn at(degrees: f64) -> Vec<f32> {
        let (sine, cosine) = degrees.to_radians().sin_cos();
        (0..DIMENSION).map(|i| if i % 2 == 0 { cosine as f32 } else { sine as f32 }).collect()
    }

    fn probe(degrees: f64) -> Probe {
        Probe::from_frames(&[Embedding::from_output(&at(degrees), model()).unwrap()]).unwrap()
    }

    fn enrolled() -> Reference {
        Reference::fuse(&[Embedding::from_output(&at(0.01), model()).unwrap()]).unwrap()
    }

    #[test]
    fn attack_94_fifty_drifting_frames_of_somebody_else_do_not_take_a_template_over() {
        let original = enrolled();
        let mut current = enrolled();
        let (mut accepted, mut refused, mut angle) = (0, 0, 0.0_f64);
        for _ in 0..50 {
            // The best that an attacker can do: the probe farthest away that is still learnt from.
            match current.updated(&original, &probe(angle + 53.0), WEEK) {
                Ok(next) => {
                    angle = next.vector.cosine(&original.vector).clamp(-1.0, 1.0).acos().to_degrees();
                    current = next;
                    accepted += 1;
                }
                Err(error) => {
                    assert_eq!(error, UpdateError::Drifted);
                    refused += 1;
                }
            }
        }
        assert!(accepted > 2 && refused > 30, "{accepted} accepted, {refused} refused");
        assert!(original.vector.cosine(&current.vector) >= MOST_DRIFT);
        // The other person: at a right angle to the enrolled one.
        let stranger = compare(&probe(90.0), &current).unwrap();
        assert_eq!(Threshold::DEFAULT.decide(stranger), Decision::NonMatch);
        // The enrolled one is still let in.
        assert_eq!(Threshold::new(0.89).unwrap().decide(compare(&probe(0.01), &current).unwrap()), Decision::Match);
    }

    #[test]
    fn attack_94_no_second_update_within_a_week_and_none_by_a_probe_too_different() {
        let original = enrolled();
        let soon = WEEK - Duration::from_secs(1);
        assert_eq!(original.updated(&original, &probe(10.0), soon).err(), Some(UpdateError::TooSoon));
        assert!(original.updated(&original, &probe(10.0), WEEK).is_ok());
        assert!(original.updated(&original, &probe(53.0), WEEK).is_ok());
        assert_eq!(original.updated(&original, &probe(53.3), WEEK).err(), Some(UpdateError::TooDifferent));
        let other = Embedding::from_output(&at(5.0), ModelId::new([8; 32])).unwrap();
        let other = Probe::from_frames(&[other]).unwrap();
        assert_eq!(original.updated(&original, &other, WEEK).err(), Some(UpdateError::ModelMismatch));
    }

    #[test]
    fn an_update_goes_a_tenth_of_the_way_and_is_a_template_like_any_other() {
        let original = enrolled();
        let updated = original.updated(&original, &probe(30.0), WEEK).unwrap();
        let angle = updated.vector.cosine(&original.vector).acos().to_degrees();
        assert!((2.0..4.0).contains(&angle), "{angle}");
        assert!(compare(&probe(30.0), &updated).unwrap() > compare(&probe(30.0), &original).unwrap());
        assert_eq!(Reference::from_bytes(&updated.to_bytes()).unwrap().to_bytes(), updated.to_bytes());
        assert_eq!(updated.captures(), original.captures());
    }
}
