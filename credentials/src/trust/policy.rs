//! Whom to believe.

use super::{CertificateChain, ChainCache, ChainError, PublishedIssuers, Trust, TrustAnchors, Usage, VerifiedChain};
use crate::algorithm::SignatureAlgorithms;
use crate::jws::HeaderCache;
use schemas::Timestamp;

/// Whom to believe: the anchors, whether strangers are let through as such, and the cache of chains seen before.
#[derive(Debug, Clone, Copy)]
pub struct ChainPolicy<'a> {
    anchors: &'a TrustAnchors,
    strangers: bool,
    cache: Option<&'a ChainCache>,
    algorithms: SignatureAlgorithms,
    published: Option<&'a PublishedIssuers>,
    ended_lists: bool,
}

impl<'a> ChainPolicy<'a> {
    /// Only chains that end at one of `anchors`.
    pub const fn known_only(anchors: &'a TrustAnchors) -> Self {
        Self::of(anchors, false)
    }

    /// Also chains in order that end at nobody known; the result says [`Trust::NotKnown`]. For wallets, which ask the person.
    pub const fn unknown_allowed(anchors: &'a TrustAnchors) -> Self {
        Self::of(anchors, true)
    }

    const fn of(anchors: &'a TrustAnchors, strangers: bool) -> Self {
        let algorithms = SignatureAlgorithms::ES256;
        Self { anchors, strangers, cache: None, algorithms, published: None, ended_lists: false }
    }

    /// The same, and anchors that only a trust list vouches for whose time is over: [`VerifiedChain::list_end`] tells. For a
    /// caller that decides what follows; without it such an anchor is not believed.
    #[must_use]
    pub const fn with_ended_lists(self) -> Self {
        Self { ended_lists: true, ..self }
    }

    /// The same, remembering chains in `cache`.
    #[must_use]
    pub const fn with_cache(self, cache: &'a ChainCache) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The same for leaves whose keys are for these algorithms, where it is ES256 otherwise.
    #[must_use]
    pub const fn with_algorithms(self, algorithms: SignatureAlgorithms) -> Self {
        Self { algorithms, ..self }
    }

    /// The same, and for SD-JWT VCs of the issuers in `published` the keys that they publish, and no certificates.
    ///
    /// # Source
    /// SD-JWT VC §2.5, §7.3: which of the two it is follows from who the issuer is, never from what the credential brings.
    #[must_use]
    pub const fn with_published(self, published: &'a PublishedIssuers) -> Self {
        Self { published: Some(published), ..self }
    }

    /// The issuers whose published keys are taken.
    pub(crate) const fn published(&self) -> Option<&'a PublishedIssuers> {
        self.published
    }

    /// Headers of tokens that were verified, where there is a cache.
    pub(crate) fn headers(&self) -> Option<&'a HeaderCache> {
        self.cache.map(ChainCache::headers)
    }

    /// The algorithms that the leaf's key, and what it signs, may be of.
    pub const fn algorithms(&self) -> SignatureAlgorithms {
        self.algorithms
    }

    /// Verifies `chain` as this policy says.
    ///
    /// # Errors
    /// As [`CertificateChain::verify`].
    pub fn verify(&self, chain: &CertificateChain, usage: Usage, now: Timestamp) -> Result<VerifiedChain, ChainError> {
        let verified = match self.cache {
            Some(cache) => cache.verify(chain, self.anchors, self.algorithms, usage, now)?,
            None => chain.check(self.anchors, self.algorithms, usage, now)?,
        };
        let ended = verified.list_end().filter(|end| now >= *end && !self.ended_lists);
        let verified = match ended {
            Some(_) if self.strangers => verified.of_a_stranger(),
            Some(ended) => return Err(ChainError::ListEnded { ended }),
            None => verified,
        };
        if verified.trust() == Trust::Known || self.strangers { Ok(verified) } else { Err(ChainError::UnknownIssuer) }
    }

    /// Verifies `chain` for either of two usages: ours, or the one of another profile that means the same.
    ///
    /// # Errors
    /// As [`ChainPolicy::verify`].
    pub fn verify_either(
        &self,
        chain: &CertificateChain,
        usages: [Usage; 2],
        now: Timestamp,
    ) -> Result<VerifiedChain, ChainError> {
        let [ours, theirs] = usages;
        match self.verify(chain, ours, now) {
            Err(ChainError::WrongUsage) => self.verify(chain, theirs, now),
            verified => verified,
        }
    }
}
