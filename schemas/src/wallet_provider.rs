//! What a wallet and its provider say to each other: ours, for no specification says how a wallet gets its attestations.

use crate::Seconds;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a provider says who it is, between its host and its path.
pub const WELL_KNOWN: &str = "amparo-wallet-provider";
/// The most keys in one request for wallet attestations.
pub const MAX_WALLET_KEYS: usize = 16;

/// What a provider says of itself and of its wallets: the same to everybody, and the same in every attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderMetadata {
    /// Who it is: the URL that this was fetched for, and the `iss` of its attestations.
    pub provider: String,
    /// The `sub` of its wallet attestations.
    pub client_id: String,
    /// What people call these wallets.
    pub wallet_name: String,
    /// Where more is said of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_link: Option<String>,
    /// Where wallet attestations are had.
    pub wallet_attestation_endpoint: String,
    /// Where key attestations are had.
    pub key_attestation_endpoint: String,
    /// For how long an attestation is good at most.
    pub lifetime: Seconds,
}

/// Asks for wallet attestations: one for each key, each for another issuer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletAttestationRequest {
    /// Public keys, fresh ones, as JWK.
    pub keys: Vec<Map<String, Value>>,
}

/// The attestations, in the order of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletAttestationResponse {
    /// `oauth-client-attestation+jwt` each.
    pub attestations: Vec<String>,
}

/// Asks for one key attestation of several keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAttestationRequest {
    /// A proof of possession of each key: `openid4vci-proof+jwt`, for the provider, with this nonce.
    pub proofs: Vec<String>,
    /// The issuer's `c_nonce`, which goes into the attestation.
    pub nonce: String,
}

/// A key attestation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyAttestationResponse {
    /// `key-attestation+jwt`.
    pub attestation: String,
}
