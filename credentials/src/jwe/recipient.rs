//! To which of another party's keys a message is encrypted, and how.

use super::encrypt::{Parties, encrypt_at_most};
use super::{ALG, ContentEncryption, EncryptError, MAX_LENGTH};
use crate::key::PublicKey;
use rand_core::CryptoRng;
use schemas::openid4vci::{AnswerEncryption, RequestEncryption};
use schemas::openid4vp::ClientMetadata;
use serde_json::{Map, Value};

/// How many keys are looked at.
const MAX_KEYS: usize = 16;
/// How many characters a key's name may have.
const MAX_KID: usize = 256;

/// Why there is nobody to encrypt to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoRecipient {
    /// No key of the set is usable.
    #[error("no encryption key for {ALG} on P-256 is offered")]
    Key,
    /// No content encryption that we have.
    #[error("neither A128GCM nor A256GCM is taken")]
    Encryption,
}

/// A key to encrypt to, chosen from those that its owner offers.
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
            Some(offered) => ContentEncryption::strongest(offered).ok_or(NoRecipient::Encryption)?,
        };
        let keys = metadata.jwks.iter().flat_map(|set| &set.keys).take(MAX_KEYS);
        let (key, jwk) = keys.filter_map(|jwk| Some((usable(jwk)?, jwk))).next().ok_or(NoRecipient::Key)?;
        let kid = jwk.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { key, kid, encryption })
    }

    /// The issuer that a credential request is encrypted to: its first usable key with a `kid`, and the strongest content
    /// encryption that both sides have.
    ///
    /// # Errors
    /// [`NoRecipient`].
    ///
    /// # Source
    /// OpenID4VCI 1.0 §10 (`alg` must be there), §12.2.4 (each key has a `kid`).
    pub fn of_issuer(offered: &RequestEncryption) -> Result<Self, NoRecipient> {
        let encryption = ContentEncryption::strongest(&offered.enc_values_supported).ok_or(NoRecipient::Encryption)?;
        let named = offered.jwks.keys.iter().take(MAX_KEYS).filter_map(|jwk| {
            let kid = jwk.get("kid")?.as_str()?;
            Some((usable(jwk)?, kid.to_owned()))
        });
        let (key, kid) = { named }.next().ok_or(NoRecipient::Key)?;
        Ok(Self { key, kid: Some(kid), encryption })
    }

    /// The wallet that a credential response is encrypted to, as it wishes.
    ///
    /// # Errors
    /// [`NoRecipient`]. Then nothing may be sent unencrypted in its stead.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §8.2 `credential_response_encryption`, §10.
    pub fn of_wallet(wish: &AnswerEncryption) -> Result<Self, NoRecipient> {
        let encryption = ContentEncryption::by_name(&wish.enc).ok_or(NoRecipient::Encryption)?;
        let key = usable(&wish.jwk).ok_or(NoRecipient::Key)?;
        let kid = match wish.jwk.get("kid") {
            None => None,
            Some(Value::String(kid)) if kid.len() <= MAX_KID => Some(kid.clone()),
            Some(_) => return Err(NoRecipient::Key),
        };
        Ok(Self { key, kid, encryption })
    }

    /// Encrypts to this key.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt<R: CryptoRng + ?Sized>(&self, plaintext: &[u8], rng: &mut R) -> Result<String, EncryptError> {
        self.encrypt_at_most(plaintext, MAX_LENGTH, rng)
    }

    /// Encrypts to this key, whose owner reads up to `most` characters.
    ///
    /// # Errors
    /// [`EncryptError`].
    pub fn encrypt_at_most<R: CryptoRng + ?Sized>(
        &self,
        plaintext: &[u8],
        most: usize,
        rng: &mut R,
    ) -> Result<String, EncryptError> {
        let Self { key, kid, encryption } = self;
        encrypt_at_most(plaintext, key, kid.as_deref(), *encryption, Parties::default(), most, rng)
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
