//! Requests as a verifier makes them.

use super::super::{ClientId, sign};
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use crate::{b64, jws};
use schemas::openid4vp::{REQUEST_OBJECT_TYP, RequestObject};
use serde_json::{Value, json};

/// The `data` of an unsigned request: without a client identifier, which would prove nothing.
///
/// # Errors
/// [`serde_json::Error`] only where the request holds what JSON does not.
///
/// # Source
/// OpenID4VP 1.0 Appendix A.2, A.3.1.
pub fn unsigned(request: &RequestObject) -> Result<Value, serde_json::Error> {
    let mut data = serde_json::to_value(request)?;
    if let Some(members) = data.as_object_mut() {
        members.shift_remove("client_id");
        members.shift_remove("expected_origins");
    }
    Ok(data)
}

/// The `data` of a request with one signature.
///
/// # Errors
/// [`SignError`].
///
/// # Source
/// OpenID4VP 1.0 Appendix A.3.2.1. `expected_origins` must be there: a wallet refuses it otherwise.
pub fn signed(request: &RequestObject, chain: &CertificateChain, signer: &dyn Signer) -> Result<Value, SignError> {
    Ok(json!({ "request": sign(request, chain, signer)? }))
}

/// Under which name, certificates and key one signature of several is made.
pub struct SignedAs<'a> {
    /// The client identifier; it stands in the protected header.
    pub client_id: &'a ClientId,
    /// The certificates.
    pub chain: &'a CertificateChain,
    /// The key of the leaf.
    pub signer: &'a dyn Signer,
}

/// The `data` of a request with several signatures, each under a client identifier of its own.
///
/// # Errors
/// [`SignError`].
///
/// # Source
/// OpenID4VP 1.0 Appendix A.3.2.2; RFC 7515 §7.2.1.
pub fn multi_signed(request: &RequestObject, signers: &[SignedAs<'_>]) -> Result<Value, SignError> {
    let mut payload = serde_json::to_value(request).map_err(|_| SignError::Unavailable)?;
    if let Some(members) = payload.as_object_mut() {
        members.shift_remove("client_id");
    }
    let payload = payload.to_string();
    let mut signatures = Vec::with_capacity(signers.len());
    for signed in signers {
        let header = json!({
            "alg": "ES256", "typ": REQUEST_OBJECT_TYP, "x5c": signed.chain.to_x5c(), "client_id": signed.client_id.as_str(),
        });
        let compact = jws::sign_bytes(header.to_string().as_bytes(), payload.as_bytes(), signed.signer)?;
        let mut parts = compact.split('.');
        if let (Some(protected), Some(_), Some(signature)) = (parts.next(), parts.next(), parts.next()) {
            signatures.push(json!({"protected": protected, "signature": signature}));
        }
    }
    Ok(json!({"payload": b64::encode(payload.as_bytes()), "signatures": signatures}))
}
