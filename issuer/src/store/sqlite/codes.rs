//! Pushed authorization requests, and authorization codes.

use super::super::{Exchange, Pushed, Redemption, StoreError};
use super::offers::{self, put_token};
use crate::grant::Verdict;
use crate::keys::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use schemas::Timestamp;

/// How many requests for one offer wait at once: a wallet makes one, and one more when it begins again.
const MOST_REQUESTS: u32 = 16;

pub(super) fn push(transaction: &Transaction<'_>, pushed: &Pushed) -> Result<(), StoreError> {
    // The oldest make room: whoever has an offer cannot fill the table.
    transaction
        .prepare_cached(
            "DELETE FROM requests WHERE request IN (
                 SELECT request FROM requests WHERE offer = ?1 ORDER BY expires DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![pushed.offer.as_bytes(), MOST_REQUESTS - 1])?;
    transaction
        .prepare_cached("INSERT INTO requests (request, offer, expires, sealed) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![pushed.request.as_bytes(), pushed.offer.as_bytes(), pushed.expires.unix(), pushed.sealed])?;
    Ok(())
}

pub(super) fn request(
    connection: &Connection,
    request: &Fingerprint,
    now: Timestamp,
) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT sealed FROM requests WHERE request = ?1 AND expires > ?2")?;
    Ok(statement.query_row(params![request.as_bytes(), now.unix()], |row| row.get(0)).optional()?)
}

pub(super) fn forget_request(transaction: &Transaction<'_>, request: &Fingerprint) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM requests WHERE request = ?1")?.execute([request.as_bytes()])?;
    Ok(())
}

pub(super) fn authorize(
    transaction: &Transaction<'_>,
    exchange: &Exchange,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let (verdict, handle) = offers::judge(transaction, &exchange.offer, &exchange.tx_code, now)?;
    if !matches!(verdict, Verdict::WrongTxCode { .. }) {
        // Whatever it was, no other request for this offer can be answered any more.
        transaction.prepare_cached("DELETE FROM requests WHERE offer = ?1")?.execute([exchange.offer.as_bytes()])?;
    }
    if verdict == Verdict::Granted {
        transaction
            .prepare_cached("INSERT INTO codes (code, handle, expires, sealed) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![exchange.code.as_bytes(), handle, exchange.expires.unix(), exchange.sealed])?;
    }
    Ok(verdict)
}

pub(super) fn find(
    connection: &Connection,
    code: &Fingerprint,
    now: Timestamp,
) -> Result<Option<Option<Vec<u8>>>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT sealed FROM codes WHERE code = ?1 AND (expires > ?2 OR token IS NOT NULL)")?;
    Ok(statement.query_row(params![code.as_bytes(), now.unix()], |row| row.get(0)).optional()?)
}

pub(super) fn exchange(
    transaction: &Transaction<'_>,
    redemption: &Redemption,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let found: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT handle FROM codes WHERE code = ?1 AND token IS NULL AND expires > ?2")?
        .query_row(params![redemption.code.as_bytes(), now.unix()], |row| row.get(0))
        .optional()?;
    let Some(handle) = found else { return Ok(false) };
    // Known for as long as its token lives, so that a second use ends it; what it granted is forgotten at once.
    transaction
        .prepare_cached("UPDATE codes SET token = ?2, sealed = NULL, expires = ?3 WHERE code = ?1")?
        .execute(params![redemption.code.as_bytes(), redemption.token.as_bytes(), redemption.token_expires.unix()])?;
    put_token(transaction, redemption, &handle)?;
    Ok(true)
}

pub(super) fn burn(transaction: &Transaction<'_>, code: &Fingerprint) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM tokens WHERE token = (SELECT token FROM codes WHERE code = ?1)",
        "DELETE FROM codes WHERE code = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([code.as_bytes()])?;
    }
    Ok(())
}
