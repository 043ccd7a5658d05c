//! One copy of a credential: its text and the key it is bound to, used once.

use super::{Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// A copy to be kept.
pub(crate) struct NewCopy {
    /// The key it is bound to.
    pub(crate) key: SoftwareKey,
    /// The SD-JWT VC as issued.
    pub(crate) text: Zeroizing<String>,
}

/// A copy taken out of the vault.
pub(crate) struct Copy {
    /// The key it is bound to.
    pub(crate) key: SoftwareKey,
    /// The SD-JWT VC as issued.
    pub(crate) text: Zeroizing<String>,
}

impl Holdings<'_> {
    /// Keeps a copy: version, scalar, text.
    pub(crate) fn keep_copy(&mut self, copy: &NewCopy, rng: &mut dyn CryptoRng) -> Result<RecordId, HoldingsError> {
        let NewCopy { key, text } = copy;
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SCALAR_LEN + text.len()));
        bytes.push(VERSION);
        bytes.extend_from_slice(&*key.scalar().map_err(|_| HoldingsError::Unwritable)?);
        bytes.extend_from_slice(text.as_bytes());
        Ok(self.records.put(RecordKind::COPY, None, &bytes, rng)?)
    }

    pub(crate) fn copy(&self, id: RecordId) -> Result<Copy, HoldingsError> {
        let bytes = self.records.read(id)?;
        read(&bytes).ok_or(HoldingsError::Unreadable(id))
    }
}

fn read(bytes: &[u8]) -> Option<Copy> {
    let (VERSION, rest) = bytes.split_first().map(|(version, rest)| (*version, rest))? else { return None };
    let (scalar, text) = rest.split_first_chunk::<SCALAR_LEN>()?;
    let key = SoftwareKey::from_scalar(scalar).ok()?;
    Some(Copy { key, text: Zeroizing::new(std::str::from_utf8(text).ok()?.to_owned()) })
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, text: _ } = self;
        f.debug_struct("Copy").finish_non_exhaustive()
    }
}

impl fmt::Debug for NewCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, text: _ } = self;
        f.debug_struct("NewCopy").finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
const SCALAR_LEN: usize = 32;
