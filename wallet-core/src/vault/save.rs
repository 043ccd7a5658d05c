//! How a save is carried out so that after a crash anywhere the old vault or the new one opens.

use crate::vault::committed::SealError;
use std::fmt;
use zeroize::Zeroizing;

/// What to write, in this order, each by temporary file (mode 0600), fsync, rename, fsync of the folder:
///
/// 1. [`SavePlan::store_before`] over the device-key file: it holds the old key and the new one;
/// 2. [`SavePlan::file`] over the vault;
/// 3. read the vault's place back and give it to [`crate::vault::OpenVault::confirm`], then write what that returns over
///    the device-key file: the old key is gone.
///
/// Stopped before 2, the old file opens; after it, the new one.
///
/// # Source
/// `security.md` §1.4.
#[must_use = "nothing is saved until it is written"]
pub struct SavePlan {
    pub(crate) store_before: Zeroizing<Vec<u8>>,
    pub(crate) file: Vec<u8>,
    pub(crate) epoch: u64,
}

impl SavePlan {
    /// The device-key file, to be written first.
    pub fn store_before(&self) -> &[u8] {
        &self.store_before
    }

    /// The vault's file, to be written second.
    pub fn file(&self) -> &[u8] {
        &self.file
    }
}

impl fmt::Debug for SavePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store_before: _, file: _, epoch: _ } = self;
        f.debug_struct("SavePlan").finish_non_exhaustive()
    }
}

/// Why a vault could not be saved. What was last in place is untouched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SaveError {
    /// A newer version wrote this vault and lets this one only read it.
    #[error("this vault was written by a newer version and can only be read by this one")]
    ReadOnly,
    /// The device key does not hold the key of the file that was opened.
    #[error("the vault was saved elsewhere since it was opened, or the device key is another")]
    Superseded,
    /// What was read back is not what was to be written.
    #[error("the file in place is not the one that was saved")]
    NotInPlace,
    /// Beyond what the cipher takes.
    #[error(transparent)]
    Seal(#[from] SealError),
}
