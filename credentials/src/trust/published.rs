//! Issuers whose keys are those that they publish under their names: the other way to an issuer's key, for whoever asks for it.

use super::{AnchorLimits, VerifiedChain};
use crate::jws::Header;
use crate::key::{KeySet, SelectKeyError};
use schemas::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Issuers that a caller has chosen to know by the keys that they publish as JWT VC issuer metadata.
///
/// Nobody gets in by being fetched: the caller names each. For one that is in, only the published key counts, and certificates
/// beside it must be of that very key; for any other they are the only way. So no credential chooses how it is verified.
///
/// # Source
/// SD-JWT VC §2.5, §4, §7.3, §8.3: pinned issuers, fetched beforehand.
#[derive(Debug, Clone, Default)]
pub struct PublishedIssuers {
    issuers: BTreeMap<String, Published>,
}

/// What one issuer publishes.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    issuer: String,
    keys: KeySet,
    limits: Option<Arc<AnchorLimits>>,
    until: Timestamp,
}

/// Why no published key is the credential's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PublishedKeyError {
    /// Certificates of another key in a credential whose issuer is known by its published keys.
    #[error("x5c of another key than the one that the issuer publishes")]
    Certificates,
    /// None of the keys is the one that is meant.
    #[error(transparent)]
    Select(#[from] SelectKeyError),
    /// The keys are too old to be relied on: fetch them again.
    #[error("the keys were to be fetched again by {until}")]
    Stale {
        /// Until when they were good.
        until: Timestamp,
    },
}

impl PublishedIssuers {
    /// Nobody.
    pub const fn new() -> Self {
        Self { issuers: BTreeMap::new() }
    }

    /// Takes `keys` for those of `issuer` (its `iss`, byte for byte) until `until`, in place of any before; it may issue what
    /// `limits` say, anything without them.
    pub fn insert(&mut self, issuer: &str, keys: KeySet, limits: Option<AnchorLimits>, until: Timestamp) {
        let published = Published { issuer: issuer.to_owned(), keys, limits: limits.map(Arc::new), until };
        self.issuers.insert(issuer.to_owned(), published);
    }

    /// No longer knows `issuer`.
    pub fn remove(&mut self, issuer: &str) {
        self.issuers.remove(issuer);
    }

    /// The issuers that are known so.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.issuers.keys().map(String::as_str)
    }

    /// What the issuer publishes whose name this payload bears, if it is one of these.
    pub(crate) fn of(&self, payload: &Map<String, Value>) -> Option<&Published> {
        self.issuers.get(payload.get("iss")?.as_str()?)
    }
}

impl Published {
    /// The issuer under the key that this header names.
    pub(crate) fn issuer(&self, header: &Header, now: Timestamp) -> Result<VerifiedChain, PublishedKeyError> {
        if now > self.until {
            return Err(PublishedKeyError::Stale { until: self.until });
        }
        let key = self.keys.select(header.kid.as_deref(), header.alg)?;
        if header.x5c.as_ref().is_some_and(|chain| !key.p256().is_some_and(|key| chain.leaf_is_of(key))) {
            return Err(PublishedKeyError::Certificates);
        }
        Ok(VerifiedChain::published(&self.issuer, key.clone(), self.limits.clone(), self.until))
    }
}
