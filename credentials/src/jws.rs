//! Compact JWS: the header that we accept, parsed once, and the signature over exactly what came.

use crate::algorithm::{SignatureAlgorithm, SignatureAlgorithms};
use crate::b64;
use crate::json::{self, JsonError, Known, Limits};
use crate::key::CheckSignature;
use crate::signer::{SignError, Signer};
use crate::trust::{CertificateChain, ChainError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

mod headers;

pub(crate) use headers::HeaderCache;

/// The parts of a protected header that we use. Others that need no understanding are ignored, as RFC 7515 §4 demands.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Header {
    /// The algorithm.
    pub alg: SignatureAlgorithm,
    /// The type, as it stands.
    pub typ: Option<String>,
    /// The key identifier: only ever compared, never fetched, opened or looked up by path.
    pub kid: Option<String>,
    /// The certificates, leaf first, not yet verified.
    pub x5c: Option<CertificateChain>,
    /// A key in the header: for proofs of possession only; tokens of an issuer or verifier that have one are refused.
    pub jwk: Option<Map<String, Value>>,
    /// A JWT in the header, not looked at: an attestation of who signs (OpenID4VP 1.0 §12).
    pub jwt: Option<String>,
    /// A key attestation, not looked at (OpenID4VCI 1.0 §F.1).
    pub key_attestation: Option<String>,
}

/// Why a JWS is not one that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwsError {
    /// More characters than allowed.
    #[error("token of {got} characters, at most {most} are read")]
    TooLong {
        /// The most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// Not three base64url parts with dots between them.
    #[error("not a compact JWS")]
    NotCompact,
    /// The header or payload is not strict JSON.
    #[error("{part} of the JWS: {cause}")]
    Json {
        /// `header` or `payload`.
        part: &'static str,
        /// What is wrong with it.
        cause: JsonError,
    },
    /// `alg` is missing, `none`, a MAC, or none of those that the caller accepts: ES256 unless it names more.
    #[error("the algorithm of the JWS is not one that is accepted")]
    Algorithm,
    /// A header parameter that we never accept.
    #[error("header parameter {0} is not accepted")]
    Parameter(&'static str),
    /// A header parameter of the wrong kind.
    #[error("header parameter {0} is malformed")]
    Malformed(&'static str),
    /// Another type of token.
    #[error("typ of the JWS is not {expected}")]
    Type {
        /// What was expected.
        expected: &'static str,
    },
    /// The certificates are malformed.
    #[error("x5c: {0}")]
    Chain(#[from] ChainError),
    /// The signature has another length than its algorithm's, or is not this key's.
    #[error("the signature does not verify")]
    Signature,
}

/// A compact JWS as it came: parsed, not verified.
#[derive(Clone)]
pub struct JwsIn<'t> {
    signing_input: &'t str,
    header: Arc<Header>,
    /// Whether the header was read before, of a token that was verified.
    is_remembered: bool,
    payload: Vec<u8>,
    /// As long as that of the algorithm; the rest is zero.
    signature: [u8; LONGEST_SIGNATURE],
    /// Of `signing_input`, once it was hashed.
    sha256: Option<[u8; 32]>,
}

const LONGEST_SIGNATURE: usize = SignatureAlgorithm::Es384.signature_length();

impl<'t> JwsIn<'t> {
    /// Takes a compact JWS apart and checks its header; ES256 only.
    ///
    /// # Errors
    /// [`JwsError`]: refused are `crit` in any form, `b64`, `jku`, `x5u`, `zip`, a private `jwk`, a `kid` that is not a
    /// short plain identifier, every algorithm but ES256, and a signature that is not 64 bytes long.
    ///
    /// # Source
    /// RFC 7515 §5.2, §4.1.11; RFC 8725 §3.1, §3.10.
    pub fn parse(text: &'t str, limits: &Limits) -> Result<Self, JwsError> {
        Self::parse_accepting(text, limits, SignatureAlgorithms::ES256)
    }

    /// As [`JwsIn::parse`], under one of `algorithms`.
    ///
    /// # Errors
    /// As [`JwsIn::parse`].
    pub fn parse_accepting(text: &'t str, limits: &Limits, algorithms: SignatureAlgorithms) -> Result<Self, JwsError> {
        Self::parse_remembering(text, limits, algorithms, None)
    }

    /// As [`JwsIn::parse_accepting`], with headers read before.
    pub(crate) fn parse_remembering(
        text: &'t str,
        limits: &Limits,
        algorithms: SignatureAlgorithms,
        headers: Option<&HeaderCache>,
    ) -> Result<Self, JwsError> {
        if text.len() > limits.bytes {
            return Err(JwsError::TooLong { most: limits.bytes, got: text.len() });
        }
        let parts = |text: &'t str, at: Option<usize>| Some((text.get(..at?)?, text.get(at? + 1..)?));
        let (signing_input, signature) =
            parts(text, memchr::memrchr(b'.', text.as_bytes())).ok_or(JwsError::NotCompact)?;
        let (header, payload) =
            parts(signing_input, memchr::memchr(b'.', signing_input.as_bytes())).ok_or(JwsError::NotCompact)?;
        if header.is_empty() || payload.is_empty() {
            return Err(JwsError::NotCompact);
        }
        let remembered = headers.and_then(|headers| headers.get(header, algorithms));
        let is_remembered = remembered.is_some();
        let header = match remembered {
            Some(header) => header,
            None => Arc::new(Header::parse(header, limits, algorithms)?),
        };
        let payload = b64::decode(payload).map_err(|_| JwsError::NotCompact)?;
        let mut bytes = [0; LONGEST_SIGNATURE];
        let length = b64::decode_into(signature, &mut bytes).map_err(|_| JwsError::NotCompact)?;
        if length != Some(header.alg.signature_length()) {
            return Err(JwsError::Signature);
        }
        Ok(Self { signing_input, header, is_remembered, payload, signature: bytes, sha256: None })
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Keeps the header of a token that was verified in `headers`.
    pub(crate) fn remember_header(&self, headers: &HeaderCache) {
        if !self.is_remembered
            && let Some((header, _)) = self.signing_input.split_once('.')
        {
            headers.insert(header, &self.header);
        }
    }

    /// The payload as it came, unverified.
    pub fn payload_bytes(&self) -> &[u8] {
        &self.payload
    }

    /// The payload as a strict JSON object, unverified.
    ///
    /// # Errors
    /// [`JwsError::Json`].
    pub fn payload_object(&self, limits: &Limits) -> Result<Map<String, Value>, JwsError> {
        json::parse_object(&self.payload, limits).map_err(|cause| JwsError::Json { part: "payload", cause })
    }

    /// The members of the payload that are named in `names`, unverified; the rest is read as strictly.
    pub(crate) fn payload_known(&self, limits: &Limits, names: &'static [&'static str]) -> Result<Known, JwsError> {
        json::parse_known(&self.payload, limits, names).map_err(|cause| JwsError::Json { part: "payload", cause })
    }

    /// Refuses another `typ`, compared byte for byte.
    ///
    /// # Errors
    /// [`JwsError::Type`].
    ///
    /// # Source
    /// RFC 8725 §3.11.
    pub fn expect_type(&self, expected: &'static str) -> Result<(), JwsError> {
        if self.header.typ.as_deref() == Some(expected) { Ok(()) } else { Err(JwsError::Type { expected }) }
    }

    /// Refuses a `jwk` in the header: the key of this kind of token comes from elsewhere.
    ///
    /// # Errors
    /// [`JwsError::Parameter`].
    pub fn expect_no_jwk(&self) -> Result<(), JwsError> {
        if self.header.jwk.is_some() { Err(JwsError::Parameter("jwk")) } else { Ok(()) }
    }

    /// Checks the signature. Says nothing about whose key it is, nor about type, times or audience.
    ///
    /// # Errors
    /// [`JwsError::Signature`]; also when the key is one for another algorithm than the header names.
    pub fn verify(&self, key: &impl CheckSignature) -> Result<(), JwsError> {
        let alg = self.header.alg;
        let signature = self.signature.get(..alg.signature_length()).unwrap_or_default();
        let is_signed = match (alg, &self.sha256) {
            (SignatureAlgorithm::Es256, Some(sha256)) => key.checks_sha256(sha256, signature),
            _ => key.checks(alg, self.signing_input.as_bytes(), signature),
        };
        if is_signed { Ok(()) } else { Err(JwsError::Signature) }
    }

    /// Hashes what is signed, for [`JwsIn::verify`] and for whoever must hash a text that begins with it: gives the state to go
    /// on with, and how many bytes went in.
    pub(crate) fn hash_signed(&mut self) -> (Sha256, usize) {
        let mut hash = Sha256::new();
        hash.update(self.signing_input);
        self.sha256 = Some(hash.clone().finalize().into());
        (hash, self.signing_input.len())
    }
}

impl fmt::Debug for JwsIn<'_> {
    /// The header only: the payload may hold claims.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { signing_input: _, header, is_remembered: _, payload: _, signature: _, sha256: _ } = self;
        f.debug_struct("JwsIn").field("header", header).finish_non_exhaustive()
    }
}

impl Header {
    fn parse(text: &str, limits: &Limits, algorithms: SignatureAlgorithms) -> Result<Self, JwsError> {
        let bytes = b64::decode(text).map_err(|_| JwsError::NotCompact)?;
        let members = json::parse_known(&bytes, limits, KNOWN);
        Self::read(members.map_err(|cause| JwsError::Json { part: "header", cause })?, algorithms)
    }

    fn read(mut members: Known, algorithms: SignatureAlgorithms) -> Result<Self, JwsError> {
        for name in REFUSED {
            if members.has(name) {
                return Err(JwsError::Parameter(name));
            }
        }
        let alg = members.take("alg");
        let alg = alg.as_ref().and_then(Value::as_str).and_then(|name| algorithms.by_name(name));
        let alg = alg.ok_or(JwsError::Algorithm)?;
        let kid = string(&mut members, "kid")?;
        if kid.as_deref().is_some_and(|kid| !is_plain_identifier(kid)) {
            return Err(JwsError::Malformed("kid"));
        }
        let x5c = match members.take("x5c") {
            None => None,
            Some(Value::Array(entries)) => Some(CertificateChain::from_values(&entries)?),
            Some(_) => return Err(JwsError::Malformed("x5c")),
        };
        let jwk = match members.take("jwk") {
            None => None,
            Some(Value::Object(jwk)) if jwk.contains_key("d") => return Err(JwsError::Malformed("jwk")),
            Some(Value::Object(jwk)) => Some(jwk),
            Some(_) => return Err(JwsError::Malformed("jwk")),
        };
        let (typ, jwt) = (string(&mut members, "typ")?, string(&mut members, "jwt")?);
        let key_attestation = string(&mut members, "key_attestation")?;
        Ok(Self { alg, typ, kid, x5c, jwk, jwt, key_attestation })
    }
}

/// What is refused by its mere presence: what fetches keys, changes how the signature is made, or must be understood.
const REFUSED: [&str; 7] = ["crit", "b64", "jku", "x5u", "zip", "enc", "p2c"];

/// What is looked at: the refused, and the parts of a [`Header`].
const KNOWN: &[&str] =
    &["alg", "typ", "x5c", "kid", "jwk", "jwt", "key_attestation", "crit", "b64", "jku", "x5u", "zip", "enc", "p2c"];

fn string(members: &mut Known, name: &'static str) -> Result<Option<String>, JwsError> {
    match members.take(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JwsError::Malformed(name)),
    }
}

/// At most 256 characters that mean nothing to a file system, a database, a shell or a fetcher. No `/`: so no URL, no path.
fn is_plain_identifier(text: &str) -> bool {
    (1..=256).contains(&text.len())
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:=#+@".contains(&b))
}

/// Signs `payload` under `header`, to which nothing is added.
///
/// # Errors
/// [`SignError`] when the key is out of reach.
///
/// # Source
/// RFC 7515 §5.1.
pub fn sign(header: &Map<String, Value>, payload: &[u8], signer: &dyn Signer) -> Result<String, SignError> {
    let header = serde_json::to_vec(header).map_err(|_| SignError::Unavailable)?;
    sign_bytes(&header, payload, signer)
}

/// As [`sign`], for a payload that is a JSON object.
///
/// # Errors
/// As [`sign`].
pub fn sign_object(
    header: &Map<String, Value>,
    payload: &Map<String, Value>,
    signer: &dyn Signer,
) -> Result<String, SignError> {
    let payload = serde_json::to_vec(payload).map_err(|_| SignError::Unavailable)?;
    sign(header, &payload, signer)
}

/// As [`sign`], for a header that is already JSON text.
pub(crate) fn sign_bytes(header: &[u8], payload: &[u8], signer: &dyn Signer) -> Result<String, SignError> {
    sign_encoded(&b64::encode(header), payload, signer, 0)
}

/// As [`sign`], for a header that is already base64url, with room for `more` characters after the token.
pub(crate) fn sign_encoded(
    header: &str,
    payload: &[u8],
    signer: &dyn Signer,
    more: usize,
) -> Result<String, SignError> {
    let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 96 + more);
    token.push_str(header);
    token.push('.');
    b64::encode_onto(payload, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    b64::encode_onto(signature.as_bytes(), &mut token);
    Ok(token)
}

#[cfg(test)]
mod tests;
