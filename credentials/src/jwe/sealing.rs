//! Key derivation and content encryption: Concat KDF and AES-GCM.

use super::ContentEncryption;
use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm, KeyInit};
use p256::ecdh::SharedSecret;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::{PublicKey, SecretKey};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The length of the initialization vector in bytes (RFC 7518 §5.3).
pub(super) const IV: usize = 12;
/// The length of the authentication tag in bytes (RFC 7518 §5.3).
pub(super) const TAG: usize = 16;

/// The key that content is encrypted with.
pub(super) struct ContentKey {
    encryption: ContentEncryption,
    bytes: Zeroizing<[u8; 32]>,
}

impl ContentKey {
    /// Agrees on a key: ECDH, then one round of the Concat KDF, which gives the 32 bytes that are the most we need.
    ///
    /// # Source
    /// RFC 7518 §4.6.2 "Key Derivation for ECDH Key Agreement"; NIST SP 800-56A rev. 2 §5.8.1.
    pub(super) fn agree(
        secret: &SecretKey,
        public: &PublicKey,
        encryption: ContentEncryption,
        apu: &[u8],
        apv: &[u8],
    ) -> Self {
        let shared: SharedSecret = secret.diffie_hellman(public);
        let mut hash = Sha256::new();
        hash.update(1_u32.to_be_bytes());
        hash.update(shared.raw_secret_bytes());
        // In Direct Key Agreement the AlgorithmID is the value of `enc`.
        for field in [encryption.name().as_bytes(), apu, apv] {
            hash.update(length(field).to_be_bytes());
            hash.update(field);
        }
        hash.update((encryption.key_length() as u32 * 8).to_be_bytes());
        let mut bytes = Zeroizing::new([0; 32]);
        let mut digest = hash.finalize();
        bytes.copy_from_slice(&digest);
        zeroize::Zeroize::zeroize(digest.as_mut_slice());
        Self { encryption, bytes }
    }

    /// The key itself.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.encryption.key_length()).unwrap_or(&[])
    }

    /// Ciphertext with the tag at its end.
    pub(super) fn seal(&self, iv: &[u8; IV], aad: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: plaintext, aad };
        match self.encryption {
            ContentEncryption::A128Gcm => {
                Aes128Gcm::new_from_slice(self.as_bytes()).ok()?.encrypt(&(*iv).into(), payload)
            }
            ContentEncryption::A256Gcm => {
                Aes256Gcm::new_from_slice(self.as_bytes()).ok()?.encrypt(&(*iv).into(), payload)
            }
        }
        .ok()
    }

    /// The plaintext, if ciphertext, tag and everything else are as they were.
    pub(super) fn open(&self, iv: &[u8; IV], aad: &[u8], ciphertext_and_tag: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let payload = Payload { msg: ciphertext_and_tag, aad };
        match self.encryption {
            ContentEncryption::A128Gcm => {
                Aes128Gcm::new_from_slice(self.as_bytes()).ok()?.decrypt(&(*iv).into(), payload)
            }
            ContentEncryption::A256Gcm => {
                Aes256Gcm::new_from_slice(self.as_bytes()).ok()?.decrypt(&(*iv).into(), payload)
            }
        }
        .ok()
        .map(Zeroizing::new)
    }
}

/// The length of a field; fields come from headers of a few KiB.
const fn length(field: &[u8]) -> u32 {
    field.len() as u32
}

/// Our key type as the one that can agree on keys. Never fails for a key that is on the curve.
pub(super) fn point(key: &crate::key::PublicKey) -> Option<PublicKey> {
    PublicKey::from_sec1_bytes(&key.to_sec1()).ok()
}

/// And back.
pub(super) fn key(point: &PublicKey) -> Option<crate::key::PublicKey> {
    crate::key::PublicKey::from_sec1(point.to_sec1_point(false).as_bytes()).ok()
}
