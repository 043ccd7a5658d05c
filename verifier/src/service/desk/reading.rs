//! Reading a result: opens the guarded presentation each time, or says why it no longer opens.

use super::{Desk, DeskError};
use crate::guarded::{Actor, AuditEntry, AuditEvent, OpenError, RecordId, View};
use crate::service::go_on::is_secret;
use crate::service::key_files::KeyKind;
use crate::service::ledger::DeskLedger;
use crate::service::store::{Progress, StoredGuard, TransactionRow};
use crate::verification::Held;
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};

/// How long an answer may be in the making before it counts as interrupted.
pub(in crate::service) const PATIENCE: Seconds = Seconds::new(60);

/// How a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// No answer yet.
    Waiting,
    /// The answer holds, and its consent too.
    Verified,
    /// The answer was refused, or the holder refused.
    Refused,
    /// The consent has ended, or nobody answered in time.
    Ended,
}

impl Outcome {
    /// The word for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Verified => "verified",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }
}

/// Why there is nothing to show, for machines and for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// A word for machines.
    pub code: String,
    /// A sentence for people, without any claim's value.
    pub message: String,
}

/// What may be told of the consent, before and after its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentShown {
    /// What for.
    pub purpose: Purpose,
    /// When it ends: its own end or that of the retention, whichever is earlier.
    pub expires_at: Timestamp,
    /// How long the data may be kept after they came.
    pub retention: Seconds,
}

/// What the desk is told of a transaction.
#[derive(Debug)]
pub struct Report {
    /// How it stands.
    pub outcome: Outcome,
    /// What was presented, opened this once.
    pub held: Option<View<Held>>,
    /// The consent; `None` when there is none.
    pub consent: Option<ConsentShown>,
    /// Until when the presentation is kept, on whatever ground; `None` when nothing was received.
    pub kept_until: Option<Timestamp>,
    /// What went wrong.
    pub error: Option<Shown>,
}

impl Report {
    const fn of(outcome: Outcome, error: Option<Shown>) -> Self {
        Self { outcome, held: None, consent: None, kept_until: None, error }
    }
}

impl Desk {
    /// As [`Desk::result_for`], without a secret: for answers that came from another device.
    ///
    /// # Errors
    /// As [`Desk::result_for`].
    pub fn result(&self, id: &RecordId, actor: &Actor) -> Result<Report, DeskError> {
        self.result_for(id, actor, None)
    }

    /// How a transaction stands. Opens what was presented, as `actor`, which leaves an entry in the audit. Where the person's
    /// browser was to come back, only with the secret that it came back with: whoever lured somebody else into answering his
    /// request has the transaction, and not the secret.
    ///
    /// # Source
    /// OpenID4VP 1.0 §14.2 "Session Fixation", §14.3.3; HAIP 1.0 §5.1.
    ///
    /// # Errors
    /// [`DeskError::OtherSession`]; [`DeskError::UnknownTransaction`]; [`DeskError::ClockSuspect`] when the clock was set back; [`DeskError::Corrupt`].
    pub fn result_for(&self, id: &RecordId, actor: &Actor, response_code: Option<&str>) -> Result<Report, DeskError> {
        let local = self.clock.now();
        let floor = self.store.time_floor(local)?;
        let at = floor.effective(local);
        let row = self.store.transaction(id)?.ok_or(DeskError::UnknownTransaction)?;
        match row.progress {
            Progress::Waiting if at >= row.expires_at => self.expire(&row),
            Progress::Taken if interrupted(&row, at) => self.interrupt(&row),
            Progress::Waiting | Progress::Taken => Ok(Report::of(Outcome::Waiting, shown(row.error))),
            Progress::Refused => Ok(Report::of(Outcome::Refused, shown(row.error))),
            Progress::Verified if !is_own_session(&row, response_code) => Err(DeskError::OtherSession),
            Progress::Verified => self.open_guarded(&row, actor, local),
            Progress::Ended => self.tell_ended(row),
        }
    }

    /// Destroys what was presented before its consent ends: the holder asked for it, or it is no longer needed.
    ///
    /// # Errors
    /// [`DeskError::UnknownTransaction`]; when the key could not be destroyed, or the store not be written.
    pub fn forget(&self, id: &RecordId, actor: &Actor) -> Result<(), DeskError> {
        let row = self.store.transaction(id)?.ok_or(DeskError::UnknownTransaction)?;
        self.keys.destroy(id, KeyKind::Guard)?;
        self.keys.destroy(id, KeyKind::Answer)?;
        let local = self.clock.now();
        let at = self.store.time_floor(local)?.effective(local);
        let entry = AuditEntry { id, at, actor, purpose: row.purpose, event: AuditEvent::Forgotten };
        self.store.record(&entry)?;
        self.conclude(id, "forgotten", "it was destroyed on request")
    }

    fn open_guarded(&self, row: &TransactionRow, actor: &Actor, local: Timestamp) -> Result<Report, DeskError> {
        let stored = self.store.guarded(&row.id)?.ok_or(DeskError::Corrupt)?;
        if stored.guarded.is_none() {
            // Somebody else noted its end since the row was read.
            let row = self.store.transaction(&row.id)?.ok_or(DeskError::UnknownTransaction)?;
            if row.progress == Progress::Ended {
                return self.tell_ended(row);
            }
        }
        let mut ledger = DeskLedger { store: &self.store, keys: &self.keys };
        let opened = match &stored.guarded {
            Some(guarded) => guarded.open(&mut ledger, row.purpose, actor, local),
            None => Err(OpenError::KeyDestroyed),
        };
        let (outcome, held, error) = match opened {
            Ok(view) => (Outcome::Verified, Some(view), None),
            Err(OpenError::ClockSuspect(suspect)) => return Err(suspect.into()),
            Err(OpenError::Corrupt) => return Err(DeskError::Corrupt),
            Err(OpenError::Ledger(error)) => return Err(error.into()),
            Err(refused) => {
                let (outcome, code) = match &refused {
                    OpenError::Ended { .. } => (Outcome::Ended, "consent_ended"),
                    OpenError::UsesExhausted => (Outcome::Ended, "uses_exhausted"),
                    OpenError::KeyDestroyed => (Outcome::Ended, "key_destroyed"),
                    _ => (Outcome::Refused, "purpose_not_granted"),
                };
                let message = refused.to_string();
                if outcome == Outcome::Ended {
                    self.conclude(&row.id, code, &message)?;
                }
                (outcome, None, Some(Shown { code: code.to_owned(), message }))
            }
        };
        let mut report = Report { held, ..Report::of(outcome, error) };
        tell(&mut report, &stored, row.purpose);
        Ok(report)
    }

    fn tell_ended(&self, row: TransactionRow) -> Result<Report, DeskError> {
        let mut report = Report::of(Outcome::Ended, shown(row.error));
        if let Some(stored) = self.store.guarded(&row.id)? {
            tell(&mut report, &stored, row.purpose);
        }
        Ok(report)
    }

    pub(in crate::service) fn expire(&self, row: &TransactionRow) -> Result<Report, DeskError> {
        let message = format!("nobody answered before {}", row.expires_at);
        self.keys.destroy(&row.id, KeyKind::Answer)?;
        self.store.end(&row.id, "not_answered", &message)?;
        Ok(Report::of(Outcome::Ended, Some(Shown { code: "not_answered".to_owned(), message })))
    }

    pub(in crate::service) fn interrupt(&self, row: &TransactionRow) -> Result<Report, DeskError> {
        let message = "the service stopped while it verified the answer; ask again".to_owned();
        self.keys.destroy(&row.id, KeyKind::Guard)?;
        self.keys.destroy(&row.id, KeyKind::Answer)?;
        self.store.refuse(&row.id, "interrupted", &message)?;
        Ok(Report::of(Outcome::Refused, Some(Shown { code: "interrupted".to_owned(), message })))
    }

    /// The key is destroyed; the ciphertext goes too, and the transaction has ended.
    pub(in crate::service) fn conclude(&self, id: &RecordId, code: &str, message: &str) -> Result<(), DeskError> {
        self.store.delete_ciphertext(id)?;
        Ok(self.store.end(id, code, message)?)
    }
}

/// Whether it may be opened: no browser was to come back, or this is the one that did.
fn is_own_session(row: &TransactionRow, response_code: Option<&str>) -> bool {
    row.go_on.is_none()
        || response_code.zip(row.response_code.as_deref()).is_some_and(|(code, sha256)| is_secret(code, sha256))
}

pub(in crate::service) fn interrupted(row: &TransactionRow, at: Timestamp) -> bool {
    row.taken_at.is_none_or(|taken| at >= taken.plus(PATIENCE))
}

fn shown(error: Option<(String, String)>) -> Option<Shown> {
    error.map(|(code, message)| Shown { code, message })
}

fn tell(report: &mut Report, stored: &StoredGuard, purpose: Purpose) {
    let StoredGuard { guarded: _, terms, facts } = stored;
    report.kept_until = Some(terms.end());
    if facts.id.is_some() {
        let purpose = terms.purposes().first().copied().unwrap_or(purpose);
        report.consent = Some(ConsentShown { purpose, expires_at: facts.ends_at, retention: facts.retention });
    }
}
