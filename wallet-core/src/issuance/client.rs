//! How this wallet says who it is, where an issuer gives only to wallets that a provider vouches for.

use super::access::{Dpop, MAX_NONCE, Server, asks_for_dpop_nonce};
use super::answered::refused;
use super::authorizing::CLIENT_ID;
use super::error::{Answer, IssuanceError};
use crate::attestation::WalletAttestation;
use crate::effect::{Effect, Loopback, Response, address};
use crate::wire;
use credentials::wallet_attestation::{CHALLENGE_HEADER, METHOD};
use rand_core::CryptoRng;
use schemas::Timestamp;
use schemas::openid4vci::{AuthorizationServerMetadata, ChallengeResponse};
use serde::{Deserialize, Serialize};
use url::Url;

/// What an authorization server demands to know of a wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Demand {
    /// Its identifier: for whom the proof is made.
    server: String,
    /// Where it gives challenges.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
}

/// What answers it: an attestation that this issuance has for itself.
#[derive(Clone)]
pub(super) struct Attested {
    demand: Demand,
    attestation: WalletAttestation,
    challenge: Option<String>,
}

/// What a request to the authorization server has been sent back for already: each reason once, or two servers could play
/// ball for ever.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Repeats {
    nonce: bool,
    challenge: bool,
}

/// How far an exchange with the authorization server is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A challenge is being fetched.
    Challenge,
    /// The request itself is out.
    Request(Repeats),
}

impl Demand {
    /// What the metadata demand; none where a wallet may come without a word, for then this one does: the attestation names its
    /// provider.
    ///
    /// # Source
    /// draft-ietf-oauth-attestation-based-client-auth-07 §10.1, §8; OpenID4VCI 1.0 §12.3.
    pub(super) fn of(metadata: &AuthorizationServerMetadata, pre_authorized: bool) -> Option<Self> {
        let methods = metadata.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
        let has = |name: &str| methods.iter().any(|method| method == name);
        let anonymous = pre_authorized && metadata.pre_authorized_grant_anonymous_access_supported == Some(true);
        if !has(METHOD) || has("none") || anonymous {
            return None;
        }
        Some(Self { server: metadata.issuer.clone(), challenge: metadata.challenge_endpoint.clone() })
    }

    fn challenge_endpoint(&self) -> Result<Option<Url>, IssuanceError> {
        let loopback = Loopback::as_named_by(&self.server);
        let reach = |text: &String| address(text, loopback);
        let url = self.challenge.as_ref().map(reach).transpose();
        url.map_err(|error| IssuanceError::Address(Answer::ServerMetadata, error))
    }
}

impl Attested {
    pub(super) const fn new(demand: Demand, attestation: WalletAttestation) -> Self {
        Self { demand, attestation, challenge: None }
    }

    /// The demand and what meets it: nothing where nothing is demanded.
    ///
    /// # Errors
    /// [`IssuanceError::AttestationWanted`] when something is demanded and there is nothing.
    pub(super) fn meeting(
        demand: Option<&Demand>,
        attestation: Option<&WalletAttestation>,
    ) -> Result<Option<Self>, IssuanceError> {
        match (demand, attestation) {
            (None, _) => Ok(None),
            (Some(demand), Some(attestation)) => Ok(Some(Self::new(demand.clone(), attestation.clone()))),
            (Some(_), None) => Err(IssuanceError::AttestationWanted),
        }
    }
}

/// The two things by which an authorization server may know a wallet.
pub(super) struct Client<'a> {
    pub(super) dpop: Option<&'a mut Dpop>,
    pub(super) attested: Option<&'a mut Attested>,
}

impl Client<'_> {
    /// Notes what the server gave for the next request; whether this one must be sent again with it.
    ///
    /// # Source
    /// RFC 9449 §8; draft-ietf-oauth-attestation-based-client-auth-07 §6.2, §8.1.
    pub(super) fn must_repeat(self, response: &Response, repeats: &mut Repeats) -> bool {
        if let Some(dpop) = self.dpop {
            dpop.note_nonce(Server::Authorization, response);
            if asks_for_dpop_nonce(response) && !repeats.nonce {
                repeats.nonce = true;
                return true;
            }
        }
        let Some(attested) = self.attested else { return false };
        let given = response.header(CHALLENGE_HEADER).filter(|text| is_challenge(text)).map(str::to_owned);
        let is_given = given.is_some();
        attested.challenge = given.or(attested.challenge.take());
        let asked = wire::error_code(&response.body).as_deref() == Some("use_attestation_challenge");
        if asked && is_given && !repeats.challenge {
            repeats.challenge = true;
            return true;
        }
        false
    }
}

/// The request for a challenge, where one must be fetched before anything else is asked.
///
/// # Source
/// draft-ietf-oauth-attestation-based-client-auth-07 §8: "the Client MUST retrieve a challenge".
pub(super) fn challenge_request(attested: Option<&Attested>) -> Result<Option<Effect>, IssuanceError> {
    let Some(attested) = attested.filter(|attested| attested.challenge.is_none()) else { return Ok(None) };
    let url = attested.demand.challenge_endpoint()?;
    Ok(url.map(|url| Effect::post(url).header("accept", "application/json")))
}

/// Reads the answer to it.
pub(super) fn note_challenge(attested: Option<&mut Attested>, response: &Response) -> Result<(), IssuanceError> {
    if response.status != 200 {
        return Err(refused(Answer::Challenge, response));
    }
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::Challenge);
    let ChallengeResponse { attestation_challenge } =
        wire::shaped(wire::object(&response.body).map_err(malformed)?).map_err(malformed)?;
    if !is_challenge(&attestation_challenge) {
        return Err(IssuanceError::Malformed(Answer::Challenge));
    }
    if let Some(attested) = attested {
        attested.challenge = Some(attestation_challenge);
    }
    Ok(())
}

/// The request with what says who asks.
pub(super) fn shown(
    effect: Effect,
    attested: Option<&Attested>,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<Effect, IssuanceError> {
    let Some(Attested { demand, attestation, challenge }) = attested else { return Ok(effect) };
    attestation.show(effect, &demand.server, challenge.as_deref(), now, rng).ok_or(IssuanceError::Key)
}

/// The `client_id` of a request.
pub(super) fn client_id(attested: Option<&Attested>) -> &str {
    attested.map_or(CLIENT_ID, |attested| attested.attestation.client_id())
}

fn is_challenge(text: &str) -> bool {
    (1..=MAX_NONCE).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
