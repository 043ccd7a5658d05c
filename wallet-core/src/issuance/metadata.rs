//! What an issuer and its authorization server publish, as far as an offer needs it.

use super::authorizing::AuthorizationEndpoints;
use super::client::Demand;
use super::encryption::Encryption;
use super::error::{Answer, IssuanceError};
use super::offer::{GrantIn, OfferIn};
use super::offered::{KeyProof, Kind};
use super::signers::Signer;
use crate::effect::{Loopback, address};
use crate::holdings::Format;
use crate::wire;
use credentials::mdoc;
use schemas::openid4vci::{
    AUTHORIZATION_CODE_GRANT, AuthorizationServerMetadata, CredentialConfiguration, IssuerMetadata,
    PRE_AUTHORIZED_CODE_GRANT, ProofType, SD_JWT_VC_FORMAT,
};
use serde_json::{Map, Value};
use url::Url;

/// The issuer's metadata, as far as the offer needs it.
#[derive(Debug)]
pub(super) struct MetadataIn {
    pub(super) issuer_name: Option<String>,
    pub(super) kinds: Vec<Kind>,
    pub(super) credential_endpoint: Url,
    pub(super) nonce_endpoint: Option<Url>,
    pub(super) deferred_endpoint: Option<Url>,
    pub(super) notification_endpoint: Option<Url>,
    pub(super) encryption: Option<Encryption>,
    pub(super) batch_size: usize,
    pub(super) vouched: Option<(String, Signer)>,
}

/// The authorization server's metadata, as far as the offer needs it.
pub(super) struct ServerIn {
    pub(super) token: Url,
    /// Whether DPoP proofs with ES256 are taken.
    pub(super) dpop: bool,
    pub(super) authorization: Option<AuthorizationEndpoints>,
    /// What it demands to know of wallets.
    pub(super) client: Option<Demand>,
}

/// The issuer's metadata and the identifier of the authorization server to use.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.
pub(super) fn read_issuer(
    mut members: Map<String, Value>,
    offer: &OfferIn,
    loopback: Loopback,
) -> Result<(MetadataIn, String), IssuanceError> {
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::IssuerMetadata);
    // Only what is offered is read: another configuration may be of a format whose members we do not know.
    let Some(Value::Object(supported)) =
        members.insert("credential_configurations_supported".into(), Value::Object(Map::new()))
    else {
        return Err(IssuanceError::Malformed(Answer::IssuerMetadata));
    };
    let metadata: IssuerMetadata = wire::shaped(members).map_err(malformed)?;
    if metadata.credential_issuer != offer.issuer {
        return Err(IssuanceError::OtherIssuer);
    }
    let kinds: Vec<Kind> = offer.configurations.iter().filter_map(|id| kind(id, supported.get(id)?)).collect();
    if kinds.is_empty() {
        return Err(IssuanceError::NothingToHold);
    }
    let server = server(&metadata, &offer.grant)?;
    let encryption = Encryption::offered(&metadata)?;
    let reach =
        |text: &str| address(text, loopback).map_err(|error| IssuanceError::Address(Answer::IssuerMetadata, error));
    let read = MetadataIn {
        vouched: None,
        issuer_name: metadata.display.unwrap_or_default().into_iter().find_map(|display| display.name),
        kinds,
        credential_endpoint: reach(&metadata.credential_endpoint)?,
        nonce_endpoint: metadata.nonce_endpoint.as_deref().map(reach).transpose()?,
        deferred_endpoint: metadata.deferred_credential_endpoint.as_deref().map(reach).transpose()?,
        notification_endpoint: metadata.notification_endpoint.as_deref().map(reach).transpose()?,
        encryption,
        batch_size: metadata
            .batch_credential_issuance
            .map_or(1, |batch| usize::try_from(batch.batch_size).unwrap_or(1))
            .max(1),
    };
    Ok((read, server))
}

/// What is offered, if this wallet can hold it.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4, §A.2.2, §A.3.2.
fn kind(id: &str, configuration: &Value) -> Option<Kind> {
    let configuration: CredentialConfiguration = serde_json::from_value(configuration.clone()).ok()?;
    let CredentialConfiguration {
        format,
        vct,
        doctype,
        cryptographic_binding_methods_supported: bindings,
        credential_signing_alg_values_supported: signed_with,
        proof_types_supported: proofs,
        credential_metadata,
        scope,
    } = configuration;
    // In mdoc the names are numbers: ES256, and ES256 with P-256 named as well (§A.2.2).
    let (format, type_id, binding, algorithms) = match format.as_str() {
        SD_JWT_VC_FORMAT => {
            (Format::SdJwtVc, vct?, "jwk", ["ES256", "ES384", "EdDSA", "Ed25519"].map(Value::from).to_vec())
        }
        mdoc::FORMAT => (Format::Mdoc, doctype?, "cose_key", vec![Value::from(-7), Value::from(-9)]),
        _ => return None,
    };
    let es256 = |list: &[Value]| list.iter().any(|name| name == "ES256");
    let proofs = proofs.unwrap_or_default();
    let usable = |name: &str| proofs.get(name).filter(|proof| es256(&proof.proof_signing_alg_values_supported));
    // An attestation names who vouches for this wallet: only where it is demanded.
    let proof = match (usable("jwt"), usable("attestation")) {
        (Some(ProofType { key_attestations_required: None, .. }), _) => KeyProof::Possession,
        (Some(_), _) => KeyProof::Attested,
        (None, Some(_)) => KeyProof::Attestation,
        (None, None) => return None,
    };
    let bound = bindings.is_none_or(|methods| methods.iter().any(|method| method == binding));
    let signed = signed_with.is_none_or(|names| names.iter().any(|name| algorithms.contains(name)));
    if !bound || !signed {
        return None;
    }
    let label = credential_metadata.and_then(|metadata| metadata.display?.into_iter().find_map(|display| display.name));
    Some(Kind { configuration: id.to_owned(), format, type_id, label, scope, proof })
}

/// Which authorization server to use.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4 `authorization_servers`, §4.1.1 `authorization_server`.
fn server(metadata: &IssuerMetadata, grant: &GrantIn) -> Result<String, IssuanceError> {
    let own = std::slice::from_ref(&metadata.credential_issuer);
    let servers = metadata.authorization_servers.as_deref().unwrap_or(own);
    match grant.server() {
        Some(named) if servers.contains(named) => Ok(named.clone()),
        Some(_) => Err(IssuanceError::UnlistedServer),
        None => servers.first().cloned().ok_or(IssuanceError::Malformed(Answer::IssuerMetadata)),
    }
}

/// # Source
/// RFC 8414 §2 (the default grants), §3.3 (exact match of `issuer`); RFC 9449 §5.1; for codes what keeps them from being
/// stolen or mixed up: RFC 9126 §5, RFC 7636 §4.2, RFC 9207 §3, all demanded by HAIP 1.0 §4.
pub(super) fn read_server(
    bytes: &[u8],
    server: &str,
    grant: &GrantIn,
    loopback: Loopback,
) -> Result<ServerIn, IssuanceError> {
    let malformed = |wire::Malformed| IssuanceError::Malformed(Answer::ServerMetadata);
    let metadata: AuthorizationServerMetadata =
        wire::shaped(wire::object(bytes).map_err(malformed)?).map_err(malformed)?;
    if metadata.issuer != server {
        return Err(IssuanceError::OtherServer);
    }
    let name = match grant {
        GrantIn::PreAuthorized(_) => PRE_AUTHORIZED_CODE_GRANT,
        GrantIn::AuthorizationCode(_) => AUTHORIZATION_CODE_GRANT,
    };
    let client = Demand::of(&metadata, matches!(grant, GrantIn::PreAuthorized(_)));
    if metadata.grant_types_supported.is_some_and(|types| !types.iter().any(|known| known == name)) {
        return Err(IssuanceError::GrantNotSupported);
    }
    let reach =
        |text: &str| address(text, loopback).map_err(|error| IssuanceError::Address(Answer::ServerMetadata, error));
    let authorization = match grant {
        GrantIn::PreAuthorized(_) => None,
        GrantIn::AuthorizationCode(_) => {
            let methods = metadata.code_challenge_methods_supported.unwrap_or_default();
            let safe = methods.iter().any(|method| method == "S256")
                && metadata.authorization_response_iss_parameter_supported == Some(true);
            let (Some(authorize), Some(push), true) =
                (metadata.authorization_endpoint, metadata.pushed_authorization_request_endpoint, safe)
            else {
                return Err(IssuanceError::CodeNotGuarded);
            };
            Some(AuthorizationEndpoints {
                issuer: server.to_owned(),
                authorize: reach(&authorize)?,
                push: reach(&push)?,
            })
        }
    };
    let dpop = metadata.dpop_signing_alg_values_supported.unwrap_or_default().iter().any(|name| name == "ES256");
    Ok(ServerIn { token: reach(&metadata.token_endpoint)?, dpop, authorization, client })
}
