//! Where the vault's records come from: the port that an open vault serves.

use crate::vault::OpenVault;
pub use crate::vault::{RecordError, RecordId, RecordIdError, RecordKind};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The records of one open vault.
///
/// An implementation keeps what was [`put`](Records::put) at once, in memory; it stands on disk after the next save.
pub trait Records {
    /// The names of all records of that kind.
    fn ids(&self, kind: RecordKind) -> Vec<RecordId>;

    /// Decrypts one record.
    ///
    /// # Errors
    /// [`RecordError`].
    fn read(&self, id: RecordId) -> Result<Zeroizing<Vec<u8>>, RecordError>;

    /// Writes a record, new or in place of the one with this name.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing has changed.
    fn put(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<RecordId, RecordError>;

    /// Drops a record and overwrites it.
    ///
    /// # Errors
    /// [`RecordError`].
    fn remove(&mut self, id: RecordId, rng: &mut dyn CryptoRng) -> Result<(), RecordError>;

    /// The secret that withdraws the consent with this identifier: `HMAC(K_cons, "amparo/v1/consent-rev" || id)`.
    ///
    /// # Source
    /// `security.md` §4.3.
    fn consent_secret(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]>;
}

impl Records for OpenVault {
    fn ids(&self, kind: RecordKind) -> Vec<RecordId> {
        self.records(kind).collect()
    }

    fn read(&self, id: RecordId) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        Self::read(self, id)
    }

    fn put(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<RecordId, RecordError> {
        Self::put(self, kind, id, data, rng)
    }

    fn remove(&mut self, id: RecordId, rng: &mut dyn CryptoRng) -> Result<(), RecordError> {
        Self::remove(self, id, rng)
    }

    fn consent_secret(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        Self::consent_secret(self, id)
    }
}
