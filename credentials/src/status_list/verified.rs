//! A list that is believed, and what its token must say before it is: the same in either format.

use super::{StatusError, StatusList};
use crate::trust::VerifiedChain;
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use std::fmt;

/// How long a list may be relied on when its token does not say, counted from `iat`.
const DEFAULT_LIFETIME: Seconds = Seconds::DAY.times(2);

/// How long a list may be relied on at most, counted from `iat`, whatever its token says.
pub const MAX_LIFETIME: Seconds = Seconds::DAY.times(30);

/// The shortest, the assumed and the longest time until a fresh list is looked for.
///
/// # Source
/// Token Status List §11.5 "Expiration and Caching": "clients should be configured with lower/upper bounds".
pub const TTL: [Seconds; 3] = [Seconds::MINUTE, Seconds::HOUR.times(12), Seconds::DAY];

/// How far the signer's clock may be ahead of ours.
const SKEW: Seconds = Seconds::MINUTE;

/// What a token whose signature holds says of its list.
pub(super) struct Said {
    pub(super) uri: String,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) ttl: Option<Seconds>,
    pub(super) aggregation_uri: Option<String>,
}

impl Said {
    /// Checks it, and inflates the list when all else is in order.
    ///
    /// # Source
    /// Token Status List §8.3 steps 4 and 5.
    pub(super) fn accept(
        self,
        uri: &str,
        now: Timestamp,
        previous_iat: Option<Timestamp>,
        signer: VerifiedChain,
        list: impl FnOnce() -> Result<StatusList, StatusError>,
    ) -> Result<VerifiedStatusList, StatusError> {
        let Self { uri: sub, issued_at, expires_at, ttl, aggregation_uri } = self;
        if sub != uri {
            return Err(StatusError::WrongSubject);
        }
        let longest = issued_at.plus(MAX_LIFETIME);
        let own_end = expires_at.unwrap_or_else(|| issued_at.plus(DEFAULT_LIFETIME)).min(longest);
        // Nor longer than somebody vouches for who signed it.
        let ends_at = signer.list_end().map_or(own_end, |end| own_end.min(end));
        if now >= ends_at {
            return Err(StatusError::StatusUnknown { ended: ends_at });
        }
        if let Some(seen) = previous_iat.filter(|seen| issued_at < *seen) {
            return Err(StatusError::RolledBack { seen, got: issued_at });
        }
        if !signer.may_sign_status_of(uri) {
            return Err(StatusError::NotItsHost);
        }
        let [shortest, assumed, longest] = TTL;
        let ttl = ttl.map_or(assumed, |ttl| ttl.clamp(shortest, longest));
        let list = list()?;
        if issued_at > now.plus(SKEW) {
            return Err(StatusError::IssuedLater { issued_at });
        }
        Ok(VerifiedStatusList { uri: sub, list, issued_at, ends_at, ttl, signer, aggregation_uri })
    }
}

/// A list whose token was signed by someone trusted for status signing, for the URI it was asked for.
pub struct VerifiedStatusList {
    uri: String,
    list: StatusList,
    issued_at: Timestamp,
    ends_at: Timestamp,
    ttl: Seconds,
    signer: VerifiedChain,
    aggregation_uri: Option<String>,
}

impl VerifiedStatusList {
    /// The status of the credential that holds `reference`.
    ///
    /// # Errors
    /// [`StatusError::StatusUnknown`] when the list has ended, [`StatusError::OtherList`] when the reference names another,
    /// [`StatusError::IndexOutOfRange`]. None of them may be taken for *valid*.
    ///
    /// # Source
    /// Token Status List §8.3 steps 3–5.
    pub fn status(&self, reference: &StatusReference, now: Timestamp) -> Result<Status, StatusError> {
        if reference.uri != self.uri {
            return Err(StatusError::OtherList);
        }
        if now >= self.ends_at {
            return Err(StatusError::StatusUnknown { ended: self.ends_at });
        }
        self.list.get(reference.idx)
    }

    /// The URI the list is for.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// When it was issued; no older list may follow it.
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// From when on it may no longer be relied on: its `exp`, at most [`MAX_LIFETIME`] after `iat`, and no longer than a trust
    /// list holds that alone vouches for its signer.
    pub const fn ends_at(&self) -> Timestamp {
        self.ends_at
    }

    /// When to look for a fresh one, having fetched this one at `fetched_at`: its `ttl`, within [`TTL`].
    pub fn refresh_at(&self, fetched_at: Timestamp) -> Timestamp {
        fetched_at.plus(self.ttl).min(self.ends_at)
    }

    /// Where the signer says that its other lists are named. It is the signer's word and no more: what is found there is verified
    /// list by list.
    ///
    /// # Source
    /// Token Status List §9.2 "Status List Parameter".
    pub fn aggregation_uri(&self) -> Option<&str> {
        self.aggregation_uri.as_deref()
    }

    /// The list.
    pub const fn list(&self) -> &StatusList {
        &self.list
    }

    /// Who signed it.
    pub const fn signer(&self) -> &VerifiedChain {
        &self.signer
    }
}

impl fmt::Debug for VerifiedStatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uri, list, issued_at, ends_at, ttl, signer: _, aggregation_uri: _ } = self;
        f.debug_struct("VerifiedStatusList")
            .field("uri", uri)
            .field("list", list)
            .field("issued_at", issued_at)
            .field("ends_at", ends_at)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}
