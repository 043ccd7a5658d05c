//! Guarded storage: what was received can be opened only for its purpose, only until its consent ends.
//!
//! A [`Guarded`] value is ciphertext. Its data key is wrapped by a [`KeyEncryptionKey`] of its own, which lives
//! elsewhere and is destroyed when the consent ends; from then on nobody can open it, a backup of the ciphertext included.
//! The terms are authenticated with it: whoever edits the stored end, purposes or uses gets nothing.
//!
//! It gives accountability, not protection from a dishonest verifier, who can always copy what the screen shows.

mod key;
mod ledger;
mod open;
mod seal;
mod terms;

pub use key::KeyEncryptionKey;
pub use ledger::{Actor, Admitted, AuditEntry, AuditEvent, Ledger};
pub use open::{OpenError, View};
pub use terms::{Basis, MAX_RETENTION, RecordId, Terms};

use rand_core::CryptoRng;
use std::fmt;
use std::marker::PhantomData;
use zeroize::Zeroizing;

/// What can be put under guard.
pub trait Content: Sized {
    /// As bytes, for sealing only.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;

    /// From the bytes that [`Content::to_bytes`] wrote; `None` when they are not that.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// A `T` under guard.
///
/// # Source
/// `security.md` §4.2 "Enforcement at the verifier".
pub struct Guarded<T> {
    terms: Terms,
    wrapped_key: Vec<u8>,
    sealed: Vec<u8>,
    content: PhantomData<fn() -> T>,
}

/// AES-GCM refused to seal: the content is longer than 64 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the content could not be sealed")]
pub struct SealError;

impl<T: Content> Guarded<T> {
    /// Puts `content` under guard of `terms`. Keep `key` where it can be destroyed, apart from the value.
    ///
    /// # Errors
    /// [`SealError`] if the cipher refuses.
    pub fn seal<R: CryptoRng + ?Sized>(
        content: &T,
        terms: Terms,
        key: &KeyEncryptionKey,
        rng: &mut R,
    ) -> Result<Self, SealError> {
        let mut data_key = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(data_key.as_mut_slice());
        let aad = terms.authenticated_bytes();
        let wrapped_key = seal::seal(key.expose(), seal::KEY_LABEL, &aad, data_key.as_slice(), rng).ok_or(SealError)?;
        let sealed = seal::seal(&data_key, seal::DATA_LABEL, &aad, &content.to_bytes(), rng).ok_or(SealError)?;
        Ok(Self { terms, wrapped_key, sealed, content: PhantomData })
    }

    /// A value as it was stored: its terms, the wrapped data key and the ciphertext.
    pub const fn from_stored(terms: Terms, wrapped_key: Vec<u8>, sealed: Vec<u8>) -> Self {
        Self { terms, wrapped_key, sealed, content: PhantomData }
    }

    /// The terms.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The wrapped data key, to be stored.
    pub fn wrapped_key(&self) -> &[u8] {
        &self.wrapped_key
    }

    /// The ciphertext, to be stored.
    pub fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    fn unseal(&self, key: &KeyEncryptionKey) -> Option<T> {
        let aad = self.terms.authenticated_bytes();
        let data_key = seal::open(key.expose(), seal::KEY_LABEL, &aad, &self.wrapped_key)?;
        let data_key: &[u8; 32] = data_key.as_slice().try_into().ok()?;
        T::from_bytes(&seal::open(data_key, seal::DATA_LABEL, &aad, &self.sealed)?)
    }
}

impl<T> fmt::Debug for Guarded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { terms, wrapped_key: _, sealed, content: _ } = self;
        f.debug_struct("Guarded").field("terms", terms).field("sealed", &sealed.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
