//! The proof that a wallet has the key of its attestation, for one server and one request.

use super::{AHEAD, POP_TYPE, WalletAttestation};
use crate::b64;
use crate::json::Limits;
use crate::jws::{self, JwsError, JwsIn};
use crate::signer::{SignError, Signer};
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How old a proof may be.
const AGE: Seconds = Seconds::new(300);
/// The most characters of its identifier and of a challenge.
const MAX_TEXT: usize = 1_024;

/// Why a proof of possession is refused. [`PopError::Challenge`] is `use_attestation_challenge` on the wire, all others
/// `invalid_client`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PopError {
    /// Not a JWS that we read, of another type, or not signed by the key of the attestation.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A claim is missing or of the wrong kind.
    #[error("a claim is missing or malformed")]
    Malformed,
    /// `iss` is another wallet than the attestation's `sub`.
    #[error("it is of another wallet than its attestation")]
    Client,
    /// `aud` is another server.
    #[error("it is for another authorization server")]
    Audience,
    /// `iat` outside the window, or before `nbf`.
    #[error("it was made more than {AGE} ago or {AHEAD} in the future")]
    Time,
    /// `challenge` is missing or not a current one of this server.
    #[error("its challenge is missing or not one that this server gave and still accepts")]
    Challenge,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    jti: String,
    iat: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<String>,
}

/// A verified proof.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Possession {
    /// Its identifier: to be accepted once only, per key.
    pub jti: String,
}

/// Makes a proof with the key of the attestation; `jti` must be fresh random bytes.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// draft-ietf-oauth-attestation-based-client-auth-07 §5.2.
pub fn create(
    client_id: &str,
    audience: &str,
    challenge: Option<&str>,
    now: Timestamp,
    jti: [u8; 16],
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let header: Map<String, Value> =
        [("alg".to_owned(), json!("ES256")), ("typ".to_owned(), json!(POP_TYPE))].into_iter().collect();
    let claims = Claims {
        iss: client_id.to_owned(),
        aud: audience.to_owned(),
        jti: b64::encode(&jti),
        iat: now,
        nbf: None,
        challenge: challenge.map(str::to_owned),
    };
    let payload = serde_json::to_vec(&claims).map_err(|_| SignError::Unavailable)?;
    jws::sign(&header, &payload, signer)
}

/// Verifies a proof for the server `audience`.
///
/// `is_current` is asked last, and only about a proof in order otherwise. That `jti` is new is the caller's part, who has the
/// memory for it.
///
/// # Errors
/// [`PopError`].
///
/// # Source
/// draft-ietf-oauth-attestation-based-client-auth-07 §5.2, §9 rules 3, 4 and 7 to 10. `aud` is one text, byte for byte.
pub fn verify_pop(
    text: &str,
    attestation: &WalletAttestation,
    audience: &str,
    is_current: impl FnOnce(&str) -> bool,
    now: Timestamp,
) -> Result<Possession, PopError> {
    let jws = JwsIn::parse(text, &Limits::TOKEN)?;
    jws.expect_type(POP_TYPE)?;
    jws.expect_no_jwk()?;
    jws.verify(&attestation.key)?;
    let payload = jws.payload_object(&Limits::TOKEN)?;
    let Claims { iss, aud, jti, iat, nbf, challenge } =
        serde_json::from_value(payload.into()).map_err(|_| PopError::Malformed)?;
    if !(1..=MAX_TEXT).contains(&jti.len()) || challenge.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
        return Err(PopError::Malformed);
    }
    if iss != attestation.client_id {
        return Err(PopError::Client);
    }
    if aud != audience {
        return Err(PopError::Audience);
    }
    if iat < now.minus(AGE) || iat > now.plus(AHEAD) || nbf.is_some_and(|nbf| nbf > now.plus(AHEAD)) {
        return Err(PopError::Time);
    }
    match challenge {
        Some(challenge) if is_current(&challenge) => Ok(Possession { jti }),
        _ => Err(PopError::Challenge),
    }
}
