//! The port behind which private keys agree on secrets with another party's key.

use crate::key::PublicKey;
use crate::signer::{Signer as _, SoftwareKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use std::fmt;
use zeroize::Zeroizing;

/// What two parties share after ECDH: the x coordinate of a point. Never a key itself; keys are derived from it.
pub struct SharedSecret(Zeroizing<[u8; 32]>);

impl SharedSecret {
    /// From the x coordinate, big-endian.
    pub const fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("SharedSecret")
    }
}

/// Why a key could not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AgreeError {
    /// The holder of the key refused or failed: the software backend, or later a secure element, a token.
    #[error("the key could not agree on a secret")]
    Unavailable,
}

/// Someone who can do ECDH on P-256: a key in memory, or in hardware behind the same two calls.
pub trait KeyAgreement: Send + Sync {
    /// The public half.
    fn agreement_key(&self) -> &PublicKey;

    /// Agrees on a secret with the owner of `peer`, which is on the curve because it is a [`PublicKey`].
    ///
    /// # Errors
    /// [`AgreeError`] when the key is out of reach.
    ///
    /// # Source
    /// NIST SP 800-56A rev. 3 §5.7.1.2; BSI TR-03111 §4.3.1 as ISO/IEC 18013-5 §9.1.1.4 has it.
    fn agree(&self, peer: &PublicKey) -> Result<SharedSecret, AgreeError>;
}

impl KeyAgreement for SoftwareKey {
    fn agreement_key(&self) -> &PublicKey {
        self.public_key()
    }

    fn agree(&self, peer: &PublicKey) -> Result<SharedSecret, AgreeError> {
        let scalar = self.scalar().map_err(|_| AgreeError::Unavailable)?;
        let key = PrivateKey::from_private_key(&ECDH_P256, &scalar[..]).map_err(|_| AgreeError::Unavailable)?;
        let peer = UnparsedPublicKey::new(&ECDH_P256, peer.to_sec1());
        agree(&key, peer, AgreeError::Unavailable, |shared| {
            let mut bytes = Zeroizing::new([0; 32]);
            if shared.len() != bytes.len() {
                return Err(AgreeError::Unavailable);
            }
            bytes.copy_from_slice(shared);
            Ok(SharedSecret(bytes))
        })
    }
}
