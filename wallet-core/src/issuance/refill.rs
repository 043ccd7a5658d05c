//! New copies without the desk: the ceremony.
//!
//! [`Holdings::refill`] → [`Refreshing`] → [`Refreshed::keep`], save → [`Preparing`] → [`Prepared::show`], save → [`Redeeming`]
//! → [`Delivered`] → [`Delivered::verify`] → [`Arrived::refill`], save. All that others must give beforehand (token, nonce, what
//! is attested of the keys) is there before a copy is taken. The person confirmed these very claims when they came first, and they
//! are compared with those held: nothing is asked a second time.
//!
//! [`Delivered`]: super::Delivered
//! [`Delivered::verify`]: super::Delivered::verify
//! [`Arrived::refill`]: super::Arrived::refill

use super::client::{Attested, Step};
use super::error::{Answer, IssuanceError};
use super::needs::{Met, Need, Shown};
use super::offered::KeyProof;
use super::plan::{Grant, Plan, Session, Wish};
use super::redeeming::Redeeming;
use super::renewal::Renewal;
use crate::attestation::WalletAttestation;
use crate::effect::{Effect, Errand, Outcome, Progress};
use crate::holdings::{Copy, Credential, CredentialId, Holdings, Unsaved};
use credentials::b64;
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{Elements, SessionTranscript, device_response};
use rand_core::CryptoRng;
use schemas::Timestamp;
use std::fmt;
use url::Url;

/// The issuer is asked for a token.
pub struct Refreshing {
    effect: Effect,
    plan: Plan,
    id: CredentialId,
    step: Step,
}

/// The issuer gave a token, and its next refresh token.
#[must_use = "without it, no further copies can be had"]
pub struct Refreshed {
    plan: Plan,
    session: Session,
    id: CredentialId,
}

/// The issuer is asked for a nonce, and a provider to attest the keys where that is demanded.
pub struct Preparing {
    effect: Effect,
    plan: Plan,
    session: Session,
    wish: Wish,
    need: Need,
    id: CredentialId,
}

/// Nothing is missing but the copy.
#[must_use = "nothing was asked for yet"]
pub struct Prepared {
    plan: Plan,
    session: Session,
    wish: Wish,
    shown: Shown,
    id: CredentialId,
}

impl Holdings<'_> {
    /// Sets out to have new copies of a credential, with an attestation that is for this alone where one is demanded.
    ///
    /// # Errors
    /// [`IssuanceError::NotRefillable`] when the issuer left no way, or its time is over;
    /// [`IssuanceError::AttestationWanted`]; [`IssuanceError::Key`].
    ///
    /// # Source
    /// RFC 6749 §6; RFC 9449 §5.
    pub fn refill(
        &self,
        id: CredentialId,
        attestation: Option<&WalletAttestation>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Refreshing, IssuanceError> {
        if !self.credential(id)?.is_refillable(now) {
            return Err(IssuanceError::NotRefillable);
        }
        let (kind, renewal) = self.way_to(id).ok_or(IssuanceError::NotRefillable)?;
        let Renewal { issuer, endpoints, copies, dpop, token } = renewal;
        let (kinds, grant) = (vec![kind], Grant::RefreshToken(token));
        let attested = Attested::meeting(endpoints.client.as_ref(), attestation)?;
        let provider = self.current_provider();
        // Before a token and a copy are spent, not after.
        if kinds.iter().any(|kind| kind.proof != KeyProof::Possession) && provider.is_none() {
            return Err(IssuanceError::AttestationWanted);
        }
        // A copy that is shown for no nonce could be shown again by whoever sees it.
        if endpoints.nonce.is_none() {
            return Err(IssuanceError::Malformed(Answer::Nonce));
        }
        let plan = Plan { issuer, kinds, endpoints, copies, grant, dpop: Some(dpop), attested, provider };
        let (effect, step) = plan.first_step(now, rng)?;
        Ok(Refreshing { effect, plan, id, step })
    }
}

impl Errand for Refreshing {
    type Ready = Refreshed;
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
        let Outcome::Response(response) = outcome else { return Err(IssuanceError::Unreachable(Answer::Token)) };
        let Self { effect: _, mut plan, id, step } = self;
        if let Some((effect, step)) = plan.next_step(step, &response, now, rng)? {
            return Ok(Progress::Waiting(Self { effect, plan, id, step }));
        }
        let session = plan.read_token(&response, rng).map_err(|error| match error {
            IssuanceError::GrantRefused { .. } => IssuanceError::NoMoreCopies,
            error => error,
        })?;
        Ok(Progress::Ready(Refreshed { plan, session, id }))
    }
}

impl Refreshed {
    /// Keeps the next refresh token. Save before going on: one that is lost cannot be had again.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`], [`IssuanceError::NotRefillable`].
    pub fn keep(
        self,
        holdings: &mut Holdings<'_>,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Preparing>, IssuanceError> {
        let Self { plan, mut session, id } = self;
        // RFC 6749 §6: without a new one, the old one stays good.
        if let Some(token) = session.refresh_token.take() {
            holdings.keep_next_token(id, &token, rng)?;
        }
        let wish = session.wishes.pop_front().ok_or(IssuanceError::NotRefillable)?;
        match plan.first_need(&wish)? {
            Met::Further(effect, need) => Ok(Unsaved::new(Preparing { effect, plan, session, wish, need, id })),
            // A copy that is shown for no nonce could be shown again by whoever sees it.
            Met::Whole(_) => Err(IssuanceError::Malformed(Answer::Nonce)),
        }
    }
}

impl Errand for Preparing {
    type Ready = Prepared;
    type Error = IssuanceError;

    fn effect(&self) -> &Effect {
        &self.effect
    }

    fn resume(
        self,
        outcome: Outcome,
        now: Timestamp,
        _rng: &mut dyn CryptoRng,
    ) -> Result<Progress<Self>, IssuanceError> {
        let Self { effect: _, plan, mut session, wish, need, id } = self;
        let Outcome::Response(response) = outcome else { return Err(IssuanceError::Unreachable(need.answer())) };
        Ok(match plan.meet(need, &response, &mut session, &wish, now)? {
            Met::Further(effect, need) => Progress::Waiting(Self { effect, plan, session, wish, need, id }),
            Met::Whole(shown) => Progress::Ready(Prepared { plan, session, wish, shown, id }),
        })
    }
}

impl Prepared {
    /// Sets a copy aside and shows it to the issuer. Save before going on: no verifier may be shown that copy unasked.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`], [`IssuanceError::NotRefillable`], [`IssuanceError::Key`].
    pub fn show(
        self,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Redeeming>, IssuanceError> {
        let Self { plan, session, mut wish, shown, id } = self;
        wish.shown = Some(holdings.set_aside(id, rng)?.ok_or(IssuanceError::NotRefillable)?);
        plan.go_on(session, wish, Met::Whole(shown), now, rng).map(Unsaved::new)
    }
}

/// The copy, all of it, shown to its issuer for this nonce.
///
/// # Source
/// RFC 9901 §4.3, §7.2; ISO/IEC 18013-5 §9.1.3.6, in the session that stands for issuer, credential endpoint and nonce.
pub(super) fn shown(
    copy: &Copy,
    issuer: &str,
    endpoint: &Url,
    nonce: &str,
    now: Timestamp,
) -> Result<String, IssuanceError> {
    match copy.reopen().ok_or(IssuanceError::Key)? {
        Credential::SdJwtVc(credential) => {
            let selection = credential.select(&credential.disclosable_paths()).map_err(|_| IssuanceError::Key)?;
            selection.bind(&KeyBindingClaims::new(issuer, nonce, now), &copy.key).map_err(|_| IssuanceError::Key)
        }
        Credential::Mdoc(document) => {
            let transcript = SessionTranscript::openid4vp(issuer, nonce, None, endpoint.as_str());
            let selection = document.select(&document.elements().paths()).map_err(|_| IssuanceError::Key)?;
            let signed = selection.sign(&transcript, &Elements::default(), &copy.key);
            Ok(b64::encode(&device_response(&[signed.map_err(|_| IssuanceError::Key)?])))
        }
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Refreshing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, plan: _, id, step: _ } = self;
        f.debug_struct("Refreshing").field("effect", effect).field("id", id).finish_non_exhaustive()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Refreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: _, session: _, id } = self;
        f.debug_struct("Refreshed").field("id", id).finish_non_exhaustive()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Preparing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { effect, plan: _, session: _, wish: _, need: _, id } = self;
        f.debug_struct("Preparing").field("effect", effect).field("id", id).finish_non_exhaustive()
    }
}

/// Everything in it is a secret or leads to one.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan: _, session: _, wish: _, shown: _, id } = self;
        f.debug_struct("Prepared").field("id", id).finish_non_exhaustive()
    }
}
