//! Bitstring status lists: whether an issuer took a credential back.

use crate::contexts::CREDENTIALS_V2;
use crate::document::{AcceptedType, DocumentRefused, Verifier};
use credentials::b64;
use flate2::bufread::GzDecoder;
use schemas::Timestamp;
use serde_json::{Map, Value};
use std::fmt;
use std::io::Read as _;

/// Where the status of a credential stands.
#[derive(Clone, PartialEq, Eq)]
pub struct StatusEntry {
    purpose: String,
    list: String,
    index: usize,
    /// Of a kind that is read here: one bit in a list.
    readable: bool,
}

/// What a list says of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BitstringStatus {
    /// The bit is not set.
    Clear,
    /// Revoked, for good.
    Revoked,
    /// Suspended, for now.
    Suspended,
}

/// Why a list or an entry cannot be used. A status that cannot be told is never a good one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BitstringError {
    /// The list, as a credential.
    #[error("the status list: {0}")]
    List(#[from] DocumentRefused),
    /// Not in the form of the standard.
    #[error("not a Bitstring status list: {0}")]
    Form(&'static str),
    /// Another list than the credential names, of another issuer, or for another purpose.
    #[error("this is not the status list that the credential names")]
    Other,
    /// A kind of status that is not read here.
    #[error("the credential's status is of a kind that is not read here")]
    Kind,
    /// Beyond the list.
    #[error("the credential's status lies beyond the end of its list")]
    Range,
}

/// A list that its issuer signed.
pub struct VerifiedBitstring {
    id: String,
    issuer: String,
    purpose: String,
    bits: Vec<u8>,
    valid_from: Option<Timestamp>,
    valid_until: Option<Timestamp>,
}

impl StatusEntry {
    /// Those of a document.
    ///
    /// # Source
    /// Bitstring Status List 1.0 §2.1.
    pub(crate) fn all_of(document: &Map<String, Value>) -> Result<Vec<Self>, DocumentRefused> {
        let entries = match document.get("credentialStatus") {
            None => return Ok(Vec::new()),
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        if entries.len() > MOST_ENTRIES {
            return Err(DocumentRefused::Form("credentialStatus"));
        }
        entries.iter().map(|entry| Self::of(entry).ok_or(DocumentRefused::Form("credentialStatus"))).collect()
    }

    fn of(entry: &Value) -> Option<Self> {
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        if text("type")? != "BitstringStatusListEntry" {
            // Somebody else's way to say it: known to be there, and not read.
            return Some(Self { purpose: String::new(), list: String::new(), index: 0, readable: false });
        }
        let purpose = text("statusPurpose")?.to_owned();
        let digits = text("statusListIndex")?;
        if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let single = entry.get("statusSize").is_none_or(|size| *size == 1);
        let readable = single && matches!(purpose.as_str(), "revocation" | "suspension");
        Some(Self { purpose, list: text("statusListCredential")?.to_owned(), index: digits.parse().ok()?, readable })
    }

    /// The address of the list.
    pub fn list(&self) -> &str {
        &self.list
    }
}

impl fmt::Debug for StatusEntry {
    /// The index is a handle on a person.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusEntry({})", self.purpose)
    }
}

impl VerifiedBitstring {
    /// Reads and checks a list of `issuer`; its key is found as for any credential.
    ///
    /// # Errors
    /// [`BitstringError`].
    ///
    /// # Source
    /// Bitstring Status List 1.0 §2.2, §3.2, §3.4; at least 131,072 entries, so that a request for the list tells nothing of who is looked up.
    pub fn verify(bytes: &[u8], issuer: &str, verifier: &Verifier<'_>) -> Result<Self, BitstringError> {
        let accepted = [AcceptedType {
            type_name: "BitstringStatusListCredential".to_owned(),
            contexts: vec![CREDENTIALS_V2.to_owned()],
            issuers: vec![issuer.to_owned()],
        }];
        let list = Verifier { accepted: &accepted, ..*verifier }.verify(bytes)?;
        let text = |name| list.subject().get(name).and_then(Value::as_str).ok_or(BitstringError::Form(name));
        if text("type")? != "BitstringStatusList" {
            return Err(BitstringError::Form("type"));
        }
        let encoded = text("encodedList")?.strip_prefix('u').ok_or(BitstringError::Form("encodedList"))?;
        let compressed = b64::decode(encoded).map_err(|_| BitstringError::Form("encodedList"))?;
        let mut bits = Vec::new();
        let mut inflated = GzDecoder::new(compressed.as_slice()).take(MOST_BITS / 8 + 1);
        inflated.read_to_end(&mut bits).map_err(|_| BitstringError::Form("encodedList"))?;
        let length = bits.len() as u64 * 8;
        let rest = inflated.into_inner().into_inner();
        if !(LEAST_BITS..=MOST_BITS).contains(&length) || !rest.is_empty() {
            return Err(BitstringError::Form("the length of encodedList"));
        }
        let purpose = text("statusPurpose")?.to_owned();
        let id = list.id().ok_or(BitstringError::Form("id"))?.to_owned();
        let (valid_from, valid_until) = (list.valid_from(), list.valid_until());
        Ok(Self { id, issuer: issuer.to_owned(), purpose, bits, valid_from, valid_until })
    }

    /// Its address, which entries name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// From when it speaks: how old it is.
    pub const fn valid_from(&self) -> Option<Timestamp> {
        self.valid_from
    }

    /// Until when it may be used.
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// What the list says of `entry`, of a credential of `issuer`.
    ///
    /// # Errors
    /// [`BitstringError::Kind`], [`BitstringError::Other`], [`BitstringError::Range`].
    ///
    /// # Source
    /// Bitstring Status List 1.0 §3.2 steps 4 to 13; the first entry is the leftmost bit (§3.3).
    pub fn status(&self, entry: &StatusEntry, issuer: &str) -> Result<BitstringStatus, BitstringError> {
        if !entry.readable {
            return Err(BitstringError::Kind);
        }
        if entry.list != self.id || entry.purpose != self.purpose || issuer != self.issuer {
            return Err(BitstringError::Other);
        }
        let byte = self.bits.get(entry.index / 8).ok_or(BitstringError::Range)?;
        let set = byte & (0x80 >> (entry.index % 8)) != 0;
        Ok(match (set, entry.purpose.as_str()) {
            (false, _) => BitstringStatus::Clear,
            (true, "revocation") => BitstringStatus::Revoked,
            (true, _) => BitstringStatus::Suspended,
        })
    }
}

const MOST_ENTRIES: usize = 8;
const LEAST_BITS: u64 = 131_072;
/// 4 MiB of memory.
const MOST_BITS: u64 = 1 << 25;
