//! Reading a trust list: what is checked before one anchor of it is believed.

use super::entry::EntryIn;
use super::{Entry, LONGEST, MAX_LIFETIME, MOST, TYP, TrustListError};
use crate::escape::escaped;
use crate::json::Limits;
use crate::jws::JwsIn;
use crate::status_list::TTL;
use crate::trust::{ChainError, TrustAnchors, Usage};
use schemas::{Seconds, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;

const LIMITS: Limits = Limits { bytes: LONGEST, ..Limits::TOKEN };

/// The longest name of a list.
const LONGEST_NAME: usize = 2048;

/// The highest number that JSON says exactly everywhere.
const HIGHEST: u64 = (1 << 53) - 1;

/// How far the signer's clock may be ahead of ours.
const SKEW: Seconds = Seconds::MINUTE;

/// A list that was taken before, by what must be remembered of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Its number.
    pub sequence: u64,
    /// The SHA-256 of what it said.
    pub sha256: [u8; 32],
}

/// A trust list that was signed by the authority pinned for it. It may have ended: then it still says what is withdrawn.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifiedTrustList {
    known: Known,
    signer: String,
    issued_at: Timestamp,
    ends_at: Timestamp,
    ttl: Seconds,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    seq: u64,
    iat: Timestamp,
    exp: Timestamp,
    ttl: Option<u64>,
    entries: Vec<EntryIn>,
}

/// Verifies a trust list: signed, under a usage for exactly this, by the authority whose anchors are `signers`; and, where
/// one was taken before, the same list and no older one. Reads the entries last.
///
/// `signers` are believed for this and for nothing else. That a list has ended is no error: [`TrustAnchors::add_listed`]
/// takes it with its end.
///
/// # Errors
/// [`TrustListError`]; then the list at hand stays.
///
/// # Source
/// `docs/decisions/0095`; the rules for status lists, Token Status List §8.3.
pub fn verify(
    text: &str,
    signers: &TrustAnchors,
    known: Option<&Known>,
    now: Timestamp,
) -> Result<VerifiedTrustList, TrustListError> {
    let jws = JwsIn::parse(text, &LIMITS).map_err(TrustListError::Jws)?;
    jws.expect_type(TYP).map_err(|_| TrustListError::WrongType)?;
    jws.expect_no_jwk().map_err(TrustListError::Jws)?;
    let chain = jws.header().x5c.as_ref().ok_or(TrustListError::NoChain)?;
    let signer = chain.verify(signers, Usage::TrustListSigning, now).map_err(|error| match error {
        ChainError::UnknownIssuer => TrustListError::OtherAuthority,
        error => TrustListError::Chain(error),
    })?;
    jws.verify(signer.leaf_key()).map_err(|_| TrustListError::Signature)?;

    let payload = jws.payload_object(&LIMITS).map_err(TrustListError::Jws)?;
    let claims: Claims = serde_json::from_value(Value::Object(payload)).map_err(|_| TrustListError::Claims)?;
    let Claims { sub: name, seq: sequence, iat: issued_at, exp, ttl, entries } = claims;
    if name.is_empty() || name.len() > LONGEST_NAME || sequence > HIGHEST {
        return Err(TrustListError::Claims);
    }
    if exp <= issued_at {
        return Err(TrustListError::EndsBeforeIssued);
    }
    let this = Known { name, sequence, sha256: Sha256::digest(jws.payload_bytes()).into() };
    if let Some(known) = known {
        this.follows(known)?;
    }
    if issued_at > now.plus(SKEW) {
        return Err(TrustListError::IssuedLater { issued_at });
    }
    let [shortest, assumed, longest] = TTL;
    Ok(VerifiedTrustList {
        known: this,
        signer: signer.subject().to_owned(),
        issued_at,
        ends_at: exp.min(issued_at.plus(MAX_LIFETIME)),
        ttl: ttl.map_or(assumed, |ttl| Seconds::new(ttl).clamp(shortest, longest)),
        entries: read(entries)?,
    })
}

fn read(entries: Vec<EntryIn>) -> Result<Vec<Entry>, TrustListError> {
    if entries.len() > MOST {
        return Err(TrustListError::TooMany { got: entries.len() });
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(entries.len());
    for (number, entry) in (1..).zip(entries) {
        let entry = Entry::read(entry).map_err(|source| TrustListError::Entry { number, source })?;
        if !seen.insert(entry.sha256()) {
            return Err(TrustListError::Twice { number });
        }
        read.push(entry);
    }
    Ok(read)
}

impl Known {
    /// Refuses whatever is not the same list, or a later one.
    fn follows(&self, known: &Self) -> Result<(), TrustListError> {
        if self.name != known.name {
            return Err(TrustListError::OtherList);
        }
        match self.sequence.cmp(&known.sequence) {
            std::cmp::Ordering::Less => Err(TrustListError::RolledBack { seen: known.sequence, got: self.sequence }),
            std::cmp::Ordering::Equal if self.sha256 != known.sha256 => {
                Err(TrustListError::Contradiction(self.sequence))
            }
            _ => Ok(()),
        }
    }
}

impl VerifiedTrustList {
    /// What must be remembered of it, so that no older one follows.
    pub const fn known(&self) -> &Known {
        &self.known
    }

    /// Its name, safe to show.
    pub fn name(&self) -> String {
        escaped(&self.known.name).into_owned()
    }

    /// Its number.
    pub const fn sequence(&self) -> u64 {
        self.known.sequence
    }

    /// The name of who signed it, safe to show.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// When it was issued.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it vouches for nobody: its `exp`, and at most [`MAX_LIFETIME`] after `iat`.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// When to look for a newer one, having fetched this one at `fetched_at`: its `ttl`, within [`TTL`]. After its end too: a
    /// newer one is looked for until it is there.
    pub fn refresh_at(&self, fetched_at: Timestamp) -> Timestamp {
        let [shortest, ..] = TTL;
        fetched_at.plus(self.ttl).min(self.ends_at.max(fetched_at.plus(shortest)))
    }

    /// The anchors.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl fmt::Debug for VerifiedTrustList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { known, signer, issued_at, ends_at, ttl: _, entries } = self;
        f.debug_struct("VerifiedTrustList")
            .field("name", &known.name)
            .field("sequence", &known.sequence)
            .field("signer", signer)
            .field("issued_at", issued_at)
            .field("ends_at", ends_at)
            .field("entries", &entries.len())
            .finish_non_exhaustive()
    }
}
