//! The Digital Credentials Query Language, as it stands on the wire.

use crate::ClaimPath;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A DCQL query.
///
/// # Source
/// OpenID4VP 1.0 §6 "Digital Credentials Query Language (DCQL)".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DcqlQuery {
    /// The credentials asked for.
    pub credentials: Vec<CredentialQuery>,
    /// Which combinations of them are enough; all of them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_sets: Option<Vec<CredentialSetQuery>>,
}

/// A query for one credential (§6.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialQuery {
    /// The identifier of this query within the request.
    pub id: String,
    /// The credential format, such as `dc+sd-jwt`.
    pub format: String,
    /// Whether several credentials may answer; false when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple: Option<bool>,
    /// Format-specific constraints: for `dc+sd-jwt` the `vct_values` (§B.3.5), for `mso_mdoc` the `doctype_value` (§B.2.3).
    #[serde(default)]
    pub meta: CredentialMeta,
    /// Whose credentials are accepted (§6.1.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trusted_authorities: Option<Vec<TrustedAuthority>>,
    /// Whether key binding is demanded; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_cryptographic_holder_binding: Option<bool>,
    /// The claims asked for; none selectively disclosable when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims: Option<Vec<ClaimsQuery>>,
    /// Which combinations of the claims are enough, in order of preference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_sets: Option<Vec<Vec<String>>>,
}

/// Format-specific constraints of a [`CredentialQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CredentialMeta {
    /// The accepted `vct` values of an SD-JWT VC (§B.3.5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vct_values: Option<Vec<String>>,
    /// The accepted document type of an mdoc (§B.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctype_value: Option<String>,
}

/// An authority or trust framework (§6.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedAuthority {
    /// The kind: `aki`, `etsi_tl`, `openid_federation`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The identifiers of that kind.
    pub values: Vec<String>,
}

/// A combination of credentials (§6.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialSetQuery {
    /// Each a list of credential query ids that is enough, in order of preference.
    pub options: Vec<Vec<String>>,
    /// Whether the set must be answered; true when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
}

/// A query for one claim (§6.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimsQuery {
    /// The identifier, needed when there are `claim_sets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Where the claim stands.
    pub path: ClaimPath,
    /// The accepted values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<Value>>,
    /// Of an mdoc: whether the verifier means to keep the element (§B.2.4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent_to_retain: Option<bool>,
}
