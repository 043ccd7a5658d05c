//! Amparo: W3C credentials of others (Verifiable Credentials Data Model 2.0), secured by Data Integrity proofs.
//!
//! For reading what a civil registry that speaks W3C credentials has issued; nothing is issued or held in this form here.
//! A document comes in as bytes and leaves as a [`VerifiedDocument`] or as a refusal. Nothing is fetched: contexts, controller documents
//! and status lists are handed in. What a JSON-LD processor would drop from the signed form is refused, because a reader of
//! the JSON would still see it.
//!
//! Such a document is not bound to whoever shows it: it says what its issuer said of its subject, not who stands there.

mod bitstring;
mod canonical;
mod contexts;
mod document;
mod method;
mod proof;
mod selective;

pub use bitstring::{BitstringError, BitstringStatus, StatusEntry, VerifiedBitstring};
pub use canonical::CanonicalError;
pub use contexts::{CREDENTIALS_V2, ContextError, Contexts};
pub use document::{AcceptedType, DocumentRefused, VerifiedDocument, Verifier};
pub use method::{Controllers, MethodError};
pub use proof::{ProofError, Suite};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
