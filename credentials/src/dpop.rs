//! DPoP: access tokens that only the key they were given to can use.

use crate::b64;
use crate::json::Limits;
use crate::jws::{self, JwsError, JwsIn};
use crate::key::{KeyError, PublicKey};
use crate::signer::{SignError, Signer};
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

/// The `typ` of a DPoP proof.
pub const TYPE: &str = "dpop+jwt";

/// How old a proof may be, and how far ahead of the clock. A server must remember each `jti` for their sum.
pub const AGE: Seconds = Seconds::new(300);
/// See [`AGE`].
pub const AHEAD: Seconds = Seconds::MINUTE;

/// Why a DPoP proof is refused: `invalid_dpop_proof` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DpopError {
    /// Not a JWS that we read, of another type, or not signed by the key in it.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// No `jwk` in the header.
    #[error("the header carries no jwk")]
    NoKey,
    /// The key is not one that we accept.
    #[error("jwk: {0}")]
    Key(#[from] KeyError),
    /// A claim is missing or of the wrong kind; `jti` may have at most 256 characters.
    #[error("a claim is missing or malformed")]
    Malformed,
    /// `htm` is another method.
    #[error("it is for another method")]
    Method,
    /// `htu` is another URI.
    #[error("it is for another URI")]
    Uri,
    /// `iat` outside the window.
    #[error("it was made more than {AGE} ago or {AHEAD} in the future")]
    Time,
    /// `ath` is missing, or of another access token.
    #[error("it is not for this access token")]
    AccessToken,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ath: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
}

/// A verified DPoP proof.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DpopProof {
    /// The key: its thumbprint must be the one the access token was bound to.
    pub key: PublicKey,
    /// Its identifier: to be accepted once only, per key. Never use the signature for that: each has a twin.
    pub jti: String,
    /// The server's nonce, when there is one; whether it is current is the caller's part.
    pub nonce: Option<String>,
}

/// Makes a DPoP proof with the key of `signer`; `jti` must be fresh random bytes.
///
/// `htu` goes in without query and fragment.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// RFC 9449 §4.2.
pub fn create(
    htm: &str,
    htu: &str,
    now: Timestamp,
    access_token: Option<&str>,
    nonce: Option<&str>,
    jti: [u8; 16],
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let header: Map<String, Value> = [
        ("alg".to_owned(), json!("ES256")),
        ("typ".to_owned(), json!(TYPE)),
        ("jwk".to_owned(), signer.public_key().to_jwk().into()),
    ]
    .into_iter()
    .collect();
    let claims = Claims {
        jti: b64::encode(&jti),
        htm: htm.to_owned(),
        htu: htu.split(['?', '#']).next().unwrap_or(htu).to_owned(),
        iat: now,
        ath: access_token.map(token_hash),
        nonce: nonce.map(str::to_owned),
    };
    let payload = serde_json::to_vec(&claims).map_err(|_| SignError::Unavailable)?;
    jws::sign(&header, &payload, signer)
}

/// Verifies a DPoP proof for a request of method `htm` to `htu`; with an access token, for that token.
///
/// Left to the caller, who has the memory for it: that `jti` is new, that `nonce` is current, that the access token was
/// bound to [`DpopProof::key`], and that there was one DPoP header only.
///
/// # Errors
/// [`DpopError`].
///
/// # Source
/// RFC 9449 §4.3. URIs are compared without query and fragment, after RFC 3986 §6.2.2 and §6.2.3 normalisation.
pub fn verify(
    text: &str,
    htm: &str,
    htu: &str,
    access_token: Option<&str>,
    now: Timestamp,
) -> Result<DpopProof, DpopError> {
    let jws = JwsIn::parse(text, &Limits::TOKEN)?;
    jws.expect_type(TYPE)?;
    let key = PublicKey::from_jwk(jws.header().jwk.as_ref().ok_or(DpopError::NoKey)?)?;
    let payload = jws.payload_object(&Limits::TOKEN)?;
    let claims: Claims = serde_json::from_value(payload.into()).map_err(|_| DpopError::Malformed)?;
    if claims.jti.is_empty() || claims.jti.len() > 256 {
        return Err(DpopError::Malformed);
    }
    if claims.htm != htm {
        return Err(DpopError::Method);
    }
    match (comparable(&claims.htu), comparable(htu)) {
        (Some(theirs), Some(ours)) if theirs == ours => {}
        _ => return Err(DpopError::Uri),
    }
    if claims.iat < now.minus(AGE) || claims.iat > now.plus(AHEAD) {
        return Err(DpopError::Time);
    }
    if access_token.is_some_and(|token| claims.ath != Some(token_hash(token))) {
        return Err(DpopError::AccessToken);
    }
    jws.verify(&key)?;
    Ok(DpopProof { key, jti: claims.jti, nonce: claims.nonce })
}

/// `ath`: SHA-256 of the access token, base64url.
fn token_hash(token: &str) -> String {
    b64::encode(&Sha256::digest(token))
}

fn comparable(uri: &str) -> Option<Url> {
    let mut url = Url::parse(uri).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

#[cfg(test)]
mod tests;
