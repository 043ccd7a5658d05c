//! What an issuer demands of wallets beyond the protocol, and shows of itself: the operator's choice, made when the service starts.

use credentials::trust::TrustAnchors;

/// What is demanded; nothing, unless the operator says so.
#[derive(Debug, Clone, Default)]
pub struct Demands {
    /// Credential requests and answers must be encrypted beside TLS.
    pub encryption: bool,
    /// Whose key attestations are believed; without it none is looked at.
    pub key_attesters: Option<TrustAnchors>,
    /// Every key must be attested.
    pub key_attestation: bool,
    /// The keys for credentials are published as JWT VC issuer metadata (SD-JWT VC §4).
    pub publish_keys: bool,
    /// Who vouches for wallets; without it no wallet attestation is looked at.
    pub wallet_providers: Option<TrustAnchors>,
    /// Every wallet must show that one of them vouches for it.
    pub wallet_attestation: bool,
}
