//! Where the status of a credential is found.

use serde::{Deserialize, Serialize};

/// The `status` claim of a credential.
///
/// # Source
/// Token Status List §6.1 "Status Claim".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusClaim {
    /// The reference into a status list.
    pub status_list: StatusReference,
}

/// An entry of a status list: which list, which index.
///
/// # Source
/// Token Status List §6.2 "Referenced Token in JOSE".
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StatusReference {
    /// The index, from 0.
    pub idx: u64,
    /// The URI of the Status List Token.
    pub uri: String,
}

/// What an entry of a status list says.
///
/// # Source
/// Token Status List §7.1 "Status Types Values".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// 0x00
    Valid,
    /// 0x01: for good.
    Invalid,
    /// 0x02: for now.
    Suspended,
    /// Any other value: a meaning we do not know is not `Valid`.
    Other(u8),
}
