//! Issuances: what is written down of them, what they spend, and what becomes of them.

use crate::keys::Fingerprint;
use schemas::Timestamp;

/// An issuance of which a wallet may tell how it went.
#[derive(Debug)]
pub struct Awaited {
    /// Its notification identifier.
    pub id: Fingerprint,
    /// The token that it was asked for with.
    pub token: Fingerprint,
    /// The thumbprint of the DPoP key that the token is bound to.
    pub dpop_key: Option<[u8; 32]>,
    /// Until when.
    pub expires: Timestamp,
}

/// What an issuance spends.
#[derive(Debug)]
pub enum Spends {
    /// A token, or a part of it.
    Token(Fingerprint),
    /// A transaction that was approved.
    Transaction(Fingerprint),
}

/// An issuance to be written down.
#[derive(Debug)]
pub struct Issuance {
    /// What it spends.
    pub spends: Spends,
    /// What the wallet may tell of.
    pub awaited: Awaited,
    /// The configuration that is issued.
    pub configuration: String,
    /// What this batch is called under its handle.
    pub part: String,
    /// The nonces it spends, each with its expiry.
    pub nonces: Vec<(Fingerprint, Timestamp)>,
    /// The holder keys it binds to.
    pub holder_keys: Vec<Fingerprint>,
    /// Finds it for revocation.
    pub handle: Fingerprint,
    /// The day of issuance, which many share.
    pub cohort: Timestamp,
    /// When its credentials end.
    pub expires: Timestamp,
    /// Which entries belong to it, sealed under handle and part.
    pub sealed_entries: Vec<u8>,
}

/// How writing down an issuance went. Anything but `Done` has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Committed {
    /// It is written.
    Done,
    /// The token is spent, at least for this configuration, or revoked or expired.
    TokenGone,
    /// The transaction was answered, or revoked, or its time is over.
    TransactionGone,
    /// A nonce is spent.
    NonceSpent,
    /// A holder key was bound to a credential before.
    KeySeen,
}

/// What a revocation met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// An offer or a token that had not been used: it is gone, and nothing was issued.
    Unused,
    /// Issued copies, now or soon invalid; again, if they were already.
    Issued,
    /// Nothing under this handle.
    Nothing,
}
