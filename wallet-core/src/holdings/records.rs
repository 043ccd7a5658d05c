//! Where the records come from: the port that an open vault serves.

use crate::vault::{OpenVault, RecordError, RecordId, RecordKind};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// The records of one open vault, and what else of it the ceremonies need.
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

    /// The secret that withdraws the consent with this identifier.
    fn consent_secret(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]>;

    /// The head of the history's chain.
    fn log_head(&self) -> [u8; 32];

    /// The head that follows `head` when `line` is added.
    fn log_link(&self, head: &[u8; 32], line: &[u8]) -> [u8; 32];

    /// Adds a line to the history's chain.
    ///
    /// # Errors
    /// [`RecordError::ReadOnly`].
    fn extend_log(&mut self, line: &[u8]) -> Result<(), RecordError>;
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

    fn log_head(&self) -> [u8; 32] {
        Self::log_head(self)
    }

    fn log_link(&self, head: &[u8; 32], line: &[u8]) -> [u8; 32] {
        Self::log_link(self, head, line)
    }

    fn extend_log(&mut self, line: &[u8]) -> Result<(), RecordError> {
        Self::extend_log(self, line).map(drop)
    }
}
