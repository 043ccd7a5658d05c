//! AES-256-GCM that commits to its key: one derived key for each write, and a commitment checked before decryption.
//!
//! Layout: `salt[32] commitment[32] ciphertext tag[16]`.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key};
use hkdf::Hkdf;
use rand_core::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(super) const KEY_LABEL: &[u8] = b"amparo/v1/guarded/key";
pub(super) const DATA_LABEL: &[u8] = b"amparo/v1/guarded/data";

/// Seals `plaintext`; `None` only when the cipher refuses its length.
///
/// # Source
/// Derived key, commitment and nonce per write: `security.md` §1.3, after Bellare and Hoang's UtC transform.
pub(super) fn seal<R: CryptoRng + ?Sized>(
    key: &[u8; 32],
    label: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut R,
) -> Option<Vec<u8>> {
    let mut salt = [0u8; 32];
    rng.fill_bytes(&mut salt);
    let derived = derive(key, &salt, label)?;
    let (cipher, commitment, nonce) = derived.parts()?;
    let ciphertext = cipher.encrypt(&nonce.into(), Payload { msg: plaintext, aad }).ok()?;
    let mut sealed = Vec::with_capacity(64 + ciphertext.len());
    sealed.extend_from_slice(&salt);
    sealed.extend_from_slice(commitment);
    sealed.extend_from_slice(&ciphertext);
    Some(sealed)
}

/// Opens what [`seal`] made; `None` for any other bytes, key, label or associated data.
pub(super) fn open(key: &[u8; 32], label: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (salt, rest) = sealed.split_first_chunk::<32>()?;
    let (stored, ciphertext) = rest.split_first_chunk::<32>()?;
    let derived = derive(key, salt, label)?;
    let (cipher, commitment, nonce) = derived.parts()?;
    if !bool::from(commitment.ct_eq(stored)) {
        return None;
    }
    cipher.decrypt(&nonce.into(), Payload { msg: ciphertext, aad }).ok().map(Zeroizing::new)
}

struct Derived(Zeroizing<[u8; 76]>);

impl Derived {
    fn parts(&self) -> Option<(Aes256Gcm, &[u8; 32], [u8; 12])> {
        let (key, rest) = self.0.split_first_chunk::<32>()?;
        let (commitment, nonce) = rest.split_first_chunk::<32>()?;
        Some((Aes256Gcm::new(&Key::<Aes256Gcm>::from(*key)), commitment, nonce.try_into().ok()?))
    }
}

fn derive(key: &[u8; 32], salt: &[u8; 32], label: &[u8]) -> Option<Derived> {
    let mut okm = Zeroizing::new([0u8; 76]);
    Hkdf::<Sha256>::new(Some(salt), key).expand(label, okm.as_mut_slice()).ok()?;
    Some(Derived(okm))
}
