//! Opening a guarded value, and what stands in the way.

use super::{Actor, Admitted, AuditEntry, AuditEvent, Content, Guarded, Ledger};
use crate::time_floor::ClockSuspect;
use schemas::Timestamp;
use schemas::purpose::Purpose;
use std::fmt;

/// Why a guarded value did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<E: std::error::Error> {
    // The consent's answer: final.
    /// The consent, or the retention, has ended, and the key is gone.
    #[error("the consent ended at {end}")]
    Ended {
        /// When.
        end: Timestamp,
    },
    /// Its key is gone before its time: forgotten on request, or restored from a backup that rightly has no keys.
    #[error("the key is destroyed; nobody can open it")]
    KeyDestroyed,
    /// It was opened as often as was granted, and the key is gone.
    #[error("all uses that were granted are spent")]
    UsesExhausted,
    /// It was given for another purpose.
    #[error("not granted for the purpose {purpose}")]
    PurposeNotGranted {
        /// The purpose asked for.
        purpose: Purpose,
    },
    // The surroundings' fault.
    /// The clock was set back.
    #[error(transparent)]
    ClockSuspect(#[from] ClockSuspect),
    /// The ciphertext or its terms are not what was stored.
    #[error("the stored presentation or its terms were changed")]
    Corrupt,
    /// The records could not be read or written.
    #[error("the records could not be used: {0}")]
    Ledger(E),
}

/// An opened value. It cannot be serialised, printed or cloned as a whole: take what the screen must show, and drop it.
///
/// ```compile_fail,E0277
/// fn write<T>(view: &verifier::guarded::View<T>) -> serde_json::Result<String> {
///     serde_json::to_string(view)
/// }
/// ```
///
/// ```compile_fail,E0599
/// fn keep<T>(view: &verifier::guarded::View<T>) -> verifier::guarded::View<T> {
///     view.clone()
/// }
/// ```
pub struct View<T>(T);

impl<T> View<T> {
    /// What is in it.
    pub const fn content(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for View<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("View(..)")
    }
}

impl<T: Content> Guarded<T> {
    /// Opens the value for `purpose`, if its terms allow it now. The audit is durable before this returns.
    ///
    /// In order: the end (by the later of `now` and the floor of time), the clock, the purpose, the key, the uses and the audit.
    /// Where the end has come or the uses are spent, the key is destroyed here, whether or not a janitor was running.
    ///
    /// # Errors
    /// [`OpenError`]; every refusal is in the audit too.
    ///
    /// # Source
    /// `security.md` §4.2 "Enforcement at the verifier".
    pub fn open<L: Ledger>(
        &self,
        ledger: &mut L,
        purpose: Purpose,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<View<T>, OpenError<L::Error>> {
        let floor = ledger.time_floor(now).map_err(OpenError::Ledger)?;
        let at = floor.effective(now);
        let entry = |event| AuditEntry { id: self.terms.id(), at, actor, purpose, event };
        if self.terms.ended(at) {
            ledger.destroy_key(self.terms.id()).map_err(OpenError::Ledger)?;
            ledger.record_end(&entry(AuditEvent::Ended), self.terms.end()).map_err(OpenError::Ledger)?;
            return Err(OpenError::Ended { end: self.terms.end() });
        }
        if let Err(suspect) = floor.judge(now) {
            ledger.record(&entry(AuditEvent::ClockSuspect)).map_err(OpenError::Ledger)?;
            return Err(suspect.into());
        }
        if !self.terms.purposes().contains(&purpose) {
            ledger.record(&entry(AuditEvent::PurposeRefused)).map_err(OpenError::Ledger)?;
            return Err(OpenError::PurposeNotGranted { purpose });
        }
        // The key is read before a use is taken: an opening that was admitted must not lose it to the one after it.
        let Some(key) = ledger.key(self.terms.id()).map_err(OpenError::Ledger)? else {
            ledger.record(&entry(AuditEvent::KeyMissing)).map_err(OpenError::Ledger)?;
            return Err(OpenError::KeyDestroyed);
        };
        let admitted = ledger.admit(&entry(AuditEvent::Opened)).map_err(OpenError::Ledger)?;
        if admitted != Admitted::Yes {
            ledger.destroy_key(self.terms.id()).map_err(OpenError::Ledger)?;
        }
        if admitted == Admitted::No {
            ledger.record(&entry(AuditEvent::UsesExhausted)).map_err(OpenError::Ledger)?;
            return Err(OpenError::UsesExhausted);
        }
        match self.unseal(&key) {
            Some(content) => Ok(View(content)),
            None => {
                ledger.record(&entry(AuditEvent::Corrupt)).map_err(OpenError::Ledger)?;
                Err(OpenError::Corrupt)
            }
        }
    }
}
