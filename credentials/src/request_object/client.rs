//! Whose key signed a request: by certificate, by decentralized identifier, by attestation.

use super::client_id::Kind;
use super::{ClientId, ClientIdError, RequestObjectError};
use crate::did::{Did, DidDocument};
use crate::json::Limits;
use crate::jws::JwsIn;
use crate::key::PublicKey;
use crate::trust::{Trust, TrustAnchors, Usage, VerifiedChain};
use schemas::Timestamp;
use serde_json::{Map, Value};

/// The `typ` of an attestation.
const ATTESTATION_TYP: &str = "verifier-attestation+jwt";

/// Who signed the request, if it is the client that it names; and where an attestation lets answers go, if it says.
pub(super) struct Client {
    pub(super) verifier: VerifiedChain,
    pub(super) places: Option<Vec<String>>,
}

impl Client {
    /// Finds the key of the client and verifies the request with it.
    ///
    /// # Source
    /// OpenID4VP 1.0 §5.9.3 "Defined Client Identifier Prefixes".
    pub(super) fn authenticate(
        client_id: &ClientId,
        jws: &JwsIn<'_>,
        document: Option<&DidDocument>,
        anchors: &TrustAnchors,
        now: Timestamp,
    ) -> Result<Self, RequestObjectError> {
        let client = match client_id.kind() {
            Kind::SanDns(_) | Kind::Hash(_) => {
                let chain = jws.header().x5c.as_ref().ok_or(RequestObjectError::NoChain)?;
                let chain =
                    chain.verify_or_unknown(anchors, Usage::Verifier, now).map_err(RequestObjectError::Chain)?;
                if !client_id.is_of(&chain) {
                    return Err(RequestObjectError::OtherCertificate);
                }
                Self { verifier: chain, places: None }
            }
            Kind::Did(did) => Self { verifier: by_did(did, jws, document)?, places: None },
            Kind::Attested(sub) => attested(sub, jws, anchors, now)?,
            Kind::Place(_) => return Err(RequestObjectError::ClientId(ClientIdError::MustBeSigned)),
        };
        jws.verify(client.verifier.leaf_key()).map_err(|_| RequestObjectError::Signature)?;
        Ok(client)
    }
}

/// The identifier is its own proof, or the host that publishes its document is, and neither says who that is: a stranger.
fn by_did(did: &Did, jws: &JwsIn<'_>, document: Option<&DidDocument>) -> Result<VerifiedChain, RequestObjectError> {
    let key = jws.header().kid.as_deref().and_then(|kid| did.key(kid, document)).ok_or(RequestObjectError::NoKey)?;
    Ok(VerifiedChain::of_key(did.as_str(), key.into(), Trust::NotKnown, Timestamp::from_unix(i64::MAX)))
}

/// A key that somebody whom this wallet trusts for that attests; anybody else's word is none.
///
/// # Source
/// OpenID4VP 1.0 §5.9.3 `verifier_attestation`, §12.
fn attested(sub: &str, jws: &JwsIn<'_>, anchors: &TrustAnchors, now: Timestamp) -> Result<Client, RequestObjectError> {
    let wrong = RequestObjectError::Attestation;
    let text = jws.header().jwt.as_deref().ok_or(wrong("there is none"))?;
    let attestation = JwsIn::parse(text, &Limits::TOKEN).map_err(|_| wrong("it is no JWS"))?;
    attestation.expect_type(ATTESTATION_TYP).and_then(|()| attestation.expect_no_jwk()).map_err(|_| wrong("typ"))?;
    let chain = attestation.header().x5c.as_ref().ok_or(wrong("it has no certificates"))?;
    let issuer = chain.verify(anchors, Usage::VerifierAttesting, now).map_err(RequestObjectError::Chain)?;
    attestation.verify(issuer.leaf_key()).map_err(|_| wrong("signature"))?;
    let claims = attestation.payload_object(&Limits::TOKEN).map_err(|_| wrong("it is no JSON"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if !text("iss").is_some_and(|iss| issuer.is_named(iss)) {
        return Err(wrong("iss"));
    }
    if text("sub") != Some(sub) {
        return Err(wrong("sub"));
    }
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_i64().map(|at| Some(Timestamp::from_unix(at))).ok_or(wrong(name)),
    };
    let exp = time("exp")?.filter(|exp| now < *exp).ok_or(wrong("exp"))?;
    if time("nbf")?.is_some_and(|nbf| now < nbf) {
        return Err(wrong("nbf"));
    }
    let jwk = claims.get("cnf").and_then(|cnf| cnf.get("jwk")).and_then(Value::as_object);
    let key = jwk.and_then(|jwk: &Map<String, Value>| PublicKey::from_jwk(jwk).ok()).ok_or(wrong("cnf"))?;
    let places = match claims.get("redirect_uris") {
        None => None,
        Some(Value::Array(uris)) => {
            let uris = uris.iter().map(|uri| uri.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            Some(uris.ok_or(wrong("redirect_uris"))?)
        }
        Some(_) => return Err(wrong("redirect_uris")),
    };
    Ok(Client { verifier: VerifiedChain::of_key(sub, key.into(), Trust::Known, exp), places })
}
