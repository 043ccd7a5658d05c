//! Offers, and their one redemption.

use super::super::{NewOffer, OfferRecord, Redemption, StoreError};
use super::{fingerprint, renewals};
use crate::grant::{self, OfferState, Verdict};
use crate::keys::Fingerprint;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use schemas::Timestamp;

pub(super) fn put(transaction: &Transaction<'_>, offer: &NewOffer) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO offers (code, tx_code, handle, configurations, expires, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            offer.code.as_bytes(),
            offer.tx_code.as_bytes(),
            offer.handle.as_bytes(),
            joined(&offer.configurations),
            offer.expires.unix(),
            offer.sealed,
        ])?;
    Ok(())
}

pub(super) fn find(
    connection: &Connection,
    code: &Fingerprint,
    now: Timestamp,
) -> Result<Option<OfferRecord>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT configurations, sealed FROM offers WHERE code = ?1 AND expires > ?2")?;
    let found = statement.query_row(params![code.as_bytes(), now.unix()], |row| {
        Ok(OfferRecord { configurations: split(&row.get::<_, String>(0)?), sealed: row.get(1)? })
    });
    Ok(found.optional()?)
}

pub(super) fn redeem(
    transaction: &Transaction<'_>,
    redemption: &Redemption,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    let (verdict, handle) = judge(transaction, &redemption.code, &redemption.tx_code, now)?;
    if verdict == Verdict::Granted {
        put_token(transaction, redemption, &handle)?;
    }
    Ok(verdict)
}

/// Judges a transaction code against an offer, and writes what follows for the offer; gives the offer's handle.
pub(super) fn judge(
    transaction: &Transaction<'_>,
    code: &Fingerprint,
    tx_code: &Fingerprint,
    now: Timestamp,
) -> Result<(Verdict, Vec<u8>), StoreError> {
    let mut statement =
        transaction.prepare_cached("SELECT tx_code, tries, expires, handle FROM offers WHERE code = ?1")?;
    let found = statement.query_row([code.as_bytes()], |row| {
        let (expected, tries, expires): (Vec<u8>, u32, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((expected, tries, expires, row.get(3)?))
    });
    let Some((expected, tries, expires, handle)) = found.optional()? else {
        return Ok((Verdict::NoOffer, Vec::new()));
    };
    let state = OfferState { tx_code: fingerprint(&expected)?, tries, expires: Timestamp::from_unix(expires) };
    let verdict = grant::judge(&state, tx_code, now);
    match verdict {
        Verdict::WrongTxCode { .. } => {
            transaction
                .prepare_cached("UPDATE offers SET tries = tries + 1 WHERE code = ?1")?
                .execute([code.as_bytes()])?;
        }
        // Dead is forgotten: the next request finds no offer, and no claims wait for anybody.
        Verdict::Granted | Verdict::Dead => forget(transaction, code)?,
        Verdict::NoOffer => {}
    }
    Ok((verdict, handle))
}

/// Keeps a new token, and the refresh token that goes with it.
pub(super) fn put_token(
    transaction: &Transaction<'_>,
    redemption: &Redemption,
    handle: &[u8],
) -> Result<(), StoreError> {
    transaction
        .prepare_cached(
            "INSERT INTO tokens (token, handle, configurations, expires, dpop_key, by_identifier, sealed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            redemption.token.as_bytes(),
            handle,
            joined(&redemption.configurations),
            redemption.token_expires.unix(),
            redemption.dpop_key,
            redemption.by_identifier,
            redemption.sealed,
        ])?;
    renewals::put(transaction, redemption, handle)
}

/// Configuration ids as one text: none has a space in it.
pub(super) fn joined(configurations: &[String]) -> String {
    configurations.join(" ")
}

/// The reverse of [`joined`].
pub(super) fn split(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

fn forget(transaction: &Transaction<'_>, code: &Fingerprint) -> Result<(), StoreError> {
    transaction.prepare_cached("DELETE FROM offers WHERE code = ?1")?.execute([code.as_bytes()])?;
    Ok(())
}
