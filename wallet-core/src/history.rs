//! What was shown, to whom, why, until when: paths, never values.
//!
//! Each entry is a leaf of a hash chain whose head is kept beside it, so that a missing or changed entry is seen
//! by whoever can open the vault at all. Entries are dropped after the time the person set, and all of them at once on
//! request; the chain then goes on from where the dropped part ended.
//!
//! # Source
//! `security.md` §4.5; leaf hash as in RFC 9162 §2.1.1.

use crate::display::Shown;
use crate::fault::{Blame, Fault};
use crate::holdings::{Holdings, HoldingsError, RecordKind};
use rand_core::CryptoRng;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

#[cfg(test)]
mod tests;

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When, rounded down to the hour.
    pub at: Timestamp,
    /// The name in the verifier's certificate, as shown then.
    pub verifier: String,
    /// The full client identifier of the verifier, as shown then.
    pub client_id: String,
    /// Whether the verifier's certificate led to a trust anchor.
    pub known: bool,
    /// Why: the purposes agreed to; empty when the verifier gave none.
    pub purposes: Vec<Purpose>,
    /// What of which credential type.
    pub disclosed: Vec<Disclosed>,
    /// The consent given; none when the verifier asked for none.
    pub consent: Option<ConsentNote>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What was disclosed of one credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosed {
    /// The type of the credential, its `vct` as shown.
    #[serde(rename = "type")]
    pub type_: String,
    /// The paths disclosed.
    pub paths: Vec<ClaimPath>,
}

/// The consent that went with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentNote {
    /// Its identifier.
    pub id: String,
    /// When it ends, rounded up to the hour.
    pub until: Timestamp,
    /// How long the verifier may keep the data.
    pub retention: Seconds,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The answer was made and handed to the network: take it that the verifier has it.
    Sent,
    /// The verifier confirmed it.
    Delivered,
    /// The verifier turned it down. It has seen it all the same.
    TurnedDown,
    /// The verifier could not be reached.
    Undelivered,
    /// The person said no.
    Refused,
}

/// Which entry: its place counted from the first that was ever written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryNumber(u64);

/// Why the history cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Its record cannot be read or written.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
    /// The entries do not lead to the head that was kept.
    #[error("an entry of the history is missing or was changed")]
    Broken,
}

impl Blame for HistoryError {
    fn fault(&self) -> Fault {
        Fault::Storage
    }

    fn hint(&self) -> &'static str {
        "the history can no longer be relied on: note what is left of it, then purge it"
    }
}

impl Entry {
    /// An entry whose times are rounded and whose texts can be shown.
    pub(crate) fn new(at: Timestamp, verifier: &str, client_id: &str, known: bool, outcome: Outcome) -> Self {
        Self {
            at: at.floor_to(Seconds::HOUR),
            verifier: Shown::name(verifier).to_string(),
            client_id: Shown::text(client_id).to_string(),
            known,
            purposes: Vec::new(),
            disclosed: Vec::new(),
            consent: None,
            outcome,
        }
    }
}

impl ConsentNote {
    /// A note of a consent that ends at `until`.
    pub(crate) fn new(id: String, until: Timestamp, retention: Seconds) -> Self {
        let before = Seconds::new(Seconds::HOUR.get() - 1);
        Self { id, until: until.plus(before).floor_to(Seconds::HOUR), retention }
    }
}

impl Holdings<'_> {
    /// The entries, the oldest first.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn history(&self) -> Result<Vec<Entry>, HistoryError> {
        Ok(self.log()?.1.entries)
    }

    /// Drops the entries whose time is over; gives how many. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn prune_history(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<usize, HistoryError> {
        let kept_for = self.settings().history_kept_for;
        let (id, mut log) = self.log()?;
        let old = log.entries.iter().take_while(|entry| now.since(entry.at) >= kept_for).count();
        if old > 0 {
            log.drop_first(old);
            self.write(RecordKind::HISTORY, id, &log, rng)?;
        }
        Ok(old)
    }

    /// Drops every entry, readable or not, and the chain with them. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HistoryError`] of the vault.
    pub fn purge_history(&mut self, rng: &mut dyn CryptoRng) -> Result<(), HistoryError> {
        for id in self.records.ids(RecordKind::HISTORY) {
            self.records.remove(id, rng).map_err(HoldingsError::from)?;
        }
        Ok(())
    }

    /// Writes down what happened, and what is too old off. Nothing when the person keeps no history.
    pub(crate) fn note(
        &mut self,
        entry: Entry,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<EntryNumber>, HistoryError> {
        if self.settings().history_kept_for == Seconds::new(0) {
            return Ok(None);
        }
        self.prune_history(now, rng)?;
        let (id, mut log) = self.log()?;
        log.push(entry);
        log.fit();
        self.write(RecordKind::HISTORY, id, &log, rng)?;
        Ok(Some(EntryNumber(log.dropped + log.entries.len() as u64 - 1)))
    }

    /// Writes down what came of it in the end.
    pub(crate) fn settle(
        &mut self,
        number: EntryNumber,
        outcome: Outcome,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HistoryError> {
        let (id, mut log) = self.log()?;
        let at = number.0.checked_sub(log.dropped).and_then(|at| usize::try_from(at).ok());
        if let Some(entry) = at.and_then(|at| log.entries.get_mut(at)) {
            entry.outcome = outcome;
            log.head = log.chained(log.base);
            self.write(RecordKind::HISTORY, id, &log, rng)?;
        }
        Ok(())
    }

    fn log(&self) -> Result<(Option<crate::holdings::RecordId>, Log), HistoryError> {
        let Some(id) = self.records.ids(RecordKind::HISTORY).into_iter().next() else {
            return Ok((None, Log::default()));
        };
        let log: Log = self.parse(id)?;
        if log.chained(log.base) == log.head { Ok((Some(id), log)) } else { Err(HistoryError::Broken) }
    }
}

/// The record of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Log {
    /// How many entries were dropped.
    dropped: u64,
    /// The chain up to the last one dropped.
    base: [u8; 32],
    /// The chain up to the last entry.
    head: [u8; 32],
    entries: Vec<Entry>,
}

impl Log {
    fn push(&mut self, entry: Entry) {
        self.head = link(self.head, &entry);
        self.entries.push(entry);
    }

    fn drop_first(&mut self, count: usize) {
        for entry in self.entries.drain(..count.min(self.entries.len())) {
            self.base = link(self.base, &entry);
            self.dropped += 1;
        }
    }

    /// Drops the oldest until the record fits.
    fn fit(&mut self) {
        while self.entries.len() > 1 && serde_json::to_vec(self).map_or(0, |bytes| bytes.len()) > MAX_BYTES {
            self.drop_first(self.entries.len().div_ceil(8));
        }
    }

    fn chained(&self, base: [u8; 32]) -> [u8; 32] {
        self.entries.iter().fold(base, link)
    }
}

/// `SHA-256(0x01 || before || SHA-256(0x00 || entry))`.
fn link(before: [u8; 32], entry: &Entry) -> [u8; 32] {
    // The order of members is the order of the fields, so that the same entry gives the same bytes.
    let bytes = serde_json::to_vec(entry).unwrap_or_default();
    let leaf = Sha256::new().chain_update([0]).chain_update(bytes).finalize();
    Sha256::new().chain_update([1]).chain_update(before).chain_update(leaf).finalize().into()
}

/// Below the longest record of the vault.
const MAX_BYTES: usize = 200_000;
