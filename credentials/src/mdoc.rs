//! mdoc: mobile documents, issued, held, shown in part, verified.
//!
//! The format is ISO/IEC 18013-5; OpenID4VP 1.0 Annex B.2 says how it travels over the internet. Bytes go one of these ways:
//!
//! - an issuer: [`IssuanceDraft`] → [`issue`] → `IssuerSigned`
//! - a holder: `IssuerSigned` → [`verify_issued`] → [`Mdoc`] → [`Mdoc::select`] → [`Selection`] → [`Selection::sign`] or
//!   [`Selection::authenticate`] → [`Document`] → [`device_response`] → `DeviceResponse`
//! - a verifier: `DeviceResponse` → [`verify_presented`] or [`verify_response`] → [`PresentedMdoc`]
//!
//! Both ends of a presentation need the same [`SessionTranscript`]: it stands for verifier, nonce and session.

mod claims;
mod credential;
mod device_auth;
mod device_signed;
mod elements;
mod issue;
mod issuer_signed;
mod item;
mod key_authorizations;
mod mso;
mod response;
mod selection;
pub(crate) mod session_key;
mod transcript;
mod verify;

pub use claims::{ClaimMismatch, claims_of, elements_of};
pub use credential::{Mdoc, PresentedMdoc};
pub use device_signed::DeviceProof;
pub use elements::Elements;
pub use issue::{IssuanceDraft, IssueError, issue};
pub use issuer_signed::ItemError;
pub use key_authorizations::KeyAuthorizations;
pub use response::{Document, ResponseError, ResponseStatus, device_failure, device_response};
pub use selection::{PresentError, SelectError, Selection};
pub use transcript::{Handover, SessionTranscript};
pub use verify::{Expected, Response, VerifyError, verify_issued, verify_presented, verify_response};

/// The format identifier of mdoc in OpenID4VCI and OpenID4VP.
///
/// # Source
/// OpenID4VP 1.0 Annex B.2; OpenID4VCI 1.0 Annex A.2.
pub const FORMAT: &str = "mso_mdoc";
/// The most items of one document that are read or made.
pub const MOST_ITEMS: usize = 256;
/// The most documents in one response that are read.
pub const MOST_DOCUMENTS: usize = 8;
