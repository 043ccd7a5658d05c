//! Tokens, what is spent once, what was issued, and its end.

use super::super::{Committed, Issuance, Lists, RevokeError, Revoked, Spends, StoreError, TokenRecord, When};
use super::offers::{joined, split};
use super::{SqliteStore, lists, pending, renewals};
use crate::keys::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use schemas::Timestamp;

pub(super) fn token(
    connection: &Connection,
    token: &Fingerprint,
    now: Timestamp,
) -> Result<Option<TokenRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT configurations, dpop_key, by_identifier, sealed FROM tokens WHERE token = ?1 AND expires > ?2",
    )?;
    let found = statement.query_row(params![token.as_bytes(), now.unix()], |row| {
        Ok(TokenRecord {
            configurations: split(&row.get::<_, String>(0)?),
            dpop_key: row.get(1)?,
            by_identifier: row.get(2)?,
            sealed: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn spend(transaction: &Transaction<'_>, what: &Fingerprint, expires: Timestamp) -> Result<bool, StoreError> {
    let rows = transaction
        .prepare_cached("INSERT OR IGNORE INTO spent (what, expires) VALUES (?1, ?2)")?
        .execute(params![what.as_bytes(), expires.unix()])?;
    Ok(rows == 1)
}

pub(super) fn is_spent(connection: &Connection, what: &Fingerprint) -> Result<bool, StoreError> {
    Ok(connection.prepare_cached("SELECT 1 FROM spent WHERE what = ?1")?.exists([what.as_bytes()])?)
}

/// Why a commit is rolled back: an answer that must leave no trace, or a failure.
pub(super) enum RollBack {
    Answer(Committed),
    Failed(StoreError),
}

impl From<StoreError> for RollBack {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn commit(store: &SqliteStore, issuance: &Issuance, now: Timestamp) -> Result<Committed, StoreError> {
    let written = store.write(|transaction| {
        let Issuance { spends, handle, configuration, .. } = issuance;
        let (taken, gone) = match spends {
            Spends::Token(token) => (take_token(transaction, token, handle, configuration, now)?, Committed::TokenGone),
            Spends::Transaction(id) => (pending::take(transaction, id, now)?, Committed::TransactionGone),
        };
        if !taken {
            return Err(RollBack::Answer(gone));
        }
        for (nonce, expires) in &issuance.nonces {
            if !spend(transaction, nonce, *expires)? {
                return Err(RollBack::Answer(Committed::NonceSpent));
            }
        }
        for key in &issuance.holder_keys {
            if !spend(transaction, key, issuance.expires)? {
                return Err(RollBack::Answer(Committed::KeySeen));
            }
        }
        keep(transaction, issuance)?;
        renewals::used(transaction, handle.as_bytes())?;
        pending::await_notice(transaction, &issuance.awaited)?;
        Ok(Committed::Done)
    });
    match written {
        Ok(answer) | Err(RollBack::Answer(answer)) => Ok(answer),
        Err(RollBack::Failed(error)) => Err(error),
    }
}

/// Takes a configuration from what the token grants; with the last, the token and its claims go.
pub(super) fn take_token(
    transaction: &Transaction<'_>,
    token: &Fingerprint,
    handle: &Fingerprint,
    configuration: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let key = params![token.as_bytes(), handle.as_bytes(), now.unix()];
    let found: Option<String> = transaction
        .prepare_cached("SELECT configurations FROM tokens WHERE token = ?1 AND handle = ?2 AND expires > ?3")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    let mut left = split(&found.unwrap_or_default());
    let Some(at) = left.iter().position(|id| id == configuration) else { return Ok(false) };
    left.remove(at);
    let token = token.as_bytes();
    if left.is_empty() {
        transaction.prepare_cached("DELETE FROM tokens WHERE token = ?1")?.execute([token])?;
    } else {
        transaction
            .prepare_cached("UPDATE tokens SET configurations = ?2 WHERE token = ?1")?
            .execute(params![token, joined(&left)])?;
    }
    Ok(true)
}

fn keep(transaction: &Transaction<'_>, issuance: &Issuance) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO issuances (handle, configuration, cohort, expires, entries) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            issuance.handle.as_bytes(),
            issuance.part,
            issuance.cohort.unix(),
            issuance.expires.unix(),
            issuance.sealed_entries,
        ])?;
    Ok(())
}

/// The batches under a handle that end after `now`.
pub(super) fn under(
    connection: &Connection,
    handle: &Fingerprint,
    now: Timestamp,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT configuration, entries FROM issuances WHERE handle = ?1 AND expires > ?2")?;
    let rows = statement.query_map(params![handle.as_bytes(), now.unix()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn revoke(
    transaction: &Transaction<'_>,
    handle: &Fingerprint,
    when: &mut dyn When,
    signing: &dyn Lists,
) -> Result<Revoked, RevokeError> {
    let mut unused = 0;
    for sql in [
        "DELETE FROM offers WHERE handle = ?1",
        "DELETE FROM tokens WHERE handle = ?1",
        "DELETE FROM pending WHERE handle = ?1",
        "DELETE FROM codes WHERE handle = ?1 AND token IS NULL",
    ] {
        unused += transaction
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([handle.as_bytes()]))
            .map_err(StoreError::from)?;
    }
    // No new copies of what is revoked.
    transaction
        .prepare_cached("DELETE FROM renewals WHERE handle = ?1")
        .and_then(|mut statement| statement.execute([handle.as_bytes()]))
        .map_err(StoreError::from)?;
    let issued = under(transaction, handle, Timestamp::from_unix(0))?;
    let mut entries = Vec::new();
    for (part, sealed) in &issued {
        entries.extend(signing.open(part, sealed)?);
    }
    if !issued.is_empty() {
        lists::invalidate(transaction, &entries, when, signing)?;
        return Ok(Revoked::Issued);
    }
    Ok(if unused > 0 { Revoked::Unused } else { Revoked::Nothing })
}
