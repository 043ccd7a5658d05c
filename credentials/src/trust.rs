//! Whose key it is: certificate chains from `x5c` to a trust anchor; and keys that issuers publish, where they are asked for.
//!
//! Paths are built and checked by `rustls-webpki` (signatures, times, CA flag, path length, name constraints, extended key
//! usage); what it leaves out is checked here: order of the chain, key usage bits, self-signed leaves, the leaf's curve.
//! Not checked: certificate revocation lists. Issuer certificates are short-lived instead (`security.md` §10).

mod anchors;
mod cache;
mod certificate;
mod chain;
mod limits;
pub mod list;
pub mod oid;
mod path;
mod policy;
mod published;
mod verified;

pub use anchors::{Anchor, AnchorError, TrustAnchors};
pub use cache::ChainCache;
pub use chain::{CertificateChain, ChainError};
pub use limits::AnchorLimits;
pub use policy::ChainPolicy;
pub use published::{PublishedIssuers, PublishedKeyError};
pub use verified::{Trust, VerifiedChain};

/// What the key of a leaf certificate may sign: an extended key usage that the leaf must carry.
///
/// # Source
/// RFC 5280 §4.2.1.12; kept apart as Token Status List §10 "Extended Key Usage Extension" asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Usage {
    /// Credentials.
    CredentialIssuing,
    /// Status List Tokens.
    StatusSigning,
    /// Request objects of a verifier.
    Verifier,
    /// Attestations of verifiers: who holds such a key says who a verifier is.
    VerifierAttesting,
    /// Attestations of wallets and of the keys in them.
    WalletAttesting,
    /// Registrations of verifiers: who holds such a key says what they may ask for.
    VerifierRegistering,
    /// Trust lists: who holds such a key says whom others believe.
    TrustListSigning,
    /// Mobile documents, by the usage that ISO/IEC 18013-5 Annex B names for document signers.
    MdocIssuing,
    /// Requests of a reader for mobile documents, by the usage that ISO/IEC 18013-5 Annex B names.
    MdocReader,
}
