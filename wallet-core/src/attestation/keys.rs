//! What a provider says of the keys of a credential, asked for in the middle of an issuance.

use super::cohort::{apart, plain_header, usual_times};
use super::error::AttestationError;
use super::provider::{Provider, header};
use super::stock::{ask, read};
use crate::effect::{Effect, Response};
use credentials::json::Limits;
use credentials::jws::JwsIn;
use credentials::key::PublicKey;
use credentials::key_attestation::{LEVELS, TYPE};
use credentials::proof;
use credentials::signer::{Signer, SoftwareKey};
use schemas::Timestamp;
use schemas::wallet_provider::{KeyAttestationRequest, KeyAttestationResponse};
use serde_json::Value;

/// Asks for one attestation of all these keys, for a nonce of the issuer. The provider learns the keys, and not whose issuer it is.
///
/// # Source
/// OpenID4VCI 1.0 Appendix D; HAIP 1.0 §4.5.1: all keys "within a single key attestation".
pub(crate) fn ask_keys(
    provider: &Provider,
    keys: &[SoftwareKey],
    nonce: &str,
    now: Timestamp,
) -> Result<Effect, AttestationError> {
    let own = &provider.metadata.provider;
    let proofs = keys.iter().map(|key| proof::create(own, nonce, now, key)).collect::<Result<_, _>>();
    let request = KeyAttestationRequest { proofs: proofs.map_err(|_| AttestationError::Key)?, nonce: nonce.to_owned() };
    let url = provider.endpoint(&provider.metadata.key_attestation_endpoint)?;
    Ok(ask(url, provider, serde_json::to_vec(&request).map_err(|_| AttestationError::Key)?))
}

/// Reads what came: of these keys, for this nonce, and telling this wallet from no other.
pub(crate) fn read_keys(
    provider: &Provider,
    response: &Response,
    keys: &[SoftwareKey],
    nonce: &str,
    now: Timestamp,
) -> Result<String, AttestationError> {
    let KeyAttestationResponse { attestation } = read(response)?;
    let not_ours = AttestationError::NotOurs;
    let jws = JwsIn::parse(&attestation, &Limits::TOKEN).map_err(|_| not_ours.clone())?;
    jws.expect_type(TYPE).map_err(|_| not_ours.clone())?;
    let claims = jws.payload_object(&Limits::TOKEN).map_err(|_| not_ours.clone())?;
    let attested = claims.get("attested_keys").and_then(Value::as_array).ok_or(not_ours.clone())?;
    let is_key = |(jwk, key): (&Value, &SoftwareKey)| {
        let attested = jwk.as_object().and_then(|jwk| PublicKey::from_jwk(jwk).ok());
        attested.as_ref() == Some(key.public_key())
    };
    let is_of_keys = attested.len() == keys.len() && attested.iter().zip(keys).all(is_key);
    if !is_of_keys || claims.get("nonce").and_then(Value::as_str) != Some(nonce) {
        return Err(not_ours);
    }
    provider.expect_header(&attestation)?;
    if claims.get("iss").and_then(Value::as_str) != Some(provider.metadata.provider.as_str()) {
        return Err(apart("iss").into());
    }
    plain_header(&header(&attestation).ok_or(not_ours)?)?;
    usual_times(&claims, &provider.metadata, now)?;
    // A key has room for a name of its own, too.
    let is_bare = |(jwk, key): (&Value, &SoftwareKey)| jwk.as_object() == Some(&key.public_key().to_jwk());
    if !attested.iter().zip(keys).all(is_bare) {
        return Err(apart("attested_keys").into());
    }
    // Other values than those of the specification could be this holder's alone, and so could their order.
    for name in ["key_storage", "user_authentication"] {
        let level = |value: &Value| LEVELS.iter().position(|level| value == level);
        let in_order = |values: &Vec<Value>| {
            let places: Option<Vec<usize>> = values.iter().map(level).collect();
            places.is_some_and(|places| places.is_sorted_by(|one, next| one < next))
        };
        if claims.get(name).is_some_and(|values| !values.as_array().is_some_and(in_order)) {
            return Err(apart(name).into());
        }
    }
    let known = ["iss", "iat", "exp", "nonce", "attested_keys", "key_storage", "user_authentication"];
    match claims.keys().find(|name| !known.contains(&name.as_str())) {
        Some(other) => Err(apart(other).into()),
        None => Ok(attestation),
    }
}
