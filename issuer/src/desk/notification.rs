//! Hearing from a wallet how an issuance went.

use super::issuance::{Authorization, CredentialCall, CredentialError};
use super::{Issuer, randomness};
use crate::keys::{Fingerprint, Purpose};
use crate::metadata::NOTIFICATION_PATH;
use crate::secret::NotificationId;
use crate::store::{Awaited, StoreError};
use credentials::json;
use schemas::{Seconds, Timestamp};
use serde_json::Value;

/// How long a wallet with a bound token may take to tell: its person reads first what came.
pub const NOTICE_TIME: Seconds = Seconds::HOUR;

/// What a wallet may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The copies are kept.
    Accepted,
    /// The copies could not be used or kept.
    Failure,
    /// The person gave them up. Taken and forgotten: nobody here shall know (`protocols.md` §3.3).
    Deleted,
}

/// Why a notification was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotificationError {
    /// The token, as at the credential endpoint.
    #[error(transparent)]
    Access(#[from] CredentialError),
    /// The request is malformed, or tells of no event that there is.
    #[error("the notification request is malformed")]
    Malformed,
    /// No issuance of this token has that identifier.
    #[error("the notification identifier is unknown")]
    UnknownId,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Issuer {
    /// Takes a notification; the same again is as good as once.
    ///
    /// Nothing of it is kept: a failure is written to the log, without whose it was.
    ///
    /// # Errors
    /// [`NotificationError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §11.
    pub fn notified(&self, call: &CredentialCall<'_>) -> Result<Event, NotificationError> {
        let now = self.now();
        let (token, shown_bound) = match call.authorization.ok_or(CredentialError::NoToken)? {
            Authorization::Bearer(token) => (token, false),
            Authorization::Dpop(token) => (token, true),
        };
        let awaited = self.store.awaited(&self.token_key(token), now)?;
        let first = awaited.first().ok_or(CredentialError::InvalidToken)?;
        self.hold_to_key(call.dpop, NOTIFICATION_PATH, token, first.dpop_key, shown_bound, now)?;
        let request = json::parse_object(call.body, &json::Limits::TOKEN).map_err(|_| NotificationError::Malformed)?;
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let description = request.get("event_description");
        if description.is_some_and(|text| !text.as_str().is_some_and(is_description)) {
            return Err(NotificationError::Malformed);
        }
        let (Some(id), Some(event)) = (text("notification_id"), text("event")) else {
            return Err(NotificationError::Malformed);
        };
        let event = match event {
            "credential_accepted" => Event::Accepted,
            "credential_failure" => Event::Failure,
            "credential_deleted" => Event::Deleted,
            _ => return Err(NotificationError::Malformed),
        };
        let key = self.notification_key(id);
        if !awaited.iter().any(|awaited| awaited.id.matches(&key)) {
            return Err(NotificationError::UnknownId);
        }
        if event == Event::Failure {
            tracing::warn!("a wallet could not use or keep what was issued to it");
        }
        Ok(event)
    }

    /// A fresh identifier, and what the store must know of it.
    pub(super) fn await_notice(
        &self,
        token: Fingerprint,
        dpop_key: Option<[u8; 32]>,
        now: Timestamp,
    ) -> (NotificationId, Awaited) {
        let id = NotificationId::generate(&mut randomness());
        // OpenID4VCI 1.0 §13.10: what is not bound to a key lives five minutes.
        let time = if dpop_key.is_some() { NOTICE_TIME } else { crate::grant::TOKEN_LIFETIME };
        let awaited = Awaited { id: self.notification_key(id.as_str()), token, dpop_key, expires: now.plus(time) };
        (id, awaited)
    }

    fn notification_key(&self, id: &str) -> Fingerprint {
        self.keys.fingerprint(Purpose::Notification, &[id.as_bytes()])
    }
}

/// OpenID4VCI 1.0 §11.1: printable ASCII without quotation mark and backslash.
fn is_description(text: &str) -> bool {
    text.len() <= MAX_DESCRIPTION && text.bytes().all(|b| matches!(b, 0x20..=0x7e) && b != b'"' && b != b'\\')
}

const MAX_DESCRIPTION: usize = 1_024;
