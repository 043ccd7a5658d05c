//! Telling the issuer how an issuance went, and nothing of what becomes of a credential later.

use super::access::Access;
use super::encryption::Message;
use super::error::{Answer, IssuanceError};
use crate::effect::{Effect, Errand, Outcome, Progress};
use rand_core::CryptoRng;
use schemas::Timestamp;
use serde_json::json;
use std::collections::VecDeque;
use std::fmt;
use url::Url;

/// What the issuer is told.
///
/// There is no word for a deletion: an issuer that hears of one learns when its holder gives up a credential.
///
/// # Source
/// OpenID4VCI 1.0 §11.1; without `credential_deleted`, as the ARF demands of wallets (PAD_03).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// All copies are kept.
    Accepted,
    /// The copies could not be used or not be kept, by no doing of the person.
    Failure,
}

/// The notices that an issuer asked for.
#[derive(Clone)]
pub struct Notices {
    endpoint: Option<Url>,
    access: Access,
    ids: VecDeque<String>,
}

/// The issuer is being told.
pub struct Notifying {
    effect: Effect,
    endpoint: Url,
    access: Access,
    id: String,
    ids: VecDeque<String>,
    event: Event,
    retried: bool,
}

impl Notices {
    pub(super) const fn new(endpoint: Option<Url>, access: Access) -> Self {
        Self { endpoint, access, ids: VecDeque::new() }
    }

    pub(super) fn add(&mut self, id: Option<&str>) {
        self.ids.extend(id.filter(|id| (1..=MAX_ID).contains(&id.len())).map(str::to_owned));
    }

    /// Sets out to tell the issuer; `None` when it did not ask.
    ///
    /// What becomes of it is of no consequence for the credentials: they are kept, or not, already.
    ///
    /// # Errors
    /// [`IssuanceError::Key`].
    pub fn tell(
        self,
        event: Event,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Option<Notifying>, IssuanceError> {
        let Self { endpoint, access, mut ids } = self;
        let (Some(endpoint), Some(id)) = (endpoint, ids.pop_front()) else { return Ok(None) };
        let effect = request(&endpoint, &access, &id, event, now, rng)?;
        Ok(Some(Notifying { effect, endpoint, access, id, ids, event, retried: false }))
    }
}

/// # Source
/// OpenID4VCI 1.0 §11.1. Without `event_description`: nothing about this device.
fn request(
    endpoint: &Url,
    access: &Access,
    id: &str,
    event: Event,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Effect, IssuanceError> {
    let event = match event {
        Event::Accepted => "credential_accepted",
        Event::Failure => "credential_failure",
    };
    access.post(endpoint, Message::json(&json!({ "notification_id": id, "event": event }))?, now, rng)
}

impl Errand for Notifying {
    type Ready = ();
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        mut self,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let Outcome::Response(response) = outcome else {
            return Err(IssuanceError::Unreachable(Answer::Notification));
        };
        let repeat = self.access.must_repeat(&response) && !self.retried;
        if !repeat {
            if !(200..300).contains(&response.status) {
                return Err(IssuanceError::Status { answer: Answer::Notification, status: response.status });
            }
            let Some(next) = self.ids.pop_front() else { return Ok(Progress::Ready(())) };
            self.id = next;
        }
        self.effect = request(&self.endpoint, &self.access, &self.id, self.event, now, rng)?;
        self.retried = repeat;
        Ok(Progress::Waiting(self))
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint: _, access: _, ids } = self;
        f.debug_struct("Notices").field("count", &ids.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Notifying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notifying").field("effect", &self.effect).field("event", &self.event).finish_non_exhaustive()
    }
}

const MAX_ID: usize = 1_024;
