//! What an issuer left for new copies, kept in the vault.

use super::access::{Dpop, Secret, key_from_text, key_to_text};
use super::client::Demand;
use super::encryption::Encryption;
use super::error::IssuanceError;
use super::offered::{Endpoints, Kind};
use super::plan::{Plan, Session};
use crate::effect::{Loopback, address};
use crate::holdings::{CredentialId, Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use url::Url;
use zeroize::Zeroizing;

/// What an issuer left for new copies: where to go, and a refresh token with the key that it is bound to.
#[derive(Clone)]
pub(super) struct Renewal {
    pub(super) issuer: String,
    pub(super) endpoints: Endpoints,
    pub(super) copies: usize,
    pub(super) dpop: Dpop,
    pub(super) token: Arc<Zeroizing<String>>,
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

    /// What the issuer left for new copies of a credential, and of what kind they are.
    pub(super) fn way_to(&self, id: CredentialId) -> Option<(Kind, Renewal)> {
        let (_, record) = self.renewal(id)?;
        let name = id.to_string();
        let kind = record.credentials.into_iter().find(|renewable| renewable.id == name)?.kind;
        Some((kind, Renewal::from_record(record.renewal)?))
    }

    /// The next refresh token, in the place of the one before.
    pub(super) fn keep_next_token(
        &mut self,
        id: CredentialId,
        token: &str,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), IssuanceError> {
        let (place, mut record) = self.renewal(id).ok_or(IssuanceError::NotRefillable)?;
        record.renewal.refresh_token = Secret::new(token);
        self.write(RecordKind::RENEWAL, Some(place), &record, rng)?;
        Ok(())
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

/// A token and a key are in it.
impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, endpoints: _, copies: _, dpop: _, token: _ } = self;
        f.debug_struct("Renewal").field("issuer", issuer).finish_non_exhaustive()
    }
}

const VERSION: u8 = 1;
