//! The store in one SQLite file: for one machine, safe against a second process on the same file.

#![allow(clippy::disallowed_methods, reason = "this adapter makes the database file")]

mod codes;
mod issuances;
mod lists;
mod offers;
mod pending;
mod renewals;
mod schema;

use super::{
    Awaited, Committed, Decision, Deferral, Exchange, Issuance, Lists, NewOffer, OfferRecord, PendingRecord, Pushed,
    Redemption, Renewal, RenewalRecord, RevokeError, Revoked, SignedList, Store, StoreError, TokenRecord,
    TransactionRecord, When,
};
use crate::grant::Verdict;
use crate::keys::Fingerprint;
use crate::status::{Entry, ListId};
use rand_core::CryptoRng;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};
use schemas::Timestamp;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

#[cfg(test)]
mod tests;

/// The database file, below the data directory.
pub const FILE: &str = "issuer.sqlite";

/// How long a call waits for another process.
const BUSY: Duration = Duration::from_secs(10);

/// A [`Store`] in an SQLite file.
///
/// Write-ahead log, full sync (a try that was counted stays counted after a power cut), and freed pages overwritten.
pub struct SqliteStore(Mutex<Connection>);

impl SqliteStore {
    /// Opens the file, and makes it with mode 0600 where it is absent.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened, or was written by a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        schema::bring_up(&mut connection)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Runs `work` in one transaction that holds the write lock from its start, so that what it reads stays true until
    /// it commits; an error rolls everything back.
    fn write<T, E: From<StoreError>>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        // A panic while the lock was held has rolled its transaction back on the way out; the connection is sound.
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let value = work(&transaction)?;
        transaction.commit().map_err(StoreError::from)?;
        Ok(value)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        work(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for SqliteStore {
    fn put_offer(&self, offer: &NewOffer) -> Result<(), StoreError> {
        self.write(|t| offers::put(t, offer))
    }

    fn offer(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<OfferRecord>, StoreError> {
        self.read(|c| offers::find(c, code, now))
    }

    fn redeem(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict, StoreError> {
        self.write(|t| offers::redeem(t, redemption, now))
    }

    fn push(&self, pushed: &Pushed) -> Result<(), StoreError> {
        self.write(|t| codes::push(t, pushed))
    }

    fn request(&self, request: &Fingerprint, now: Timestamp) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|c| codes::request(c, request, now))
    }

    fn forget_request(&self, request: &Fingerprint) -> Result<(), StoreError> {
        self.write(|t| codes::forget_request(t, request))
    }

    fn authorize(&self, exchange: &Exchange, now: Timestamp) -> Result<Verdict, StoreError> {
        self.write(|t| codes::authorize(t, exchange, now))
    }

    fn code(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<Option<Vec<u8>>>, StoreError> {
        self.read(|c| codes::find(c, code, now))
    }

    fn exchange(&self, redemption: &Redemption, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|t| codes::exchange(t, redemption, now))
    }

    fn burn(&self, code: &Fingerprint) -> Result<(), StoreError> {
        self.write(|t| codes::burn(t, code))
    }

    fn renewal(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<RenewalRecord>, StoreError> {
        self.read(|c| renewals::find(c, token, now))
    }

    fn renew(&self, renewal: &Renewal, now: Timestamp) -> Result<bool, StoreError> {
        self.write(|t| renewals::renew(t, renewal, now))
    }

    fn burn_renewals(&self, token: &Fingerprint) -> Result<(), StoreError> {
        self.write(|t| renewals::burn(t, token))
    }

    fn issued(&self, handle: &Fingerprint, now: Timestamp) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.read(|c| issuances::under(c, handle, now))
    }

    fn is_revoked(&self, entry: Entry) -> Result<bool, StoreError> {
        self.read(|c| lists::is_revoked(c, entry))
    }

    fn token(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<TokenRecord>, StoreError> {
        self.read(|c| issuances::token(c, token, now))
    }

    fn spend(&self, what: &Fingerprint, expires: Timestamp) -> Result<bool, StoreError> {
        self.write(|t| issuances::spend(t, what, expires))
    }

    fn is_spent(&self, what: &Fingerprint) -> Result<bool, StoreError> {
        self.read(|c| issuances::is_spent(c, what))
    }

    fn allocate(&self, count: usize, rng: &mut dyn CryptoRng) -> Result<Vec<Entry>, StoreError> {
        self.write(|t| lists::allocate(t, count, rng))
    }

    fn release(&self, entries: &[Entry]) -> Result<(), StoreError> {
        self.write(|t| lists::release(t, entries))
    }

    fn commit(&self, issuance: &Issuance, now: Timestamp) -> Result<Committed, StoreError> {
        issuances::commit(self, issuance, now)
    }

    fn awaited(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<Awaited>, StoreError> {
        self.read(|c| pending::awaited(c, token, now))
    }

    fn defer(&self, deferral: &Deferral, now: Timestamp) -> Result<Committed, StoreError> {
        pending::defer(self, deferral, now)
    }

    fn pending(&self, now: Timestamp) -> Result<Vec<PendingRecord>, StoreError> {
        self.read(|c| pending::all(c, now))
    }

    fn transactions(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<TransactionRecord>, StoreError> {
        self.read(|c| pending::of_token(c, token, now))
    }

    fn decide(&self, handle: &Fingerprint, decision: Decision, now: Timestamp) -> Result<usize, StoreError> {
        self.write(|t| pending::decide(t, handle, decision, now))
    }

    fn revoke(&self, handle: &Fingerprint, when: &mut dyn When, lists: &dyn Lists) -> Result<Revoked, RevokeError> {
        self.write(|t| issuances::revoke(t, handle, when, lists))
    }

    fn refresh(&self, now: Timestamp, signed_before: Timestamp, lists: &dyn Lists) -> Result<(), RevokeError> {
        self.write(|t| lists::refresh(t, now, signed_before, lists))
    }

    fn lists(&self) -> Result<Vec<ListId>, StoreError> {
        self.read(lists::all)
    }

    fn list(&self, list: ListId) -> Result<Option<SignedList>, StoreError> {
        self.read(|c| lists::signed(c, list))
    }

    fn purge(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(|t| schema::purge(t, now))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged("SQLite finds its pages inconsistent"),
            Some(ErrorCode::NotADatabase) => Self::Damaged("the file is no SQLite database"),
            _ => Self::Failed(Box::new(error)),
        }
    }
}

/// Makes the file with mode 0600 before SQLite would make it with the umask; its log and index files take its mode.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Failed(Box::new(error)),
    })
}

fn fingerprint(bytes: &[u8]) -> Result<Fingerprint, StoreError> {
    Fingerprint::from_slice(bytes).ok_or(StoreError::Damaged("a fingerprint does not have 32 bytes"))
}
