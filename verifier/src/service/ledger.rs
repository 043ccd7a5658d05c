//! The ledger of guarded storage, kept in the store and in key files.

use super::key_files::{KeyFileError, KeyFiles, KeyKind};
use super::store::{Store, StoreError};
use crate::guarded::{Admitted, AuditEntry, KeyEncryptionKey, Ledger, RecordId};
use crate::time_floor::TimeFloor;
use schemas::Timestamp;

/// Why the records of guarded storage could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file.
    #[error(transparent)]
    Key(#[from] KeyFileError),
}

/// Store and key files as one ledger.
pub(super) struct DeskLedger<'a> {
    pub(super) store: &'a Store,
    pub(super) keys: &'a KeyFiles,
}

impl Ledger for DeskLedger<'_> {
    type Error = LedgerError;

    fn time_floor(&mut self, now: Timestamp) -> Result<TimeFloor, LedgerError> {
        Ok(self.store.time_floor(now)?)
    }

    fn key(&mut self, id: &RecordId) -> Result<Option<KeyEncryptionKey>, LedgerError> {
        Ok(self.keys.get(id, KeyKind::Guard)?.map(KeyEncryptionKey::from_bytes))
    }

    fn admit(&mut self, entry: &AuditEntry<'_>) -> Result<Admitted, LedgerError> {
        Ok(self.store.admit(entry)?)
    }

    fn record(&mut self, entry: &AuditEntry<'_>) -> Result<(), LedgerError> {
        Ok(self.store.record(entry)?)
    }

    fn record_end(&mut self, entry: &AuditEntry<'_>, end: Timestamp) -> Result<(), LedgerError> {
        self.store.note_end(entry, end)?;
        Ok(())
    }

    fn destroy_key(&mut self, id: &RecordId) -> Result<(), LedgerError> {
        Ok(self.keys.destroy(id, KeyKind::Guard)?)
    }
}
