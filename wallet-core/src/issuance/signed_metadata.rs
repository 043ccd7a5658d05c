//! Issuer metadata that its issuer has signed: who it is stands fast before a code is given to it.

use super::error::IssuanceError;
use super::signers::Signer;
use crate::effect::Response;
use credentials::json::Limits;
use credentials::jws::JwsIn;
use credentials::trust::{ChainPolicy, Trust, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};
use std::str;

/// Metadata whose signature holds.
pub(super) struct Signed {
    pub(super) members: Map<String, Value>,
    /// The name in the certificate that signed it.
    pub(super) by: String,
    pub(super) signer: Signer,
    /// Whether an anchor vouches for it: without, it says no more than metadata that nobody signed, and is not used.
    pub(super) is_vouched_for: bool,
}

/// Whether an answer is signed metadata.
pub(super) fn is_signed(response: &Response) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

/// The metadata, and who signed it.
///
/// # Errors
/// [`IssuanceError::MetadataSignature`], [`IssuanceError::MetadataTime`].
///
/// # Source
/// OpenID4VCI 1.0 §12.2.3; that the certificate names the issuer: as SD-JWT VC §2.5 for credentials.
pub(super) fn verify(
    token: &[u8],
    issuer: &str,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<Signed, IssuanceError> {
    let wrong = || IssuanceError::MetadataSignature;
    let text = str::from_utf8(token).map_err(|_| wrong())?;
    let jws = JwsIn::parse(text, &LIMITS).map_err(|_| wrong())?;
    jws.expect_type(TYP).map_err(|_| wrong())?;
    jws.expect_no_jwk().map_err(|_| wrong())?;
    let chain = jws.header().x5c.as_ref().ok_or_else(wrong)?;
    let policy = ChainPolicy::unknown_allowed(anchors);
    let chain = policy.verify(chain, Usage::CredentialIssuing, now);
    let chain = chain.map_err(|error| if error.is_about_time() { IssuanceError::MetadataTime } else { wrong() })?;
    jws.verify(chain.leaf_key()).map_err(|_| wrong())?;
    let claims = jws.payload_object(&LIMITS).map_err(|_| wrong())?;
    let time = |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix);
    let is_of_issuer = claims.get("sub").and_then(Value::as_str) == Some(issuer) && chain.is_named(issuer);
    let begun = time("iat").filter(|_| is_of_issuer).ok_or_else(wrong)?;
    let ends = time("exp");
    if claims.contains_key("exp") && ends.is_none() {
        return Err(wrong());
    }
    if begun > now.plus(SKEW) || ends.is_some_and(|end| now >= end) {
        return Err(IssuanceError::MetadataTime);
    }
    Ok(Signed {
        members: claims,
        by: chain.subject().to_owned(),
        signer: Signer::of(&chain),
        is_vouched_for: chain.trust() == Trust::Known,
    })
}

/// What is asked for where anchors are at hand.
pub(super) const ACCEPT: &str = "application/jwt, application/json;q=0.5";
const MEDIA_TYPE: &str = "application/jwt";
const TYP: &str = "openidvci-issuer-metadata+jwt";
const LIMITS: Limits = Limits { bytes: 1024 * 1024, depth: 16 };
/// How far ahead an issuer's clock may be.
const SKEW: Seconds = Seconds::new(300);
