//! Sealing what the store keeps under the secret that its owner holds, so that the store alone opens nothing.
//!
//! An offer's claims are sealed under its pre-authorized code, a token's under the token, and which status entries belong
//! together under the handle. The issuer keeps none of the three: a copy of the database, or a page that SQLite has freed
//! and not yet overwritten, holds no claim that can be read.

use crate::keys::{Keys, Purpose};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use zeroize::Zeroizing;

/// Why something sealed could not be opened, or could not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The ciphertext is not what was sealed under this secret.
    #[error("a sealed record does not open: the database or the key files are not those it was written with")]
    Broken,
    /// The plaintext is too long for the cipher.
    #[error("a record is too long to seal")]
    TooLong,
}

/// Seals `plaintext` under `secret`. A secret seals one record only, which is why the nonce can be fixed.
///
/// # Errors
/// [`SealError::TooLong`] beyond 64 GiB, which is the cipher's limit and never ours.
///
/// # Source
/// NIST SP 800-38D; the key is HMAC-SHA-256 over a label and the secret, under a key that is in no database.
pub fn seal(keys: &dyn Keys, purpose: Purpose, secret: &str, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
    cipher(keys, purpose, secret).encrypt(&NONCE.into(), payload(purpose, plaintext)).map_err(|_| SealError::TooLong)
}

/// Opens what [`seal`] sealed for the same purpose and secret.
///
/// # Errors
/// [`SealError::Broken`] if it is anything else.
pub fn open(keys: &dyn Keys, purpose: Purpose, secret: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    cipher(keys, purpose, secret)
        .decrypt(&NONCE.into(), payload(purpose, sealed))
        .map(Zeroizing::new)
        .map_err(|_| SealError::Broken)
}

const NONCE: [u8; 12] = [0; 12];

fn cipher(keys: &dyn Keys, purpose: Purpose, secret: &str) -> Aes256Gcm {
    let key = Zeroizing::new(*keys.fingerprint(purpose, &[secret.as_bytes()]).as_bytes());
    Aes256Gcm::new(&(*key).into())
}

const fn payload<'a>(purpose: Purpose, text: &'a [u8]) -> Payload<'a, 'static> {
    Payload { msg: text, aad: purpose.label().as_bytes() }
}
