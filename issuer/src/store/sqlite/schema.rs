//! The tables, their version, and what is forgotten when.

use super::super::StoreError;
use crate::status::SPREAD;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use schemas::Timestamp;

/// What brings a file from each version to the next; the version in `user_version` is how many steps it has had.
const STEPS: [&str; 6] = [TABLES, FORMATS, PENDING, CODES, NOTICES, RENEWALS];

/// Only fingerprints, sealed records and times. `WITHOUT ROWID`: rows lie in the order of their keyed fingerprints, not in
/// the order in which people came, so that neighbours in the file do not belong together.
pub(super) const TABLES: &str = "
CREATE TABLE offers (
    code BLOB PRIMARY KEY, tx_code BLOB NOT NULL, handle BLOB NOT NULL UNIQUE, configuration TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE tokens (
    token BLOB PRIMARY KEY, handle BLOB NOT NULL UNIQUE, configuration TEXT NOT NULL, expires INTEGER NOT NULL,
    dpop_key BLOB, by_identifier INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE issuances (
    handle BLOB PRIMARY KEY, cohort INTEGER NOT NULL, expires INTEGER NOT NULL, entries BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE spent (what BLOB PRIMARY KEY, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX spent_by_expiry ON spent (expires);
CREATE TABLE lists (
    id INTEGER PRIMARY KEY, allocated INTEGER NOT NULL DEFAULT 0, token TEXT, signed_at INTEGER
) STRICT;
CREATE TABLE entries (
    list INTEGER NOT NULL, idx INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0, due INTEGER,
    PRIMARY KEY (list, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX entries_revoked ON entries (list) WHERE revoked = 1;
CREATE INDEX entries_due ON entries (due) WHERE due IS NOT NULL;
";

/// An offer, and so a token, is good for several configurations; what was issued is known by handle and configuration.
const FORMATS: &str = "
ALTER TABLE offers RENAME COLUMN configuration TO configurations;
ALTER TABLE tokens RENAME COLUMN configuration TO configurations;
CREATE TABLE issued (
    handle BLOB NOT NULL, configuration TEXT NOT NULL, cohort INTEGER NOT NULL, expires INTEGER NOT NULL,
    entries BLOB NOT NULL, PRIMARY KEY (handle, configuration)
) STRICT, WITHOUT ROWID;
INSERT INTO issued SELECT handle, '', cohort, expires, entries FROM issuances;
DROP TABLE issuances;
ALTER TABLE issued RENAME TO issuances;
";

/// What waits for a decision: 0 none yet, 1 approved, 2 declined.
const PENDING: &str = "
CREATE TABLE pending (
    id BLOB PRIMARY KEY, token BLOB NOT NULL, dpop_key BLOB, handle BLOB NOT NULL, configuration TEXT NOT NULL,
    asked INTEGER NOT NULL, expires INTEGER NOT NULL, decision INTEGER NOT NULL DEFAULT 0, sealed BLOB
) STRICT, WITHOUT ROWID;
";

/// The authorization code flow: requests that went ahead, and codes; a code that was exchanged knows its token.
const CODES: &str = "
CREATE TABLE requests (
    request BLOB PRIMARY KEY, offer BLOB NOT NULL, expires INTEGER NOT NULL, sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX requests_by_offer ON requests (offer, expires);
CREATE TABLE codes (
    code BLOB PRIMARY KEY, handle BLOB NOT NULL, expires INTEGER NOT NULL, token BLOB, sealed BLOB
) STRICT, WITHOUT ROWID;
";

/// Of what a wallet may tell.
const NOTICES: &str = "
CREATE TABLE notices (
    id BLOB PRIMARY KEY, token BLOB NOT NULL, dpop_key BLOB, expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Refresh tokens: of each handle one that is not spent; a spent one without what was sealed must never be seen again. And
/// a handle may have several batches of one configuration: `configuration` of `issuances` is what the batch is called.
const RENEWALS: &str = "
CREATE TABLE renewals (
    token BLOB PRIMARY KEY, handle BLOB NOT NULL, dpop_key BLOB NOT NULL, configurations TEXT NOT NULL,
    expires INTEGER NOT NULL, spent INTEGER NOT NULL DEFAULT 0, sealed BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX renewals_by_handle ON renewals (handle);
";

/// Makes the tables in a new file, brings an older one up to date, and refuses one of a newer version.
pub(super) fn bring_up(connection: &mut Connection) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let had = usize::try_from(found).ok().filter(|had| *had <= STEPS.len());
    for step in STEPS.iter().skip(had.ok_or(StoreError::Version { found, known })?) {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        for _ in 0..SPREAD {
            transaction.execute("INSERT INTO lists DEFAULT VALUES", ())?;
        }
    }
    transaction.pragma_update(None, "user_version", known)?;
    Ok(transaction.commit()?)
}

/// Forgets offers, tokens, issuances and spent things whose time is over. Entries stay: an index is never given out twice
/// (Token Status List §13.2).
pub(super) fn purge(transaction: &Transaction<'_>, now: Timestamp) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM offers WHERE expires <= ?1",
        "DELETE FROM tokens WHERE expires <= ?1",
        "DELETE FROM renewals WHERE expires <= ?1",
        "DELETE FROM notices WHERE expires <= ?1",
        "DELETE FROM requests WHERE expires <= ?1",
        "DELETE FROM codes WHERE expires <= ?1",
        "DELETE FROM pending WHERE expires <= ?1",
        "DELETE FROM issuances WHERE expires <= ?1",
        "DELETE FROM spent WHERE expires <= ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([now.unix()])?;
    }
    Ok(())
}
