//! Issuances that wait for a decision.

use crate::keys::Fingerprint;
use schemas::Timestamp;

/// An issuance that is put off.
#[derive(Debug)]
pub struct Deferral {
    /// Finds it.
    pub id: Fingerprint,
    /// The token that it was asked for with.
    pub token: Fingerprint,
    /// The thumbprint of the DPoP key that the token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Finds it for a decision and for revocation.
    pub handle: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The nonces it spends, each with its expiry.
    pub nonces: Vec<(Fingerprint, Timestamp)>,
    /// The holder keys it will be bound to.
    pub holder_keys: Vec<Fingerprint>,
    /// Until when these are known again.
    pub keys_until: Timestamp,
    /// The day on which it was asked for.
    pub asked: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// Claims and keys, sealed under the transaction identifier.
    pub sealed: Vec<u8>,
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is issued when the wallet asks again.
    Approved,
    /// It is not.
    Declined,
}

/// What waits, without what it is.
#[derive(Debug)]
pub struct PendingRecord {
    /// Its handle.
    pub handle: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The day on which it was asked for.
    pub asked: Timestamp,
    /// When it is forgotten.
    pub expires: Timestamp,
    /// What was decided.
    pub decision: Option<Decision>,
}

/// What waits, for the wallet that asks.
#[derive(Debug)]
pub struct TransactionRecord {
    /// Its identifier.
    pub id: Fingerprint,
    /// The configuration.
    pub configuration: String,
    /// The thumbprint of the DPoP key that its token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// Sealed under the transaction identifier; gone when it was declined.
    pub sealed: Option<Vec<u8>>,
}
