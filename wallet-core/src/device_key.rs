//! The device key: a secret that stays on this device, and what must be remembered outside the vault's file.
//!
//! A port: the software store is [`SoftwareStore`]; a TPM or a phone's keystore computes the same MAC without giving
//! the key out, and keeps the same [`Ledger`].

mod ledger;
mod software;

pub use ledger::{Ledger, LedgerFull};
pub use software::{SoftwareStore, StoreError};

use std::fmt;
use zeroize::Zeroizing;

/// HMAC-SHA-256 under a key that never leaves the device (`KD`).
///
/// # Source
/// `security.md` §1.2; RFC 2104.
pub trait DeviceKey {
    /// MACs the parts one after the other.
    ///
    /// # Errors
    /// [`DeviceKeyError`] if the device does not answer.
    fn mac(&self, message: &[&[u8]]) -> Result<DeviceMac, DeviceKeyError>;
}

/// A device key together with the ledger it guards.
pub trait DeviceStore {
    /// The key and the ledger.
    fn split(&mut self) -> (&dyn DeviceKey, &mut Ledger);

    /// The bytes that must be on disk, by temporary file, fsync and rename, for what has happened so far to hold.
    fn to_bytes(&self) -> Zeroizing<Vec<u8>>;
}

/// What the device computed: secret, for keys come from it.
pub struct DeviceMac(Zeroizing<[u8; 32]>);

impl DeviceMac {
    /// From the 32 bytes of the MAC.
    pub const fn from_bytes(mac: Zeroizing<[u8; 32]>) -> Self {
        Self(mac)
    }

    pub(crate) fn into_bytes(self) -> Zeroizing<[u8; 32]> {
        self.0
    }
}

impl fmt::Debug for DeviceMac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("DeviceMac").finish_non_exhaustive()
    }
}

/// The device did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the device key does not answer")]
pub struct DeviceKeyError;
