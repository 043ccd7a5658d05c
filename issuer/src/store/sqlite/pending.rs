//! What waits for a decision, or for a word from the wallet.

use super::super::{Awaited, Committed, Decision, Deferral, PendingRecord, StoreError, TransactionRecord};
use super::issuances::{RollBack, spend, take_token};
use super::{SqliteStore, fingerprint};
use crate::keys::Fingerprint;
use rusqlite::{Connection, Transaction, params};
use schemas::Timestamp;

pub(super) fn defer(store: &SqliteStore, deferral: &Deferral, now: Timestamp) -> Result<Committed, StoreError> {
    let written = store.write(|transaction| {
        let Deferral { token, handle, configuration, .. } = deferral;
        if !take_token(transaction, token, handle, configuration, now)? {
            return Err(RollBack::Answer(Committed::TokenGone));
        }
        for (nonce, expires) in &deferral.nonces {
            if !spend(transaction, nonce, *expires)? {
                return Err(RollBack::Answer(Committed::NonceSpent));
            }
        }
        for key in &deferral.holder_keys {
            if !spend(transaction, key, deferral.keys_until)? {
                return Err(RollBack::Answer(Committed::KeySeen));
            }
        }
        keep(transaction, deferral)?;
        Ok(Committed::Done)
    });
    match written {
        Ok(answer) | Err(RollBack::Answer(answer)) => Ok(answer),
        Err(RollBack::Failed(error)) => Err(error),
    }
}

fn keep(transaction: &Transaction<'_>, deferral: &Deferral) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO pending (id, token, dpop_key, handle, configuration, asked, expires, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            deferral.id.as_bytes(),
            deferral.token.as_bytes(),
            deferral.dpop_key,
            deferral.handle.as_bytes(),
            deferral.configuration,
            deferral.asked.unix(),
            deferral.expires.unix(),
            deferral.sealed,
        ])?;
    Ok(())
}

pub(super) fn all(connection: &Connection, now: Timestamp) -> Result<Vec<PendingRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT handle, configuration, asked, expires, decision FROM pending WHERE expires > ?1 ORDER BY asked, id",
    )?;
    let mut rows = statement.query([now.unix()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(PendingRecord {
            handle: fingerprint(&row.get::<_, Vec<u8>>(0)?)?,
            configuration: row.get(1)?,
            asked: Timestamp::from_unix(row.get(2)?),
            expires: Timestamp::from_unix(row.get(3)?),
            decision: decision(row.get(4)?)?,
        });
    }
    Ok(records)
}

pub(super) fn of_token(
    connection: &Connection,
    token: &Fingerprint,
    now: Timestamp,
) -> Result<Vec<TransactionRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, configuration, dpop_key, decision, sealed FROM pending WHERE token = ?1 AND expires > ?2",
    )?;
    let mut rows = statement.query(params![token.as_bytes(), now.unix()])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(TransactionRecord {
            id: fingerprint(&row.get::<_, Vec<u8>>(0)?)?,
            configuration: row.get(1)?,
            dpop_key: row.get(2)?,
            decision: decision(row.get(3)?)?,
            sealed: row.get(4)?,
        });
    }
    Ok(records)
}

/// Decides what is undecided. What is declined forgets its claims at once.
pub(super) fn decide(
    transaction: &Transaction<'_>,
    handle: &Fingerprint,
    decision: Decision,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let sql = match decision {
        Decision::Approved => "UPDATE pending SET decision = 1",
        Decision::Declined => "UPDATE pending SET decision = 2, sealed = NULL",
    };
    let sql = format!("{sql} WHERE handle = ?1 AND expires > ?2 AND decision = 0");
    Ok(transaction.prepare_cached(&sql)?.execute(params![handle.as_bytes(), now.unix()])?)
}

/// Takes a transaction that was approved: it is answered once.
pub(super) fn take(transaction: &Transaction<'_>, id: &Fingerprint, now: Timestamp) -> Result<bool, StoreError> {
    let rows = transaction
        .prepare_cached("DELETE FROM pending WHERE id = ?1 AND decision = 1 AND expires > ?2")?
        .execute(params![id.as_bytes(), now.unix()])?;
    Ok(rows == 1)
}

const fn decision(number: i64) -> Result<Option<Decision>, StoreError> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(Decision::Approved)),
        2 => Ok(Some(Decision::Declined)),
        _ => Err(StoreError::Damaged("a decision that is none")),
    }
}

pub(super) fn await_notice(transaction: &Transaction<'_>, awaited: &Awaited) -> Result<(), StoreError> {
    transaction
        .prepare_cached("INSERT INTO notices (id, token, dpop_key, expires) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![awaited.id.as_bytes(), awaited.token.as_bytes(), awaited.dpop_key, awaited.expires.unix()])?;
    Ok(())
}

pub(super) fn awaited(
    connection: &Connection,
    token: &Fingerprint,
    now: Timestamp,
) -> Result<Vec<Awaited>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, dpop_key, expires FROM notices WHERE token = ?1 AND expires > ?2")?;
    let mut rows = statement.query(params![token.as_bytes(), now.unix()])?;
    let mut awaited = Vec::new();
    while let Some(row) = rows.next()? {
        awaited.push(Awaited {
            id: fingerprint(&row.get::<_, Vec<u8>>(0)?)?,
            token: token.clone(),
            dpop_key: row.get(1)?,
            expires: Timestamp::from_unix(row.get(2)?),
        });
    }
    Ok(awaited)
}
