//! What guarded storage needs from whoever keeps the records: keys, a count of uses, an audit, and a memory for time.

use super::{KeyEncryptionKey, RecordId};
use crate::time_floor::TimeFloor;
use schemas::Timestamp;
use schemas::purpose::Purpose;
use std::fmt;

/// Who opens: a name of the desk's own, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(String);

impl Actor {
    /// A name of at most 64 characters, none of them a control character; `None` for anything else.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = !name.is_empty() && name.chars().count() <= 64 && !name.chars().any(char::is_control);
        plain.then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What happened to a guarded value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditEvent {
    /// It was put under guard.
    Stored,
    /// It was opened.
    Opened,
    /// Opening was refused: wrong purpose.
    PurposeRefused,
    /// Opening was refused: no uses left.
    UsesExhausted,
    /// Opening was refused: the clock cannot be believed.
    ClockSuspect,
    /// Opening was refused: the ciphertext or its terms were changed.
    Corrupt,
    /// Opening was refused: its key is destroyed.
    KeyMissing,
    /// Its key was destroyed: the consent had ended.
    Ended,
    /// Its key was destroyed before the end, on request.
    Forgotten,
}

impl AuditEvent {
    /// The word in the audit.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Opened => "opened",
            Self::PurposeRefused => "purpose-refused",
            Self::UsesExhausted => "uses-exhausted",
            Self::ClockSuspect => "clock-suspect",
            Self::Corrupt => "corrupt",
            Self::KeyMissing => "key-missing",
            Self::Ended => "ended",
            Self::Forgotten => "forgotten",
        }
    }
}

/// One line of the audit. It never holds a claim.
#[derive(Debug, Clone, Copy)]
pub struct AuditEntry<'a> {
    /// Which value.
    pub id: &'a RecordId,
    /// When, by the effective time.
    pub at: Timestamp,
    /// Who.
    pub actor: &'a Actor,
    /// What for.
    pub purpose: Purpose,
    /// What happened.
    pub event: AuditEvent,
}

/// Whether one more opening is admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// It is, and more may follow.
    Yes,
    /// It is, and it is the last one.
    Last,
    /// It is not: all uses are spent.
    No,
}

/// The records around guarded values, kept by the caller.
pub trait Ledger {
    /// Why the records could not be read or written.
    type Error: std::error::Error;

    /// Remembers that `now` was seen, and gives the floor of time as it was before.
    ///
    /// # Errors
    /// When the records cannot be read or written.
    fn time_floor(&mut self, now: Timestamp) -> Result<TimeFloor, Self::Error>;

    /// The key of a value; `None` when it is destroyed or never was.
    ///
    /// # Errors
    /// When the keys cannot be read.
    fn key(&mut self, id: &RecordId) -> Result<Option<KeyEncryptionKey>, Self::Error>;

    /// Takes one use and writes the audit entry, both or neither, and both durable on return.
    ///
    /// Of two openings at once that want the last use exactly one is admitted. [`Admitted::No`] writes no entry.
    ///
    /// # Errors
    /// When the records cannot be written: nothing is opened then.
    fn admit(&mut self, entry: &AuditEntry<'_>) -> Result<Admitted, Self::Error>;

    /// Writes an audit entry.
    ///
    /// # Errors
    /// When the records cannot be written.
    fn record(&mut self, entry: &AuditEntry<'_>) -> Result<(), Self::Error>;

    /// Writes that a value has ended and takes it out of storage, in one step: of several that notice it, at once or one after
    /// the other, exactly one leaves an entry. `end` is when it ended.
    ///
    /// # Errors
    /// When the records cannot be written: it must be tried again.
    fn record_end(&mut self, entry: &AuditEntry<'_>, end: Timestamp) -> Result<(), Self::Error>;

    /// Destroys the key of a value for good. Succeeds when there is none.
    ///
    /// # Errors
    /// When the key could not be destroyed: it must be tried again.
    fn destroy_key(&mut self, id: &RecordId) -> Result<(), Self::Error>;
}
