//! To which of a verifier's keys an answer is encrypted, and how.

use super::{ALG, ContentEncryption, EncryptError, encrypt};
use crate::key::PublicKey;
use rand_core::CryptoRng;
use schemas::openid4vp::ClientMetadata;
use serde_json::{Map, Value};

/// How many keys are looked at.
const MAX_KEYS: usize = 16;

/// Why there is nobody to encrypt to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRecipient {
    /// No key of the set is usable.
    #[error("verifier offers no encryption key for {ALG} on P-256")]
    Key,
    /// No content encryption that we have.
    #[error("verifier takes neither A128GCM nor A256GCM")]
    Encryption,
}

/// A key to encrypt to, chosen from those that a verifier offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    key: PublicKey,
    kid: Option<String>,
    encryption: ContentEncryption,
}

impl Recipient {
    /// The first usable key, and the strongest content encryption that both sides have.
    ///
    /// # Errors
    /// [`NoRecipient`]. Then nothing may be sent unencrypted in its stead.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.3 "Encrypted Responses": `use` absent or `enc`, `alg` present and the one that we use;
    /// `A128GCM` when the verifier does not say.
    pub fn choose(metadata: &ClientMetadata) -> Result<Self, NoRecipient> {
        let encryption = match &metadata.encrypted_response_enc_values_supported {
            None => ContentEncryption::A128Gcm,
            Some(offered) => ContentEncryption::ALL
                .into_iter()
                .find(|encryption| offered.iter().any(|name| name == encryption.name()))
                .ok_or(NoRecipient::Encryption)?,
        };
        let keys = metadata.jwks.iter().flat_map(|set| &set.keys).take(MAX_KEYS);
        let (key, jwk) = keys.filter_map(|jwk| Some((usable(jwk)?, jwk))).next().ok_or(NoRecipient::Key)?;
        let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { key, kid, encryption })
    }

    /// Encrypts to this key.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt<R: CryptoRng + ?Sized>(&self, plaintext: &[u8], rng: &mut R) -> Result<String, EncryptError> {
        encrypt(plaintext, &self.key, self.kid.as_deref(), self.encryption, &[], &[], rng)
    }

    /// The key.
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// How the content will be encrypted.
    pub const fn encryption(&self) -> ContentEncryption {
        self.encryption
    }
}

fn usable(jwk: &Map<String, Value>) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("alg") != Some(ALG) || jwk.get("use").is_some_and(|intended| intended != "enc") {
        return None;
    }
    PublicKey::from_jwk(jwk).ok()
}
