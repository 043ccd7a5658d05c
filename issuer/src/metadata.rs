//! What the issuer says of itself: issuer metadata and authorization server metadata.

use crate::config::Config;
use crate::configuration::{Configuration, Format};
use crate::demands::Demands;
use crate::encryption::{self, RequestKey};
use crate::keys::SigningIdentity;
use credentials::jws;
use credentials::signer::SignError;
use credentials::wallet_attestation::METHOD;
use schemas::ClaimPath;
use schemas::credential_type::ClaimType;
use schemas::mdoc::{self, DocumentType};
use schemas::openid4vci::{
    AUTHORIZATION_CODE_GRANT, AuthorizationServerMetadata, BatchIssuance, ClaimDescription, CredentialConfiguration,
    CredentialMetadata, Display, IssuerMetadata, PRE_AUTHORIZED_CODE_GRANT, ProofType, REFRESH_TOKEN_GRANT,
};
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The most copies of one issuance (`security.md` §8).
pub const BATCH_SIZE: u32 = 30;

/// Where tokens are had, below the issuer's URL.
pub const TOKEN_PATH: &str = "/token";
/// Where authorization requests go ahead.
pub const PUSH_PATH: &str = "/par";
/// Where the person is asked.
pub const AUTHORIZE_PATH: &str = "/authorize";
/// Where an offer is fetched to which its link refers.
pub const OFFER_PATH: &str = "/credential-offer";
/// Where wallets have challenges for the proof that they are attested.
pub const CHALLENGE_PATH: &str = "/challenge";
/// Where nonces are had.
pub const NONCE_PATH: &str = "/nonce";
/// Where credentials are had.
pub const CREDENTIAL_PATH: &str = "/credential";
/// Where wallets tell how an issuance went.
pub const NOTIFICATION_PATH: &str = "/notification";
/// Where what was put off is had.
pub const DEFERRED_PATH: &str = "/deferred_credential";
/// Where a trust list is had, of an authority that makes one.
pub const TRUST_LIST_PATH: &str = "/trust-list";
/// Where the URIs of all status lists are had.
pub const STATUS_LISTS_PATH: &str = "/status";

/// The credential issuer metadata.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4, §A.2.2, §A.3.2.
pub fn issuer(config: &Config, demands: &Demands, key: &RequestKey) -> IssuerMetadata {
    IssuerMetadata {
        credential_issuer: config.url.as_str().to_owned(),
        authorization_servers: None,
        credential_endpoint: config.url.join(CREDENTIAL_PATH),
        nonce_endpoint: Some(config.url.join(NONCE_PATH)),
        deferred_credential_endpoint: Some(config.url.join(DEFERRED_PATH)),
        // Of deletions nothing is kept: whoever hears of one learns when a holder gives up (`protocols.md` §3.3).
        notification_endpoint: Some(config.url.join(NOTIFICATION_PATH)),
        credential_request_encryption: Some(key.requests(demands.encryption)),
        credential_response_encryption: Some(encryption::answers(demands.encryption)),
        batch_credential_issuance: Some(BatchIssuance { batch_size: BATCH_SIZE }),
        display: Some(vec![Display { name: Some(config.name.as_str().to_owned()), locale: None }]),
        credential_configurations_supported: Configuration::all()
            .map(|c| (c.to_string(), configuration(c, demands)))
            .collect(),
    }
}

/// How long signed metadata may be relied on.
pub const SIGNED_LIFETIME: Seconds = Seconds::DAY;
/// The `typ` of signed metadata (§12.2.3).
const SIGNED_TYP: &str = "openidvci-issuer-metadata+jwt";

/// The same metadata, signed with the key for credentials: whoever knows the trust anchor knows the issuer before a code
/// is given to it.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.3.
pub fn signed_issuer(
    metadata: &IssuerMetadata,
    identity: SigningIdentity<'_>,
    now: Timestamp,
) -> Result<String, SignError> {
    let header = json!({"alg": "ES256", "typ": SIGNED_TYP, "x5c": identity.chain.to_x5c()});
    let claims = serde_json::to_value(metadata).unwrap_or_default();
    let (Value::Object(header), Value::Object(mut claims)) = (header, claims) else {
        return Err(SignError::Unavailable);
    };
    claims.insert("iss".to_owned(), json!(metadata.credential_issuer));
    claims.insert("sub".to_owned(), json!(metadata.credential_issuer));
    claims.insert("iat".to_owned(), json!(now));
    claims.insert("exp".to_owned(), json!(now.plus(SIGNED_LIFETIME)));
    jws::sign_object(&header, &claims, identity.signer)
}

/// The authorization server metadata: pre-authorized codes, and codes by a request that went ahead.
///
/// # Source
/// RFC 8414 §2; OpenID4VCI 1.0 §12.3; RFC 9126 §5; RFC 7636 §6.2; RFC 9207 §3; RFC 9449 §5.1; Token Status List §9.1;
/// draft-ietf-oauth-attestation-based-client-auth-07 §8, §10.1.
pub fn authorization_server(config: &Config, demands: &Demands) -> Value {
    let attested = demands.wallet_providers.as_ref().map(|_| METHOD);
    let anonymous = (!demands.wallet_attestation).then_some("none");
    let methods = attested.into_iter().chain(anonymous).map(str::to_owned).collect();
    let algorithms = attested.map(|_| vec!["ES256".to_owned()]);
    let metadata = AuthorizationServerMetadata {
        issuer: config.url.as_str().to_owned(),
        token_endpoint: config.url.join(TOKEN_PATH),
        grant_types_supported: Some(
            [PRE_AUTHORIZED_CODE_GRANT, AUTHORIZATION_CODE_GRANT, REFRESH_TOKEN_GRANT].map(str::to_owned).to_vec(),
        ),
        response_types_supported: vec!["code".to_owned()],
        authorization_endpoint: Some(config.url.join(AUTHORIZE_PATH)),
        pushed_authorization_request_endpoint: Some(config.url.join(PUSH_PATH)),
        code_challenge_methods_supported: Some(vec!["S256".to_owned()]),
        authorization_response_iss_parameter_supported: Some(true),
        pre_authorized_grant_anonymous_access_supported: Some(!demands.wallet_attestation),
        dpop_signing_alg_values_supported: Some(vec!["ES256".to_owned()]),
        token_endpoint_auth_methods_supported: Some(methods),
        client_attestation_signing_alg_values_supported: algorithms.clone(),
        client_attestation_pop_signing_alg_values_supported: algorithms,
        challenge_endpoint: demands.wallet_providers.is_some().then(|| config.url.join(CHALLENGE_PATH)),
    };
    let mut metadata = serde_json::to_value(metadata).unwrap_or_default();
    if let Some(members) = metadata.as_object_mut() {
        members.insert("require_pushed_authorization_requests".to_owned(), json!(true));
        members.insert("response_modes_supported".to_owned(), json!(["query"]));
        let scopes: Vec<String> = Configuration::all().map(|configuration| configuration.to_string()).collect();
        members.insert("scopes_supported".to_owned(), json!(scopes));
        members.insert("authorization_details_types_supported".to_owned(), json!(["openid_credential"]));
        members.insert("status_list_aggregation_endpoint".to_owned(), json!(config.url.join(STATUS_LISTS_PATH)));
    }
    metadata
}

fn configuration(configuration: Configuration, demands: &Demands) -> CredentialConfiguration {
    let Configuration { credential_type, format } = configuration;
    let proof = ProofType {
        proof_signing_alg_values_supported: vec![Value::from("ES256")],
        key_attestations_required: demands.key_attestation.then(Map::new),
    };
    // An attestation alone proves nothing where nobody's is believed (§F.3).
    let attested = demands.key_attesters.as_ref().map(|_| ("attestation".to_owned(), proof.clone()));
    let types: BTreeMap<String, ProofType> = [("jwt".to_owned(), proof)].into_iter().chain(attested).collect();
    let document = match format {
        Format::SdJwtVc => None,
        Format::Mdoc => mdoc::by_credential_type(credential_type),
    };
    let (binding, signed_with) = match format {
        Format::SdJwtVc => ("jwk", Value::from("ES256")),
        Format::Mdoc => ("cose_key", Value::from(COSE_ES256)),
    };
    let claims = credential_type.claims.iter().flat_map(|claim| describe(claim, document)).collect();
    CredentialConfiguration {
        format: format.identifier().to_owned(),
        scope: Some(configuration.to_string()),
        vct: document.is_none().then(|| credential_type.vct.to_owned()),
        doctype: document.map(|document| document.doc_type.to_owned()),
        cryptographic_binding_methods_supported: Some(vec![binding.to_owned()]),
        credential_signing_alg_values_supported: Some(vec![signed_with]),
        proof_types_supported: Some(types),
        credential_metadata: Some(CredentialMetadata {
            display: Some(english(credential_type.label)),
            claims: Some(claims),
        }),
    }
}

/// ES256 in COSE (RFC 9053 §2.1), as ISO/IEC 18013-5 §9.1.2.4 has it.
const COSE_ES256: i64 = -7;

/// A claim, or the elements in which it may stand in a document. None of these is mandatory: a claim that does not fit the
/// form of its element stands in another.
fn describe(claim: &ClaimType, document: Option<&DocumentType>) -> Vec<ClaimDescription> {
    let path = ClaimPath::names([claim.name]);
    let (paths, mandatory) = match document {
        None => (vec![path], Some(claim.required)),
        Some(document) => (document.element_paths(&path), None),
    };
    let display = english(claim.label);
    paths.into_iter().map(|path| ClaimDescription { path, mandatory, display: Some(display.clone()) }).collect()
}

fn english(name: &str) -> Vec<Display> {
    vec![Display { name: Some(name.to_owned()), locale: Some("en".to_owned()) }]
}
