//! A W3C credential that the operator accepts: type, contexts, issuer, time and proof.

use crate::bitstring::StatusEntry;
use crate::contexts::{CREDENTIALS_V2, Contexts};
use crate::method::Controllers;
use crate::proof::{ProofError, Secured, Suite};
use credentials::json::{self, JsonError, Limits};
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};
use std::fmt;

/// One kind of credential that is accepted, and from whom.
///
/// The contexts are an exact list: under another one the same signed statements could be written with other names.
///
/// # Source
/// Data Integrity 1.0 §2.4.1 "Validating Contexts".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedType {
    /// The type beside `VerifiableCredential`.
    pub type_name: String,
    /// The list in `@context`, in order, [`CREDENTIALS_V2`] first.
    pub contexts: Vec<String>,
    /// The DIDs of those who may issue it.
    pub issuers: Vec<String>,
}

/// What documents are checked against.
#[derive(Clone, Copy)]
pub struct Verifier<'a> {
    /// What is accepted.
    pub accepted: &'a [AcceptedType],
    /// The contexts that are known.
    pub contexts: &'a Contexts,
    /// The documents of issuers that were fetched beforehand.
    pub controllers: &'a Controllers,
    /// The time to judge by.
    pub now: Timestamp,
}

/// A document that holds. Its claims are in no signature with whoever shows it.
///
/// Arrays of JSON are sets to RDF: their order is not signed, and a reader must not rely on it.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedDocument {
    id: Option<String>,
    type_name: String,
    issuer: String,
    suite: Suite,
    subject: Map<String, Value>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
    statuses: Vec<StatusEntry>,
}

/// Why a document is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentRefused {
    /// Not JSON that is read.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not in the form of the data model.
    #[error("not a credential of the W3C data model 2.0: {0}")]
    Form(&'static str),
    /// Nobody said that this type under these contexts is accepted.
    #[error("no credential of this type under these contexts is accepted here")]
    NotAccepted,
    /// The issuer may not issue this type, or another one signed.
    #[error("its issuer is not accepted for this type, or another one signed it")]
    Issuer,
    /// Before its time.
    #[error("valid only from {0}")]
    NotYet(Timestamp),
    /// After its time.
    #[error("ended at {0}")]
    Ended(Timestamp),
    /// The proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl Verifier<'_> {
    /// Checks a document: what it is first, its proof last.
    ///
    /// # Errors
    /// [`DocumentRefused`], the first fault found.
    ///
    /// # Source
    /// Verifiable Credentials Data Model 2.0 §4.3–§4.10, §7.1; Data Integrity 1.0 §4.4, §4.6.
    pub fn verify(&self, bytes: &[u8]) -> Result<VerifiedDocument, DocumentRefused> {
        let document = json::parse_object(bytes, &Limits { bytes: MOST_BYTES, depth: 12 })?;
        let accepted = self.accepted(&document)?;
        let (issuer, statuses) = (issuer(&document)?.to_owned(), StatusEntry::all_of(&document)?);
        if !accepted.issuers.contains(&issuer) {
            return Err(DocumentRefused::Issuer);
        }
        let time = |name| match document.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => text.parse().map(Some).map_err(|_| DocumentRefused::Form("a time")),
            Some(_) => Err(DocumentRefused::Form("a time")),
        };
        let (valid_from, valid_until) = (time("validFrom")?, time("validUntil")?);
        if let Some(from) = valid_from.filter(|from| *from > self.now.plus(CLOCK_SKEW)) {
            return Err(DocumentRefused::NotYet(from));
        }
        if let Some(until) = valid_until.filter(|until| *until <= self.now) {
            return Err(DocumentRefused::Ended(until));
        }
        let signed = Secured::read(document, self.now)?.verify(self.contexts, self.controllers)?;
        if signed.controller != issuer {
            return Err(DocumentRefused::Issuer);
        }
        let mut document = signed.document;
        let Some(Value::Object(subject)) = document.shift_remove("credentialSubject") else {
            return Err(DocumentRefused::Form("credentialSubject is not one subject"));
        };
        Ok(VerifiedDocument {
            id: document.get("id").and_then(Value::as_str).map(str::to_owned),
            type_name: accepted.type_name.clone(),
            issuer,
            suite: signed.suite,
            subject,
            valid_from,
            valid_until,
            statuses,
        })
    }

    fn accepted(&self, document: &Map<String, Value>) -> Result<&AcceptedType, DocumentRefused> {
        let list = |name| {
            let items = document.get(name).and_then(Value::as_array).ok_or(DocumentRefused::Form(name))?;
            items.iter().map(|item| item.as_str().ok_or(DocumentRefused::Form(name))).collect::<Result<Vec<_>, _>>()
        };
        let (contexts, types) = (list("@context")?, list("type")?);
        if contexts.first() != Some(&CREDENTIALS_V2) {
            return Err(DocumentRefused::Form("@context does not begin with the data model 2.0"));
        }
        let is = |accepted: &&AcceptedType| {
            types.len() == 2
                && types.contains(&"VerifiableCredential")
                && types.contains(&accepted.type_name.as_str())
                && accepted.contexts == contexts
        };
        self.accepted.iter().find(is).ok_or(DocumentRefused::NotAccepted)
    }
}

/// The address of the issuer, which may stand alone or with a name and a picture.
fn issuer(document: &Map<String, Value>) -> Result<&str, DocumentRefused> {
    let issuer = match document.get("issuer") {
        Some(Value::Object(issuer)) => issuer.get("id").and_then(Value::as_str),
        Some(Value::String(issuer)) => Some(issuer.as_str()),
        _ => None,
    };
    issuer.ok_or(DocumentRefused::Form("issuer"))
}

impl VerifiedDocument {
    /// Its own address, where it has one.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The type beside `VerifiableCredential`.
    pub fn type_name(&self) -> &str {
        &self.type_name
    }

    /// The DID of whoever issued it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// How it is secured.
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// What it says of its subject: `credentialSubject`.
    pub const fn subject(&self) -> &Map<String, Value> {
        &self.subject
    }

    /// From when it holds.
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// Until when it holds.
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Where its status stands; all of them must be looked up.
    pub fn statuses(&self) -> &[StatusEntry] {
        &self.statuses
    }
}

impl fmt::Debug for VerifiedDocument {
    /// No claim, and no address that is a handle on a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedDocument({}, {} claims)", self.type_name, self.subject.len())
    }
}

/// How far the clock of an issuer may run ahead of ours.
pub(crate) const CLOCK_SKEW: Seconds = Seconds::MINUTE;
const MOST_BYTES: usize = 512 * 1024;
