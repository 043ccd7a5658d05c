//! Proofs of possession in a credential request: one JWT for each key that wants a credential.

use crate::json::Limits;
use crate::jws::{self, JwsError, JwsIn};
use crate::key::{KeyError, PublicKey};
use crate::signer::{SignError, Signer};
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The `typ` of a proof.
pub const TYPE: &str = "openid4vci-proof+jwt";

/// How old a proof may be, and how far ahead of the clock.
const AGE: Seconds = Seconds::new(300);
const AHEAD: Seconds = Seconds::MINUTE;

/// Why a proof is refused. [`ProofError::Nonce`] is `invalid_nonce` on the wire, all others `invalid_proof`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not a JWS that we read, of another type, or not signed by the key in it.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// Not exactly one of `jwk`, `kid`, `x5c`, or not `jwk`, the only one that we read.
    #[error("the header does not carry exactly one jwk")]
    NotOneKey,
    /// The key is not one that we accept.
    #[error("jwk: {0}")]
    Key(#[from] KeyError),
    /// A claim is missing or of the wrong kind.
    #[error("a claim is missing or malformed")]
    Malformed,
    /// `aud` is another issuer.
    #[error("it is for another issuer")]
    Audience,
    /// `nonce` is missing, unknown, used or stale.
    #[error("its nonce is missing or not one that this issuer gave and still accepts")]
    Nonce,
    /// `iat` outside the window.
    #[error("it was made more than {AGE} ago or {AHEAD} in the future")]
    Time,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

/// Makes a proof for the key of `signer`, which goes into the header as `jwk`.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// OpenID4VCI 1.0 §F.1. Without `iss`: the access token came from a pre-authorized code, anonymously.
pub fn create(audience: &str, nonce: &str, now: Timestamp, signer: &dyn Signer) -> Result<String, SignError> {
    write(audience, Some(nonce), now, signer, None)
}

/// As [`create`], with an attestation of this key and others in the header.
///
/// # Errors
/// As [`create`].
///
/// # Source
/// OpenID4VCI 1.0 §F.1 `key_attestation`.
pub fn create_attested(
    audience: &str,
    nonce: &str,
    now: Timestamp,
    signer: &dyn Signer,
    attestation: &str,
) -> Result<String, SignError> {
    write(audience, Some(nonce), now, signer, Some(attestation))
}

/// The same for an issuer that has no nonce endpoint, and so gives no nonce.
///
/// # Errors
/// As [`create`].
///
/// # Source
/// OpenID4VCI 1.0 §F.1: `nonce` must be there only "when the issuer has a Nonce Endpoint".
pub fn create_without_nonce(audience: &str, now: Timestamp, signer: &dyn Signer) -> Result<String, SignError> {
    write(audience, None, now, signer, None)
}

fn write(
    audience: &str,
    nonce: Option<&str>,
    now: Timestamp,
    signer: &dyn Signer,
    attestation: Option<&str>,
) -> Result<String, SignError> {
    let mut header: Map<String, Value> = [
        ("alg".to_owned(), json!("ES256")),
        ("typ".to_owned(), json!(TYPE)),
        ("jwk".to_owned(), signer.public_key().to_jwk().into()),
    ]
    .into_iter()
    .collect();
    if let Some(attestation) = attestation {
        header.insert("key_attestation".to_owned(), attestation.into());
    }
    let claims = Claims { aud: audience.to_owned(), iat: now, nonce: nonce.map(str::to_owned) };
    let payload = serde_json::to_vec(&claims).map_err(|_| SignError::Unavailable)?;
    jws::sign(&header, &payload, signer)
}

/// Verifies a proof; gives the key that the credential is to be bound to.
///
/// `is_current` is asked last, once, and only about a proof in order otherwise: it may consume the nonce. That the keys of
/// a batch differ from each other is the caller's part ([`PublicKey`] is `Eq` and `Hash`).
///
/// # Errors
/// [`ProofError`].
///
/// # Source
/// OpenID4VCI 1.0 §F.4 "Verifying Proof".
pub fn verify(
    text: &str,
    audience: &str,
    is_current: impl FnMut(&str) -> bool,
    now: Timestamp,
) -> Result<PublicKey, ProofError> {
    verify_attested(text, audience, is_current, now).map(|(key, _)| key)
}

/// As [`verify`]; gives the key attestation in the header as well, not verified: see [`crate::key_attestation`].
///
/// # Errors
/// [`ProofError`].
///
/// # Source
/// OpenID4VCI 1.0 §F.1 `key_attestation`.
pub fn verify_attested(
    text: &str,
    audience: &str,
    mut is_current: impl FnMut(&str) -> bool,
    now: Timestamp,
) -> Result<(PublicKey, Option<String>), ProofError> {
    let jws = JwsIn::parse(text, &Limits::TOKEN)?;
    jws.expect_type(TYPE)?;
    let header = jws.header();
    let (Some(jwk), None, None) = (&header.jwk, &header.kid, &header.x5c) else {
        return Err(ProofError::NotOneKey);
    };
    let key = PublicKey::from_jwk(jwk)?;
    let payload = jws.payload_object(&Limits::TOKEN)?;
    let claims: Claims = serde_json::from_value(payload.into()).map_err(|_| ProofError::Malformed)?;
    if claims.aud != audience {
        return Err(ProofError::Audience);
    }
    if claims.iat < now.minus(AGE) || claims.iat > now.plus(AHEAD) {
        return Err(ProofError::Time);
    }
    jws.verify(&key)?;
    match claims.nonce {
        Some(nonce) if is_current(&nonce) => Ok((key, header.key_attestation.clone())),
        _ => Err(ProofError::Nonce),
    }
}

#[cfg(test)]
mod tests;
