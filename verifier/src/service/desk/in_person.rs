//! A holder who stands beside the desk: asked and checked as one who answers over a network, and nothing is fetched.

use super::answering::{Answered, Received};
use super::{Ask, Desk, DeskError, rng};
use crate::guarded::RecordId;
use crate::in_person;
use crate::policy::{ClientIdPrefix, ResponseMode};
use crate::transaction::{Asker, Inquiry, Transaction};
use crate::verification::{Surroundings, authenticate_in_person};
use credentials::mdoc::Handover;
use credentials::proximity::{self, DeviceEngagement, ReaderEngagement, Session, SessionStatus};
use credentials::signer::SoftwareKey;
use schemas::Timestamp;
use std::fmt;

/// A question that was put to a holder in person, and waits for the answer.
pub struct Encounter {
    transaction: Transaction,
    session: Session,
    /// Our key of the session once more: the session may end with the message that is checked with it.
    key: SoftwareKey,
    message: Vec<u8>,
}

impl Encounter {
    /// Under which the desk reads the result.
    pub const fn id(&self) -> &RecordId {
        self.transaction.id()
    }

    /// The first message, which asks.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// Until when it can be answered.
    pub const fn expires_at(&self) -> Timestamp {
        self.transaction.expires_at()
    }
}

/// What is asked and proposed is in it, encrypted, and the keys of the session.
impl fmt::Debug for Encounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { transaction, session: _, key: _, message: _ } = self;
        f.debug_struct("Encounter").field("id", transaction.id()).finish_non_exhaustive()
    }
}

impl Desk {
    /// Makes a request for the device that showed `engagement`. Nothing is fetched: status lists are those at hand.
    ///
    /// # Errors
    /// [`DeskError::NotInPerson`] for a question that cannot be asked in this way, and others.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4, §9.1.4.
    pub fn approach(&self, ask: Ask, engagement: DeviceEngagement) -> Result<Encounter, DeskError> {
        let now = self.time()?;
        self.identity.check(now)?;
        let Ask { query, purpose, retention, consent, unknown_status, .. } = ask;
        let inquiry = Inquiry::new(in_person::by_position(&query)?, purpose, retention, consent)?
            .answered_by(ResponseMode::DirectPost)
            .with_unknown_status(unknown_status);
        let asker = Asker {
            client_id: self.identity.client_id(ClientIdPrefix::X509Hash)?,
            name: self.config.name.as_str().to_owned(),
            contact: self.config.contact.clone(),
        };
        let transaction = Transaction::begin(inquiry, &asker, now, &mut rng())?;
        let failed = |what| move |_| DeskError::Internal(what);
        let key = SoftwareKey::generate(&mut rng()).map_err(failed("drawing a key"))?;
        let scalar = key.scalar().map_err(|_| DeskError::Internal("drawing a key"))?;
        let again = SoftwareKey::from_scalar(&scalar).map_err(failed("drawing a key"))?;
        let reader = ReaderEngagement::new(engagement, key, &Handover::Qr);
        let (chain, signer) = (self.identity.chain(), self.identity.signer());
        let request = in_person::request(&transaction, reader.transcript(), chain, signer)
            .map_err(|_| DeskError::Internal("signing the request"))?;
        let (session, message) = reader.establish(&request).map_err(|_| DeskError::Internal("beginning a session"))?;
        self.store.put_transaction(transaction.clone(), None, None)?;
        tracing::info!(transaction = %transaction.id(), %purpose, %consent, "request made in person");
        Ok(Encounter { transaction, session, key: again, message })
    }

    /// Takes what the holder's device said through all checks; gives what the device is told, if it is still there.
    ///
    /// # Errors
    /// [`DeskError`] of the desk itself: what is wrong with the answer is in the result.
    pub fn hear(&self, encounter: Encounter, reply: &[u8]) -> Result<Option<Vec<u8>>, DeskError> {
        let Encounter { transaction, session, key, message: _ } = encounter;
        let now = self.time()?;
        let id = transaction.id().clone();
        if !self.store.take(&id, now)? {
            return Ok(Some(session.end()));
        }
        let transcript = session.transcript().clone();
        let (response, farewell) = match session.receive(reply) {
            Ok(proximity::Received::Message(session, response)) => (response, Some(session.end())),
            Ok(proximity::Received::Last(response)) => (response, None),
            Ok(proximity::Received::Ended(status)) => {
                self.refuse(&id, "session_ended", ended(status).to_owned())?;
                return Ok(None);
            }
            Err(error) => {
                self.refuse(&id, "session_broken", format!("the answer is not one of this session: {error}"))?;
                return Ok(Some(error.status().message()));
            }
        };
        let anchors = self.anchors()?;
        let known = self.at_hand()?;
        let surroundings = Surroundings {
            anchors: &anchors,
            published: Some(&known.published),
            types: &known.types,
            transcript: &transcript,
            chains: Some(&self.chains),
            now,
        };
        let received = self.check(&id, transaction, |transaction| {
            authenticate_in_person(transaction, &response, &surroundings, &key)
        })?;
        if let Received::Pending(pending) = received {
            // Made known, so that the schedule fetches it when there is a network again.
            for reference in pending.status_references() {
                self.store.learn_list(&reference.uri, now)?;
            }
            let _: Answered = self.settle(*pending)?;
        }
        Ok(farewell)
    }

    /// Nobody answered, or nobody who could be heard.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn unheard(&self, encounter: &Encounter, why: &str) -> Result<(), DeskError> {
        Ok(self.store.end(encounter.id(), "not_answered", why)?)
    }
}

const fn ended(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Termination => "the holder's device ended the session without an answer",
        SessionStatus::EncryptionError => "the holder's device could not decrypt the request",
        _ => "the holder's device could not read the request",
    }
}
