//! Revoking what was offered or issued, and publishing the status lists.

use super::issuance::entries_secret;
use super::{Issuer, randomness};
use crate::config::IssuerUrl;
use crate::keys::{Keys, Purpose};
use crate::metadata::BATCH_SIZE;
use crate::seal::{self, SealError};
use crate::secret::Handle;
use crate::status::{self, Entry, ListId, MAX_DELAY, REFRESH, SignListError};
use crate::store::{Lists, RevokeError, Revoked, SignedList, StoreError, When};
use schemas::{Seconds, Timestamp};
use std::sync::PoisonError;

/// How soon a revocation shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Before the call returns: all copies at once, which tells a watcher of all lists that they belong together.
    Now,
    /// Each copy at its own time within the hour.
    Delayed,
}

/// What a revocation met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing had been issued: the offer or the token is gone.
    Withdrawn,
    /// The copies are invalid, or will be within the hour.
    Revoked,
    /// Nothing is known under this handle: never made, expired, or its offer ended unused.
    Unknown,
}

impl Issuer {
    /// Revokes all that was offered or issued under a handle.
    ///
    /// # Errors
    /// [`RevokeError`]; nothing has changed then.
    pub fn revoke(&self, handle: &Handle, pace: Pace) -> Result<Outcome, RevokeError> {
        let now = self.now();
        let key = self.handle(handle);
        let lists = Signing { issuer: self, handle: Some(handle), now };
        let outcome = match pace {
            Pace::Now => self.store.revoke(&key, &mut AtOnce, &lists)?,
            Pace::Delayed => self.store.revoke(&key, &mut WithinTheHour { now }, &lists)?,
        };
        Ok(match outcome {
            Revoked::Unused => Outcome::Withdrawn,
            Revoked::Issued => Outcome::Revoked,
            Revoked::Nothing => Outcome::Unknown,
        })
    }

    /// The URIs of all status lists: always all, so that whoever fetches them tells nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    ///
    /// # Source
    /// Token Status List §9.3.
    pub fn status_list_uris(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.store.lists()?.into_iter().map(|list| list.uri(&self.config.url)).collect())
    }

    /// The current Status List Token of a list; `None` if there is no such list.
    ///
    /// # Errors
    /// [`RevokeError`] if it had to be signed anew and could not be.
    pub fn status_list(&self, list: ListId) -> Result<Option<String>, RevokeError> {
        let now = self.now();
        let is_young = |signed: &SignedList| signed.signed_at <= now && now < signed.signed_at.plus(REFRESH);
        if let Some(signed) = self.store.list(list)?.filter(is_young) {
            return Ok(Some(signed.token));
        }
        if !self.store.lists()?.contains(&list) {
            return Ok(None);
        }
        self.refresh(now)?;
        Ok(self.store.list(list)?.map(|signed| signed.token))
    }

    /// The current Status List Token of a list in CWT format; `None` if there is no such list. Signed once for each that is
    /// signed as a JWT, and says the same.
    ///
    /// # Errors
    /// [`RevokeError`] if it had to be signed and could not be.
    pub fn status_list_cwt(&self, list: ListId) -> Result<Option<Vec<u8>>, RevokeError> {
        let Some(token) = self.status_list(list)? else { return Ok(None) };
        let mut signed = self.cwts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, cwt)) = signed.get(&list)
            && *of == token
        {
            return Ok(Some(cwt.clone()));
        }
        let cwt = status::as_cwt(&token, self.keys.status()).map_err(RevokeError::Sign)?;
        signed.insert(list, (token, cwt.clone()));
        Ok(Some(cwt))
    }

    /// Forgets what has expired, carries out delayed revocations, and signs old lists anew. To be called every minute.
    ///
    /// # Errors
    /// [`RevokeError`].
    pub fn maintain(&self) -> Result<(), RevokeError> {
        let now = self.now();
        self.store.purge(now)?;
        self.refresh(now)
    }

    fn refresh(&self, now: Timestamp) -> Result<(), RevokeError> {
        // One second beyond `REFRESH`, so that the two comparisons meet: younger than REFRESH is served, all else signed.
        let signed_before = now.minus(REFRESH).plus(Seconds::new(1));
        self.store.refresh(now, signed_before, &Signing { issuer: self, handle: None, now })
    }
}

struct AtOnce;

impl When for AtOnce {
    fn next(&mut self) -> Option<Timestamp> {
        None
    }
}

struct WithinTheHour {
    now: Timestamp,
}

impl When for WithinTheHour {
    fn next(&mut self) -> Option<Timestamp> {
        let most = u32::try_from(MAX_DELAY.get()).unwrap_or(u32::MAX);
        let delay = 1 + status::below(most, &mut randomness());
        Some(self.now.plus(Seconds::new(u64::from(delay))))
    }
}

struct Signing<'a> {
    issuer: &'a Issuer,
    handle: Option<&'a Handle>,
    now: Timestamp,
}

impl Lists for Signing<'_> {
    fn open(&self, part: &str, sealed: &[u8]) -> Result<Vec<Entry>, SealError> {
        let secret = entries_secret(self.handle.ok_or(SealError::Broken)?, part);
        open_entries(&*self.issuer.keys, &secret, sealed)
    }

    fn sign(&self, list: ListId, revoked: &[u32]) -> Result<SignedList, SignListError> {
        let url: &IssuerUrl = &self.issuer.config.url;
        let token = status::sign(list, revoked, url, self.issuer.keys.status(), self.now)?;
        Ok(SignedList { token, signed_at: self.now })
    }
}

pub(super) fn open_entries(keys: &dyn Keys, secret: &str, sealed: &[u8]) -> Result<Vec<Entry>, SealError> {
    let bytes = seal::open(keys, Purpose::SealHandle, secret, sealed)?;
    let (pairs, rest) = bytes.as_chunks::<8>();
    if pairs.len() != BATCH_SIZE as usize || !rest.is_empty() {
        return Err(SealError::Broken);
    }
    let entries = pairs.iter().map(|[a, b, c, d, e, f, g, h]| Entry {
        list: ListId::new(u32::from_be_bytes([*a, *b, *c, *d])),
        index: u32::from_be_bytes([*e, *f, *g, *h]),
    });
    // Lists are numbered from 1; what follows the last entry is filling.
    Ok(entries.take_while(|entry| entry.list.number() != 0).collect())
}
