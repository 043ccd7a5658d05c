//! What was shown, to whom, why, until when: paths, never values.
//!
//! What is written is a chain of lines, each linked to the one before by a MAC under the vault's log key; the head stands
//! in the vault's manifest. So a line that is missing or changed is seen by whoever can open the vault. Lines are only ever
//! added, and dropped from the front: after the time the person set, or all at once on request.
//!
//! # Source
//! `security.md` §4.5, §1.2 `K_log`.

use crate::display::Shown;
use crate::fault::{Blame, Fault};
use crate::holdings::{Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use rand_core::CryptoRng;
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};
use serde::{Deserialize, Serialize};

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

/// What came of an answer. That the person said no to a request is written nowhere.
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
}

/// Which entry: its place counted from the first line that was ever written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryNumber(u64);

/// Why the history cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// Its record cannot be read or written.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
    /// The lines do not lead to the head in the vault's manifest.
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
        Ok(self.log()?.1.entries())
    }

    /// Drops what is too old; gives how many lines. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn prune_history(&mut self, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<usize, HistoryError> {
        let (id, mut log) = self.log()?;
        let kept_for = self.settings().history_kept_for;
        let old = log.lines.iter().take_while(|line| line.is_over(now, kept_for)).count();
        if old > 0 {
            self.drop_first(&mut log, old);
            self.write(RecordKind::HISTORY, id, &log, rng)?;
        }
        Ok(old)
    }

    /// Drops every line, readable or not. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HistoryError`] of the vault.
    pub fn purge_history(&mut self, rng: &mut dyn CryptoRng) -> Result<(), HistoryError> {
        for id in self.records.ids(RecordKind::HISTORY) {
            self.records.remove(id, rng).map_err(HoldingsError::from)?;
        }
        // Where the chain goes on from; how many lines there were is forgotten with them.
        let log = Log { dropped: 0, base: self.records.log_head(), lines: Vec::new() };
        self.write(RecordKind::HISTORY, None, &log, rng)?;
        Ok(())
    }

    /// Writes down what happened, and drops what is too old. Nothing when the person keeps no history.
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
        let number = self.append(Line::Entry(entry), rng)?;
        Ok(Some(EntryNumber(number)))
    }

    /// Writes down what came of an entry in the end. Save the vault to keep it.
    ///
    /// # Errors
    /// [`HistoryError`].
    pub fn settle(
        &mut self,
        entry: EntryNumber,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HistoryError> {
        let at = now.floor_to(Seconds::HOUR);
        self.append(Line::Outcome { of: entry.0, at, outcome }, rng).map(drop)
    }

    fn append(&mut self, line: Line, rng: &mut dyn CryptoRng) -> Result<u64, HistoryError> {
        let (id, mut log) = self.log()?;
        let bytes = line.bytes();
        log.lines.push(line);
        let most = log.lines.len();
        while log.lines.len() > 1 && serde_json::to_vec(&log).map_or(0, |bytes| bytes.len()) > MAX_BYTES {
            self.drop_first(&mut log, most.div_ceil(8));
        }
        self.write(RecordKind::HISTORY, id, &log, rng)?;
        self.records.extend_log(&bytes).map_err(HoldingsError::from)?;
        Ok(log.dropped + log.lines.len() as u64 - 1)
    }

    /// The last line always stays, so that what was just written is there.
    fn drop_first(&self, log: &mut Log, count: usize) {
        for line in log.lines.drain(..count.min(log.lines.len())) {
            log.base = self.records.log_link(&log.base, &line.bytes());
            log.dropped += 1;
        }
    }

    fn log(&self) -> Result<(Option<RecordId>, Log), HistoryError> {
        let id = self.records.ids(RecordKind::HISTORY).into_iter().next();
        let log: Log = id.map(|id| self.parse(id)).transpose()?.unwrap_or_default();
        let head = log.lines.iter().fold(log.base, |head, line| self.records.log_link(&head, &line.bytes()));
        if head == self.records.log_head() { Ok((id, log)) } else { Err(HistoryError::Broken) }
    }
}

/// The record of the history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Log {
    /// How many lines were dropped.
    dropped: u64,
    /// The chain up to the last one dropped.
    base: [u8; 32],
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Entry(Entry),
    /// What came of an earlier line.
    Outcome {
        of: u64,
        at: Timestamp,
        outcome: Outcome,
    },
}

impl Line {
    /// The order of members is the order of the fields, so that the same line gives the same bytes.
    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    fn is_over(&self, now: Timestamp, kept_for: Seconds) -> bool {
        let (Self::Entry(Entry { at, .. }) | Self::Outcome { at, .. }) = self;
        now.since(*at) >= kept_for
    }
}

impl Log {
    fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<(u64, Entry)> = Vec::new();
        for (number, line) in (self.dropped..).zip(&self.lines) {
            match line {
                Line::Entry(entry) => entries.push((number, entry.clone())),
                Line::Outcome { of, at: _, outcome } => {
                    entries.iter_mut().filter(|(n, _)| n == of).for_each(|(_, entry)| entry.outcome = *outcome);
                }
            }
        }
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// Below the longest record of the vault.
const MAX_BYTES: usize = 200_000;
