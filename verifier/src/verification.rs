//! Verification: an answer becomes a [`VerifiedPresentation`] in one fixed order, or is refused at the first check that fails.
//!
//! | step | what is checked | type before → after |
//! |---|---|---|
//! | 0 | size, form, encryption, `state` | [`crate::answer::AnswerIn`] → [`Presentations`] |
//! | 1 | each presentation is for a credential query that was asked | [`Presentations`] → |
//! | 2 | each parses strictly, and has a key binding | |
//! | 3 | key binding: `aud`, `nonce`, `iat` in [now − 300 s, now + 60 s], `sd_hash`: cheap, so before any signature | |
//! | 4 | its issuer: type, certificates to an anchor, signature | |
//! | 5 | every disclosure has its digest, and the reverse; claims well-formed | |
//! | 6 | its times, and its `vct` is one that was asked for | |
//! | 7 | the key binding's signature, by the key the issuer bound the credential to | → [`Authenticated`] |
//! | 8 | status, from lists at hand | [`Authenticated`] → [`Current`] |
//! | 9 | all that was asked for is there, and nothing that was not | [`Current`] → [`Complete`] |
//! | 10 | the consent, in the order of `security.md` §4.1 | [`Complete`] → [`VerifiedPresentation`] |
//!
//! Steps 2 to 7 are `credentials::sd_jwt::verify_presented`; for an mdoc `credentials::mdoc::verify_presented`, whose order is
//! its own, with the session transcript in the place of `aud`, `nonce` and time, and the device key's signature in that of the
//! key binding. No step asks the network: between 7 and 8 the caller may fetch
//! the lists that [`Authenticated::status_references`] names, which are by then an issuer's word and no stranger's.
//! One presentation that fails refuses the whole answer. That the nonce is spent is the caller's part, before step 1.

mod authenticate;
mod consent;
mod held;
mod presented;
mod status;

pub use authenticate::{Authenticated, Surroundings, authenticate, authenticate_in_person};
pub use consent::VerifiedPresentation;
pub use held::{Held, HeldCredential};
pub use presented::Presentation;
pub use status::{Complete, Current, StatusFinding, StatusLists, current_or_ended};

use crate::answer::Presentations;
use credentials::consent::ConsentError;
use credentials::cose::CoseError;
use credentials::dcql::Shortfall;
use credentials::jws::JwsError;
use credentials::mdoc::{ResponseError, VerifyError as DocumentError};
use credentials::sd_jwt::VerifyError as PresentationError;
use credentials::status_list::StatusError;
use credentials::trust::ChainError;
use schemas::ClaimPath;
use schemas::status::Status;

/// Why an answer was refused. In the order in which the checks stand; none bears a claim's value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    // The presenter's fault: refuse.
    /// There is no such credential query.
    #[error("the answer has a presentation for a credential query that was not asked")]
    NotAsked,
    /// A presentation does not hold. `query` is the credential query it was to answer.
    #[error("the presentation for {query} does not hold: {source}")]
    Presentation {
        /// The credential query.
        query: String,
        /// Why.
        source: PresentationError,
    },
    /// A document for an mdoc query is not base64url.
    #[error("the presentation for {query} is not a mobile document in base64url")]
    NotBase64 {
        /// The credential query.
        query: String,
    },
    /// A document does not hold.
    #[error("the document for {query} does not hold: {source}")]
    Document {
        /// The credential query.
        query: String,
        /// Why.
        source: DocumentError,
    },
    /// A response in person does not hold.
    #[error("the response does not hold: {0}")]
    Response(#[source] DocumentError),
    /// The holder's side returns nothing.
    #[error("the holder refused, or has nothing that fits; which it was is not told")]
    Nothing,
    /// Its issuer, or a list, says that it no longer stands.
    #[error("the credential for {query} is {}", match .status { Status::Suspended => "suspended", _ => "revoked" })]
    Revoked {
        /// The credential query.
        query: String,
        /// What the list says.
        status: Status,
    },
    /// The status reference makes no sense to its list.
    #[error("the status of the credential for {query} makes no sense: {source}")]
    Status {
        /// The credential query.
        query: String,
        /// Why.
        source: StatusError,
    },
    /// A presentation does not answer what was asked.
    #[error("the presentation for {query} does not answer what was asked: {}", worded(.why))]
    Shortfall {
        /// The credential query.
        query: String,
        /// Why.
        why: Shortfall,
    },
    /// Something that was required is missing.
    #[error("the answer leaves out a credential that was asked for")]
    Unanswered,
    /// Something was disclosed that was not asked for.
    #[error("the answer discloses what was not asked for: {}", listed(.paths))]
    OverDisclosure {
        /// What: the paths only.
        paths: Vec<ClaimPath>,
    },
    /// A consent was required, and there is none.
    #[error("the holder gave no consent, and this request requires one")]
    ConsentMissing,
    /// There are several consents.
    #[error("the answer has more than one consent")]
    SeveralConsents,
    /// A consent that nobody asked for.
    #[error("the answer has a consent to a request that asked for none")]
    UnaskedConsent,
    /// The consent does not hold.
    #[error("the consent does not hold: {0}")]
    Consent(#[source] ConsentError),
    // The surroundings' fault: ask again later.
    /// No list at hand says anything about it, and the policy is to refuse then.
    #[error("the status of the credential for {query} is unknown: no current status list is at hand")]
    StatusUnknown {
        /// The credential query.
        query: String,
    },
}

impl VerifyError {
    /// A word for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotAsked => "not_asked",
            Self::Presentation { source, .. } => presentation_code(source),
            Self::NotBase64 { .. } => "presentation_invalid",
            Self::Response(DocumentError::Form(ResponseError::Status(_))) => "wallet_error",
            Self::Document { source, .. } | Self::Response(source) => document_code(source),
            Self::Nothing => "access_denied",
            Self::Revoked { status: Status::Suspended, .. } => "suspended",
            Self::Revoked { .. } => "revoked",
            Self::Status { .. } => "status_invalid",
            Self::Shortfall { .. } => "not_as_asked",
            Self::Unanswered => "incomplete",
            Self::OverDisclosure { .. } => "over_disclosure",
            Self::ConsentMissing => "consent_missing",
            Self::SeveralConsents | Self::UnaskedConsent | Self::Consent(_) => "consent_invalid",
            Self::StatusUnknown { .. } => "status_unknown",
        }
    }
}

pub(crate) const fn presentation_code(error: &PresentationError) -> &'static str {
    match error {
        // Trusted for something else is not trusted for this.
        PresentationError::Chain(ChainError::UnknownIssuer) | PresentationError::TypeNotIssuers => "issuer_not_trusted",
        PresentationError::Chain(ChainError::ListEnded { .. }) => "status_unknown",
        PresentationError::Chain(_) | PresentationError::IssuerName => "issuer_invalid",
        PresentationError::Jws(JwsError::Signature) => "signature_invalid",
        PresentationError::NotYetValid { .. } => "not_yet_valid",
        PresentationError::Expired { .. } => "expired",
        PresentationError::Type => "not_as_asked",
        PresentationError::KeyBindingMissing => "key_binding_missing",
        PresentationError::KeyBinding(_) => "key_binding_invalid",
        _ => "presentation_invalid",
    }
}

pub(crate) const fn document_code(error: &DocumentError) -> &'static str {
    match error {
        DocumentError::Chain(ChainError::UnknownIssuer) | DocumentError::TypeNotIssuers => "issuer_not_trusted",
        DocumentError::Chain(ChainError::ListEnded { .. }) => "status_unknown",
        DocumentError::Chain(_) | DocumentError::SignedOutOfTime => "issuer_invalid",
        DocumentError::IssuerAuth(CoseError::Signature) => "signature_invalid",
        DocumentError::NotYetValid { .. } => "not_yet_valid",
        DocumentError::Expired { .. } => "expired",
        DocumentError::Type => "not_as_asked",
        DocumentError::DeviceAuth(_) | DocumentError::UnexpectedMac => "key_binding_invalid",
        _ => "presentation_invalid",
    }
}

fn listed(paths: &[ClaimPath]) -> String {
    paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn worded(why: &Shortfall) -> String {
    match why {
        Shortfall::MoreThanOne => "one presentation was asked for, and there are several".to_owned(),
        Shortfall::Type => "it is of another type".to_owned(),
        Shortfall::NotHolderBound => "it is not bound to its holder".to_owned(),
        Shortfall::Claims(missing) => format!("missing, or with another value: {}", listed(missing)),
        Shortfall::Authority => "none of the authorities named stands behind its issuer".to_owned(),
        _ => "it cannot be matched".to_owned(),
    }
}

#[cfg(test)]
mod tests;
