//! Writing a trust list.

use super::{Entry, LONGEST, MAX_LIFETIME, MOST, TYP};
use crate::jws;
use crate::signer::{SignError, Signer};
use crate::trust::CertificateChain;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a trust list says.
#[derive(Debug, Clone, Copy)]
pub struct TrustListDraft<'a> {
    /// Its name, the same for every number of it: a URI of its authority.
    pub name: &'a str,
    /// Its number; each list has a higher one than the one before.
    pub sequence: u64,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `exp`: from then on it vouches for nobody.
    pub expires_at: Timestamp,
    /// `ttl`: how soon to look for a newer one.
    pub ttl: Seconds,
    /// The anchors.
    pub entries: &'a [Entry],
}

/// Why no trust list could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustListIssueError {
    /// It would be over when it is made, or hold longer than any may.
    #[error("a trust list holds for at least a second and at most {} days", MAX_LIFETIME.get() / 86_400)]
    Lifetime,
    /// More entries than anyone reads.
    #[error("a trust list has at most {MOST} entries")]
    TooMany,
    /// More bytes than anyone reads.
    #[error("a signed trust list has at most {LONGEST} bytes, this one would have {got}")]
    TooLong {
        /// How many it would have.
        got: usize,
    },
    /// A certificate twice.
    #[error("entry {number} names a certificate that an entry before it names")]
    Twice {
        /// Which, counted from 1.
        number: usize,
    },
    /// The key would not sign.
    #[error("the trust list could not be signed")]
    Sign(#[from] SignError),
}

impl TrustListDraft<'_> {
    /// Signs the list. The chain must be one for signing trust lists, which is checked by whoever reads it.
    ///
    /// # Errors
    /// [`TrustListIssueError`].
    ///
    /// # Source
    /// `docs/decisions/0095`.
    pub fn sign(&self, chain: &CertificateChain, signer: &dyn Signer) -> Result<String, TrustListIssueError> {
        if self.expires_at <= self.issued_at || self.expires_at > self.issued_at.plus(MAX_LIFETIME) {
            return Err(TrustListIssueError::Lifetime);
        }
        if self.entries.len() > MOST {
            return Err(TrustListIssueError::TooMany);
        }
        let mut seen = BTreeSet::new();
        if let Some(place) = self.entries.iter().position(|entry| !seen.insert(entry.sha256())) {
            return Err(TrustListIssueError::Twice { number: place + 1 });
        }
        let header = object(json!({"alg": "ES256", "typ": TYP, "x5c": chain.to_x5c()}));
        let entries: Vec<_> = self.entries.iter().map(Entry::to_wire).collect();
        let payload = object(json!({
            "sub": self.name, "seq": self.sequence, "iat": self.issued_at, "exp": self.expires_at, "ttl": self.ttl,
            "entries": entries,
        }));
        let signed = jws::sign_object(&header, &payload, signer)?;
        if signed.len() > LONGEST {
            return Err(TrustListIssueError::TooLong { got: signed.len() });
        }
        Ok(signed)
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
