//! Consent for a time: what the verifier proposes, what the holder grants, and whether one is within the other.

mod check;
mod fit;
mod grant;
mod mdoc;
mod proposal;

#[cfg(test)]
mod tests;

pub use check::{AgreedConsent, check_grant};
pub use fit::{caps, fits, over_asking};
pub use grant::{Caps, Choice, ConsentId, DEFAULT_LASTING, GrantError, MAX_LASTING, grant, revocation_digest};
pub use mdoc::{check_mdoc_grant, grant_elements, holder_authorizations};
pub use proposal::{ProposedConsent, RequestIn};

use crate::b64::B64Error;
use crate::json::JsonError;
use schemas::{Seconds, Timestamp};

/// Why a proposal was refused, or a grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsentError {
    // The verifier's fault: its request is refused with `invalid_transaction_data` (OpenID4VP 1.0 §8.5).
    /// None where the member is there at all, or too many entries.
    #[error("transaction data has {got} entries, expected 1 to {limit}")]
    Count {
        /// How many there are.
        got: usize,
        /// How many we take.
        limit: usize,
    },
    /// An entry is longer than we take.
    #[error("transaction data entry of more than {limit} bytes")]
    TooLong {
        /// How many bytes we take.
        limit: usize,
    },
    /// An entry is not base64url.
    #[error("transaction data is not base64url")]
    Base64(#[from] B64Error),
    /// An entry is not strict JSON.
    #[error("transaction data is not strict JSON")]
    Json(#[from] JsonError),
    /// An entry is of a type we do not know.
    #[error("unknown type of transaction data: expected {}", schemas::consent::CONSENT_REQUEST_TYPE)]
    UnknownType,
    /// A member that the type does not have.
    #[error("consent request has an unknown member")]
    UnknownMember,
    /// A member is missing, of the wrong kind, or with a value that makes no sense.
    #[error("consent request has a missing or unusable member: {0}")]
    Member(&'static str),
    /// Two consent requests at once.
    #[error("more than one consent request")]
    MoreThanOne,
    /// The controller is not who asks.
    #[error("consent request names another controller than the verifier that asks")]
    OtherController,
    /// It is about credentials that are not asked for, or asked for without key binding.
    #[error("consent request is about a credential that is not asked for with key binding")]
    OtherCredential,
    /// Its time is over.
    #[error("consent request could be agreed to until {not_after} only")]
    RequestEnded {
        /// Until when.
        not_after: Timestamp,
    },

    // The holder's fault: the presentation is refused. In the order in which they are checked (security.md §4.1).
    /// The key binding has no grant.
    #[error("key binding has no consent")]
    NoGrant,
    /// The grant has a member that makes no sense.
    #[error("consent has an unusable member: {0}")]
    Grant(&'static str),
    /// The key binding does not sign the proposal.
    #[error("key binding does not sign this consent request")]
    NotSigned,
    /// The grant is for another proposal.
    #[error("consent answers another consent request")]
    OtherRequest,
    /// The grant is for another verifier.
    #[error("consent is for another verifier")]
    WrongAudience,
    /// Something was disclosed that was not granted.
    #[error("something was disclosed that the consent does not cover")]
    OverDisclosure,
    /// Something was granted that was not asked for.
    #[error("consent covers claims that were not asked for")]
    WiderThanRequest,
    /// A purpose was granted that was not proposed, or none was.
    #[error("consent is not for the purposes proposed")]
    WrongPurpose,
    /// The grant begins later.
    #[error("consent begins at {not_before} only")]
    NotYet {
        /// When.
        not_before: Timestamp,
    },
    /// The grant has ended.
    #[error("consent ended at {ended}")]
    Ended {
        /// When.
        ended: Timestamp,
    },
    /// The grant lasts longer than any may.
    #[error("consent lasts {got}, at most {cap} is allowed for its purposes")]
    TooLasting {
        /// How long it lasts.
        got: Seconds,
        /// How long it may last.
        cap: Seconds,
    },
    /// The grant lets the verifier keep the data longer than it proposed, or than any may.
    #[error("consent has a retention of {got}, at most {cap} was proposed or is allowed")]
    WiderRetention {
        /// The retention granted.
        got: Seconds,
        /// The longest there could be.
        cap: Seconds,
    },
}
