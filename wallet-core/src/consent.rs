//! What the holder keeps of a consent: enough to see what runs, and to withdraw it.
//!
//! Narrowing, caps and the signed grant live in [`credentials::consent`]. The secret that withdraws a consent is derived
//! from the vault and the consent's identifier, and so needs no record; two consents share nothing.
//!
//! # Source
//! `security.md` §4.3, §4.4.

use crate::display::Shown;
use crate::holdings::{Holdings, HoldingsError};
use crate::vault::RecordKind;
use credentials::consent::ConsentId;
use rand_core::CryptoRng;
use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// A consent that the holder gave and that still runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Its identifier.
    pub id: String,
    /// The name in the verifier's certificate, as shown then.
    pub verifier: String,
    /// The full client identifier of the verifier, as shown then.
    pub client_id: String,
    /// What for.
    pub purposes: Vec<Purpose>,
    /// When it ends.
    pub ends_at: Timestamp,
    /// How long the verifier may keep the data.
    pub retention: Seconds,
}

impl Given {
    pub(crate) fn new(
        id: ConsentId,
        verifier: &str,
        client_id: &str,
        purposes: Vec<Purpose>,
        ends_at: Timestamp,
        retention: Seconds,
    ) -> Self {
        let (verifier, client_id) = (Shown::name(verifier).to_string(), Shown::text(client_id).to_string());
        Self { id: id.to_string(), verifier, client_id, purposes, ends_at, retention }
    }
}

impl Holdings<'_> {
    /// The consents that run at `now`, the first to end first.
    pub fn consents(&self, now: Timestamp) -> Vec<Given> {
        let ids = self.records.ids(RecordKind::CONSENT).into_iter();
        let mut running: Vec<Given> =
            ids.filter_map(|id| self.parse(id).ok()).filter(|c: &Given| c.ends_at > now).collect();
        running.sort_by_key(|given| given.ends_at);
        running
    }

    /// The secret whose publication withdraws a consent: the preimage of the grant's `rev`. Give it away to withdraw only.
    pub fn revocation_secret(&self, id: ConsentId) -> Zeroizing<[u8; 32]> {
        self.records.consent_secret(id.as_bytes())
    }

    /// Keeps a consent, and drops those that have ended.
    pub(crate) fn remember(
        &mut self,
        given: &Given,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        for id in self.records.ids(RecordKind::CONSENT) {
            let ended = self.parse(id).is_ok_and(|given: Given| given.ends_at <= now);
            if ended {
                self.records.remove(id, rng)?;
            }
        }
        self.write(RecordKind::CONSENT, None, given, rng).map(drop)
    }
}
