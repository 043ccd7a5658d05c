//! Signed trust lists: whom to believe, for what and until when, said by an authority that was pinned beforehand.
//!
//! A list is a JWT. It names trust anchors, each with the usages that it may vouch for, and may withdraw others. It is fetched
//! beforehand, never because somebody presented something. One that has ended vouches for nobody any more; what it withdrew
//! stays withdrawn: see [`super::ChainPolicy::with_ended_lists`]. Where several name the same anchor, the first counts.
//!
//! # Source
//! Ours: `docs/decisions/0095`. ETSI TS 119 602 says the same in a form that needs far more.

mod draft;
mod entry;
mod read;

#[cfg(test)]
mod tests;

pub use draft::{TrustListDraft, TrustListIssueError};
pub use entry::{Entry, EntryError, usage_by_word, usage_word};
pub use read::{Known, VerifiedTrustList, verify};

use super::ChainError;
use crate::jws::JwsError;
use schemas::{Seconds, Timestamp};

/// The `typ` of a trust list.
pub const TYP: &str = "amparo-trust-list+jwt";

/// The media type of a trust list.
pub const MEDIA_TYPE: &str = "application/amparo-trust-list+jwt";

/// The most anchors that a list names, withdrawn ones among them.
pub const MOST: usize = 500;

/// The most bytes of a signed list, written or read: a wallet keeps it in one record of its vault, beside the anchors of who signs
/// it.
pub const LONGEST: usize = 224 * 1024;

/// How long a list may be relied on at most, counted from `iat`, whatever it says.
pub const MAX_LIFETIME: Seconds = Seconds::DAY.times(90);

/// Why a trust list is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustListError {
    // The fault of whoever made the list, or of whoever stands in between: keep the list that is at hand.
    /// Not a compact JWS, or with a header we do not take.
    #[error("the trust list is not a well-formed JWS")]
    Jws(#[source] JwsError),
    /// Another kind of token.
    #[error("not a trust list: expected typ {TYP}")]
    WrongType,
    /// No `x5c` header.
    #[error("the trust list has no certificate chain")]
    NoChain,
    /// Signed by somebody else than who was pinned for it.
    #[error("the trust list is signed by another authority than the one that was named for it")]
    OtherAuthority,
    /// Its certificates are not in order.
    #[error("the certificate chain of the trust list does not hold: {0}")]
    Chain(#[source] ChainError),
    /// The signature does not fit.
    #[error("the signature of the trust list is wrong")]
    Signature,
    /// A claim is missing or of the wrong kind.
    #[error("claims of the trust list are not as required: sub, seq, iat, exp and entries")]
    Claims,
    /// It would end before it begins.
    #[error("the trust list ends before it begins")]
    EndsBeforeIssued,
    /// More entries than are read.
    #[error("the trust list has {got} entries, at most {MOST} are read")]
    TooMany {
        /// How many it has.
        got: usize,
    },
    /// An entry is not in order.
    #[error("entry {number} of the trust list: {source}")]
    Entry {
        /// Which, counted from 1.
        number: usize,
        /// What is wrong with it.
        source: EntryError,
    },
    /// A certificate twice: it would be said two things of it.
    #[error("entry {number} of the trust list names a certificate that an entry before it names")]
    Twice {
        /// Which, counted from 1.
        number: usize,
    },
    /// Another list of the same authority.
    #[error("this is another trust list of the same authority than the one that was taken")]
    OtherList,
    /// Older than the one already taken.
    #[error("trust list number {got} is older than number {seen}, which was taken already")]
    RolledBack {
        /// The number of the one taken.
        seen: u64,
        /// The number of this one.
        got: u64,
    },
    /// The same number as the one already taken, and not the same list.
    #[error("trust list number {0} says something else than it did when it was taken")]
    Contradiction(u64),

    // The surroundings' fault: look at the clock.
    /// Issued later than now, everything else about it being in order: this clock is behind.
    #[error("the trust list was issued at {issued_at}, later than this clock")]
    IssuedLater {
        /// When it was issued.
        issued_at: Timestamp,
    },
}
