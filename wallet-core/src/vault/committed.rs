//! AES-256-GCM that is committed to its key: one key, one message, and no second key opens it.
//!
//! AES-GCM alone lets one ciphertext open under two chosen keys. So each message has its own key, derived together
//! with 32 bytes that only that derivation gives; they are stored beside the ciphertext and compared first.
//!
//! # Source
//! `security.md` §1.3; Bellare and Hoang, "Efficient Schemes for Committing Authenticated Encryption", EUROCRYPT 2022
//! (UtC); NIST SP 800-38D.

use crate::vault::layout::TAG_LEN;
use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// Key, commitment and nonce for one message, in the 76 bytes that HKDF gave.
pub(crate) struct MessageKey(Zeroizing<[u8; 76]>);

impl MessageKey {
    pub(crate) const fn from_okm(okm: Zeroizing<[u8; 76]>) -> Self {
        Self(okm)
    }

    /// A key that is nobody's, to be overwritten by [`MessageKey::assign_if`].
    pub(crate) fn nobodys() -> Self {
        Self(Zeroizing::new([0; 76]))
    }

    /// Becomes `other` if `choice`, in constant time.
    pub(crate) fn assign_if(&mut self, other: &Self, choice: Choice) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(mine, theirs)| mine.conditional_assign(theirs, choice));
    }

    fn part<const N: usize>(&self, at: usize) -> Zeroizing<[u8; N]> {
        let mut part = Zeroizing::new([0; N]);
        self.0.iter().skip(at).zip(part.iter_mut()).for_each(|(byte, out)| *out = *byte);
        part
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.part::<32>(0)).into())
    }

    /// What is stored beside the ciphertext.
    pub(crate) fn commitment(&self) -> [u8; 32] {
        *self.part(32)
    }

    fn nonce(&self) -> [u8; 12] {
        *self.part(64)
    }

    /// Whether the stored commitment is this key's, in constant time.
    pub(crate) fn committed(&self, stored: &[u8; 32]) -> Choice {
        self.commitment().ct_eq(stored)
    }

    /// Encrypts in place; once only, for `self` is gone afterwards.
    pub(crate) fn seal(self, aad: &[u8], message: &mut [u8]) -> Result<[u8; TAG_LEN], SealError> {
        let tag =
            self.cipher().encrypt_inout_detached(&self.nonce().into(), aad, message.into()).map_err(|_| SealError)?;
        Ok(tag.into())
    }

    /// Compares the commitment, then decrypts in place; on failure `message` is still ciphertext.
    pub(crate) fn open(
        self,
        stored: &[u8; 32],
        aad: &[u8],
        message: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Forged> {
        if !bool::from(self.committed(stored)) {
            return Err(Forged);
        }
        let opened = self.cipher().decrypt_inout_detached(&self.nonce().into(), aad, message.into(), tag.into());
        opened.map_err(|_| Forged)
    }
}

/// The message is longer than AES-GCM can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is longer than AES-GCM can take")]
pub struct SealError;

/// The ciphertext is not what was sealed under this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Forged;

#[cfg(test)]
mod tests;
