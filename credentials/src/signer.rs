//! The port behind which private keys live, and the keys that live in memory.

use crate::key::{KeyError, PublicKey};
use aws_lc_rs::encoding::AsBigEndian as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// An ES256 signature: r and s, 32 bytes each, big-endian.
///
/// # Source
/// RFC 7518 §3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature([u8; 64]);

impl Signature {
    /// From r and s; whether they are in range is seen when it is verified.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// r and s.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

/// Why a key could not sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The holder of the key refused or failed: the software backend, or later a secure element, a token, a server.
    #[error("the key could not sign")]
    Unavailable,
}

/// Someone who can sign with ES256: a key in memory, or in hardware behind the same two calls.
pub trait Signer: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` with ES256; the hashing is the signer's.
    ///
    /// # Errors
    /// [`SignError`] when the key is out of reach.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// A P-256 private key in memory.
///
/// Wiped when dropped (the backend frees key memory by overwriting it). The nonce of each signature comes from the
/// backend's own generator: the one place in this crate that draws randomness (`docs/decisions/0002`).
pub struct SoftwareKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl SoftwareKey {
    /// Draws a new key from `rng`.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] when four draws in a row are no scalar: `rng` is broken.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, KeyError> {
        let mut scalar = Zeroizing::new([0; 32]);
        for _ in 0..4 {
            rng.fill_bytes(&mut scalar[..]);
            if let Ok(key) = Self::from_scalar(&scalar) {
                return Ok(key);
            }
        }
        Err(KeyError::Scalar)
    }

    /// From a big-endian scalar.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] when it is zero or not below the order.
    ///
    /// # Source
    /// RFC 5915 §3 for the structure in which the backend takes it.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        // SEQUENCE { INTEGER 1, OCTET STRING scalar, [0] OID prime256v1 }; the backend computes the public point.
        let mut der = Zeroizing::new([0; 51]);
        let (head, rest) = der.split_at_mut(7);
        let (middle, tail) = rest.split_at_mut(32);
        head.copy_from_slice(&[0x30, 49, 0x02, 1, 1, 0x04, 32]);
        middle.copy_from_slice(scalar);
        tail.copy_from_slice(&[0xa0, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]);
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der[..])
            .map_err(|_| KeyError::Scalar)?;
        let public = PublicKey::from_sec1(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// The scalar, to be sealed.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] when the backend does not give it, which it always does for a key made here.
    pub fn scalar(&self) -> Result<Zeroizing<[u8; 32]>, KeyError> {
        let bytes = self.pair.private_key().as_be_bytes().map_err(|_| KeyError::Scalar)?;
        let mut scalar = Zeroizing::new([0; 32]);
        if bytes.as_ref().len() != scalar.len() {
            return Err(KeyError::Scalar);
        }
        scalar.copy_from_slice(bytes.as_ref());
        Ok(scalar)
    }
}

impl Signer for SoftwareKey {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| SignError::Unavailable)?;
        signature.as_ref().try_into().map(Signature).map_err(|_| SignError::Unavailable)
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair: _, public } = self;
        f.debug_struct("SoftwareKey").field("public", public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
