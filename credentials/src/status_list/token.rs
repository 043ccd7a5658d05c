//! The Status List Token: the list signed, and what is checked before one entry of it is believed.

use super::{Bits, StatusError, StatusList};
use crate::json::Limits;
use crate::jws::{self, JwsIn};
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, TrustAnchors, Usage, VerifiedChain};
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::fmt;

/// The `typ` of a Status List Token in JWT format.
pub(super) const TYP: &str = "statuslist+jwt";

/// How long a list may be relied on when its token does not say, counted from `iat`.
const DEFAULT_LIFETIME: Seconds = Seconds::DAY.times(2);

/// How long a list may be relied on at most, counted from `iat`, whatever its token says.
pub const MAX_LIFETIME: Seconds = Seconds::DAY.times(30);

/// The shortest, the assumed and the longest time until a fresh list is looked for.
///
/// # Source
/// Token Status List §11.5 "Expiration and Caching": "clients should be configured with lower/upper bounds".
pub const TTL: [Seconds; 3] = [Seconds::MINUTE, Seconds::HOUR.times(12), Seconds::DAY];

/// How far the signer's clock may be ahead of ours.
const SKEW: Seconds = Seconds::MINUTE;

/// 2^20 entries of 8 bits that do not compress, base64url twice over, and the chain.
const LIMITS: Limits = Limits { bytes: 3 << 20, ..Limits::TOKEN };

/// Why a Status List Token could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusIssueError {
    /// It would be expired when issued.
    #[error("status list token would end at {expires_at}, not after it is issued")]
    EndsBeforeIssued {
        /// The `exp` asked for.
        expires_at: Timestamp,
    },
    /// The key would not sign.
    #[error("status list token could not be signed")]
    Sign(#[from] SignError),
}

impl StatusList {
    /// Signs the list as a Status List Token for the list at `uri`.
    ///
    /// The chain must be one for status signing, which is checked by whoever reads the token.
    ///
    /// # Errors
    /// [`StatusIssueError`].
    ///
    /// # Source
    /// Token Status List §5.1 "Status List Token in JWT Format".
    pub fn to_token(
        &self,
        uri: &str,
        now: Timestamp,
        expires_at: Timestamp,
        ttl: Seconds,
        chain: &CertificateChain,
        signer: &dyn Signer,
    ) -> Result<String, StatusIssueError> {
        if expires_at <= now {
            return Err(StatusIssueError::EndsBeforeIssued { expires_at });
        }
        let header = object(json!({"alg": "ES256", "typ": TYP, "x5c": chain.to_x5c()}));
        let payload = object(json!({
            "sub": uri, "iat": now, "exp": expires_at, "ttl": ttl,
            "status_list": {"bits": self.bits().get(), "lst": self.to_lst()},
        }));
        Ok(jws::sign_object(&header, &payload, signer)?)
    }
}

/// A list whose token was signed by someone trusted for status signing, for the URI it was asked for.
pub struct VerifiedStatusList {
    uri: String,
    list: StatusList,
    issued_at: Timestamp,
    ends_at: Timestamp,
    ttl: Seconds,
    signer: VerifiedChain,
}

impl VerifiedStatusList {
    /// The status of the credential that holds `reference`.
    ///
    /// # Errors
    /// [`StatusError::StatusUnknown`] when the list has ended, [`StatusError::OtherList`] when the reference names another,
    /// [`StatusError::IndexOutOfRange`]. None of them may be taken for *valid*.
    ///
    /// # Source
    /// Token Status List §8.3 steps 3–5.
    pub fn status(&self, reference: &StatusReference, now: Timestamp) -> Result<Status, StatusError> {
        if reference.uri != self.uri {
            return Err(StatusError::OtherList);
        }
        if now >= self.ends_at {
            return Err(StatusError::StatusUnknown { ended: self.ends_at });
        }
        self.list.get(reference.idx)
    }

    /// The URI the list is for.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was issued; no older list may follow it.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it may no longer be relied on: its `exp`, and at most [`MAX_LIFETIME`] after `iat`.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// When to look for a fresh one, having fetched this one at `fetched_at`: its `ttl`, within [`TTL`].
    pub fn refresh_at(&self, fetched_at: Timestamp) -> Timestamp {
        fetched_at.plus(self.ttl).min(self.ends_at)
    }

    /// The list.
    pub const fn list(&self) -> &StatusList {
        &self.list
    }

    /// Who signed it.
    pub const fn signer(&self) -> &VerifiedChain {
        &self.signer
    }
}

impl fmt::Debug for VerifiedStatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uri, list, issued_at, ends_at, ttl, signer: _ } = self;
        f.debug_struct("VerifiedStatusList")
            .field("uri", uri)
            .field("list", list)
            .field("issued_at", issued_at)
            .field("ends_at", ends_at)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    iat: Timestamp,
    exp: Option<Timestamp>,
    ttl: Option<Value>,
    status_list: ListClaim,
}

#[derive(Deserialize)]
struct ListClaim {
    bits: u64,
    lst: String,
}

/// Verifies a Status List Token for the list at `uri`.
///
/// `previous_iat` is the `iat` of the newest list seen for the same URI: an older one is a replay. An equal one is the
/// same list again. Inflates last, when all else is in order. Whether the *same issuer* stands behind credential and
/// list is not checked here: the chains must end at the same set of anchors, each within its limits.
///
/// # Errors
/// [`StatusError`]; [`StatusError::IssuedLater`] only when the signature and all else hold, so that a caller may take it
/// as evidence about its own clock.
///
/// # Source
/// Token Status List §8.3 "Validation Rules", §10 (extended key usage), §11.5.
pub fn verify(
    text: &str,
    uri: &str,
    anchors: &TrustAnchors,
    now: Timestamp,
    previous_iat: Option<Timestamp>,
) -> Result<VerifiedStatusList, StatusError> {
    let jws = JwsIn::parse(text, &LIMITS).map_err(StatusError::Jws)?;
    jws.expect_type(TYP).map_err(|_| StatusError::WrongType)?;
    jws.expect_no_jwk().map_err(StatusError::Jws)?;
    let chain = jws.header().x5c.as_ref().ok_or(StatusError::NoChain)?;
    let signer = chain.verify(anchors, Usage::StatusSigning, now).map_err(StatusError::Chain)?;
    jws.verify(signer.leaf_key()).map_err(|_| StatusError::Signature)?;

    let payload = jws.payload_object(&LIMITS).map_err(StatusError::Jws)?;
    let claims: Claims = serde_json::from_value(Value::Object(payload)).map_err(|_| StatusError::Claims)?;
    if claims.sub != uri {
        return Err(StatusError::WrongSubject);
    }
    let longest = claims.iat.plus(MAX_LIFETIME);
    let ends_at = claims.exp.unwrap_or_else(|| claims.iat.plus(DEFAULT_LIFETIME)).min(longest);
    if now >= ends_at {
        return Err(StatusError::StatusUnknown { ended: ends_at });
    }
    if let Some(seen) = previous_iat.filter(|seen| claims.iat < *seen) {
        return Err(StatusError::RolledBack { seen, got: claims.iat });
    }
    if !signer.may_sign_status_of(uri) {
        return Err(StatusError::NotItsHost);
    }
    let ttl = clamped(claims.ttl.as_ref())?;
    let list = StatusList::from_lst(Bits::try_from(claims.status_list.bits)?, &claims.status_list.lst)?;
    if claims.iat > now.plus(SKEW) {
        return Err(StatusError::IssuedLater { issued_at: claims.iat });
    }
    Ok(VerifiedStatusList { uri: claims.sub, list, issued_at: claims.iat, ends_at, ttl, signer })
}

/// A `ttl` within [`TTL`]; it is "a positive number encoded in JSON as a number", so not only an integer.
fn clamped(ttl: Option<&Value>) -> Result<Seconds, StatusError> {
    let [shortest, assumed, longest] = TTL;
    match ttl {
        None => Ok(assumed),
        // A float casts to an integer saturating, and there is no NaN in JSON.
        Some(Value::Number(number)) => match number.as_u64().or_else(|| number.as_f64().map(|ttl| ttl as u64)) {
            Some(ttl) => Ok(Seconds::new(ttl).clamp(shortest, longest)),
            None => Err(StatusError::Claims),
        },
        Some(_) => Err(StatusError::Claims),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
