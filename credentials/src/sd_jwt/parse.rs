//! An SD-JWT as it came, taken apart within limits.

use super::digests::Digests;
use super::disclosure::DisclosureIn;
use super::payload::Payload;
use super::process::{DisclosureError, Processed, process};
use crate::algorithm::{HashAlgorithm, SignatureAlgorithms, UnknownHash};
use crate::b64;
use crate::json::{JsonError, Limits};
use crate::jws::{HeaderCache, JwsError, JwsIn};
use serde_json::{Map, Value};
use sha2::Digest as _;
use std::fmt;

/// The most disclosures in one SD-JWT.
pub const MOST_DISCLOSURES: usize = 256;

/// Why a text is not an SD-JWT that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// More characters than are read.
    #[error("SD-JWT of {got} characters, at most {most} are read")]
    TooLong {
        /// The most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// More disclosures than are read.
    #[error("SD-JWT with {got} disclosures, at most {most} are read")]
    TooMany {
        /// The most that is read.
        most: usize,
        /// What came.
        got: usize,
    },
    /// No `~` after the issuer's part.
    #[error("not an SD-JWT: no ~ in it")]
    NoTilde,
    /// Nothing between two `~`.
    #[error("SD-JWT with an empty disclosure")]
    EmptyDisclosure,
    /// The issuer's part.
    #[error("issuer-signed JWT: {0}")]
    Jws(#[from] JwsError),
    /// A disclosure, or the payload, is not strict JSON.
    #[error("disclosure: {0}")]
    Json(#[from] JsonError),
    /// A disclosure that is not base64url of an array of salt, name and value, or salt and value.
    #[error("a disclosure is malformed")]
    Disclosure,
    /// A disclosure for a claim named `_sd`, `...` or `_sd_alg`.
    #[error("a disclosure has a reserved claim name")]
    ReservedName,
    /// `_sd_alg` names no hash that we accept.
    #[error(transparent)]
    Hash(#[from] UnknownHash),
}

/// An SD-JWT or SD-JWT+KB as it came: parsed, nothing verified.
#[derive(Clone)]
pub struct SdJwtIn<'t> {
    pub(super) text: &'t str,
    pub(super) jws: JwsIn<'t>,
    pub(super) payload: Payload,
    pub(super) hash: HashAlgorithm,
    pub(super) disclosures: Vec<DisclosureIn>,
    /// Those of the disclosures, in their order.
    pub(super) digests: Digests,
    pub(super) disclosure_texts: Vec<&'t str>,
    pub(super) key_binding: Option<&'t str>,
}

impl fmt::Debug for SdJwtIn<'_> {
    /// How many disclosures; no claim, no salt.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SdJwtIn").field("disclosures", &self.disclosures.len()).finish_non_exhaustive()
    }
}

impl<'t> SdJwtIn<'t> {
    /// Takes an SD-JWT apart: compact serialisation, ES256, at most 256 KiB, 256 disclosures, JSON 16 deep.
    ///
    /// # Errors
    /// [`ParseError`].
    ///
    /// # Source
    /// RFC 9901 §4, §7.1 steps 1, 2.5 and 3.1.
    pub fn parse(text: &'t str) -> Result<Self, ParseError> {
        Self::parse_accepting(text, SignatureAlgorithms::ES256)
    }

    /// As [`SdJwtIn::parse`], with an issuer's signature under one of `algorithms`.
    ///
    /// # Errors
    /// [`ParseError`].
    pub fn parse_accepting(text: &'t str, algorithms: SignatureAlgorithms) -> Result<Self, ParseError> {
        Self::parse_remembering(text, algorithms, None)
    }

    /// As [`SdJwtIn::parse_accepting`], with headers read before.
    pub(super) fn parse_remembering(
        text: &'t str,
        algorithms: SignatureAlgorithms,
        headers: Option<&HeaderCache>,
    ) -> Result<Self, ParseError> {
        if text.len() > Limits::TOKEN.bytes {
            return Err(ParseError::TooLong { most: Limits::TOKEN.bytes, got: text.len() });
        }
        let bytes = text.as_bytes();
        let jwt_ends = memchr::memchr(b'~', bytes).ok_or(ParseError::NoTilde)?;
        let (jwt, rest) = (text.get(..jwt_ends).unwrap_or_default(), text.get(jwt_ends + 1..).unwrap_or_default());
        let got = memchr::memchr_iter(b'~', rest.as_bytes()).count();
        if got > MOST_DISCLOSURES {
            return Err(ParseError::TooMany { most: MOST_DISCLOSURES, got });
        }
        let jws = JwsIn::parse_remembering(jwt, &Limits::TOKEN, algorithms, headers)?;
        let payload =
            Payload::parse(jws.payload_bytes(), got).map_err(|cause| JwsError::Json { part: "payload", cause })?;
        let hash = HashAlgorithm::named(payload.hash.as_ref())?;
        let mut disclosures = Vec::with_capacity(got);
        let mut disclosure_texts = Vec::with_capacity(got);
        let mut digests = Digests::with_room(got);
        let (mut scratch, mut start) = (Vec::with_capacity(256), 0);
        for end in memchr::memchr_iter(b'~', rest.as_bytes()) {
            let text = rest.get(start..end).unwrap_or_default();
            if text.is_empty() {
                return Err(ParseError::EmptyDisclosure);
            }
            digests.push_with(|digests| hash.digest_onto(text, digests));
            disclosures.push(DisclosureIn::parse(text, &mut scratch)?);
            disclosure_texts.push(text);
            start = end + 1;
        }
        let last = rest.get(start..).unwrap_or_default();
        let key_binding = (!last.is_empty()).then_some(last);
        Ok(Self { text, jws, payload, hash, disclosures, digests, disclosure_texts, key_binding })
    }

    /// The issuer-signed JWT.
    pub const fn jws(&self) -> &JwsIn<'t> {
        &self.jws
    }

    /// What the issuer signed, digests and all.
    pub fn payload(&self) -> Map<String, Value> {
        self.payload.to_map()
    }

    /// The text of the KB-JWT, when there is one.
    pub const fn key_binding(&self) -> Option<&'t str> {
        self.key_binding
    }

    /// The text without the KB-JWT: what `sd_hash` is taken over.
    ///
    /// # Source
    /// RFC 9901 §4.3.1.
    pub fn without_key_binding(&self) -> &'t str {
        let end = self.text.len() - self.key_binding.map_or(0, str::len);
        self.text.get(..end).unwrap_or(self.text)
    }

    /// The digest over [`SdJwtIn::without_key_binding`], with the hash the issuer named.
    pub fn sd_hash(&self) -> String {
        self.hash.digest(self.without_key_binding())
    }

    /// As [`SdJwtIn::sd_hash`]; the text begins with what the issuer signed, which is hashed once for both where it is SHA-256.
    pub(crate) fn sd_hash_and_signed(&mut self) -> String {
        if self.hash != HashAlgorithm::Sha256 {
            return self.sd_hash();
        }
        let (mut hash, hashed) = self.jws.hash_signed();
        hash.update(self.without_key_binding().get(hashed..).unwrap_or_default());
        b64::encode(&hash.finalize())
    }

    /// Puts the disclosures where their digests stand. Does not look at signature, issuer, times or types.
    ///
    /// # Errors
    /// [`DisclosureError`].
    ///
    /// # Source
    /// RFC 9901 §7.1 steps 3 to 5.
    pub fn process(self) -> Result<Processed, DisclosureError> {
        process(self.payload, self.disclosures, &self.digests, &[])
    }
}
