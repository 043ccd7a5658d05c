//! The image inside the outer stream: parameters, slots, compartments, at fixed places.

use crate::vault::layout::{COMPARTMENT_LEN, COMPARTMENTS_AT, IMAGE_LEN, PARAMS_LEN, SLOT_LEN, SLOTS};
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The bytes inside the outer stream; those of secrets are sealed again, each under its own key.
pub(crate) struct Image(Vec<u8>);

impl Image {
    /// `None` unless it is exactly as long as an image is.
    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == IMAGE_LEN).then_some(Self(bytes))
    }

    /// An image in which everything is unused, that is random.
    pub(crate) fn random<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut bytes = vec![0; IMAGE_LEN];
        fill_random(&mut bytes, rng);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn params(&self) -> &[u8] {
        self.0.get(..PARAMS_LEN).unwrap_or_default()
    }

    pub(crate) fn params_mut(&mut self) -> &mut [u8] {
        self.0.get_mut(..PARAMS_LEN).unwrap_or_default()
    }

    /// The eight slots, used or not.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &[u8; SLOT_LEN]> {
        self.0.get(PARAMS_LEN..COMPARTMENTS_AT).unwrap_or_default().as_chunks().0.iter()
    }

    pub(crate) fn slots_mut(&mut self) -> impl Iterator<Item = &mut [u8; SLOT_LEN]> {
        self.0.get_mut(PARAMS_LEN..COMPARTMENTS_AT).unwrap_or_default().as_chunks_mut().0.iter_mut().take(SLOTS)
    }

    /// The bytes of a compartment; empty if there is none of that number.
    pub(crate) fn compartment(&self, number: u8) -> &[u8] {
        let start = COMPARTMENTS_AT + usize::from(number) * COMPARTMENT_LEN;
        self.0.get(start..start + COMPARTMENT_LEN).unwrap_or_default()
    }

    pub(crate) fn compartment_mut(&mut self, number: u8) -> &mut [u8] {
        let start = COMPARTMENTS_AT + usize::from(number) * COMPARTMENT_LEN;
        self.0.get_mut(start..start + COMPARTMENT_LEN).unwrap_or_default()
    }
}

/// Overwrites with random bytes: a ChaCha20 key stream from a key that `rng` gives, for speed.
///
/// # Source
/// RFC 8439 §2.4.
pub(crate) fn fill_random<R: CryptoRng + ?Sized>(bytes: &mut [u8], rng: &mut R) {
    let mut seed = Zeroizing::new([0u8; 32]);
    rng.fill_bytes(&mut *seed);
    bytes.fill(0);
    // A fresh key each time, so the nonce may be fixed.
    ChaCha20::new((&*seed).into(), &[0; 12].into()).apply_keystream(bytes);
}
