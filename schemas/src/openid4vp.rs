//! OpenID for Verifiable Presentations 1.0 on the wire.

use crate::Timestamp;
use crate::dcql::DcqlQuery;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The `typ` of a signed request object (§5).
pub const REQUEST_OBJECT_TYP: &str = "oauth-authz-req+jwt";
/// The `aud` of a request object for a wallet whose issuer is not known (§5.8).
pub const SELF_ISSUED_AUDIENCE: &str = "https://self-issued.me/v2";
/// The scheme of an authorization request link.
pub const REQUEST_SCHEME: &str = "openid4vp";
/// The scheme of such a link in the profile HAIP 1.0 (§5.1).
pub const HAIP_SCHEME: &str = "haip-vp";

/// The payload of a request object (§5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestObject {
    /// The full client identifier with its prefix (§5.9).
    pub client_id: String,
    /// `https://self-issued.me/v2` or the wallet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// The issuer of the request object; ignored by a wallet (§5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// `vp_token`.
    pub response_type: String,
    /// `direct_post` or `direct_post.jwt`.
    pub response_mode: String,
    /// Where the answer goes (§8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_uri: Option<String>,
    /// Forbidden beside `response_uri` (§8.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// Fresh, 128 bits or more.
    pub nonce: String,
    /// Given back with the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// What is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dcql_query: Option<DcqlQuery>,
    /// What the verifier can do (§5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_metadata: Option<ClientMetadata>,
    /// What the holder must agree to, each base64url JSON (§8.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_data: Option<Vec<String>>,
    /// The wallet's own nonce, echoed (§5.10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_nonce: Option<String>,
    /// The origins that may send a signed request on the Digital Credentials API (Appendix A.2); nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_origins: Option<Vec<String>>,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iat: Option<Timestamp>,
    /// Until when it may be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp: Option<Timestamp>,
}

/// What the verifier can do (§5.1, §11.1).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientMetadata {
    /// Keys for the encrypted answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<JwkSet>,
    /// The `enc` values taken; `A128GCM` when absent (§8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encrypted_response_enc_values_supported: Option<Vec<String>>,
    /// The formats and algorithms taken.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vp_formats_supported: BTreeMap<String, Value>,
    /// A name for people; never a proof of who asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
}

/// A JSON Web Key Set (RFC 7517 §5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JwkSet {
    /// The keys, unchecked.
    pub keys: Vec<Map<String, Value>>,
}

/// The answer: the body of `direct_post`, or the plaintext of `direct_post.jwt` (§8.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationResponse {
    /// For each credential query id the presentations that answer it.
    pub vp_token: BTreeMap<String, Vec<Value>>,
    /// The state of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// A refusal or a failure (§8.5). It never tells what the wallet holds (§15.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// The code, such as `access_denied`.
    pub error: String,
    /// For developers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// The state of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// What the verifier says to an answer it took (§8.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DirectPostResponse {
    /// Where the person goes on, with a fresh secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
}
