//! A vault that opens with PIN and device key, and then asks for a finger.

use super::{CreateError, Created, Parts, make};
use crate::device_key::DeviceStore;
use crate::secret::Pin;
use crate::unlock::{Clock, Factors};
use crate::vault::params::Argon2Cost;
use crate::vault::record::RecordKind;
use biometrics::comparison::{Decision, Threshold};
use biometrics::finger::{FingerProbe, FingerReference, FingerTemplate, MAX_IMPRESSIONS, compare};
use biometrics::template::ModelId;
use rand_core::CryptoRng;

/// The shortest PIN of a vault that asks for a finger: the finger adds nothing against whoever changes the program.
pub const MIN_FINGER_PIN_CHARACTERS: usize = 6;
/// Fewer impressions of a finger are not enrolled: whether they are of one finger could not be seen.
pub const MIN_IMPRESSIONS: usize = 2;
/// Impressions that we ask for.
pub const RECOMMENDED_IMPRESSIONS: usize = 3;

/// In the place of a face's model: no face is ever compared with this vault.
const NO_FACE: ModelId = ModelId::new(*b"amparo/v1/finger\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");

/// What a new vault that asks for a finger is made of.
#[derive(Debug)]
pub struct NewFingerVault<'a> {
    /// The enrolled finger: [`MIN_IMPRESSIONS`] or more, each like one of the others.
    pub impressions: &'a [FingerTemplate],
    /// At least [`MIN_FINGER_PIN_CHARACTERS`]; all protection comes from it and the device key.
    pub pin: &'a Pin,
    /// What each attempt costs.
    pub cost: Argon2Cost,
}

/// Makes a vault and enters it in the store. The impressions lie in it as records, under the vault's own key, which PIN and
/// device key give; no key comes from the finger.
///
/// # Errors
/// [`CreateError`]; the store is unchanged then.
///
/// # Source
/// `security.md` §2.10 (match-then-release, not a fuzzy vault of one finger); decision 0116.
pub fn create_with_finger<S: DeviceStore + ?Sized, R: CryptoRng + ?Sized>(
    new: &NewFingerVault<'_>,
    store: &mut S,
    clock: Clock,
    rng: &mut R,
) -> Result<Created, CreateError> {
    let NewFingerVault { impressions, pin, cost } = new;
    if pin.characters() < MIN_FINGER_PIN_CHARACTERS {
        return Err(CreateError::PinTooShort { least: MIN_FINGER_PIN_CHARACTERS });
    }
    if !(MIN_IMPRESSIONS..=MAX_IMPRESSIONS).contains(&impressions.len()) {
        return Err(CreateError::Impressions { least: MIN_IMPRESSIONS, most: MAX_IMPRESSIONS, got: impressions.len() });
    }
    if let Some(number) = stranger(impressions) {
        return Err(CreateError::ImpressionsDisagree { number: number + 1 });
    }
    let parts = Parts {
        pin: Some(*pin),
        cost: *cost,
        model: NO_FACE,
        face: None,
        factors: Factors::FingerAndPin,
        records: impressions.iter().map(|impression| (RecordKind::FINGER, impression.to_bytes())).collect(),
    };
    make(&parts, store, clock, rng)
}

/// The first impression that nothing leads to from the very first, by likeness from one to the next: two fingers enrolled as one
/// would open for either.
fn stranger(impressions: &[FingerTemplate]) -> Option<usize> {
    let alike = |one: &FingerTemplate, other: &FingerTemplate| {
        let reference = FingerReference::enrol([other]);
        let score = reference.map(|reference| compare(&FingerProbe::new(one), &reference));
        score.is_ok_and(|score| score.is_ok_and(|score| Threshold::FINGER.decide(score) == Decision::Match))
    };
    let (mut reached, mut left): (Vec<usize>, Vec<usize>) = (vec![0], (1..impressions.len()).collect());
    let mut next = 0;
    while let Some(from) = reached.get(next).and_then(|i| impressions.get(*i)) {
        let (found, still): (Vec<usize>, Vec<usize>) =
            left.into_iter().partition(|i| impressions.get(*i).is_some_and(|to| alike(from, to) || alike(to, from)));
        reached.extend(found);
        left = still;
        next += 1;
    }
    left.first().copied()
}
