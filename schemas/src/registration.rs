//! What a registrar says of a verifier: who it is, what for it may ask, and for which claims.

use crate::dcql::CredentialMeta;
use crate::status::StatusClaim;
use crate::{ClaimPath, Timestamp};
use serde::{Deserialize, Serialize};

/// The `format` of a registration in `verifier_info`.
pub const FORMAT: &str = "registration_cert";
/// The `typ` of a registration.
pub const TYP: &str = "rc-rp+jwt";

/// The payload of a registration.
///
/// # Source
/// ETSI TS 119 475 (registration certificates of relying parties), with the members that a wallet of ours looks at; what else stands there is not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistrationClaims {
    /// Who is registered: the full client identifier, or the name in the verifier's certificate.
    pub sub: String,
    /// Its name for people.
    pub name: String,
    /// What for it may ask: purpose codes as in a consent. Codes that are not known count for nothing.
    pub purposes: Vec<String>,
    /// What it may ask for.
    pub credentials: Vec<RegisteredCredential>,
    /// How people reach it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Who watches over it, for complaints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervisory_authority: Option<SupervisoryAuthority>,
    /// When it was made.
    pub iat: Timestamp,
    /// Until when it is good.
    pub exp: Timestamp,
    /// Where it would say that it was withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusClaim>,
}

/// What a verifier may ask for of one type of credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredCredential {
    /// The format.
    pub format: String,
    /// The types, as in a query.
    pub meta: CredentialMeta,
    /// The claims; what stands below one is registered with it.
    #[serde(default)]
    pub claims: Vec<RegisteredClaim>,
}

/// One claim that a verifier may ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClaim {
    /// Where it stands.
    pub path: ClaimPath,
}

/// Who watches over a verifier.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SupervisoryAuthority {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Where it takes complaints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}
