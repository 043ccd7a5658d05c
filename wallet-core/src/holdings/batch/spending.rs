//! How copies come and go: added, shown to a verifier, set aside for their issuer.

use super::{CopyEntry, CredentialId, gone_is_gone};
use crate::holdings::{Copy, Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use rand_core::CryptoRng;
use schemas::Timestamp;

impl Holdings<'_> {
    /// Adds copies that say the same; a last one that was shown already goes, and what was set aside for them.
    pub(crate) fn add_copies(
        &mut self,
        id: CredentialId,
        copies: Vec<Copy>,
        expires_at: Option<Timestamp>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        let mut batch = self.credential(id)?.batch;
        let mut records: Vec<RecordId> = Vec::with_capacity(copies.len());
        for copy in &copies {
            match self.keep_copy(copy, rng) {
                Ok(record) => records.push(record),
                Err(error) => {
                    records.into_iter().try_for_each(|record| self.records.remove(record, rng))?;
                    return Err(error);
                }
            }
        }
        let (mut left, shown): (Vec<CopyEntry>, Vec<CopyEntry>) =
            batch.copies.into_iter().partition(CopyEntry::is_fresh);
        left.extend(records.iter().map(|record| CopyEntry::fresh(record.to_string())));
        batch.copies = left;
        batch.expires_at = batch.expires_at.into_iter().chain(expires_at).min();
        self.write(RecordKind::CREDENTIAL, Some(id.0), &batch, rng)?;
        for record in shown.iter().filter_map(|copy| copy.record.parse().ok()) {
            self.records.remove(record, rng).or_else(gone_is_gone)?;
        }
        Ok(())
    }

    /// Takes a copy to show, and marks it as shown: its record is gone, but for the very last one, which is kept in
    /// case the person wants to show it again. `None` when all were shown and `reuse` was not agreed to.
    pub(crate) fn spend(
        &mut self,
        id: CredentialId,
        reuse: bool,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Copy>, HoldingsError> {
        let mut batch = self.credential(id)?.batch;
        // A damaged copy is dropped and the next one taken: the others stay usable.
        while let Some(at) = batch.copies.iter().position(CopyEntry::is_fresh) {
            let record = batch.copies.get(at).and_then(|copy| copy.record.parse().ok());
            let copy = record.map(|record| self.copy(record));
            let is_last = batch.copies.len() == 1;
            match (copy, record) {
                (Some(Ok(copy)), Some(_)) if is_last => {
                    batch.copies.iter_mut().for_each(|copy| copy.spent = true);
                    self.write(RecordKind::CREDENTIAL, Some(id.0), &batch, rng)?;
                    return Ok(Some(copy));
                }
                (Some(Ok(copy)), Some(record)) => {
                    batch.copies.remove(at);
                    self.write(RecordKind::CREDENTIAL, Some(id.0), &batch, rng)?;
                    self.records.remove(record, rng)?;
                    return Ok(Some(copy));
                }
                (Some(Err(error)), Some(_)) if is_last => return Err(error),
                _ => {
                    batch.copies.remove(at);
                }
            }
        }
        match batch.copies.first().and_then(|copy| copy.record.parse().ok()) {
            Some(record) if reuse => self.copy(record).map(Some),
            _ => Ok(None),
        }
    }

    /// Takes a copy to be shown to its own issuer for new ones, and sets it aside: the same one is taken again until new ones have
    /// come, so that however often it fails no more than one is lost to verifiers. When all were shown it is the last one: who
    /// sees it has made it. `None` when there is none at all.
    pub(crate) fn set_aside(
        &mut self,
        id: CredentialId,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Copy>, HoldingsError> {
        let mut batch = self.credential(id)?.batch;
        loop {
            let places = 0..batch.copies.len();
            let Some(at) = places.min_by_key(|at| batch.copies.get(*at).map(|copy| (!copy.aside, copy.spent))) else {
                return Ok(None);
            };
            let is_last = batch.copies.len() == 1;
            let Some(entry) = batch.copies.get_mut(at) else { return Ok(None) };
            let record = entry.record.parse().map_err(|_| HoldingsError::Unreadable(id.0));
            match record.and_then(|record| self.copy(record)) {
                Ok(copy) => {
                    if !std::mem::replace(&mut entry.aside, true) {
                        self.write(RecordKind::CREDENTIAL, Some(id.0), &batch, rng)?;
                    }
                    return Ok(Some(copy));
                }
                Err(error) if is_last => return Err(error),
                // A damaged copy is dropped and the next one taken: the others stay usable.
                Err(_) => drop(batch.copies.remove(at)),
            }
        }
    }
}
