//! What the vault keeps: credentials in batches of once-only copies, trust anchors, settings, consents and history.
//!
//! [`Holdings`] is a view on the records of an open vault. Nothing is decrypted before it is asked for, and nothing
//! stands on disk before the vault is saved: what a ceremony changed and must not be lost comes wrapped in
//! [`Unsaved`].

mod anchors;
mod batch;
mod copy;
mod credential;
#[cfg(test)]
mod in_a_vault;
mod records;
mod settings;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trust_lists;
mod types;

pub use batch::{CredentialId, Held, Standing};
pub(crate) use batch::{NewBatch, label};
pub(crate) use copy::Copy;
pub use credential::{Credential, Format};
pub use records::Records;
pub use settings::Settings;

use crate::fault::{Blame, Fault};
use crate::vault::{RecordError, RecordId, RecordKind};
use credentials::trust::AnchorError;
use credentials::trust::list::TrustListError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A view on the records of an open vault.
pub struct Holdings<'v> {
    pub(crate) records: &'v mut dyn Records,
}

impl<'v> Holdings<'v> {
    /// The holdings of an open vault.
    pub fn of(records: &'v mut dyn Records) -> Self {
        Self { records }
    }

    /// Reads a record of ours.
    pub(crate) fn parse<T: DeserializeOwned>(&self, id: RecordId) -> Result<T, HoldingsError> {
        let bytes = self.records.read(id)?;
        serde_json::from_slice(&bytes).map_err(|_| HoldingsError::Unreadable(id))
    }

    /// Writes a record of ours.
    pub(crate) fn write<T: Serialize>(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        value: &T,
        rng: &mut dyn rand_core::CryptoRng,
    ) -> Result<RecordId, HoldingsError> {
        let bytes = zeroize::Zeroizing::new(serde_json::to_vec(value).map_err(|_| HoldingsError::Unwritable)?);
        Ok(self.records.put(kind, id, &bytes, rng)?)
    }
}

/// Something that must not be used before the vault's changes stand on disk.
///
/// A crash between using it and saving would undo the change: a copy of a credential could be shown twice.
#[derive(Debug)]
#[must_use = "save the vault, then take out what is inside"]
pub struct Unsaved<T>(T);

impl<T> Unsaved<T> {
    pub(crate) const fn new(inner: T) -> Self {
        Self(inner)
    }

    /// What is inside. Call this only when all that `OpenVault::save` planned stands on disk.
    pub fn saved(self) -> T {
        self.0
    }
}

/// Why something could not be kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldingsError {
    // The vault's fault.
    /// The vault could not read or write a record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A record is sound, but says nothing that this version understands.
    #[error("record {0} is of a kind that this version does not understand")]
    Unreadable(RecordId),
    /// Something cannot be written as a record.
    #[error("something cannot be written as a record")]
    Unwritable,

    // The caller's fault.
    /// No credential of that name.
    #[error("there is no credential {0}")]
    UnknownCredential(CredentialId),
    /// Not a trust anchor.
    #[error("not a trust anchor: {0}")]
    Anchor(#[from] AnchorError),
    /// Nobody was named who signs the list.
    #[error("this trust list is not here yet, and nobody was named who signs it")]
    NoListSigner,

    // The other side's fault.
    /// A trust list does not hold.
    #[error(transparent)]
    TrustList(#[from] TrustListError),
    /// Somebody else was named for the list before.
    #[error("other authorities were named before for the trust list {0}")]
    OtherAuthorities(String),
}

impl Blame for HoldingsError {
    fn fault(&self) -> Fault {
        match self {
            Self::Record(_) | Self::Unreadable(_) | Self::Unwritable => Fault::Storage,
            Self::UnknownCredential(_) | Self::Anchor(_) | Self::NoListSigner => Fault::Input,
            Self::TrustList(_) | Self::OtherAuthorities(_) => Fault::Peer,
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::Record(RecordError::ReadOnly) => "use the version that wrote the vault, or a newer one",
            Self::Record(RecordError::Full) => "make room: forget a credential that is no longer needed",
            Self::Record(_) | Self::Unwritable => {
                "the other records are not affected: ask the issuer for a new copy of what is damaged"
            }
            Self::Unreadable(_) => "use the version that wrote the vault, or a newer one",
            Self::UnknownCredential(_) => "`amparo list` shows the ids of what is held",
            Self::NoListSigner => "say who signs it: --list-signer ANCHOR, which you had by a way you trust",
            Self::TrustList(_) => "what was taken before stays; ask the list's authority for its newest list",
            Self::OtherAuthorities(_) => "do not rely on it; ask the authority that you know",
            Self::Anchor(_) => {
                "a trust anchor is the PEM file of a certificate authority, such as an issuer's trust-anchor.pem"
            }
        }
    }
}
