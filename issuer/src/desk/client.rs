//! Which wallet asks: the attestation of its provider, and the proof that the wallet has the key in it.

use super::redemption::{DPOP_MEMORY, RedeemError};
use super::{Issuer, randomness};
use crate::keys::Purpose;
use crate::nonce;
use credentials::wallet_attestation::{self, PopError, Possession, WalletAttestation};
use schemas::Timestamp;

/// What a wallet shows of its provider, as it came.
#[derive(Default, Clone, Copy)]
pub struct ClientCall<'a> {
    /// The header `OAuth-Client-Attestation`.
    pub attestation: Option<&'a str>,
    /// The header `OAuth-Client-Attestation-PoP`.
    pub pop: Option<&'a str>,
}

/// The thumbprint of the key that a wallet's provider attested to.
pub(super) type ClientKey = [u8; 32];

impl Issuer {
    /// A fresh challenge for a proof of possession.
    ///
    /// # Source
    /// draft-ietf-oauth-attestation-based-client-auth-07 §8.
    pub fn attestation_challenge(&self) -> String {
        nonce::generate_as(Purpose::Challenge, &*self.keys, self.now(), &mut randomness())
    }

    /// Verifies who asks; gives the thumbprint of its key, none where nobody is asked to say.
    ///
    /// `client_id` is the parameter of the request, if there is one. What is shown holds or is refused, also where it is not
    /// demanded; from whom nobody is asked for an attestation, nobody is believed.
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix E; draft-ietf-oauth-attestation-based-client-auth-07 §6.2 to §6.4, §9 rules 1 and 13; HAIP 1.0 §4.4.1.
    pub(super) fn authenticate(
        &self,
        call: ClientCall<'_>,
        client_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<ClientKey>, RedeemError> {
        let refuse = RedeemError::InvalidClient;
        let Some(providers) = &self.demands.wallet_providers else { return Ok(None) };
        let (attestation, pop) = match (call.attestation, call.pop) {
            (Some(attestation), Some(pop)) => (attestation, pop),
            (None, None) if !self.demands.wallet_attestation => return Ok(None),
            (None, None) => return Err(refuse("a wallet attestation is needed")),
            _ => return Err(refuse("a wallet attestation and a proof of possession go together")),
        };
        let attestation = wallet_attestation::verify(attestation, providers, now).map_err(|error| {
            tracing::info!(%error, "a wallet attestation was refused");
            refuse("the wallet attestation does not verify")
        })?;
        if !self.statuses.stands(attestation.status.as_ref(), providers, now) {
            return Err(refuse("the wallet attestation was revoked, or its status cannot be had"));
        }
        let thumbprint = attestation.key.thumbprint();
        let jti = self.possession(pop, &attestation, now)?.jti;
        if client_id.is_some_and(|id| id != attestation.client_id) {
            return Err(refuse("client_id is not that of the wallet attestation"));
        }
        let spent = self.keys.fingerprint(Purpose::Possession, &[&thumbprint, jti.as_bytes()]);
        if !self.store.spend(&spent, now.plus(DPOP_MEMORY))? {
            return Err(refuse("the proof of possession was used before"));
        }
        Ok(Some(thumbprint))
    }

    fn possession(&self, pop: &str, of: &WalletAttestation, now: Timestamp) -> Result<Possession, RedeemError> {
        let is_ours = |text: &str| nonce::recognise_as(Purpose::Challenge, &*self.keys, text, now).is_some();
        wallet_attestation::verify_pop(pop, of, self.config.url.as_str(), is_ours, now).map_err(|error| match error {
            PopError::Challenge => RedeemError::UseAttestationChallenge { challenge: self.attestation_challenge() },
            error => {
                tracing::info!(%error, "a proof of possession was refused");
                RedeemError::InvalidClient("the proof of possession does not verify")
            }
        })
    }
}
