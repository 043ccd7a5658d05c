//! The keys of a session: derived from what two parties share, and bound to what both have seen.

use super::SessionTranscript;
use crate::key_agreement::SharedSecret;
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// What a session key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The MAC that authenticates a document.
    DeviceMac,
    /// What the reader sends in a session in person.
    Reader,
    /// What the holder's device sends in a session in person.
    Device,
}

impl Purpose {
    const fn info(self) -> &'static [u8] {
        match self {
            Self::DeviceMac => b"EMacKey",
            Self::Reader => b"SKReader",
            Self::Device => b"SKDevice",
        }
    }
}

/// Derives a key of 32 bytes: HKDF with SHA-256, the session transcript as salt, the purpose as info.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.1.5 (session), §9.1.3.5 (MAC); RFC 5869.
pub(crate) fn derive(secret: &SharedSecret, transcript: &SessionTranscript, purpose: Purpose) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    let expanded =
        Hkdf::<Sha256>::new(Some(&transcript.salt()), secret.as_bytes()).expand(purpose.info(), &mut key[..]);
    // HKDF gives up to 255 times 32 bytes.
    debug_assert!(expanded.is_ok());
    key
}
