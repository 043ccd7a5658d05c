//! What a credential request needs before it can be sent: a nonce of the issuer, and what is attested of the keys.

use super::answered::read_nonce;
use super::error::{Answer, IssuanceError};
use super::offered::KeyProof;
use super::plan::{Plan, Session, Wish};
use crate::attestation;
use crate::effect::{Effect, Response};
use schemas::Timestamp;

/// What is being had.
pub(super) enum Need {
    /// A nonce.
    Nonce,
    /// An attestation of the keys for that nonce.
    Keys { c_nonce: String },
}

/// What proofs are made with: the nonce of the issuer, and what is attested of the keys.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) c_nonce: Option<String>,
    pub(super) attestation: Option<String>,
}

/// How far it is now.
pub(super) enum Met {
    /// One thing more must be had.
    Further(Effect, Need),
    /// Nothing is missing.
    Whole(Shown),
}

impl Need {
    pub(super) const fn answer(&self) -> Answer {
        match self {
            Self::Nonce => Answer::Nonce,
            Self::Keys { .. } => Answer::KeyAttestation,
        }
    }
}

impl Plan {
    /// What is needed first.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §7.1.
    pub(super) fn first_need(&self, wish: &Wish) -> Result<Met, IssuanceError> {
        match self.endpoints.nonce.clone() {
            Some(url) => Ok(Met::Further(Effect::post(url).header("accept", "application/json"), Need::Nonce)),
            // An attestation for no nonce could be shown again by whoever sees it.
            None if wish.kind.proof != KeyProof::Possession => Err(IssuanceError::Malformed(Answer::Nonce)),
            None => Ok(Met::Whole(Shown::default())),
        }
    }

    /// Reads what came; the provider is asked to attest the keys for a nonce of the issuer, where that is demanded.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §7.2, Appendix D.
    pub(super) fn meet(
        &self,
        need: Need,
        response: &Response,
        session: &mut Session,
        wish: &Wish,
        now: Timestamp,
    ) -> Result<Met, IssuanceError> {
        match need {
            Need::Nonce => {
                session.access.must_repeat(response);
                let c_nonce = read_nonce(response)?;
                if wish.kind.proof == KeyProof::Possession {
                    return Ok(Met::Whole(Shown { c_nonce: Some(c_nonce), attestation: None }));
                }
                let provider = self.provider.as_ref().ok_or(IssuanceError::AttestationWanted)?;
                let effect = attestation::ask_keys(provider, &wish.keys, &c_nonce, now)?;
                Ok(Met::Further(effect, Need::Keys { c_nonce }))
            }
            Need::Keys { c_nonce } => {
                let provider = self.provider.as_ref().ok_or(IssuanceError::AttestationWanted)?;
                let attestation = attestation::read_keys(provider, response, &wish.keys, &c_nonce, now)?;
                Ok(Met::Whole(Shown { c_nonce: Some(c_nonce), attestation: Some(attestation) }))
            }
        }
    }
}
