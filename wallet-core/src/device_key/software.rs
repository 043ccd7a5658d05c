//! The software store: device key and ledger in one file, for servers and tests, and where there is no better.
//!
//! `AMPK`, version u16, `KD[32]`, ledger. Whoever copies this file has the device key; and whoever puts back an older
//! copy of it together with the older vault has turned back both. `docs/threat-model.md` says so.

use crate::device_key::{DeviceKey, DeviceKeyError, DeviceMac, DeviceStore, Ledger};
use crate::fields::Fields;
use crate::secret::PurposeKey;
use crate::vault::kdf;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"AMPK";
const VERSION: u16 = 1;

/// A device key in memory, and its ledger: what `--device-key FILE` holds.
#[derive(Debug)]
pub struct SoftwareStore {
    key: SoftwareKey,
    ledger: Ledger,
}

struct SoftwareKey(PurposeKey);

impl SoftwareStore {
    /// A new device key that serves no vault yet.
    ///
    /// # Errors
    /// None in software; the type is that of every device key.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, DeviceKeyError> {
        let key = SoftwareKey(PurposeKey::generate(rng));
        let ledger = Ledger::empty(&key)?;
        Ok(Self { key, ledger })
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`StoreError::NotAStore`] if it is another file, or damaged beyond its entries.
    pub fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut fields = Fields::new(bytes);
        let known = fields.array::<4>().as_ref() == Some(MAGIC) && fields.u16() == Some(VERSION);
        let secret = Zeroizing::new(fields.array::<32>().filter(|_| known).ok_or(StoreError::NotAStore)?);
        let key = SoftwareKey(PurposeKey::fill_with(|out| out.copy_from_slice(&secret[..])));
        let ledger = Ledger::parse(fields.rest(), &key).map_err(|DeviceKeyError| StoreError::NotAStore)?;
        Ok(Self { key, ledger })
    }
}

impl DeviceStore for SoftwareStore {
    fn split(&mut self) -> (&dyn DeviceKey, &mut Ledger) {
        (&self.key, &mut self.ledger)
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let ledger = self.ledger.to_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 + 2 + 32 + ledger.len()));
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_be_bytes());
        bytes.extend(self.key.0.bytes());
        bytes.extend(ledger);
        bytes
    }
}

impl DeviceKey for SoftwareKey {
    fn mac(&self, message: &[&[u8]]) -> Result<DeviceMac, DeviceKeyError> {
        Ok(DeviceMac::from_bytes(kdf::hmac(self.0.bytes(), message)))
    }
}

impl fmt::Debug for SoftwareKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("SoftwareKey").finish_non_exhaustive()
    }
}

/// Why a file is no device key. Before a vault is open this is one more `unavailable` to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another file, or a damaged one.
    #[error("this file is not a device key")]
    NotAStore,
}
