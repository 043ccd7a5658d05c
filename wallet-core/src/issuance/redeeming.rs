//! Redeeming an offer: token, nonce, and for each thing offered one request with a key for every copy.

use super::answered::{Answered, read_answer};
use super::client::Step;
use super::deferred::{Deferred, Doors, Transaction};
use super::delivered::{Batch, Delivered};
use super::encryption::{self, Opener};
use super::error::{Answer, IssuanceError};
use super::needs::{Met, Need, Shown};
use super::notice::Notices;
use super::offered::{Endpoints, KeyProof};
use super::plan::{Plan, Session, Wish};
use super::refill;
use super::renewal::Renewal;
use crate::effect::{Effect, Errand, Outcome, Progress};
use crate::wire;
use credentials::proof;
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{CredentialRequest, Proofs};
use serde_json::Value;
use std::fmt;

/// An accepted offer is being redeemed.
pub struct Redeeming {
    effect: Effect,
    plan: Plan,
    stage: Stage,
}

enum Stage {
    Token(Step),
    Needs { session: Session, wish: Wish, need: Need },
    Credential { session: Session, wish: Wish, shown: Shown, opener: Option<Opener>, retried: bool },
}

impl Redeeming {
    pub(super) fn begin(plan: Plan, now: Timestamp, rng: &mut dyn CryptoRng) -> Result<Self, IssuanceError> {
        let (effect, step) = plan.first_step(now, rng)?;
        Ok(Self { effect, plan, stage: Stage::Token(step) })
    }

    const fn answer(&self) -> Answer {
        match &self.stage {
            Stage::Token(Step::Challenge) => Answer::Challenge,
            Stage::Token(Step::Request(_)) => Answer::Token,
            Stage::Needs { need, .. } => need.answer(),
            Stage::Credential { .. } => Answer::Credential,
        }
    }
}

impl Errand for Redeeming {
    type Ready = Delivered;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let answer = self.answer();
        let Outcome::Response(response) = outcome else { return Err(IssuanceError::Unreachable(answer)) };
        let Self { effect: _, mut plan, stage } = self;
        match stage {
            Stage::Token(step) => match plan.next_step(step, &response, now, rng)? {
                Some((effect, step)) => Ok(Progress::Waiting(Self { effect, plan, stage: Stage::Token(step) })),
                None => {
                    let session = plan.read_token(&response, rng)?;
                    plan.next(session, now, rng)
                }
            },
            Stage::Needs { mut session, wish, need } => {
                let met = plan.meet(need, &response, &mut session, &wish, now)?;
                plan.go_on(session, wish, met, now, rng).map(Progress::Waiting)
            }
            Stage::Credential { mut session, mut wish, shown, opener, retried } => {
                if session.access.must_repeat(&response) && !retried {
                    return plan.credential(session, wish, shown, true, now, rng).map(Progress::Waiting);
                }
                if !wish.nonce_refused && wire::error_code(&response.body).as_deref() == Some("invalid_nonce") {
                    // §8.3.1.2: fetch a new c_nonce; once, or two servers could play ball for ever.
                    wish.nonce_refused = true;
                    let met = plan.first_need(&wish)?;
                    return plan.go_on(session, wish, met, now, rng).map(Progress::Waiting);
                }
                let Wish { kind, keys, .. } = wish;
                let response = encryption::open(opener.as_ref(), response, Answer::Credential)?;
                match read_answer(&response, Answer::Credential, keys.len())? {
                    Answered::Copies { texts, notification_id } => {
                        session.batches.push(Batch { kind, keys, texts, notification_id });
                    }
                    Answered::Later { transaction_id: id, interval } => {
                        session.promised.push_back(Transaction { kind, keys, id, interval });
                    }
                }
                plan.next(session, now, rng)
            }
        }
    }
}

impl Plan {
    /// The next wish, or all that came.
    pub(super) fn next(
        self,
        mut session: Session,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Redeeming>, IssuanceError> {
        match session.wishes.pop_front() {
            Some(wish) => {
                let met = self.first_need(&wish)?;
                self.go_on(session, wish, met, now, rng).map(Progress::Waiting)
            }
            None => self.end(session, now).map(Progress::Ready),
        }
    }

    /// What came, and what was promised.
    fn end(self, mut session: Session, now: Timestamp) -> Result<Delivered, IssuanceError> {
        let renewal = Renewal::of(&self, &mut session);
        let Session { access, batches, promised, .. } = session;
        let Endpoints { deferred, notification, encryption, .. } = self.endpoints;
        let notices = Notices::new(notification.clone(), access.clone());
        let delivered = Delivered::new(self.issuer.clone(), batches, notices);
        if promised.is_empty() {
            return Ok(delivered.and_renewal(renewal));
        }
        let endpoint = deferred.ok_or(IssuanceError::NowhereToAsk)?;
        let promise = Deferred::new(self.issuer, Doors { endpoint, notification, encryption }, access, promised, now);
        Ok(delivered.and_renewal(renewal.clone()).and_later(promise.and_renewal(renewal)))
    }

    /// To the next thing that is needed, or with the request itself.
    pub(super) fn go_on(
        self,
        session: Session,
        wish: Wish,
        met: Met,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        match met {
            Met::Further(effect, need) => {
                Ok(Redeeming { effect, plan: self, stage: Stage::Needs { session, wish, need } })
            }
            Met::Whole(shown) => self.credential(session, wish, shown, false, now, rng),
        }
    }

    /// The proofs of a credential request: of each key, or of one with an attestation of all, or the attestation alone.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2, Appendix F.1, F.3; HAIP 1.0 §4.5.1.
    fn proofs(&self, wish: &Wish, shown: &Shown, now: Timestamp) -> Result<Proofs, IssuanceError> {
        let none = || Proofs { jwt: Vec::new(), attestation: Vec::new() };
        let key = |_| IssuanceError::Key;
        match (wish.kind.proof, &shown.c_nonce, &shown.attestation) {
            (KeyProof::Possession, c_nonce, _) => {
                let proofs = wish.keys.iter().map(|key| match c_nonce {
                    Some(nonce) => proof::create(&self.issuer, nonce, now, key),
                    None => proof::create_without_nonce(&self.issuer, now, key),
                });
                Ok(Proofs { jwt: proofs.collect::<Result<_, _>>().map_err(key)?, ..none() })
            }
            (KeyProof::Attested, Some(nonce), Some(attestation)) => {
                let first = wish.keys.first().ok_or(IssuanceError::Key)?;
                let proof = proof::create_attested(&self.issuer, nonce, now, first, attestation).map_err(key)?;
                Ok(Proofs { jwt: vec![proof], ..none() })
            }
            (KeyProof::Attestation, _, Some(attestation)) => {
                Ok(Proofs { attestation: vec![attestation.clone()], ..none() })
            }
            _ => Err(IssuanceError::AttestationWanted),
        }
    }

    /// The credential request.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2.
    fn credential(
        self,
        session: Session,
        wish: Wish,
        shown: Shown,
        retried: bool,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Redeeming, IssuanceError> {
        let proofs = self.proofs(&wish, &shown, now)?;
        let copy = match (&wish.shown, &shown.c_nonce) {
            (Some(copy), Some(nonce)) => {
                Some(refill::shown(copy, &self.issuer, &self.endpoints.credential, nonce, now)?)
            }
            // A copy that is shown for no nonce could be shown again by whoever sees it.
            (Some(_), None) => return Err(IssuanceError::Malformed(Answer::Nonce)),
            (None, _) => None,
        };
        let request = CredentialRequest {
            credential_configuration_id: wish.identifier.is_none().then(|| wish.kind.configuration.clone()),
            credential_identifier: wish.identifier.clone(),
            proofs: Some(proofs),
            credential_response_encryption: None,
            shown: copy,
        };
        let Ok(Value::Object(request)) = serde_json::to_value(&request) else { return Err(IssuanceError::Key) };
        let (message, opener) = encryption::seal(self.endpoints.encryption.as_ref(), request, rng)?;
        let effect = session.access.post(&self.endpoints.credential, message, now, rng)?;
        Ok(Redeeming { effect, plan: self, stage: Stage::Credential { session, wish, shown, opener, retried } })
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Redeeming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, plan: _, stage: _ } = self;
        f.debug_struct("Redeeming").field("effect", effect).finish_non_exhaustive()
    }
}
