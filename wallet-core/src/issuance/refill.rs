//! New copies without the desk: what an issuer left for it, kept in the vault, and the ceremony.
//!
//! [`Holdings::refill`] → [`Refreshing`] → [`Refreshed`] → [`Refreshed::show`], save → [`Redeeming`] → [`Delivered`] →
//! [`Delivered::verify`] → [`Arrived::refill`], save. The person confirmed these very claims when they came first, and they
//! are compared with those held: nothing is asked a second time.
//!
//! [`Delivered`]: super::Delivered
//! [`Delivered::verify`]: super::Delivered::verify
//! [`Arrived::refill`]: super::Arrived::refill

use super::access::{Dpop, Secret, key_from_text, key_to_text};
use super::client::{Attested, Demand, Step};
use super::encryption::Encryption;
use super::error::{Answer, IssuanceError};
use super::offered::{Endpoints, KeyProof, Kind};
use super::plan::{Grant, Plan, Session};
use super::redeeming::Redeeming;
use crate::attestation::WalletAttestation;
use crate::effect::{Effect, Errand, Loopback, Outcome, Progress, address};
use crate::holdings::{Copy, Credential, CredentialId, Holdings, HoldingsError, Unsaved};
use crate::vault::{RecordId, RecordKind};
use credentials::b64;
use credentials::key_binding::KeyBindingClaims;
use credentials::mdoc::{Elements, SessionTranscript, device_response};
use rand_core::CryptoRng;
use schemas::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// What an issuer left for new copies: where to go, and a refresh token with the key that it is bound to.
#[derive(Clone)]
pub(super) struct Renewal {
    issuer: String,
    endpoints: Endpoints,
    copies: usize,
    dpop: Dpop,
    token: Arc<Zeroizing<String>>,
}

/// The same as it stands in the vault.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct RenewalRecord {
    issuer: String,
    token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    credential: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    notification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encryption: Option<Encryption>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<Demand>,
    copies: usize,
    key: Secret,
    refresh_token: Secret,
}

/// A record of its own: what is left, and for which credentials.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u8,
    renewal: RenewalRecord,
    credentials: Vec<Renewable>,
}

#[derive(Serialize, Deserialize)]
struct Renewable {
    id: String,
    kind: Kind,
}

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

impl Renewal {
    /// What is left of an issuance that ends: nothing without a refresh token bound to a key.
    pub(super) fn of(plan: &Plan, session: &mut Session) -> Option<Self> {
        let token = Arc::new(session.refresh_token.take()?);
        let dpop = session.access.dpop.clone()?;
        let Plan { issuer, endpoints, copies, .. } = plan;
        Some(Self { issuer: issuer.clone(), endpoints: endpoints.clone(), copies: *copies, dpop, token })
    }

    pub(super) fn to_record(&self) -> Result<RenewalRecord, IssuanceError> {
        let Self { issuer, endpoints, copies, dpop, token } = self;
        Ok(RenewalRecord {
            issuer: issuer.clone(),
            token: endpoints.token.to_string(),
            nonce: endpoints.nonce.as_ref().map(Url::to_string),
            credential: endpoints.credential.to_string(),
            notification: endpoints.notification.as_ref().map(Url::to_string),
            encryption: endpoints.encryption.clone(),
            client: endpoints.client.clone(),
            copies: *copies,
            key: key_to_text(dpop.key())?,
            refresh_token: Secret::new(token),
        })
    }

    pub(super) fn from_record(record: RenewalRecord) -> Option<Self> {
        let RenewalRecord {
            issuer,
            token,
            nonce,
            credential,
            notification,
            encryption,
            client,
            copies,
            key,
            refresh_token,
        } = record;
        // What led to this machine when the person's link did may do so again, and nothing else.
        let loopback = Loopback::as_named_by(&issuer);
        let reach = |text: &str| address(text, loopback).ok();
        let nonce = match nonce {
            Some(text) => Some(reach(&text)?),
            None => None,
        };
        let endpoints = Endpoints {
            token: reach(&token)?,
            nonce,
            credential: reach(&credential)?,
            deferred: None,
            notification: notification.as_deref().and_then(reach),
            encryption,
            dpop: true,
            authorization: None,
            client,
        };
        let dpop = Dpop::with_key(key_from_text(key.as_str())?);
        let token = Arc::new(Zeroizing::new(refresh_token.as_str().to_owned()));
        Some(Self { issuer, endpoints, copies, dpop, token })
    }
}

impl Holdings<'_> {
    /// Whether the issuer left a way to new copies of this credential.
    pub(crate) fn is_renewable(&self, id: CredentialId) -> bool {
        self.renewal(id).is_some()
    }

    /// Whether the issuer gives new copies of it only to a wallet that a provider vouches for.
    pub fn refill_wants_attestation(&self, id: CredentialId) -> bool {
        self.renewal(id).is_some_and(|(_, record)| record.renewal.client.is_some())
    }

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
        let (_, record) = self.renewal(id).ok_or(IssuanceError::NotRefillable)?;
        let name = id.to_string();
        let kind = record.credentials.into_iter().find(|renewable| renewable.id == name).map(|r| r.kind);
        let renewal = Renewal::from_record(record.renewal);
        let (Some(kind), Some(renewal)) = (kind, renewal) else { return Err(IssuanceError::NotRefillable) };
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

    /// The record that renews a credential.
    fn renewal(&self, id: CredentialId) -> Option<(RecordId, Record)> {
        let name = id.to_string();
        let ids = self.records.ids(RecordKind::RENEWAL).into_iter();
        let mut records = ids.filter_map(|id| Some((id, self.parse::<Record>(id).ok()?)));
        records.find(|(_, record)| record.v == VERSION && record.credentials.iter().any(|r| r.id == name))
    }

    /// Keeps what renews these credentials: together with others of the same issuance, which have the same token.
    pub(super) fn keep_renewal(
        &mut self,
        renewal: &Renewal,
        kept: Vec<(CredentialId, Kind)>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), IssuanceError> {
        let mut credentials: Vec<Renewable> =
            kept.into_iter().map(|(id, kind)| Renewable { id: id.to_string(), kind }).collect();
        let mut renewal = renewal.to_record()?;
        let mut place = None;
        for id in self.records.ids(RecordKind::RENEWAL) {
            if let Ok(known) = self.parse::<Record>(id)
                && known.renewal.key.as_str() == renewal.key.as_str()
            {
                // Its refresh token may be a later one.
                renewal = known.renewal;
                credentials.extend(known.credentials);
                place = Some(id);
                break;
            }
        }
        self.write(RecordKind::RENEWAL, place, &Record { v: VERSION, renewal, credentials }, rng)?;
        Ok(())
    }

    /// A credential is forgotten, and with the last one of its issuance what renews it.
    pub(crate) fn forget_renewal(&mut self, id: CredentialId, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let Some((place, mut record)) = self.renewal(id) else { return Ok(()) };
        let name = id.to_string();
        record.credentials.retain(|renewable| renewable.id != name);
        if record.credentials.is_empty() {
            return Ok(self.records.remove(place, rng)?);
        }
        self.write(RecordKind::RENEWAL, Some(place), &record, rng).map(drop)
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
    /// Keeps the next refresh token, and takes a copy to be shown to the issuer: the last one may be shown again, for it is
    /// the issuer that has made it. Save before going on: a token that is lost cannot be had again.
    ///
    /// # Errors
    /// [`IssuanceError::Holdings`], [`IssuanceError::Key`].
    pub fn show(
        self,
        holdings: &mut Holdings<'_>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Unsaved<Redeeming>, IssuanceError> {
        let Self { plan, mut session, id } = self;
        let (place, mut record) = holdings.renewal(id).ok_or(IssuanceError::NotRefillable)?;
        // RFC 6749 §6: without a new one, the old one stays good.
        if let Some(token) = session.refresh_token.take() {
            record.renewal.refresh_token = Secret::new(&token);
            holdings.write(RecordKind::RENEWAL, Some(place), &record, rng)?;
        }
        let copy = holdings.spend(id, true, rng)?.ok_or(IssuanceError::NotRefillable)?;
        session.show(copy);
        match plan.next(session, now, rng)? {
            Progress::Waiting(redeeming) => Ok(Unsaved::new(redeeming)),
            Progress::Ready(_) => Err(IssuanceError::NotRefillable),
        }
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

/// A token and a key are in it.
impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, endpoints: _, copies: _, dpop: _, token: _ } = self;
        f.debug_struct("Renewal").field("issuer", issuer).finish_non_exhaustive()
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

const VERSION: u8 = 1;
