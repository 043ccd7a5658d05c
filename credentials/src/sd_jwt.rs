//! SD-JWT VC: issued, held, shown in part, verified.
//!
//! The format is RFC 9901; what a credential must say is the SD-JWT VC draft. A text goes one of these ways:
//!
//! - an issuer: [`IssuanceDraft`] → [`issue`] → text
//! - a holder: text → [`verify_issued`] → [`SdJwtVc`] → [`SdJwtVc::select`] → [`Selection`] → [`Selection::bind`] → text
//! - a verifier: text → [`verify_presented`] → [`PresentedCredential`]
//!
//! [`SdJwtIn`] is the parsed, unverified form for those who know only RFC 9901; [`SdJwtJsonIn`] is its JSON serialisation.

mod as_issued;
mod claims;
mod credential;
mod digests;
mod disclosure;
mod issue;
mod json_form;
mod parse;
mod payload;
mod process;
mod selection;
mod verify;

pub use as_issued::{AsIssued, Found, PathFault};
pub use claims::{ClaimError, NEVER_DISCLOSABLE};
pub use credential::{Disclosure, PresentedCredential, ReopenError, SdJwtVc};
pub use issue::{IssuanceDraft, IssueError, issue, issue_hashed};
pub use json_form::{JsonFormError, SdJwtJsonIn};
pub use parse::{MOST_DISCLOSURES, ParseError, SdJwtIn};
pub use process::{DisclosureError, Place, Processed};
pub use selection::{BindError, SelectError, Selection};
pub use verify::{Expected, VerifyError, verify_issued, verify_presented};

/// The `typ` of an SD-JWT VC, and its format identifier in OpenID4VCI and OpenID4VP.
///
/// # Source
/// SD-JWT VC §2.2.1. The older `vc+sd-jwt` is refused.
pub const TYPE: &str = "dc+sd-jwt";
