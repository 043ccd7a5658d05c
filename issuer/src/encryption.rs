//! Encryption of credential requests and answers beside TLS, pure: the issuer's key, and what the metadata says of it.

use crate::keys::{Keys, Purpose};
use credentials::b64;
use credentials::jwe::{self, ContentEncryption, DecryptionKey};
use credentials::key::KeyError;
use schemas::openid4vci::{RequestEncryption, ResponseEncryption};
use schemas::openid4vp::JwkSet;
use std::fmt;
use zeroize::Zeroizing;

/// The key that requests are encrypted to.
///
/// Derived from the key that is in no database, and so the same after a restart and in every process on the same data: a
/// wallet that waits for a decision asks with the key that it was given on the first day (decision 0050).
pub struct RequestKey {
    key: DecryptionKey,
    kid: String,
}

impl RequestKey {
    /// Derives it.
    ///
    /// # Errors
    /// [`KeyError`] if no scalar comes of it, which happens once in 2^64.
    pub fn derive(keys: &dyn Keys) -> Result<Self, KeyError> {
        let scalar = |attempt: u8| {
            let scalar = Zeroizing::new(*keys.fingerprint(Purpose::RequestKey, &[&[attempt]]).as_bytes());
            DecryptionKey::from_scalar(&scalar)
        };
        // One in 2^32 is no scalar of P-256.
        let key = scalar(0).or_else(|_| scalar(1))?;
        let kid = b64::encode(&key.public_key().thumbprint());
        Ok(Self { key, kid })
    }

    /// Its name: the thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key.
    pub const fn key(&self) -> &DecryptionKey {
        &self.key
    }

    /// How requests are encrypted.
    ///
    /// # Source
    /// OpenID4VCI 1.0 §12.2.4 `credential_request_encryption`.
    pub fn requests(&self, required: bool) -> RequestEncryption {
        RequestEncryption {
            jwks: JwkSet { keys: vec![self.key.to_public_jwk(&self.kid)] },
            enc_values_supported: encryptions(),
            encryption_required: required,
        }
    }
}

/// How answers can be encrypted.
///
/// # Source
/// OpenID4VCI 1.0 §12.2.4 `credential_response_encryption`.
pub fn answers(required: bool) -> ResponseEncryption {
    ResponseEncryption {
        alg_values_supported: vec![jwe::ALG.to_owned()],
        enc_values_supported: encryptions(),
        encryption_required: required,
    }
}

fn encryptions() -> Vec<String> {
    ContentEncryption::ALL.map(|encryption| encryption.name().to_owned()).to_vec()
}

impl fmt::Debug for RequestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, kid } = self;
        f.debug_struct("RequestKey").field("kid", kid).finish_non_exhaustive()
    }
}
