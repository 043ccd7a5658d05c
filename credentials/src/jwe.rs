//! Compact JWE for encrypted answers: ECDH-ES on P-256 with AES-GCM, and nothing else.

mod decrypt;
mod encrypt;
mod recipient;
mod sealing;

#[cfg(test)]
mod tests;

pub use decrypt::{DecryptionKey, JweError, JweIn};
pub use encrypt::{EncryptError, encrypt};
pub use recipient::{NoRecipient, Recipient};

/// The only key management algorithm: the agreed key encrypts directly.
///
/// # Source
/// RFC 7518 §4.6 "Key Agreement with Elliptic Curve Diffie-Hellman Ephemeral Static".
pub const ALG: &str = "ECDH-ES";

/// How many characters a JWE may have, ours or another's, where nothing else is said.
pub const MAX_LENGTH: usize = 256 * 1024;

/// How many characters an encrypted credential response may have: thirty copies with the largest portrait are about 900 kB
/// before they are encrypted, and no more than this is read of any answer of an issuer.
pub const MAX_BATCH: usize = 4 * 1024 * 1024;

/// How many bytes a header, once decoded, may have.
const MAX_HEADER: usize = 8 * 1024;

/// How the content is encrypted.
///
/// # Source
/// RFC 7518 §5.3 "Content Encryption with AES GCM"; both are asked for by HAIP 1.0 §5.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentEncryption {
    /// AES-128-GCM.
    A128Gcm,
    /// AES-256-GCM.
    A256Gcm,
}

impl ContentEncryption {
    /// Both, the stronger first.
    pub const ALL: [Self; 2] = [Self::A256Gcm, Self::A128Gcm];

    /// The value of `enc`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A128Gcm => "A128GCM",
            Self::A256Gcm => "A256GCM",
        }
    }

    /// The one with that value of `enc`, compared exactly.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| encryption.name() == name)
    }

    /// The strongest of those named that we have.
    pub fn strongest(names: &[String]) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| names.iter().any(|name| name == encryption.name()))
    }

    const fn key_length(self) -> usize {
        match self {
            Self::A128Gcm => 16,
            Self::A256Gcm => 32,
        }
    }
}
