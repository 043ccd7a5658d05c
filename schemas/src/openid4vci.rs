//! OpenID for Verifiable Credential Issuance 1.0 on the wire.

use crate::openid4vp::JwkSet;
use crate::{ClaimPath, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The grant type of the pre-authorized code (§3.5).
pub const PRE_AUTHORIZED_CODE_GRANT: &str = "urn:ietf:params:oauth:grant-type:pre-authorized_code";
/// The grant type of the authorization code (RFC 6749 §4.1.3).
pub const AUTHORIZATION_CODE_GRANT: &str = "authorization_code";
/// The grant type of a refresh token (RFC 6749 §6).
pub const REFRESH_TOKEN_GRANT: &str = "refresh_token";
/// The scheme of a credential offer link (§4.1).
pub const OFFER_SCHEME: &str = "openid-credential-offer";
/// The scheme of such a link in the profile HAIP 1.0 (§4.2).
pub const HAIP_OFFER_SCHEME: &str = "haip-vci";
/// The media type `typ` of a key proof (§F.1).
pub const PROOF_TYP: &str = "openid4vci-proof+jwt";
/// The format identifier of an SD-JWT VC (§A.3).
pub const SD_JWT_VC_FORMAT: &str = "dc+sd-jwt";

/// A credential offer (§4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialOffer {
    /// The credential issuer identifier, a URL.
    pub credential_issuer: String,
    /// Which configurations of the issuer's metadata are offered.
    pub credential_configuration_ids: Vec<String>,
    /// How to get an access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<OfferGrants>,
}

/// The grants of an offer (§4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OfferGrants {
    /// The pre-authorized code.
    #[serde(
        rename = "urn:ietf:params:oauth:grant-type:pre-authorized_code",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_code: Option<PreAuthorizedCodeGrant>,
    /// The authorization code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_code: Option<AuthorizationCodeGrant>,
}

/// The authorization code grant of an offer (§4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AuthorizationCodeGrant {
    /// What the issuer knows the offer by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_state: Option<String>,
    /// Which authorization server, when the issuer has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// The answer to a pushed authorization request (RFC 9126 §2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushedResponse {
    /// Stands for the request.
    pub request_uri: String,
    /// How long it does.
    pub expires_in: Seconds,
}

/// The pre-authorized code of an offer (§4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreAuthorizedCodeGrant {
    /// The code: single use, short-lived.
    #[serde(rename = "pre-authorized_code")]
    pub pre_authorized_code: String,
    /// Present when a transaction code must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tx_code: Option<TxCode>,
    /// Which authorization server, when the issuer has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_server: Option<String>,
}

/// What a transaction code looks like (§4.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TxCode {
    /// `numeric` or `text`; numeric when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_mode: Option<String>,
    /// How many characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Where the person finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Credential issuer metadata (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuerMetadata {
    /// The issuer identifier; must equal the one the metadata was fetched for.
    pub credential_issuer: String,
    /// Its authorization servers; itself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_servers: Option<Vec<String>>,
    /// Where credentials are asked for.
    pub credential_endpoint: String,
    /// Where a `c_nonce` is had (§7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce_endpoint: Option<String>,
    /// Where a credential that was promised for later is had (§9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_credential_endpoint: Option<String>,
    /// Where a notification goes (§11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_endpoint: Option<String>,
    /// How requests are encrypted beside TLS (§10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_request_encryption: Option<RequestEncryption>,
    /// How answers are (§10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<ResponseEncryption>,
    /// How many copies one request may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch_credential_issuance: Option<BatchIssuance>,
    /// Names for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// What can be issued.
    pub credential_configurations_supported: BTreeMap<String, CredentialConfiguration>,
}

/// Batch issuance (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchIssuance {
    /// The most key proofs in one request; 2 or more.
    pub batch_size: u32,
}

/// How credential requests are encrypted (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestEncryption {
    /// The keys to encrypt to; each has a `kid`.
    pub jwks: JwkSet,
    /// The `enc` values taken.
    pub enc_values_supported: Vec<String>,
    /// Whether nothing else is taken.
    pub encryption_required: bool,
}

/// How credential responses can be encrypted (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseEncryption {
    /// The `alg` values that can be had.
    pub alg_values_supported: Vec<String>,
    /// The `enc` values that can be had.
    pub enc_values_supported: Vec<String>,
    /// Whether an answer is given no other way.
    pub encryption_required: bool,
}

/// How a wallet wants the answer encrypted (§8.2 `credential_response_encryption`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerEncryption {
    /// The key to encrypt to.
    pub jwk: Map<String, Value>,
    /// The `enc` value.
    pub enc: String,
    /// The compression; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zip: Option<String>,
}

/// A name for people, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Display {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The language, RFC 5646.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// One thing that can be issued (§12.2.4, §A.2.2, §A.3.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialConfiguration {
    /// The format, such as `dc+sd-jwt`.
    pub format: String,
    /// The OAuth scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The type of an SD-JWT VC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct: Option<String>,
    /// The type of a mobile document (§A.2.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype: Option<String>,
    /// How the key is bound; `jwk`, or `cose_key` in mdoc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cryptographic_binding_methods_supported: Option<Vec<String>>,
    /// The algorithms the issuer signs with; names, or numbers in mdoc.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_signing_alg_values_supported: Option<Vec<Value>>,
    /// The key proofs the issuer takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_types_supported: Option<BTreeMap<String, ProofType>>,
    /// Names and claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_metadata: Option<CredentialMetadata>,
}

/// A key proof type (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProofType {
    /// The algorithms taken.
    pub proof_signing_alg_values_supported: Vec<Value>,
    /// What key attestations must say, where they are demanded (§12.2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_attestations_required: Option<Map<String, Value>>,
}

/// Names and claims of a configuration (§12.2.4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CredentialMetadata {
    /// Names for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
    /// The claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimDescription>>,
}

/// A claim of a configuration (§B.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimDescription {
    /// Where the claim stands.
    pub path: ClaimPath,
    /// Whether every credential has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mandatory: Option<bool>,
    /// Names for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Vec<Display>>,
}

/// OAuth 2.0 authorization server metadata (RFC 8414 §2), as far as we use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationServerMetadata {
    /// The issuer; must equal the one the metadata was fetched for.
    pub issuer: String,
    /// Where access tokens are had.
    pub token_endpoint: String,
    /// The grant types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types_supported: Option<Vec<String>>,
    /// Response types; required by RFC 8414, empty where there is no authorization endpoint.
    #[serde(default)]
    pub response_types_supported: Vec<String>,
    /// Whether a pre-authorized code needs no client authentication (§12.3).
    #[serde(
        rename = "pre-authorized_grant_anonymous_access_supported",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub pre_authorized_grant_anonymous_access_supported: Option<bool>,
    /// Where the person is asked (RFC 6749 §3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_endpoint: Option<String>,
    /// Where the request goes ahead of the person (RFC 9126 §5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pushed_authorization_request_endpoint: Option<String>,
    /// How a code is bound to who asked for it (RFC 7636 §6.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_challenge_methods_supported: Option<Vec<String>>,
    /// Whether the answer names the server (RFC 9207 §3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_response_iss_parameter_supported: Option<bool>,
    /// Algorithms of DPoP proofs (RFC 9449 §5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpop_signing_alg_values_supported: Option<Vec<String>>,
    /// How clients authenticate (RFC 8414 §2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Algorithms of wallet attestations (draft-ietf-oauth-attestation-based-client-auth-07 §10.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_attestation_signing_alg_values_supported: Option<Vec<String>>,
    /// Algorithms of the proofs of possession beside them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_attestation_pop_signing_alg_values_supported: Option<Vec<String>>,
    /// Where challenges for these proofs are had (the same, §8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub challenge_endpoint: Option<String>,
}

/// The answer of the challenge endpoint (draft-ietf-oauth-attestation-based-client-auth-07 §8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeResponse {
    /// The challenge that the next proof of possession must bear.
    pub attestation_challenge: String,
}

/// A token response (§6.2).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: String,
    /// `Bearer` or `DPoP`.
    pub token_type: String,
    /// How long it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<Seconds>,
    /// What the next token is had with (RFC 6749 §6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { access_token: _, token_type, expires_in, refresh_token: _ } = self;
        f.debug_struct("TokenResponse")
            .field("token_type", token_type)
            .field("expires_in", expires_in)
            .finish_non_exhaustive()
    }
}

/// A nonce response (§7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NonceResponse {
    /// The nonce that the key proofs must bear.
    pub c_nonce: String,
}

/// A credential request (§8.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRequest {
    /// From the token response's `authorization_details`; exclusive with the next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_identifier: Option<String>,
    /// The configuration asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_configuration_id: Option<String>,
    /// The key proofs, one for each copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proofs: Option<Proofs>,
    /// The wish for an encrypted response (§10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_response_encryption: Option<AnswerEncryption>,
    /// A copy that is shown to have new ones of (decision 0051); a member that only our issuers know.
    #[serde(rename = "org.amparo.shown", default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
}

/// Key proofs (§8.2): exactly one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proofs {
    /// `openid4vci-proof+jwt`, one for each copy, or one with an attestation of all keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jwt: Vec<String>,
    /// One `key-attestation+jwt` of all keys (§F.3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestation: Vec<String>,
}

/// A credential response (§8.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialResponse {
    /// The copies, in the order of the proofs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Vec<IssuedCredential>>,
    /// For a later answer (§9).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// How long to wait at least before asking for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Seconds>,
    /// For a notification (§11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notification_id: Option<String>,
}

/// One issued copy (§8.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedCredential {
    /// The credential: a string, for SD-JWT VC and for mdoc.
    pub credential: Value,
}

/// An error answer of the token or the credential endpoint (§6.3, §8.3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The code, such as `invalid_proof`.
    pub error: String,
    /// For developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}
