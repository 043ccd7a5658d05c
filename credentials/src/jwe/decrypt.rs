//! Decryption: the header is judged to its end before the first point is multiplied.

use super::sealing::{ContentKey, IV, TAG, key, point};
use super::{ALG, ContentEncryption, MAX_HEADER, MAX_LENGTH};
use crate::b64;
use crate::json::{self, JsonError, Limits};
use crate::key::{KeyError, PublicKey};
use p256::SecretKey;
use p256::elliptic_curve::Generate as _;
use rand_core::CryptoRng;
use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroizing;

/// What is refused by its mere presence: what must be understood, what inflates, and what names work or places.
const REFUSED: [&str; 7] = ["crit", "zip", "p2c", "p2s", "jku", "x5u", "b64"];

/// Why a JWE was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JweError {
    // Seen before any work on the curve.
    /// More characters than allowed.
    #[error("JWE of {got} characters, at most {most} are read")]
    TooLong {
        /// What came.
        got: usize,
        /// What is read.
        most: usize,
    },
    /// Not five base64url parts with dots between them: perhaps not encrypted at all.
    #[error("not a compact JWE")]
    NotCompact,
    /// The header is not strict JSON.
    #[error("header of the JWE is not strict JSON")]
    Json(#[from] JsonError),
    /// `alg` is not [`ALG`].
    #[error("key management algorithm of the JWE is not {ALG}")]
    Algorithm,
    /// `enc` is not one that is allowed here.
    #[error("content encryption of the JWE is not one that was offered")]
    Encryption,
    /// A header parameter that we never accept.
    #[error("header parameter {0} is not accepted")]
    Parameter(&'static str),
    /// A header parameter is missing or of the wrong kind.
    #[error("header parameter {0} is missing or malformed")]
    Malformed(&'static str),
    /// A part has an impossible length: with ECDH-ES there is no encrypted key, the vector has 12 bytes, the tag 16.
    #[error("encrypted key, initialization vector or tag has a wrong length")]
    Length,

    // Seen on the curve.
    /// The ephemeral key is not a point of P-256.
    #[error("ephemeral key is not a key of P-256")]
    EphemeralKey(#[source] KeyError),
    /// Anything else: another recipient, or something was changed. Which it was is not told.
    #[error("JWE does not open")]
    Decrypt,
}

/// A compact JWE as it came, its header checked, nothing decrypted.
#[derive(Debug)]
pub struct JweIn<'t> {
    protected: &'t str,
    encryption: ContentEncryption,
    kid: Option<String>,
    epk: Map<String, Value>,
    apu: Vec<u8>,
    apv: Vec<u8>,
    iv: [u8; IV],
    sealed: Vec<u8>,
}

impl<'t> JweIn<'t> {
    /// Takes a compact JWE apart and judges its header. No work here grows with anything but the length of the text.
    ///
    /// # Errors
    /// [`JweError`], its first group.
    ///
    /// # Source
    /// RFC 7516 §5.2 steps 1–10; RFC 7518 §4.6.1; RFC 8725 §3.1, §3.6.
    pub fn parse(text: &'t str) -> Result<Self, JweError> {
        Self::parse_at_most(text, MAX_LENGTH)
    }

    /// As [`JweIn::parse`], for a text of up to `most` characters.
    ///
    /// # Errors
    /// [`JweError`], its first group.
    pub fn parse_at_most(text: &'t str, most: usize) -> Result<Self, JweError> {
        if text.len() > most {
            return Err(JweError::TooLong { got: text.len(), most });
        }
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(JweError::NotCompact);
        let (protected, encrypted_key, iv, ciphertext, tag) = (next()?, next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(JweError::NotCompact);
        }
        let decode = |part| b64::decode(part).map_err(|_| JweError::NotCompact);
        let header = json::parse_object(&decode(protected)?, &Limits { bytes: MAX_HEADER, ..Limits::TOKEN })?;

        if header.get("alg").and_then(Value::as_str) != Some(ALG) {
            return Err(JweError::Algorithm);
        }
        if let Some(name) = REFUSED.into_iter().find(|name| header.contains_key(*name)) {
            return Err(JweError::Parameter(name));
        }
        let enc = header.get("enc").and_then(Value::as_str);
        let encryption = enc.and_then(ContentEncryption::by_name).ok_or(JweError::Encryption)?;
        let kid = text_parameter(&header, "kid")?.map(str::to_owned);
        let info = |name| match text_parameter(&header, name)? {
            Some(info) => b64::decode(info).map_err(|_| JweError::Malformed(name)),
            None => Ok(Vec::new()),
        };
        let (apu, apv) = (info("apu")?, info("apv")?);
        let epk = header.get("epk").and_then(Value::as_object).ok_or(JweError::Malformed("epk"))?.clone();

        let iv = decode(iv)?.try_into().map_err(|_| JweError::Length)?;
        let (mut sealed, tag) = (decode(ciphertext)?, decode(tag)?);
        if !encrypted_key.is_empty() || tag.len() != TAG {
            return Err(JweError::Length);
        }
        sealed.extend(tag);
        Ok(Self { protected, encryption, kid, epk, apu, apv, iv, sealed })
    }

    /// Which of the recipient's keys it is for, as the sender has it: only ever compared.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// How the content is encrypted.
    pub const fn encryption(&self) -> ContentEncryption {
        self.encryption
    }
}

fn text_parameter<'h>(header: &'h Map<String, Value>, name: &'static str) -> Result<Option<&'h str>, JweError> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JweError::Malformed(name)),
    }
}

/// A P-256 private key to decrypt with; one for each request, so that what it opened cannot be opened later.
pub struct DecryptionKey {
    secret: SecretKey,
    public: PublicKey,
}

impl DecryptionKey {
    /// Draws a new key from `rng`.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] when `rng` is broken.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Result<Self, KeyError> {
        Self::from_secret(SecretKey::generate_from_rng(rng))
    }

    /// From a big-endian scalar, as [`DecryptionKey::scalar`] gave it.
    ///
    /// # Errors
    /// [`KeyError::Scalar`] when it is zero or not below the order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        Self::from_secret(SecretKey::from_slice(scalar).map_err(|_| KeyError::Scalar)?)
    }

    fn from_secret(secret: SecretKey) -> Result<Self, KeyError> {
        let public = key(&secret.public_key()).ok_or(KeyError::Scalar)?;
        Ok(Self { secret, public })
    }

    /// The scalar, to be sealed until the answer comes.
    pub fn scalar(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes().into())
    }

    /// The public half.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The public half as a JWK for `client_metadata.jwks`, `credential_request_encryption.jwks` or
    /// `credential_response_encryption.jwk`.
    ///
    /// # Source
    /// OpenID4VP 1.0 §8.3: `alg` must be there; §5.1: each key of the set has a `kid`. OpenID4VCI 1.0 §10, §12.2.4: the same.
    pub fn to_public_jwk(&self, kid: &str) -> Map<String, Value> {
        let mut jwk = self.public.to_jwk();
        for (name, value) in [("kid", kid), ("use", "enc"), ("alg", ALG)] {
            jwk.insert(name.to_owned(), Value::from(value));
        }
        jwk
    }

    /// Opens a compact JWE whose content encryption is one of `allowed`.
    ///
    /// Says nothing about who sent it: anyone who has the public key can.
    ///
    /// # Errors
    /// [`JweError`].
    ///
    /// # Source
    /// RFC 7516 §5.2; RFC 7518 §4.6; that the point is on the curve: RFC 8725 §3.4.
    pub fn decrypt(&self, text: &str, allowed: &[ContentEncryption]) -> Result<Zeroizing<Vec<u8>>, JweError> {
        self.open(&JweIn::parse(text)?, allowed)
    }

    /// As [`DecryptionKey::decrypt`], for a JWE already parsed to find out whose `kid` it has.
    ///
    /// # Errors
    /// [`JweError`].
    pub fn open(&self, jwe: &JweIn<'_>, allowed: &[ContentEncryption]) -> Result<Zeroizing<Vec<u8>>, JweError> {
        if !allowed.contains(&jwe.encryption) {
            return Err(JweError::Encryption);
        }
        let epk = PublicKey::from_jwk(&jwe.epk).map_err(JweError::EphemeralKey)?;
        let epk = point(&epk).ok_or(JweError::EphemeralKey(KeyError::NotOnCurve))?;
        let content_key = ContentKey::agree(&self.secret, &epk, jwe.encryption, &jwe.apu, &jwe.apv);
        content_key.open(&jwe.iv, jwe.protected.as_bytes(), &jwe.sealed).ok_or(JweError::Decrypt)
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secret: _, public } = self;
        f.debug_struct("DecryptionKey").field("public", public).finish_non_exhaustive()
    }
}
