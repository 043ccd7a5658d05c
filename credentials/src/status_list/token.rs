//! The Status List Token: the list signed, and what is checked before one entry of it is believed.

use super::verified::{Said, VerifiedStatusList};
use super::{Bits, StatusError, StatusList};
use crate::json::Limits;
use crate::jws::{self, JwsIn};
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The `typ` of a Status List Token in JWT format.
pub(super) const TYP: &str = "statuslist+jwt";

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

/// What a Status List Token says beside the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenDraft<'a> {
    /// Where the list is found: `uri` of the credentials whose status it holds.
    pub uri: &'a str,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`.
    pub expires_at: Timestamp,
    /// `ttl`: how soon to look for a fresh one.
    pub ttl: Seconds,
    /// Where the issuer's other lists are named: see [`super::Aggregation`].
    pub aggregation_uri: Option<&'a str>,
}

impl TokenDraft<'_> {
    pub(super) fn check(&self) -> Result<(), StatusIssueError> {
        let expires_at = self.expires_at;
        if expires_at > self.issued_at { Ok(()) } else { Err(StatusIssueError::EndsBeforeIssued { expires_at }) }
    }
}

impl StatusList {
    /// Signs the list as a Status List Token for the list at `uri`.
    ///
    /// The chain must be one for status signing, which is checked by whoever reads the token.
    ///
    /// # Errors
    /// [`StatusIssueError`].
    pub fn to_token(
        &self,
        uri: &str,
        now: Timestamp,
        expires_at: Timestamp,
        ttl: Seconds,
        chain: &CertificateChain,
        signer: &dyn Signer,
    ) -> Result<String, StatusIssueError> {
        self.sign(&TokenDraft { uri, issued_at: now, expires_at, ttl, aggregation_uri: None }, chain, signer)
    }

    /// Signs the list as a Status List Token in JWT format.
    ///
    /// The chain must be one for status signing, which is checked by whoever reads the token.
    ///
    /// # Errors
    /// [`StatusIssueError`].
    ///
    /// # Source
    /// Token Status List §5.1 "Status List Token in JWT Format", §4.2.
    pub fn sign(
        &self,
        draft: &TokenDraft<'_>,
        chain: &CertificateChain,
        signer: &dyn Signer,
    ) -> Result<String, StatusIssueError> {
        draft.check()?;
        let header = object(json!({"alg": "ES256", "typ": TYP, "x5c": chain.to_x5c()}));
        let mut list = object(json!({"bits": self.bits().get(), "lst": self.to_lst()}));
        if let Some(uri) = draft.aggregation_uri {
            list.insert("aggregation_uri".to_owned(), uri.into());
        }
        let payload = object(json!({
            "sub": draft.uri, "iat": draft.issued_at, "exp": draft.expires_at, "ttl": draft.ttl, "status_list": list,
        }));
        Ok(jws::sign_object(&header, &payload, signer)?)
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
    aggregation_uri: Option<String>,
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
    let ListClaim { bits, lst, aggregation_uri } = claims.status_list;
    let ttl = seconds(claims.ttl.as_ref())?;
    let said = Said { uri: claims.sub, issued_at: claims.iat, expires_at: claims.exp, ttl, aggregation_uri };
    said.accept(uri, now, previous_iat, signer, || StatusList::from_lst(Bits::try_from(bits)?, &lst))
}

/// A `ttl` in whole seconds; it is "a positive number encoded in JSON as a number", so not only an integer.
fn seconds(ttl: Option<&Value>) -> Result<Option<Seconds>, StatusError> {
    match ttl {
        None => Ok(None),
        // A float casts to an integer saturating, and there is no NaN in JSON.
        Some(Value::Number(number)) => match number.as_u64().or_else(|| number.as_f64().map(|ttl| ttl as u64)) {
            Some(ttl) => Ok(Some(Seconds::new(ttl))),
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
