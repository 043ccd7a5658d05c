//! Refresh tokens: one is good for each offer, and the one before it until that was used.

use super::super::{NewRefresh, Redemption, Renewal, RenewalRecord, StoreError};
use super::offers::split;
use crate::keys::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use schemas::Timestamp;

/// Keeps the refresh token that goes with a new access token.
pub(super) fn put(transaction: &Transaction<'_>, redemption: &Redemption, handle: &[u8]) -> Result<(), StoreError> {
    let Some(NewRefresh { token, expires, sealed }) = &redemption.refresh else { return Ok(()) };
    transaction
        .prepare_cached(
            "INSERT INTO renewals (token, handle, dpop_key, configurations, expires, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            token.as_bytes(),
            handle,
            redemption.dpop_key,
            super::offers::joined(&redemption.configurations),
            expires.unix(),
            sealed
        ])?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    token: &Fingerprint,
    now: Timestamp,
) -> Result<Option<RenewalRecord>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT configurations, dpop_key, expires, sealed FROM renewals WHERE token = ?1 AND expires > ?2",
    )?;
    let found = statement.query_row(params![token.as_bytes(), now.unix()], |row| {
        Ok(RenewalRecord {
            configurations: split(&row.get::<_, String>(0)?),
            dpop_key: row.get(1)?,
            expires: Timestamp::from_unix(row.get(2)?),
            sealed: row.get(3)?,
        })
    });
    Ok(found.optional()?)
}

pub(super) fn renew(transaction: &Transaction<'_>, renewal: &Renewal, now: Timestamp) -> Result<bool, StoreError> {
    let Renewal { shown, next, token, token_expires, sealed } = renewal;
    let found: Option<(Vec<u8>, bool)> = transaction
        .prepare_cached("SELECT handle, spent FROM renewals WHERE token = ?1 AND expires > ?2 AND sealed IS NOT NULL")?
        .query_row(params![shown.as_bytes(), now.unix()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((handle, spent)) = found else { return Ok(false) };
    if spent {
        // Its successor never arrived, or was not used: it gives way to another.
        transaction.prepare_cached("DELETE FROM renewals WHERE handle = ?1 AND spent = 0")?.execute([&handle])?;
    } else {
        used(transaction, &handle)?;
        transaction.prepare_cached("UPDATE renewals SET spent = 1 WHERE token = ?1")?.execute([shown.as_bytes()])?;
    }
    transaction
        .prepare_cached(
            "INSERT INTO renewals (token, handle, dpop_key, configurations, expires, sealed)
             SELECT ?2, handle, dpop_key, configurations, expires, ?3 FROM renewals WHERE token = ?1",
        )?
        .execute(params![shown.as_bytes(), next.token.as_bytes(), next.sealed])?;
    transaction.prepare_cached("DELETE FROM tokens WHERE handle = ?1")?.execute([&handle])?;
    transaction
        .prepare_cached(
            "INSERT INTO tokens (token, handle, configurations, expires, dpop_key, by_identifier, sealed)
             SELECT ?2, handle, configurations, ?3, dpop_key, 0, ?4 FROM renewals WHERE token = ?1",
        )?
        .execute(params![shown.as_bytes(), token.as_bytes(), token_expires.unix(), sealed])?;
    Ok(true)
}

/// The current refresh token, or its access token, was used: whoever shows an older one has stolen it, or was stolen from.
pub(super) fn used(transaction: &Transaction<'_>, handle: &[u8]) -> Result<(), StoreError> {
    transaction
        .prepare_cached("UPDATE renewals SET sealed = NULL WHERE handle = ?1 AND spent = 1")?
        .execute([handle])?;
    Ok(())
}

pub(super) fn burn(transaction: &Transaction<'_>, token: &Fingerprint) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM tokens WHERE handle = (SELECT handle FROM renewals WHERE token = ?1)",
        "DELETE FROM renewals WHERE handle = (SELECT handle FROM renewals WHERE token = ?1)",
    ] {
        transaction.prepare_cached(sql)?.execute([token.as_bytes()])?;
    }
    Ok(())
}
