//! Why no answer was made.

use super::evidence::HolderVerified;
use crate::fault::{Blame, Fault};
use crate::history::HistoryError;
use crate::holdings::{CredentialId, HoldingsError};
use credentials::consent::GrantError;

/// Why no answer was made. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    // The person must do something.
    /// The holder was recognised for another request, or too long ago.
    #[error("the holder was not recognised for this request within the last {} s", HolderVerified::GOOD_FOR.get())]
    NotRecognised,
    /// Every copy was shown before, and the person has not agreed to show one again.
    #[error("every copy of credential {0} was shown before")]
    LastCopyUsed(CredentialId),

    // The verifier's fault.
    /// The request is over.
    #[error("the request is over")]
    RequestEnded,
    /// The consent cannot be given any more.
    #[error(transparent)]
    Grant(#[from] GrantError),

    // The wallet's.
    /// A copy could not be opened or signed.
    #[error("a copy of credential {0} could not be signed")]
    Copy(CredentialId),
    /// The answer could not be encrypted.
    #[error("the answer could not be encrypted")]
    Encryption,
    /// The vault.
    #[error(transparent)]
    Holdings(#[from] HoldingsError),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl Blame for AnswerError {
    fn fault(&self) -> Fault {
        match self {
            Self::NotRecognised | Self::LastCopyUsed(_) => Fault::Person,
            Self::RequestEnded | Self::Grant(_) => Fault::Peer,
            Self::Copy(_) | Self::Encryption => Fault::Storage,
            Self::Holdings(error) => error.fault(),
            Self::History(error) => error.fault(),
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NotRecognised => "unlock again for this request",
            Self::LastCopyUsed(_) => {
                "ask the issuer for new copies, or agree to show one again: the verifiers could then link both"
            }
            Self::RequestEnded | Self::Grant(_) => "ask the verifier for a new request",
            Self::Copy(_) => "ask the issuer for new copies",
            Self::Encryption => "nothing was sent: try again with a new request",
            Self::Holdings(error) => error.hint(),
            Self::History(error) => error.hint(),
        }
    }
}
