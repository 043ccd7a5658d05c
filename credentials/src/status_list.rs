//! The Token Status List: which of a million credentials still stand, in one signed token.

mod aggregation;
mod cwt;
mod list;
mod token;
mod verified;

#[cfg(test)]
mod tests;

pub use aggregation::{Aggregation, AggregationError};
pub use cwt::verify_cwt;
pub use list::{Bits, StatusList};
pub use token::{StatusIssueError, TokenDraft, verify};
pub use verified::{MAX_LIFETIME, TTL, VerifiedStatusList};

use crate::cose::CoseError;
use crate::jws::JwsError;
use crate::trust::ChainError;
use crate::zlib::ZlibError;
use schemas::Timestamp;

/// Why a status could not be told. None of these means *valid*.
///
/// # Source
/// Token Status List §8.3 "Validation Rules": "If any of these checks fails, no statement about the status … can be made".
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatusError {
    // The status provider's fault, or that of whoever stands in between: refuse the list.
    /// Not a compact JWS, or with a header we do not take.
    #[error("status list token is not a well-formed JWS")]
    Jws(#[source] JwsError),
    /// Not a tagged `COSE_Sign1`, or with a header we do not take.
    #[error("status list token is not a well-formed COSE_Sign1")]
    Cose(#[source] CoseError),
    /// Another kind of token.
    #[error("token is not a status list token: expected typ {} or {}", token::TYP, cwt::TYP)]
    WrongType,
    /// No `x5c` or `x5chain` header.
    #[error("status list token has no certificate chain")]
    NoChain,
    /// The chain does not end at an anchor for status signing.
    #[error("certificate chain of the status list token is not trusted for status signing")]
    Chain(#[source] ChainError),
    /// The signature does not fit.
    #[error("signature of the status list token is wrong")]
    Signature,
    /// A claim is missing or of the wrong kind.
    #[error("claims of the status list token are not as required: subject, issued at, bits and lst")]
    Claims,
    /// The list is for another URI.
    #[error("status list token is for another list: its sub is not the uri of the credential")]
    WrongSubject,
    /// The list is at a host whose lists the signer's trust anchor may not vouch for.
    #[error("status list is at a host that its signer's trust anchor may not vouch for")]
    NotItsHost,
    /// Older than a list already seen.
    #[error("status list of {got} is older than the one of {seen} already seen")]
    RolledBack {
        /// When the newest list seen was issued.
        seen: Timestamp,
        /// When this one was issued.
        got: Timestamp,
    },
    /// `bits` is not 1, 2, 4 or 8.
    #[error("status list has another number of bits than 1, 2, 4 or 8")]
    Bits,
    /// `lst` is not one whole zlib stream, in base64url where it is text.
    #[error("status list is not one whole zlib stream")]
    Compression,
    /// Longer than we take.
    #[error("status list has no entries, or inflates to more than {} bytes", list::MAX_BYTES)]
    Size,
    /// The credential names an entry that the list does not have.
    #[error("status index is outside the list of {entries} entries")]
    IndexOutOfRange {
        /// How many entries the list has.
        entries: u64,
    },
    /// The credential points to another list.
    #[error("credential points to another status list")]
    OtherList,

    // The surroundings' fault: get a newer list, or look at the clock.
    /// The list may no longer be relied on; whoever decides without one does so by its own policy, by default a refusal.
    #[error("status is unknown: the newest list ended at {ended}")]
    StatusUnknown {
        /// When the list ended.
        ended: Timestamp,
    },
    /// The list was issued later than now, everything else about it being in order: this clock is behind.
    #[error("status list was issued at {issued_at}, later than this clock")]
    IssuedLater {
        /// When it was issued, by a trusted signer.
        issued_at: Timestamp,
    },

    // The caller's fault.
    /// The status does not fit in the bits of an entry.
    #[error("status does not fit in the bits of an entry")]
    TooWide,
}

impl From<ZlibError> for StatusError {
    fn from(error: ZlibError) -> Self {
        match error {
            ZlibError::Compression => Self::Compression,
            ZlibError::Size => Self::Size,
        }
    }
}
