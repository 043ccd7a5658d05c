//! Chains that were verified before, so that a busy verifier does not verify the same one thousands of times.

use super::{CertificateChain, ChainError, TrustAnchors, Usage, VerifiedChain};
use crate::algorithm::SignatureAlgorithms;
use schemas::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// Verified chains by the SHA-256 of anchors with their limits, algorithms, usage and certificates. Times are checked again at every use.
///
/// Holds at most 256; when full it forgets all and starts again. Refusals are not remembered.
#[derive(Default)]
pub struct ChainCache {
    chains: Mutex<BTreeMap<[u8; 32], VerifiedChain>>,
}

const MOST: usize = 256;

impl ChainCache {
    /// An empty cache.
    pub const fn new() -> Self {
        Self { chains: Mutex::new(BTreeMap::new()) }
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
        let key = Self::key(chain, anchors, algorithms, usage);
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

    fn key(
        chain: &CertificateChain,
        anchors: &TrustAnchors,
        algorithms: SignatureAlgorithms,
        usage: Usage,
    ) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(anchors.fingerprint());
        hash.update([algorithms.bits()]);
        hash.update(usage.der());
        for der in chain.iter() {
            hash.update(der.len().to_be_bytes());
            hash.update(der);
        }
        hash.finalize().into()
    }
}

impl fmt::Debug for ChainCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChainCache").finish_non_exhaustive()
    }
}
