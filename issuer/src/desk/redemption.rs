//! Redeeming an offer: a code and a transaction code for one access token.

use super::{ClientCall, Issuer, randomness};
use crate::grant::{TOKEN_LIFETIME, Verdict};
use crate::keys::Purpose;
use crate::metadata::TOKEN_PATH;
use crate::nonce;
use crate::seal::SealError;
use crate::secret::{AccessToken, RefreshToken};
use crate::store::{Redemption, StoreError};
use credentials::dpop::{self, DpopError};
use schemas::openid4vci::{AUTHORIZATION_CODE_GRANT, PRE_AUTHORIZED_CODE_GRANT, REFRESH_TOKEN_GRANT};
use schemas::{Seconds, Timestamp};
use serde_json::Value;

/// For how long a DPoP proof is known again (`security.md` §10); longer than [`credentials::dpop`] takes one for fresh.
pub(super) const DPOP_MEMORY: Seconds = Seconds::new(600);

/// A token request, as it came.
#[derive(Default)]
pub struct TokenCall<'a> {
    /// `grant_type`.
    pub grant_type: Option<&'a str>,
    /// `pre-authorized_code`.
    pub code: Option<&'a str>,
    /// `code`, of the authorization code flow.
    pub authorization_code: Option<&'a str>,
    /// `code_verifier`.
    pub code_verifier: Option<&'a str>,
    /// `client_id`.
    pub client_id: Option<&'a str>,
    /// `redirect_uri`.
    pub redirect_uri: Option<&'a str>,
    /// `tx_code`.
    pub tx_code: Option<&'a str>,
    /// `authorization_details`, a JSON array.
    pub authorization_details: Option<&'a str>,
    /// `refresh_token`
    pub refresh_token: Option<&'a str>,
    /// The DPoP header.
    pub dpop: Option<&'a str>,
    /// Who asks.
    pub client: ClientCall<'a>,
}

/// A redeemed offer.
#[derive(Debug)]
pub struct Redeemed {
    /// The access token.
    pub token: AccessToken,
    /// Whether it is bound to a DPoP key.
    pub bound: bool,
    /// How long it lives; where somebody must approve, at the deferred credential endpoint.
    pub lifetime: Seconds,
    /// The configurations that it is good for, when the wallet asked by `authorization_details`.
    pub authorized: Option<Vec<String>>,
    /// What the next token is had with.
    pub refresh: Option<RefreshToken>,
}

/// Why a token request was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedeemError {
    // The wallet's fault: refuse.
    /// A parameter is missing or given twice.
    #[error("token request: {0}")]
    InvalidRequest(&'static str),
    /// Another response type than a code.
    #[error("unsupported response type")]
    UnsupportedResponseType,
    /// A scope that was not offered.
    #[error("a scope that was not offered")]
    InvalidScope,
    /// The DPoP proof needs a nonce of ours.
    #[error("the DPoP proof needs a nonce")]
    UseDpopNonce {
        /// A fresh one.
        nonce: String,
    },
    /// No provider that is believed vouches for the wallet.
    #[error("the wallet is not authenticated: {0}")]
    InvalidClient(&'static str),
    /// The proof of possession needs a challenge of ours.
    #[error("the proof of possession needs a challenge")]
    UseAttestationChallenge {
        /// A fresh one.
        challenge: String,
    },
    /// Another grant type.
    #[error("unsupported grant type")]
    UnsupportedGrantType,
    /// `authorization_details` is malformed, or asks for what was not offered.
    #[error("authorization details do not fit the offer")]
    InvalidAuthorizationDetails,
    /// No live offer with this code.
    #[error("no live offer with this code")]
    InvalidGrant,
    /// The transaction code is wrong.
    #[error("wrong transaction code, {left} tries left")]
    WrongTxCode {
        /// How many tries are left; 0 when the offer is dead.
        left: u32,
    },
    /// The DPoP proof is not valid.
    #[error("invalid DPoP proof")]
    InvalidDpop(#[source] Option<DpopError>),
    // Our fault, or that of what we stand on: try again later.
    /// What was sealed does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Issuer {
    /// Redeems an offer: at most once, whatever runs in parallel, and after five wrong transaction codes never.
    ///
    /// # Errors
    /// [`RedeemError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §6; RFC 6749 §5.2; RFC 9449 §5.
    pub fn redeem(&self, call: &TokenCall<'_>) -> Result<Redeemed, RedeemError> {
        let now = self.now();
        let client = self.authenticate(call.client, call.client_id, now)?;
        match call.grant_type {
            Some(PRE_AUTHORIZED_CODE_GRANT) => {}
            Some(AUTHORIZATION_CODE_GRANT) => return self.redeem_code(call, client, now),
            Some(REFRESH_TOKEN_GRANT) => return self.redeem_refresh(call, now),
            Some(_) => return Err(RedeemError::UnsupportedGrantType),
            None => return Err(RedeemError::InvalidRequest("grant_type is missing")),
        }
        let code = call.code.ok_or(RedeemError::InvalidRequest("pre-authorized_code is missing"))?;
        let tx_code = call.tx_code.ok_or(RedeemError::InvalidRequest("tx_code is missing"))?;

        let key = self.keys.fingerprint(Purpose::Code, &[code.as_bytes()]);
        let offer = self.store.offer(&key, now)?.ok_or(RedeemError::InvalidGrant)?;
        let authorized = match call.authorization_details {
            Some(text) => Some(asks_for(text, &offer.configurations, self.config.url.as_str())?),
            None => None,
        };
        // Only now, with a live code: whoever has none cannot fill the memory of proofs.
        let dpop_key = match call.dpop {
            Some(proof) => Some(self.spend_dpop(proof, TOKEN_PATH, None, now)?),
            None => None,
        };

        let token = AccessToken::generate(&mut randomness());
        let waiting = self.open_waiting(Purpose::SealOffer, code, &offer.sealed)?;
        // §13.10: what waits for a decision is opened by a token that outlives five minutes.
        if dpop_key.is_none() && (self.demands.dpop || waiting.decision_time.is_some()) {
            return Err(RedeemError::InvalidDpop(None));
        }
        let lifetime = waiting.decision_time.unwrap_or(TOKEN_LIFETIME);
        let (refresh, kept) = self.new_refresh(&waiting, dpop_key.is_some(), now)?.unzip();
        let redemption = Redemption {
            refresh: kept,
            code: key,
            tx_code: self.tx_code(code, tx_code),
            token: self.keys.fingerprint(Purpose::Token, &[token.as_str().as_bytes()]),
            token_expires: now.plus(TOKEN_LIFETIME),
            dpop_key,
            by_identifier: authorized.is_some(),
            configurations: authorized.clone().unwrap_or(offer.configurations),
            sealed: self.seal_waiting(Purpose::SealToken, token.as_str(), &waiting)?,
        };
        match self.store.redeem(&redemption, now)? {
            Verdict::Granted => Ok(Redeemed { token, bound: dpop_key.is_some(), lifetime, authorized, refresh }),
            Verdict::WrongTxCode { left } => Err(RedeemError::WrongTxCode { left }),
            Verdict::Dead => Err(RedeemError::WrongTxCode { left: 0 }),
            Verdict::NoOffer => Err(RedeemError::InvalidGrant),
        }
    }

    /// A fresh nonce for a DPoP proof.
    ///
    /// # Source
    /// RFC 9449 §8, §9.
    pub fn dpop_nonce(&self) -> String {
        nonce::generate_as(Purpose::DpopNonce, &*self.keys, self.now(), &mut randomness())
    }

    /// Verifies a DPoP proof for a POST to `path`, and spends it; gives the thumbprint of its key.
    ///
    /// Without a nonce of ours, it may have been made long ago by somebody who had the key for a moment: it is sent back,
    /// unspent.
    ///
    /// # Source
    /// RFC 9449 §4.3, §8, §9, §11.2 "Pre-Generating DPoP Proofs".
    pub(super) fn spend_dpop(
        &self,
        proof: &str,
        path: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<[u8; 32], RedeemError> {
        let uri = self.config.url.join(path);
        let proof = dpop::verify(proof, "POST", &uri, token, now).map_err(|e| RedeemError::InvalidDpop(Some(e)))?;
        let is_ours = |nonce: &str| nonce::recognise_as(Purpose::DpopNonce, &*self.keys, nonce, now).is_some();
        if !proof.nonce.as_deref().is_some_and(is_ours) {
            return Err(RedeemError::UseDpopNonce { nonce: self.dpop_nonce() });
        }
        let thumbprint = proof.key.thumbprint();
        let spent = self.keys.fingerprint(Purpose::DpopProof, &[&thumbprint, proof.jti.as_bytes()]);
        if self.store.spend(&spent, now.plus(DPOP_MEMORY))? {
            Ok(thumbprint)
        } else {
            Err(RedeemError::InvalidDpop(None))
        }
    }
}

/// What `authorization_details` asks for: one or more of the configurations offered, each once.
///
/// # Source
/// OpenID4VCI 1.0 §5.1.1, §6.1.1.
pub(super) fn asks_for(text: &str, offered: &[String], issuer: &str) -> Result<Vec<String>, RedeemError> {
    let refuse = || RedeemError::InvalidAuthorizationDetails;
    let details = credentials::json::parse(text.as_bytes(), &credentials::json::Limits::TOKEN).map_err(|_| refuse())?;
    let details = details.as_array().filter(|details| !details.is_empty()).ok_or_else(refuse)?;
    let mut asked: Vec<String> = Vec::new();
    for detail in details {
        let member = |name| detail.get(name).and_then(Value::as_str);
        let located = match detail.get("locations") {
            None => true,
            Some(locations) => locations.as_array().is_some_and(|l| l.iter().any(|l| l.as_str() == Some(issuer))),
        };
        let id = member("credential_configuration_id").ok_or_else(refuse)?;
        let is_offered = offered.iter().any(|offered| offered == id) && !asked.iter().any(|asked| asked == id);
        if member("type") != Some("openid_credential") || !located || !is_offered {
            return Err(refuse());
        }
        asked.push(id.to_owned());
    }
    Ok(asked)
}
