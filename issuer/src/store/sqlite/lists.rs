//! Status lists: entries given out, entries revoked, and the signed tokens.

use super::super::{Lists, RevokeError, SignedList, StoreError, When};
use crate::status::{self, CAPACITY, Entry, ListId, SIZE, SPREAD};
use rand_core::CryptoRng;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use schemas::Timestamp;
use std::collections::BTreeSet;

pub(super) fn all(connection: &Connection) -> Result<Vec<ListId>, StoreError> {
    ids(connection, "SELECT id FROM lists ORDER BY id", ())
}

pub(super) fn signed(connection: &Connection, list: ListId) -> Result<Option<SignedList>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT token, signed_at FROM lists WHERE id = ?1 AND token IS NOT NULL AND signed_at IS NOT NULL",
    )?;
    let found = statement.query_row([list.number()], |row| {
        Ok(SignedList { token: row.get(0)?, signed_at: Timestamp::from_unix(row.get(1)?) })
    });
    Ok(found.optional()?)
}

pub(super) fn allocate(
    transaction: &Transaction<'_>,
    count: usize,
    rng: &mut dyn CryptoRng,
) -> Result<Vec<Entry>, StoreError> {
    let lists = status::spread(&open_lists(transaction, count)?, count, rng);
    let mut take = transaction.prepare_cached("INSERT OR IGNORE INTO entries (list, idx) VALUES (?1, ?2)")?;
    let mut entries = Vec::with_capacity(count);
    for list in lists {
        // Without replacement: an index that was ever given out is drawn again. Lists close half full, so two draws
        // are enough on average, and a thousand in vain would mean that the table is not what it says.
        let index = (0..1_000).find_map(|_| {
            let index = status::below(SIZE, rng);
            match take.execute(params![list.number(), index]) {
                Ok(0) => None,
                Ok(_) => Some(Ok(index)),
                Err(error) => Some(Err(error)),
            }
        });
        let index = index.ok_or(StoreError::Damaged("a status list has no free entry where it should"))??;
        grow(transaction, list, 1)?;
        entries.push(Entry { list, index });
    }
    Ok(entries)
}

pub(super) fn release(transaction: &Transaction<'_>, entries: &[Entry]) -> Result<(), StoreError> {
    let mut give_back =
        transaction.prepare_cached("DELETE FROM entries WHERE list = ?1 AND idx = ?2 AND revoked = 0")?;
    for entry in entries {
        let rows = give_back.execute(params![entry.list.number(), entry.index])?;
        grow(transaction, entry.list, -i64::from(rows == 1))?;
    }
    Ok(())
}

/// Marks entries as invalid, now or at their time, and signs the lists anew that have changed now.
pub(super) fn invalidate(
    transaction: &Transaction<'_>,
    entries: &[Entry],
    when: &mut dyn When,
    signing: &dyn Lists,
) -> Result<(), RevokeError> {
    let mut changed = BTreeSet::new();
    for entry in entries {
        let rows = match when.next() {
            None => {
                changed.insert(entry.list);
                transaction
                    .prepare_cached("UPDATE entries SET revoked = 1, due = NULL WHERE list = ?1 AND idx = ?2")
                    .and_then(|mut s| s.execute(params![entry.list.number(), entry.index]))
            }
            // An earlier time stands: revoking again does not put it off.
            Some(due) => transaction
                .prepare_cached(
                    "UPDATE entries SET due = CASE WHEN revoked = 1 THEN NULL ELSE min(coalesce(due, ?3), ?3) END
                     WHERE list = ?1 AND idx = ?2",
                )
                .and_then(|mut s| s.execute(params![entry.list.number(), entry.index, due.unix()])),
        };
        if rows.map_err(StoreError::from)? != 1 {
            return Err(StoreError::Damaged("an issued status entry is missing").into());
        }
    }
    changed.into_iter().try_for_each(|list| sign(transaction, list, signing))
}

/// Carries out what is due, and signs anew what is old, unsigned or changed.
pub(super) fn refresh(
    transaction: &Transaction<'_>,
    now: Timestamp,
    signed_before: Timestamp,
    signing: &dyn Lists,
) -> Result<(), RevokeError> {
    let mut stale: BTreeSet<ListId> = ids(
        transaction,
        "SELECT id FROM lists WHERE token IS NULL OR signed_at < ?1 OR signed_at > ?2",
        params![signed_before.unix(), now.unix()],
    )?
    .into_iter()
    .collect();
    stale.extend(ids(transaction, "SELECT DISTINCT list FROM entries WHERE due <= ?1", [now.unix()])?);
    transaction
        .prepare_cached("UPDATE entries SET revoked = 1, due = NULL WHERE due <= ?1")
        .and_then(|mut s| s.execute([now.unix()]))
        .map_err(StoreError::from)?;
    stale.into_iter().try_for_each(|list| sign(transaction, list, signing))
}

pub(super) fn is_revoked(connection: &Connection, entry: Entry) -> Result<bool, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT 1 FROM entries WHERE list = ?1 AND idx = ?2 AND (revoked = 1 OR due IS NOT NULL)")?;
    Ok(statement.exists(params![entry.list.number(), entry.index])?)
}

fn sign(transaction: &Transaction<'_>, list: ListId, signing: &dyn Lists) -> Result<(), RevokeError> {
    let revoked = revoked(transaction, list)?;
    let signed = signing.sign(list, &revoked)?;
    transaction
        .prepare_cached("UPDATE lists SET token = ?2, signed_at = ?3 WHERE id = ?1")
        .and_then(|mut s| s.execute(params![list.number(), signed.token, signed.signed_at.unix()]))
        .map_err(StoreError::from)?;
    Ok(())
}

fn revoked(transaction: &Transaction<'_>, list: ListId) -> Result<Vec<u32>, StoreError> {
    let mut statement = transaction.prepare_cached("SELECT idx FROM entries WHERE list = ?1 AND revoked = 1")?;
    let rows = statement.query_map([list.number()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The lists that still take entries; as many are begun as a batch must be spread over.
fn open_lists(transaction: &Transaction<'_>, count: usize) -> Result<Vec<ListId>, StoreError> {
    loop {
        let limit = CAPACITY.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        let open = ids(transaction, "SELECT id FROM lists WHERE allocated <= ?1 ORDER BY id", [limit])?;
        if open.len() >= SPREAD {
            return Ok(open);
        }
        transaction.execute("INSERT INTO lists DEFAULT VALUES", ())?;
    }
}

fn grow(transaction: &Transaction<'_>, list: ListId, change: i64) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE lists SET allocated = allocated + ?2 WHERE id = ?1")?
        .execute(params![list.number(), change])?;
    Ok(())
}

fn ids(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<ListId>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(parameters, |row| row.get(0).map(ListId::new))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
