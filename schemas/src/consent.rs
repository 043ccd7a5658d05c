//! The two objects of a consent: what the verifier proposes, and what the holder grants.

use crate::purpose::Purpose;
use crate::{ClaimPath, Timestamp};
use serde::{Deserialize, Serialize};

/// The `type` of a [`ConsentRequest`] in `transaction_data`.
pub const CONSENT_REQUEST_TYPE: &str = "urn:amparo:consent-request:1";

/// What a verifier proposes: one entry of OpenID4VP `transaction_data`, base64url of this JSON.
///
/// # Source
/// OpenID4VP 1.0 §8.4 "Transaction Data"; the members: `security.md` §4.1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRequest {
    /// Always [`CONSENT_REQUEST_TYPE`].
    #[serde(rename = "type")]
    pub type_: String,
    /// The DCQL credential queries that this consent is about.
    pub credential_ids: Vec<String>,
    /// Always `["sha-256"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_data_hashes_alg: Option<Vec<String>>,
    /// Who would hold the data.
    pub controller: Controller,
    /// What for, and which claims each purpose needs.
    pub purposes: Vec<PurposeRequest>,
    /// How long the verifier would keep what it receives: an ISO 8601 duration such as `PT72H`.
    pub retention: String,
    /// To whom the verifier would pass it on; empty for nobody.
    #[serde(default)]
    pub onward: Vec<String>,
    /// After this time the request can no longer be agreed to.
    pub not_after: Timestamp,
    /// The language of the names in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

/// Who would hold the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controller {
    /// The full client identifier of the request.
    pub client_id: String,
    /// The name for people.
    pub name: String,
    /// How to reach the controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// One purpose and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurposeRequest {
    /// The purpose.
    pub code: Purpose,
    /// The legal ground in the Data Privacy Vocabulary, where it is not consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dpv: Option<String>,
    /// The claims.
    pub claims: Vec<ClaimPath>,
    /// Whether the verifier can go on without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub necessity: Option<String>,
}

/// What the holder grants: the top-level claim `consent` of the KB-JWT. It may only narrow the request.
///
/// # Source
/// `security.md` §4.1; carried as RFC 9901 §4.3 allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Always 1.
    pub v: u8,
    /// 16 random bytes, base64url.
    pub id: String,
    /// SHA-256 of the `transaction_data` string as received, base64url.
    pub req: String,
    /// The full client identifier of the verifier.
    pub aud: String,
    /// The purposes granted.
    pub purpose: Vec<Purpose>,
    /// The claims granted.
    pub claims: Vec<ClaimPath>,
    /// Not before.
    pub nbf: Timestamp,
    /// The consent ends here.
    pub exp: Timestamp,
    /// How long it may be kept after it was received: an ISO 8601 duration.
    pub ret: String,
    /// How often it may be opened; unbounded within its time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<u32>,
    /// SHA-256 of `amparo/v1/consent-rev` and the revocation secret, base64url.
    pub rev: String,
}
