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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signer::Signer as _;
    use crate::testing::{Authority, NOW};

    const USAGE: Usage = Usage::CredentialIssuing;

    #[test]
    fn attack_11_no_chain_is_answered_for_by_another() {
        let authority = Authority::new("Anchor");
        let (anchors, cache) = (authority.anchors(), ChainCache::new());
        let leaves = [authority.leaf(USAGE, &[], 1), authority.leaf(USAGE, &[], 2)];
        // The second time from memory.
        for _ in 0..2 {
            for (chain, key) in &leaves {
                let verified = cache.verify(chain, &anchors, SignatureAlgorithms::ES256, USAGE, NOW).unwrap();
                assert_eq!(verified.leaf_key(), key.public_key());
            }
            assert_eq!(cache.chains.lock().unwrap().len(), 2);
        }
    }

    #[test]
    fn the_cache_is_bounded_and_keeps_its_headers() {
        let authority = Authority::new("Anchor");
        let (anchors, cache) = (authority.anchors(), ChainCache::new());
        let [(first, _), (second, _)] = [authority.leaf(USAGE, &[], 1), authority.leaf(USAGE, &[], 2)];
        let verify = |chain| cache.verify(chain, &anchors, SignatureAlgorithms::ES256, USAGE, NOW).unwrap();
        let verified = verify(&first);
        let key = |n: u8| Key { anchors: [n; 32], algorithms: 1, usage: USAGE, chain: [0; 32] };
        cache.chains.lock().unwrap().extend((1..=255).map(|n| (key(n), verified.clone())));
        assert_eq!(cache.chains.lock().unwrap().len(), MOST);
        verify(&first);
        assert_eq!(cache.chains.lock().unwrap().len(), MOST);
        verify(&second);
        assert_eq!(cache.chains.lock().unwrap().len(), 1);
        assert!(std::ptr::eq(cache.headers(), cache.headers()));
    }
}
