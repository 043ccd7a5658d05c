//! The KB-JWT: what the holder signs for one request of one verifier.

use crate::json::Limits;
use crate::jws::{JwsError, JwsIn};
use crate::key::PublicKey;
use crate::sd_jwt::{Expected, SdJwtIn};
use schemas::Timestamp;
use schemas::consent::Grant;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The `typ` of a KB-JWT.
pub const TYPE: &str = "kb+jwt";

/// What a holder says in a KB-JWT, but for `sd_hash`, which is computed.
///
/// # Source
/// RFC 9901 §4.3; OpenID4VP 1.0 §B.3.3.1 for `transaction_data_hashes`; security.md §3.3 for `amr`, `acr`, `auth_time`
/// (RFC 8176, OpenID Connect Core §2) and §4.1 for `consent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyBindingClaims {
    /// `aud`: the full client identifier of the verifier.
    pub audience: String,
    /// `nonce` of the request.
    pub nonce: String,
    /// `iat`
    pub issued_at: Timestamp,
    /// SHA-256 of each `transaction_data` string as received, base64url.
    pub transaction_data_hashes: Option<Vec<String>>,
    /// What the holder agrees to.
    pub consent: Option<Grant>,
    /// How the holder was recognised.
    pub amr: Vec<String>,
    /// How strong that was.
    pub acr: Option<String>,
    /// When that was.
    pub auth_time: Option<Timestamp>,
}

impl KeyBindingClaims {
    /// What RFC 9901 §4.3 demands, and nothing else.
    pub fn new(audience: &str, nonce: &str, issued_at: Timestamp) -> Self {
        Self {
            audience: audience.to_owned(),
            nonce: nonce.to_owned(),
            issued_at,
            transaction_data_hashes: None,
            consent: None,
            amr: Vec::new(),
            acr: None,
            auth_time: None,
        }
    }
}

/// On the wire.
#[derive(Serialize)]
struct Payload<'a> {
    iat: Timestamp,
    aud: &'a str,
    nonce: &'a str,
    sd_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_data_hashes: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_data_hashes_alg: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<&'a Grant>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    amr: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    acr: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<Timestamp>,
}

impl KeyBindingClaims {
    /// The payload as JSON.
    pub(crate) fn payload(&self, sd_hash: &str) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Payload {
            iat: self.issued_at,
            aud: &self.audience,
            nonce: &self.nonce,
            sd_hash,
            transaction_data_hashes: self.transaction_data_hashes.as_deref(),
            transaction_data_hashes_alg: self.transaction_data_hashes.as_ref().map(|_| "sha-256"),
            consent: self.consent.as_ref(),
            amr: &self.amr,
            acr: self.acr.as_deref(),
            auth_time: self.auth_time,
        })
    }
}

/// Why a KB-JWT is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyBindingError {
    /// Not a JWS that we read, of another type, or not signed by the key in `cnf`.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A claim is missing or of the wrong kind: `aud` and `nonce` are one string each, times are integers.
    #[error("a claim is missing or malformed")]
    Malformed,
    /// `aud` is another verifier's.
    #[error("it is for another audience")]
    Audience,
    /// `nonce` is another request's.
    #[error("it answers another nonce")]
    Nonce,
    /// `iat` is too old.
    #[error("it was made more than {most} ago")]
    TooOld {
        /// The most that is accepted.
        most: schemas::Seconds,
    },
    /// `iat` is ahead of the clock.
    #[error("it was made more than {most} in the future")]
    InTheFuture {
        /// The most that is accepted.
        most: schemas::Seconds,
    },
    /// `sd_hash` is not of what was presented.
    #[error("sd_hash is not of what was presented")]
    SdHash,
}

/// A KB-JWT as it came.
pub(crate) struct KeyBindingIn<'t> {
    jws: JwsIn<'t>,
    claims: Claims,
}

#[derive(Clone, Deserialize)]
struct Claims {
    iat: Timestamp,
    aud: String,
    nonce: String,
    sd_hash: String,
    transaction_data_hashes: Option<Vec<String>>,
    transaction_data_hashes_alg: Option<String>,
    consent: Option<Grant>,
    #[serde(default)]
    amr: Vec<String>,
    acr: Option<String>,
    auth_time: Option<Timestamp>,
}

impl Claims {
    const NAMES: &[&str] = &[
        "iat",
        "aud",
        "nonce",
        "sd_hash",
        "transaction_data_hashes",
        "transaction_data_hashes_alg",
        "consent",
        "amr",
        "acr",
        "auth_time",
    ];
}

impl<'t> KeyBindingIn<'t> {
    /// Reads a KB-JWT. Its key is the one in `cnf`: certificates and keys in its header are refused.
    pub(crate) fn parse(text: &'t str) -> Result<Self, KeyBindingError> {
        let jws = JwsIn::parse(text, &Limits::TOKEN)?;
        jws.expect_type(TYPE)?;
        jws.expect_no_jwk()?;
        if jws.header().x5c.is_some() {
            return Err(JwsError::Parameter("x5c").into());
        }
        let payload = jws.payload_known(&Limits::TOKEN, Claims::NAMES)?;
        let claims: Claims = payload.into_typed().map_err(|_| KeyBindingError::Malformed)?;
        Ok(Self { jws, claims })
    }

    /// Checks everything but the signature.
    ///
    /// # Source
    /// RFC 9901 §7.3 steps 5.5 to 5.7.
    pub(crate) fn check(&self, expected: &Expected<'_>, presented: &mut SdJwtIn<'_>) -> Result<(), KeyBindingError> {
        let Claims { iat, aud, nonce, sd_hash, .. } = &self.claims;
        if aud != expected.audience {
            return Err(KeyBindingError::Audience);
        }
        // An empty nonce binds to nothing, also when the verifier forgot to draw one.
        if nonce != expected.nonce || nonce.is_empty() {
            return Err(KeyBindingError::Nonce);
        }
        check_window(*iat, expected.now, expected.key_binding_age, expected.key_binding_ahead)?;
        if *sd_hash != presented.sd_hash_and_signed() {
            return Err(KeyBindingError::SdHash);
        }
        Ok(())
    }

    /// Checks the signature.
    pub(crate) fn verify(self, key: &PublicKey) -> Result<KeyBinding, KeyBindingError> {
        self.jws.verify(key)?;
        Ok(KeyBinding(self.claims))
    }
}

fn check_window(
    iat: Timestamp,
    now: Timestamp,
    age: schemas::Seconds,
    ahead: schemas::Seconds,
) -> Result<(), KeyBindingError> {
    if iat < now.minus(age) {
        Err(KeyBindingError::TooOld { most: age })
    } else if iat > now.plus(ahead) {
        Err(KeyBindingError::InTheFuture { most: ahead })
    } else {
        Ok(())
    }
}

/// A verified KB-JWT.
#[derive(Clone)]
pub struct KeyBinding(Claims);

impl KeyBinding {
    /// `aud`
    pub fn audience(&self) -> &str {
        &self.0.aud
    }

    /// `nonce`: with it, never with the signature, a presentation is remembered and refused the second time.
    pub fn nonce(&self) -> &str {
        &self.0.nonce
    }

    /// `iat`
    pub const fn issued_at(&self) -> Timestamp {
        self.0.iat
    }

    /// `transaction_data_hashes`; that they are of this request's data is checked in `consent`.
    pub fn transaction_data_hashes(&self) -> Option<&[String]> {
        self.0.transaction_data_hashes.as_deref()
    }

    /// `transaction_data_hashes_alg`
    pub fn transaction_data_hashes_alg(&self) -> Option<&str> {
        self.0.transaction_data_hashes_alg.as_deref()
    }

    /// `consent`, signed by the holder; that it is narrower than what was asked is checked in `consent`.
    pub const fn consent(&self) -> Option<&Grant> {
        self.0.consent.as_ref()
    }

    /// `amr`; empty when absent.
    pub fn amr(&self) -> &[String] {
        &self.0.amr
    }

    /// `acr`
    pub fn acr(&self) -> Option<&str> {
        self.0.acr.as_deref()
    }

    /// `auth_time`
    pub const fn auth_time(&self) -> Option<Timestamp> {
        self.0.auth_time
    }
}

impl fmt::Debug for KeyBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyBinding").field("iat", &self.0.iat).finish_non_exhaustive()
    }
}
