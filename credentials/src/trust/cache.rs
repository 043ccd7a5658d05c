//! Chains that were verified before, so that a busy verifier does not verify the same one thousands of times.

use super::{CertificateChain, ChainError, TrustAnchors, Usage, VerifiedChain};
use crate::algorithm::SignatureAlgorithms;
use crate::jws::HeaderCache;
use schemas::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// Verified chains by the SHA-256 of anchors with their limits, algorithms, usage and certificates. Times are checked again at every use.
/// The headers that they came in are kept beside them, read and not believed.
///
/// Holds at most 256; when full it forgets all and starts again. Refusals are not remembered.
#[derive(Default)]
pub struct ChainCache {
    chains: Mutex<BTreeMap<Key, VerifiedChain>>,
    headers: HeaderCache,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    anchors: [u8; 32],
    algorithms: u8,
    usage: Usage,
    chain: [u8; 32],
}

const MOST: usize = 256;

impl ChainCache {
    /// An empty cache.
    pub const fn new() -> Self {
        Self { chains: Mutex::new(BTreeMap::new()), headers: HeaderCache::new() }
    }

    /// Headers of tokens that were verified.
    pub(super) const fn headers(&self) -> &HeaderCache {
        &self.headers
    }

    /// As [`CertificateChain::check`], from memory where it can be.
    pub(super) fn verify(
        &self,
        chain: &CertificateChain,
        anchors: &TrustAnchors,
        algorithms: SignatureAlgorithms,
        usage: Usage,
        now: Timestamp,
    ) -> Result<VerifiedChain, ChainError> {
        let key = Key { anchors: *anchors.fingerprint(), algorithms: algorithms.bits(), usage, chain: chain.sha256() };
        if let Ok(chains) = self.chains.lock()
            && let Some(verified) = chains.get(&key)
            && verified.is_in_time(now)
        {
            return Ok(verified.clone());
        }
        let verified = chain.check(anchors, algorithms, usage, now)?;
        if let Ok(mut chains) = self.chains.lock() {
            if chains.len() >= MOST {
                chains.clear();
            }
            chains.insert(key, verified.clone());
        }
        Ok(verified)
    }
}

impl fmt::Debug for ChainCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainCache").finish_non_exhaustive()
    }
}
