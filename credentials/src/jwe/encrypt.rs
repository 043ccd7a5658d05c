//! Encryption to a recipient, under a key of its own for every message.

use super::sealing::{ContentKey, IV, TAG, key, point};
use super::{ALG, ContentEncryption, MAX_LENGTH};
use crate::b64;
use crate::key::PublicKey;
use p256::SecretKey;
use p256::elliptic_curve::Generate as _;
use rand_core::CryptoRng;
use serde_json::{Map, Value};

/// Why something could not be encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncryptError {
    /// No recipient would take it.
    #[error("message would be too long for its recipient once encrypted")]
    TooLong,
    /// The backend refused, which it has no reason to.
    #[error("message could not be encrypted")]
    Backend,
}

/// Encrypts `plaintext` to `recipient` as a compact JWE.
///
/// `kid` must be that of the recipient's JWK, if it has one. `apu` and `apv` are bound into the key and the tag; empty
/// ones are left out of the header. The sender is not authenticated: whatever proves that stands in the plaintext.
///
/// # Errors
/// [`EncryptError`].
///
/// # Source
/// RFC 7516 §5.1, RFC 7518 §4.6 and §5.3; OpenID4VP 1.0 §8.3 "Encrypted Responses".
pub fn encrypt<R: CryptoRng + ?Sized>(
    plaintext: &[u8],
    recipient: &PublicKey,
    kid: Option<&str>,
    encryption: ContentEncryption,
    apu: &[u8],
    apv: &[u8],
    rng: &mut R,
) -> Result<String, EncryptError> {
    let parties = Parties { apu, apv };
    encrypt_at_most(plaintext, recipient, kid, encryption, parties, MAX_LENGTH, rng)
}

/// What both sides call themselves; bound into the key.
#[derive(Clone, Copy, Default)]
pub(super) struct Parties<'p> {
    pub(super) apu: &'p [u8],
    pub(super) apv: &'p [u8],
}

/// As [`encrypt`], for a recipient that reads up to `most` characters.
pub(super) fn encrypt_at_most<R: CryptoRng + ?Sized>(
    plaintext: &[u8],
    recipient: &PublicKey,
    kid: Option<&str>,
    encryption: ContentEncryption,
    Parties { apu, apv }: Parties<'_>,
    most: usize,
    rng: &mut R,
) -> Result<String, EncryptError> {
    if plaintext.len() > most {
        return Err(EncryptError::TooLong);
    }
    let ephemeral = SecretKey::generate_from_rng(rng);
    let epk = key(&ephemeral.public_key()).ok_or(EncryptError::Backend)?;
    let header = header(&epk, kid, encryption, apu, apv)?;
    let recipient = point(recipient).ok_or(EncryptError::Backend)?;
    let content_key = ContentKey::agree(&ephemeral, &recipient, encryption, apu, apv);
    let mut iv = [0; IV];
    rng.fill_bytes(&mut iv);
    let sealed = content_key.seal(&iv, header.as_bytes(), plaintext).ok_or(EncryptError::Backend)?;
    let (ciphertext, tag) = sealed.split_at_checked(plaintext.len()).ok_or(EncryptError::Backend)?;
    debug_assert_eq!(tag.len(), TAG, "AES-GCM appends its tag");
    let jwe = [header, String::new(), b64::encode(&iv), b64::encode(ciphertext), b64::encode(tag)].join(".");
    if jwe.len() > most { Err(EncryptError::TooLong) } else { Ok(jwe) }
}

/// The protected header, encoded: it is what the tag is computed over.
fn header(
    epk: &PublicKey,
    kid: Option<&str>,
    encryption: ContentEncryption,
    apu: &[u8],
    apv: &[u8],
) -> Result<String, EncryptError> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), Value::from(ALG));
    header.insert("enc".to_owned(), Value::from(encryption.name()));
    if let Some(kid) = kid {
        header.insert("kid".to_owned(), Value::from(kid));
    }
    header.insert("epk".to_owned(), Value::Object(epk.to_jwk()));
    for (name, info) in [("apu", apu), ("apv", apv)] {
        if !info.is_empty() {
            header.insert(name.to_owned(), Value::from(b64::encode(info)));
        }
    }
    let text = serde_json::to_vec(&header).map_err(|_| EncryptError::Backend)?;
    if text.len() > super::MAX_HEADER { Err(EncryptError::TooLong) } else { Ok(b64::encode(&text)) }
}
