//! One copy of a credential: its bytes and the key it is bound to, used once.

use super::credential::{Credential, Format};
use super::{Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use credentials::signer::SoftwareKey;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// A copy, to be kept or taken out of the vault.
pub(crate) struct Copy {
    /// The key it is bound to.
    pub(crate) key: SoftwareKey,
    /// What the bytes are.
    pub(crate) format: Format,
    /// The credential as it was verified: the text of an SD-JWT VC, the `IssuerSigned` of a document.
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl Copy {
    /// The credential, opened again; `None` when the bytes are none.
    pub(crate) fn reopen(&self) -> Option<Credential> {
        Credential::reopen(self.format, &self.bytes)
    }
}

impl Holdings<'_> {
    /// Keeps a copy: its format in one byte, scalar, bytes.
    pub(crate) fn keep_copy(&mut self, copy: &Copy, rng: &mut dyn CryptoRng) -> Result<RecordId, HoldingsError> {
        let Copy { key, format, bytes: content } = copy;
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SCALAR_LEN + content.len()));
        bytes.push(match format {
            Format::SdJwtVc => SD_JWT_VC,
            Format::Mdoc => MDOC,
        });
        bytes.extend_from_slice(&*key.scalar().map_err(|_| HoldingsError::Unwritable)?);
        bytes.extend_from_slice(content);
        Ok(self.records.put(RecordKind::COPY, None, &bytes, rng)?)
    }

    pub(crate) fn copy(&self, id: RecordId) -> Result<Copy, HoldingsError> {
        let bytes = self.records.read(id)?;
        read(&bytes).ok_or(HoldingsError::Unreadable(id))
    }
}

fn read(bytes: &[u8]) -> Option<Copy> {
    let (first, rest) = bytes.split_first()?;
    let format = match *first {
        SD_JWT_VC => Format::SdJwtVc,
        MDOC => Format::Mdoc,
        _ => return None,
    };
    let (scalar, content) = rest.split_first_chunk::<SCALAR_LEN>()?;
    let key = SoftwareKey::from_scalar(scalar).ok()?;
    Some(Copy { key, format, bytes: Zeroizing::new(content.to_vec()) })
}

impl fmt::Debug for Copy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, format, bytes: _ } = self;
        f.debug_struct("Copy").field("format", format).finish_non_exhaustive()
    }
}

/// The first byte of a record: what the bytes after the scalar are. An unknown one is a newer version's.
const SD_JWT_VC: u8 = 1;
const MDOC: u8 = 2;
const SCALAR_LEN: usize = 32;
