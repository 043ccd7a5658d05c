//! Taking an answer: once, atomically, and then through every check.

use super::{Desk, DeskError, rng};
use crate::answer::{AnswerContent, AnswerError, AnswerIn, OpenedAnswer, Refusal};
use crate::guarded::{Actor, AuditEntry, AuditEvent, KeyEncryptionKey, RecordId};
use crate::policy::ResponseMode;
use crate::service::go_on::GoOn;
use crate::service::key_files::KeyKind;
use crate::service::store::ConsentFacts;
use crate::transaction::Transaction;
use crate::verification::{Authenticated, Surroundings, VerifiedPresentation, VerifyError, authenticate};
use schemas::purpose::Purpose;
use schemas::status::StatusReference;
use schemas::{Seconds, Timestamp};
use std::sync::Arc;

/// What the wallet is told.
#[derive(Debug)]
pub(in crate::service) enum Answered {
    /// It was taken: the presentation holds, or the refusal is noted. Where the person goes on, with the secret, if anywhere.
    Accepted {
        /// The whole address.
        redirect: Option<String>,
    },
    /// Nobody waits for it: unknown, answered already, or too late.
    NotWaiting,
    /// It could not be read; the request still waits.
    Unreadable(AnswerError),
    /// It was refused, and the nonce is spent.
    Refused {
        /// A word for machines.
        code: &'static str,
        /// A sentence without any claim's value.
        message: String,
    },
}

/// Presentations whose signatures hold, on their way through the other checks.
pub(in crate::service) struct Pending {
    id: RecordId,
    purpose: Purpose,
    authenticated: Authenticated,
}

impl Pending {
    /// The entries of status lists that the next step looks at.
    pub(super) fn status_references(&self) -> impl Iterator<Item = &StatusReference> {
        self.authenticated.status_references()
    }
}

/// What became of an answer so far.
pub(in crate::service) enum Received {
    /// All is said.
    Done(Answered),
    /// The status is to be looked at.
    Pending(Box<Pending>),
}

/// How long after its end the identifier of a consent is remembered.
///
/// # Source
/// `security.md` §4.1: "store id until exp+1 d".
const REMEMBERED: Seconds = Seconds::DAY;

impl Desk {
    /// Takes an answer through all checks.
    pub(in crate::service) async fn answer(
        self: &Arc<Self>,
        handle: String,
        body: Vec<u8>,
    ) -> Result<Answered, DeskError> {
        let failed = || DeskError::Internal("verifying an answer");
        let desk = Arc::clone(self);
        let received = tokio::task::spawn_blocking(move || desk.receive(&handle, &body));
        let pending = match received.await.map_err(|_| failed())?? {
            Received::Done(answered) => return Ok(answered),
            Received::Pending(pending) => pending,
        };
        // After the issuer's signature, never before: the address is by now an issuer's word and no stranger's.
        let uris = pending.authenticated.status_references().map(|reference| reference.uri.clone()).collect();
        self.learn_lists(uris, self.time()?).await;
        let desk = Arc::clone(self);
        tokio::task::spawn_blocking(move || desk.settle(*pending)).await.map_err(|_| failed())?
    }

    fn receive(&self, handle: &str, body: &[u8]) -> Result<Received, DeskError> {
        let now = self.time()?;
        let Some(transaction) = self.store.by_response_handle(handle, now)? else {
            return Ok(Received::Done(Answered::NotWaiting));
        };
        let id = transaction.id().clone();
        let key = self.answer_key(&transaction)?;
        if key.is_none() && transaction.inquiry().response_mode() == ResponseMode::DirectPostJwt {
            // Restored from a backup, which rightly has no keys: nobody can answer this any more.
            return Ok(Received::Done(Answered::NotWaiting));
        }
        let opened = AnswerIn::parse(body).and_then(|answer| answer.open(&transaction, key.as_ref()));
        match opened.map(OpenedAnswer::into_content) {
            // The presentation has been seen in the clear: it must not be answered with again.
            Err(error @ AnswerError::NotEncrypted) => {
                self.spend(&id, now, |desk| desk.refuse(&id, "not_encrypted", error.to_string()))
            }
            Err(error) => self.unreadable(&id, error),
            Ok(AnswerContent::Refusal(Refusal::InvalidTransactionData)) if self.store.drop_offer(&id)? => {
                tracing::info!(transaction = %id, "the wallet does not know our consent; asking without");
                Ok(Received::Done(Answered::Accepted { redirect: None }))
            }
            Ok(AnswerContent::Refusal(refusal)) => self.spend(&id, now, |desk| {
                let (code, message) = refusal_words(refusal);
                desk.refuse(&id, code, message.to_owned())?;
                desk.accepted(&id).map(Received::Done)
            }),
            Ok(AnswerContent::Presentations(presentations)) => self.spend(&id, now, |desk| {
                let anchors = desk.anchors()?;
                let transcript = &transaction.session_transcript(&desk.endpoints, key.as_ref());
                let known = desk.at_hand()?;
                let surroundings = Surroundings {
                    anchors: &anchors,
                    published: Some(&known.published),
                    types: &known.types,
                    transcript,
                    chains: Some(&desk.chains),
                    now,
                };
                desk.check(&id, transaction, |transaction| authenticate(transaction, &presentations, &surroundings))
            }),
        }
    }

    /// Takes the transaction for one answer, and goes on with `then` if nobody was faster.
    fn spend(
        &self,
        id: &RecordId,
        now: Timestamp,
        then: impl FnOnce(&Self) -> Result<Received, DeskError>,
    ) -> Result<Received, DeskError> {
        if !self.store.take(id, now)? {
            return Ok(Received::Done(Answered::NotWaiting));
        }
        self.keys.destroy(id, KeyKind::Answer)?;
        then(self)
    }

    pub(super) fn check(
        &self,
        id: &RecordId,
        transaction: Transaction,
        check: impl FnOnce(Transaction) -> Result<Authenticated, VerifyError>,
    ) -> Result<Received, DeskError> {
        let purpose = transaction.inquiry().purpose();
        match check(transaction) {
            Ok(authenticated) => Ok(Received::Pending(Box::new(Pending { id: id.clone(), purpose, authenticated }))),
            Err(error) => self.refuse(id, error.code(), error.to_string()),
        }
    }

    pub(super) fn settle(&self, pending: Pending) -> Result<Answered, DeskError> {
        let Pending { id, purpose, authenticated } = pending;
        let now = self.time()?;
        let anchors = self.anchors()?;
        let uris = authenticated.status_references().map(|reference| reference.uri.clone()).collect::<Vec<_>>();
        let lists = self.lists_at_hand(uris, &anchors, now)?;
        let verified = authenticated
            .check_status(&lists, now)
            .and_then(|current| current.check_answer())
            .and_then(|complete| complete.check_consent(now));
        match verified {
            Ok(verified) => self.keep(&id, purpose, verified, now),
            Err(error) => match self.refuse(&id, error.code(), error.to_string())? {
                Received::Done(answered) => Ok(answered),
                Received::Pending(_) => Err(DeskError::Internal("refusing")),
            },
        }
    }

    fn keep(
        &self,
        id: &RecordId,
        purpose: Purpose,
        verified: VerifiedPresentation,
        now: Timestamp,
    ) -> Result<Answered, DeskError> {
        let facts = ConsentFacts {
            id: verified.consent().map(|consent| consent.id().to_string()),
            ends_at: verified.terms().end(),
            retention: verified.consent().map_or_else(
                || verified.terms().end().since(verified.terms().received()),
                |consent| consent.retention(),
            ),
        };
        let forget_at = verified.consent().map_or(now, |consent| consent.grant().exp).plus(REMEMBERED);
        let key = KeyEncryptionKey::generate(&mut rng());
        let guarded = verified.guard(&key, &mut rng())?;
        self.keys.put(id, KeyKind::Guard, key.expose())?;
        let actor = system_actor()?;
        let entry = AuditEntry { id, at: now, actor: &actor, purpose, event: AuditEvent::Stored };
        let kept = self.store.put_guarded(&guarded, &facts, &entry, forget_at);
        if !matches!(kept, Ok(true)) {
            self.keys.destroy(id, KeyKind::Guard)?;
        }
        if kept? {
            tracing::info!(transaction = %id, ends_at = %facts.ends_at, "presentation verified");
            return self.accepted(id);
        }
        let message = "this consent came before, with another presentation".to_owned();
        self.store.refuse(id, "consent_replayed", &message)?;
        Ok(Answered::Refused { code: "consent_replayed", message })
    }

    /// Says yes to the wallet, and where the person's browser goes on: with a secret that is made only now, so that nobody who
    /// saw the request can know it.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.2, §14.3.2, §14.3.3; HAIP 1.0 §5.1.
    fn accepted(&self, id: &RecordId) -> Result<Answered, DeskError> {
        let go_on = self.store.transaction(id)?.and_then(|row| row.go_on);
        let Some(go_on) = go_on.and_then(|text| GoOn::parse(&text).ok()) else {
            return Ok(Answered::Accepted { redirect: None });
        };
        let (redirect, sha256) = go_on.with_secret();
        self.store.put_response_code(id, &sha256)?;
        Ok(Answered::Accepted { redirect: Some(redirect) })
    }

    pub(super) fn refuse(&self, id: &RecordId, code: &'static str, message: String) -> Result<Received, DeskError> {
        tracing::info!(transaction = %id, code, "answer refused");
        self.store.refuse(id, code, &message)?;
        Ok(Received::Done(Answered::Refused { code, message }))
    }

    fn unreadable(&self, id: &RecordId, error: AnswerError) -> Result<Received, DeskError> {
        tracing::info!(transaction = %id, %error, "answer could not be read");
        self.store.note_unreadable(id, "answer_unreadable", &error.to_string())?;
        Ok(Received::Done(Answered::Unreadable(error)))
    }
}

const fn refusal_words(refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::AccessDenied => {
            ("access_denied", "the holder refused, or has nothing that fits; which it was is not told")
        }
        Refusal::InvalidTransactionData => {
            ("invalid_transaction_data", "the wallet does not know the consent that this request requires")
        }
        Refusal::Other => ("wallet_error", "the wallet could not use this request"),
    }
}

/// Who acts when no person does.
pub(in crate::service) fn system_actor() -> Result<Actor, DeskError> {
    Actor::parse("service").ok_or(DeskError::Internal("naming the service"))
}
