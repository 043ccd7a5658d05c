//! What the provider says of wallets and keys: the same of all of them, but for the keys.

use crate::config::Config;
use credentials::key::{KeyError, PublicKey};
use credentials::key_attestation::{self, MAX_KEYS};
use credentials::proof::{self, ProofError};
use credentials::signer::{SignError, SoftwareKey};
use credentials::trust::CertificateChain;
use credentials::wallet_attestation;
use schemas::wallet_provider::MAX_WALLET_KEYS;
use schemas::{Seconds, Timestamp};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::fmt;
use subtle::ConstantTimeEq;

/// A provider, ready to attest.
pub struct Attester {
    config: Config,
    key: SoftwareKey,
    chain: CertificateChain,
    /// The SHA-256 of the code that its wallets share.
    code: [u8; 32],
}

/// Why nothing is attested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestError {
    /// The code is missing or wrong.
    #[error("the code is not that of this provider's wallets")]
    Code,
    /// No key, too many, or one twice.
    #[error("give 1 to {most} keys, each once")]
    Count {
        /// How many are taken.
        most: usize,
    },
    /// A key is not one that is attested.
    #[error("a key: {0}")]
    Key(#[from] KeyError),
    /// A proof of possession does not hold.
    #[error("a proof of possession: {0}")]
    Proof(#[from] ProofError),
    /// The nonce is none.
    #[error("the nonce has 1 to 1024 characters")]
    Nonce,
    /// The provider's own key is out of reach.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// From when to when: midnights, so that all wallets of a day say the same.
struct Span {
    from: Timestamp,
    until: Timestamp,
}

impl Attester {
    /// A provider with this key and these certificates.
    pub fn new(config: Config, key: SoftwareKey, chain: CertificateChain, code: &str) -> Self {
        Self { config, key, chain, code: Sha256::digest(code.trim()).into() }
    }

    /// What it says of itself.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Lets in whoever has the code.
    ///
    /// # Errors
    /// [`AttestError::Code`].
    pub fn admit(&self, code: Option<&str>) -> Result<(), AttestError> {
        let shown: [u8; 32] = Sha256::digest(code.unwrap_or_default()).into();
        if code.is_some() && bool::from(shown.ct_eq(&self.code)) { Ok(()) } else { Err(AttestError::Code) }
    }

    /// A wallet attestation for each key: nothing but the key tells one from another, nor from those of other wallets.
    ///
    /// # Errors
    /// [`AttestError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix E, §15.4.4; HAIP 1.0 §4.4.1: one for each issuer, no identifier of an instance.
    pub fn wallets(&self, keys: &[Map<String, Value>], now: Timestamp) -> Result<Vec<String>, AttestError> {
        let keys = keys.iter().map(PublicKey::from_jwk).collect::<Result<Vec<_>, _>>()?;
        distinct(&keys, MAX_WALLET_KEYS)?;
        let Span { from, until } = self.span(now);
        let draft = wallet_attestation::Draft {
            provider: self.config.url.as_str(),
            client_id: &self.config.client_id,
            wallet_name: &self.config.wallet_name,
            wallet_link: self.config.wallet_link.as_deref(),
            issued_at: from,
            expires_at: until,
            status: None,
        };
        Ok(keys.iter().map(|key| draft.sign(key, &self.chain, &self.key)).collect::<Result<_, _>>()?)
    }

    /// One attestation of all keys that are proven, for the nonce of an issuer.
    ///
    /// # Errors
    /// [`AttestError`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 Appendix D: "it MUST verify the authenticity of its claims about the keys": that whoever asks has them, and
    /// no more is claimed than the operator stands for.
    pub fn keys(&self, proofs: &[String], nonce: &str, now: Timestamp) -> Result<String, AttestError> {
        if !(1..=MAX_NONCE).contains(&nonce.len()) {
            return Err(AttestError::Nonce);
        }
        if proofs.len() > MAX_KEYS {
            return Err(AttestError::Count { most: MAX_KEYS });
        }
        let own = self.config.url.as_str();
        let keys = proofs
            .iter()
            .map(|text| proof::verify(text, own, |shown| shown == nonce, now))
            .collect::<Result<Vec<_>, _>>()?;
        distinct(&keys, MAX_KEYS)?;
        let Span { from, until } = self.span(now);
        let draft = key_attestation::Draft {
            attester: own,
            issued_at: from,
            expires_at: until,
            nonce,
            key_storage: &self.config.key_storage,
            user_authentication: &self.config.user_authentication,
            status: None,
        };
        Ok(draft.sign(&keys, &self.chain, &self.key)?)
    }

    fn span(&self, now: Timestamp) -> Span {
        let from = now.floor_to(Seconds::DAY);
        Span { from, until: from.plus(self.config.lifetime) }
    }
}

fn distinct(keys: &[PublicKey], most: usize) -> Result<(), AttestError> {
    let mut seen = HashSet::new();
    let fits = (1..=most).contains(&keys.len()) && keys.iter().all(|key| seen.insert(key));
    if fits { Ok(()) } else { Err(AttestError::Count { most }) }
}

const MAX_NONCE: usize = 1_024;

impl fmt::Debug for Attester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { config, key: _, chain: _, code: _ } = self;
        f.debug_struct("Attester").field("url", &config.url.as_str()).finish_non_exhaustive()
    }
}
