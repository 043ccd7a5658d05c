//! Key release: a secret that only the right face gives back, and no boolean that could be patched.
//!
//! [`seal`] hides a random [`Message`] behind the sign bits of a secretly transformed reference (a fuzzy commitment with a
//! polar code); [`release`] decodes a probe into sixteen candidate messages. It does *not* say whether one of them is right:
//! only the caller can find out, by trying each against a key commitment, all sixteen, in constant time.
//!
//! What this does **not** give: a face is no secret. Helper data and transform seed must both be hidden under the device
//! key and the PIN (the caller's one-time pad); who holds them and a photograph of the person has the message. Neither
//! reliabilities nor magnitudes may ever be stored beside the helper data: with them the message comes out with no face.
//!
//! # Source
//! The parts and their measurements: decision 0006 and `docs/biometric-evaluation.md`. Fuzzy commitment: Juels and
//! Wattenberg, CCS 1999. Renewability and unlinkability: ISO/IEC 24745.

pub mod audit;
mod bits;
mod construction;
mod frozen;
mod polar;
mod transform;

use std::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::template::{FixedVector, Probe, Reference};
use bits::{CODE_BYTES, MESSAGE_BYTES};
pub use construction::derive_information_set;
pub use frozen::{INFORMATION_SET, PolarIndex};
pub use polar::CANDIDATES;

/// Hides `message` behind the enrolled face: the codeword of the message, xored with the transformed reference's signs.
///
/// `seed` and `message` must be fresh for each enrolment, and the result must be one-time-padded before it is stored.
#[must_use]
pub fn seal(reference: &Reference, seed: &TransformSeed, message: &Message) -> HelperData {
    let signs = signs_of(reference.vector(), seed);
    let mut helper = polar::encode(&message.0);
    for (to, from) in helper.iter_mut().zip(signs.iter()) {
        *to ^= from;
    }
    HelperData(helper)
}

/// Decodes a probe into the sixteen messages it is most likely to have sealed, best first.
///
/// Always sixteen, for every probe and every helper data, by the same amount of work: whether the face was right shows only
/// in whether one of them opens what the caller keeps. The probe's and the reference's model are *not* compared here.
/// Integers throughout: the same candidates on every machine.
#[must_use]
#[inline(never)]
pub fn release(probe: &Probe, seed: &TransformSeed, helper: &HelperData) -> [Message; CANDIDATES] {
    let transformed = transform::apply(probe.vector(), seed.as_bytes());
    let ratios = polar::likelihood_ratios(&transformed, &helper.0);
    polar::decode(&ratios).map(Message)
}

fn signs_of(vector: &FixedVector, seed: &TransformSeed) -> Zeroizing<[u8; CODE_BYTES]> {
    bits::signs(&transform::apply(vector, seed.as_bytes()))
}

/// What a right face gives back: 12 secret bytes, wiped on drop.
///
/// Nominally 96 bits. Against someone without a photograph the measured error rates support 8 to 15; against someone with
/// one, none (`docs/biometric-evaluation.md`). Never count it as more.
pub struct Message(Box<Zeroizing<[u8; MESSAGE_BYTES]>>);

impl Message {
    /// Length in bytes.
    pub const LENGTH: usize = MESSAGE_BYTES;

    /// Draws a fresh message.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut message = Self(Box::new(Zeroizing::new([0; MESSAGE_BYTES])));
        rng.fill_bytes(message.0.as_mut_slice());
        message
    }

    /// A message with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; MESSAGE_BYTES]) -> Self {
        let mut message = Self(Box::new(Zeroizing::new([0; MESSAGE_BYTES])));
        message.0.copy_from_slice(bytes);
        message
    }

    /// The bytes: input of a key derivation. Compare them with `subtle` only.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; MESSAGE_BYTES] {
        &self.0
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("Message").finish_non_exhaustive()
    }
}

/// The secret that makes one enrolment's transform different from every other's. Wiped on drop.
pub struct TransformSeed(Zeroizing<[u8; 32]>);

impl TransformSeed {
    /// A seed with these bytes: derived from device key and PIN, fresh for each enrolment.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// Draws a fresh seed.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        rng.fill_bytes(bytes.as_mut_slice());
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TransformSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("TransformSeed").finish_non_exhaustive()
    }
}

/// What [`release`] needs beside face and seed. Not random-looking to those who know faces: pad it before storing. Wiped
/// on drop.
pub struct HelperData(Zeroizing<[u8; CODE_BYTES]>);

impl HelperData {
    /// Length in bytes.
    pub const LENGTH: usize = CODE_BYTES;

    /// Helper data with these bytes. Any bytes are well-formed: a wrong PIN must not show here.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; CODE_BYTES]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes, to be padded.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; CODE_BYTES] {
        &self.0
    }
}

impl fmt::Debug for HelperData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("HelperData").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
