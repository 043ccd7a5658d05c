//! Wallet attestations: who makes a wallet says that it is one of theirs, and the wallet proves that it is meant.
//!
//! Two tokens: the attestation, which the provider signs for a key of one wallet, and the proof that the wallet has the key,
//! made anew for each request. What the draft calls *client* is here the wallet.

mod draft;
mod pop;
#[cfg(test)]
mod tests;

pub use draft::Draft;
pub use pop::{PopError, Possession, create, verify_pop};

use crate::json::Limits;
use crate::jws::{JwsError, JwsIn};
use crate::key::{KeyError, PublicKey};
use crate::trust::{ChainError, TrustAnchors, Usage};
use schemas::status::{StatusClaim, StatusReference};
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};

/// The `typ` of a wallet attestation.
pub const TYPE: &str = "oauth-client-attestation+jwt";
/// The `typ` of a proof of possession.
pub const POP_TYPE: &str = "oauth-client-attestation-pop+jwt";
/// The header field of an attestation.
pub const HEADER: &str = "oauth-client-attestation";
/// The header field of a proof of possession.
pub const POP_HEADER: &str = "oauth-client-attestation-pop";
/// The header field in which a server gives a challenge.
pub const CHALLENGE_HEADER: &str = "oauth-client-attestation-challenge";
/// What servers call this way for a client to authenticate.
pub const METHOD: &str = "attest_jwt_client_auth";

/// How far ahead of the clock an attestation may have been made.
const AHEAD: Seconds = Seconds::MINUTE;
/// The most characters of a name or a URL in it.
const MAX_TEXT: usize = 2_048;

/// Why a wallet attestation is refused: `invalid_client` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalletAttestationError {
    /// Not a JWS that we read, of another type, or with another signature.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// No certificate, or none that an anchor vouches for.
    #[error("who signed it is not trusted: {0}")]
    Chain(#[from] ChainError),
    /// A claim is missing or of the wrong kind.
    #[error("the claim {0} is missing or malformed")]
    Malformed(&'static str),
    /// The key of the wallet is not one that we accept.
    #[error("the key of the wallet: {0}")]
    Key(#[from] KeyError),
    /// It has expired, or is of the future.
    #[error("it is not of now")]
    Time,
}

/// A wallet attestation that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalletAttestation {
    /// Who says so, by its own word: who is believed follows from the certificates.
    pub provider: String,
    /// What kind of wallet it is: the `client_id`, the same for all wallets of this kind.
    pub client_id: String,
    /// The key that the wallet must prove to have.
    pub key: PublicKey,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Where it says whether it was revoked. Not looked up here.
    pub status: Option<StatusReference>,
}

/// Verifies a wallet attestation. That the wallet has its key is another matter: [`verify_pop`].
///
/// # Errors
/// [`WalletAttestationError`].
///
/// # Source
/// OpenID4VCI 1.0 Appendix E; draft-ietf-oauth-attestation-based-client-auth-07 §5.1, §9 rules 2 and 4 to 6; HAIP 1.0
/// §4.4.1: certificates in `x5c`, the anchor not among them.
pub fn verify(
    text: &str,
    providers: &TrustAnchors,
    now: Timestamp,
) -> Result<WalletAttestation, WalletAttestationError> {
    let malformed = WalletAttestationError::Malformed;
    let jws = JwsIn::parse(text, &Limits::TOKEN)?;
    jws.expect_type(TYPE)?;
    jws.expect_no_jwk()?;
    let chain = jws.header().x5c.as_ref().ok_or(ChainError::Empty)?;
    let provider = chain.verify_below(providers, Usage::WalletAttesting, now)?;
    jws.verify(provider.leaf_key())?;
    let claims = jws.payload_object(&Limits::TOKEN)?;
    let required = |name: &'static str| {
        let text = claims.get(name).and_then(Value::as_str).filter(|text| (1..=MAX_TEXT).contains(&text.len()));
        text.map(str::to_owned).ok_or(malformed(name))
    };
    let (provider, client_id) = (required("iss")?, required("sub")?);
    let expires_at = time(&claims, "exp").map_err(malformed)?.ok_or(malformed("exp"))?;
    let begun = [time(&claims, "iat").map_err(malformed)?, time(&claims, "nbf").map_err(malformed)?];
    if now >= expires_at || begun.into_iter().flatten().any(|at| at > now.plus(AHEAD)) {
        return Err(WalletAttestationError::Time);
    }
    let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk")).and_then(Value::as_object).ok_or(malformed("cnf"))?;
    let key = PublicKey::from_jwk(jwk)?;
    let status = status(&claims).map_err(malformed)?;
    Ok(WalletAttestation { provider, client_id, key, expires_at, status })
}

/// A time, if it is there.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<Timestamp>, &'static str> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(|at| Some(Timestamp::from_unix(at))).ok_or(name),
    }
}

/// The place in a status list, if one is named; another kind of status is one that we cannot look up.
pub(crate) fn status(claims: &Map<String, Value>) -> Result<Option<StatusReference>, &'static str> {
    let Some(value) = claims.get("status") else { return Ok(None) };
    let claim: StatusClaim = serde_json::from_value(value.clone()).map_err(|_| "status")?;
    if claim.status_list.uri.len() > MAX_TEXT { Err("status") } else { Ok(Some(claim.status_list)) }
}
