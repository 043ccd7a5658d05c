//! The service's memory: one SQLite file with transactions, ciphertext, status lists, anchors and the audit. No key, no claim.

mod anchors;
mod audit;
mod guarded;
mod knowledge;
mod rows;
mod statuses;
mod time;
mod transactions;
mod trust_lists;

pub(super) use anchors::StoredAnchor;
pub(super) use audit::AuditLine;
pub(super) use guarded::{ConsentFacts, StoredGuard};
pub(super) use knowledge::{StoredIssuer, StoredType};
pub(super) use statuses::StoredList;
pub(super) use transactions::{Progress, TransactionRow};
pub(super) use trust_lists::StoredTrustList;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Why the store could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is none.
    #[error("there is no verifier in {}", .0.display())]
    Missing(PathBuf),
    /// Made by a newer version.
    #[error("the store was made by a newer version of this program")]
    Newer,
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// Another process holds it for too long.
    #[error("the store is busy")]
    Busy,
    /// It is not a store of ours, or it is damaged.
    #[error("the store is damaged")]
    Damaged,
    /// A file of it could not be made.
    #[error("a file of the store cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// Anything else.
    #[error("the store failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Self::Damaged,
            _ => Self::Sqlite(error),
        }
    }
}

/// The store. Cheap calls, one at a time; several processes may have it open.
#[derive(Debug)]
pub(super) struct Store(Mutex<Connection>);

const FILE: &str = "verifier.db";
const VERSION: i64 = CHANGES.len() as i64 + 1;

const SCHEMA: &str = "
CREATE TABLE transactions (
    id TEXT PRIMARY KEY, request_handle TEXT UNIQUE, response_handle TEXT UNIQUE, nonce TEXT, state_text TEXT,
    client_id TEXT NOT NULL, query TEXT NOT NULL, purpose TEXT NOT NULL, retention INTEGER NOT NULL, consent TEXT NOT NULL,
    proposal TEXT, response_mode TEXT NOT NULL, unknown_status TEXT NOT NULL, made_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, progress TEXT NOT NULL, taken_at INTEGER, unreadable INTEGER NOT NULL DEFAULT 0,
    error_code TEXT, error_message TEXT, go_on TEXT, response_code BLOB, registration TEXT, issuer_algorithms TEXT
) STRICT;
CREATE INDEX transactions_by_progress ON transactions (progress, expires_at);
CREATE TABLE guarded (
    id TEXT PRIMARY KEY REFERENCES transactions (id) ON DELETE CASCADE, basis TEXT NOT NULL, purposes TEXT NOT NULL,
    received INTEGER NOT NULL, ends_at INTEGER NOT NULL, uses INTEGER, uses_left INTEGER, consent_id TEXT,
    consent_ends_at INTEGER, consent_retention INTEGER, wrapped_key BLOB, sealed BLOB
) STRICT;
CREATE INDEX guarded_by_end ON guarded (ends_at) WHERE sealed IS NOT NULL;
CREATE TABLE consents (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT;
CREATE TABLE status_lists (
    uri TEXT PRIMARY KEY, token TEXT, issued_at INTEGER, fetched_at INTEGER, refresh_at INTEGER NOT NULL,
    generation INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE aggregations (uri TEXT PRIMARY KEY, refresh_at INTEGER NOT NULL) STRICT;
CREATE TABLE anchors (sha256 BLOB PRIMARY KEY, pem TEXT NOT NULL, added_at INTEGER NOT NULL, limits TEXT) STRICT;
CREATE TABLE trust_lists (
    n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, address TEXT, signers TEXT NOT NULL,
    token TEXT NOT NULL, sequence INTEGER NOT NULL, sha256 BLOB NOT NULL, fetched_at INTEGER NOT NULL,
    refresh_at INTEGER NOT NULL, trouble TEXT
) STRICT;
CREATE TABLE audit (
    n INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, id TEXT NOT NULL, event TEXT NOT NULL, actor TEXT NOT NULL,
    purpose TEXT NOT NULL
) STRICT;
CREATE TABLE clock (one INTEGER PRIMARY KEY CHECK (one = 1), highest INTEGER NOT NULL) STRICT;
";

/// What is looked up beforehand: types, and issuers known by their names.
const KNOWLEDGE: &str = "
CREATE TABLE type_sources (url TEXT PRIMARY KEY, refresh_at INTEGER NOT NULL) STRICT;
CREATE TABLE types (vct TEXT PRIMARY KEY, document BLOB NOT NULL, source TEXT, fetched_at INTEGER NOT NULL) STRICT;
CREATE TABLE issuers (
    iss TEXT PRIMARY KEY, keys BLOB NOT NULL, limits TEXT, fetched_at INTEGER NOT NULL, until INTEGER NOT NULL,
    refresh_at INTEGER NOT NULL
) STRICT;
CREATE TABLE knowledge (one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL) STRICT;
INSERT INTO knowledge (one, generation) VALUES (1, 0);
";

/// What the first version had not, what the second, and so on.
const CHANGES: &[&str] = &[
    "ALTER TABLE anchors ADD COLUMN limits TEXT;",
    "ALTER TABLE transactions ADD COLUMN go_on TEXT; ALTER TABLE transactions ADD COLUMN response_code BLOB;",
    "CREATE TABLE aggregations (uri TEXT PRIMARY KEY, refresh_at INTEGER NOT NULL) STRICT;",
    "CREATE TABLE trust_lists (
        n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, address TEXT, signers TEXT NOT NULL,
        token TEXT NOT NULL, sequence INTEGER NOT NULL, sha256 BLOB NOT NULL, fetched_at INTEGER NOT NULL,
        refresh_at INTEGER NOT NULL, trouble TEXT
    ) STRICT;",
    "ALTER TABLE transactions ADD COLUMN registration TEXT;",
    KNOWLEDGE,
    "ALTER TABLE transactions ADD COLUMN issuer_algorithms TEXT;",
];

/// Which version of the schema stands in the file.
fn version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

impl Store {
    /// Makes a new, empty store in `data`.
    pub(super) fn create(data: &Path) -> Result<(), StoreError> {
        let path = data.join(FILE);
        // Made here and not by SQLite, so that it is its owner's alone from the first byte; its companions inherit the mode.
        drop(super::key_files::private_file(&path)?);
        let connection = Self::connect(&path)?;
        connection.execute_batch(&format!("BEGIN; {SCHEMA} {KNOWLEDGE} PRAGMA user_version = {VERSION}; COMMIT;"))?;
        Ok(())
    }

    /// Opens the store in `data`.
    pub(super) fn open(data: &Path) -> Result<Self, StoreError> {
        let path = data.join(FILE);
        if !path.is_file() {
            return Err(StoreError::Missing(data.to_owned()));
        }
        let mut connection = Self::connect(&path)?;
        if (1..VERSION).contains(&version(&connection)?) {
            // Looked at again when nobody else can write: two processes may open an older store at once.
            let change = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (done, sql) in (1..).zip(CHANGES) {
                if version(&change)? == done {
                    change.execute_batch(&format!("{sql} PRAGMA user_version = {};", done + 1))?;
                }
            }
            change.commit()?;
        }
        match version(&connection)? {
            VERSION => Ok(Self(Mutex::new(connection))),
            version if version > VERSION => Err(StoreError::Newer),
            _ => Err(StoreError::Damaged),
        }
    }

    fn connect(path: &Path) -> Result<Connection, StoreError> {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        // FULL: what was said to be durable (a spent nonce, an audit entry) is. Deleted content is overwritten.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON;",
        )?;
        Ok(connection)
    }

    /// The connection. A thread that panicked while it held it left at most an open transaction, which was rolled back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` in one transaction that writes from its beginning, so that no other process comes in between.
    fn write<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&transaction)?;
        transaction.commit()?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests;
