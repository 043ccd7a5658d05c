//! What an issuer demands of wallets beyond the protocol: the operator's choice, made when the service starts.

/// What is demanded; nothing, unless the operator says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demands {
    /// Credential requests and answers must be encrypted beside TLS.
    pub encryption: bool,
}
