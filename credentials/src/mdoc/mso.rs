//! The mobile security object: what the issuer signs.

use super::KeyAuthorizations;
use crate::cbor::{FieldError, Fields, Value, Writer};
use crate::cose::{CoseError, key_from_cbor, write_key};
use crate::key::PublicKey;
use schemas::Timestamp;
use schemas::status::StatusReference;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use std::collections::BTreeMap;

/// A `MobileSecurityObject`.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.4; `status`: Token Status List §6.3.
#[derive(Debug, Clone)]
pub(super) struct SecurityObject {
    pub(super) algorithm: DigestAlgorithm,
    pub(super) digests: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    pub(super) device_key: PublicKey,
    pub(super) authorizations: KeyAuthorizations,
    pub(super) doc_type: String,
    pub(super) validity: Validity,
    pub(super) status: Option<StatusReference>,
}

/// `ValidityInfo`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) signed: Timestamp,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) expected_update: Option<Timestamp>,
}

/// A digest algorithm of value digests. We issue with SHA-256; the other two are read, because neither is weaker.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.5, Table 21.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestAlgorithm {
    Sha256,
    Sha384,
    Sha512,
}

impl DigestAlgorithm {
    fn by_name(name: &str) -> Option<Self> {
        match name {
            "SHA-256" => Some(Self::Sha256),
            "SHA-384" => Some(Self::Sha384),
            "SHA-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    const fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Whether `digest` is that of `bytes`.
    pub(super) fn matches(self, bytes: &[u8], digest: &[u8]) -> bool {
        match self {
            Self::Sha256 => Sha256::digest(bytes).as_slice() == digest,
            Self::Sha384 => Sha384::digest(bytes).as_slice() == digest,
            Self::Sha512 => Sha512::digest(bytes).as_slice() == digest,
        }
    }
}

/// The most digests in one security object, decoys included.
const MOST_DIGESTS: usize = 2048;
/// Digest identifiers are below 2^31 (ISO/IEC 18013-5 §9.1.2.5).
pub(super) const DIGEST_IDS: i64 = 1 << 31;

impl SecurityObject {
    /// Reads the payload of `issuerAuth`: `MobileSecurityObjectBytes`.
    pub(super) fn parse(payload: &[u8]) -> Result<Self, CoseError> {
        let malformed = FieldError::Malformed("MobileSecurityObjectBytes");
        let bytes = crate::cbor::parse(payload, &crate::cbor::Limits::MESSAGE).map_err(FieldError::Cbor)?;
        let mut fields = Fields::parse(&bytes.into_embedded().ok_or(malformed)?, "MobileSecurityObject")?;
        // 1.0 today; a later 1.x may add members, not change them.
        if !fields.text("version")?.starts_with("1.") {
            return Err(FieldError::Malformed("version").into());
        }
        let algorithm = DigestAlgorithm::by_name(&fields.text("digestAlgorithm")?);
        let algorithm = algorithm.ok_or(FieldError::Malformed("digestAlgorithm"))?;
        let digests = read_digests(fields.map("valueDigests")?, algorithm)?;
        let mut device_key_info = fields.map("deviceKeyInfo")?;
        let device_key = key_from_cbor(device_key_info.required("deviceKey")?)?;
        let authorizations = device_key_info.optional("keyAuthorizations").map(KeyAuthorizations::read).transpose()?;
        let doc_type = fields.text("docType")?;
        let mut validity = fields.map("validityInfo")?;
        let validity = Validity {
            signed: validity.time("signed")?,
            from: validity.time("validFrom")?,
            until: validity.time("validUntil")?,
            expected_update: validity.optional_time("expectedUpdate")?,
        };
        if doc_type.is_empty() {
            return Err(FieldError::Malformed("docType").into());
        }
        if validity.from < validity.signed || validity.until <= validity.from {
            return Err(FieldError::Malformed("validityInfo").into());
        }
        let status = fields.optional("status").map(read_status).transpose()?;
        Ok(Self {
            algorithm,
            digests,
            device_key,
            authorizations: authorizations.unwrap_or_default(),
            doc_type,
            validity,
            status,
        })
    }

    /// As `MobileSecurityObjectBytes`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.map(6 + usize::from(self.status.is_some()));
        writer.text("version").text("1.0");
        writer.text("digestAlgorithm").text(self.algorithm.name());
        writer.text("valueDigests").map(self.digests.len());
        for (name_space, digests) in &self.digests {
            writer.text(name_space).map(digests.len());
            for (id, digest) in digests {
                writer.integer(i64::from(*id)).bytes(digest);
            }
        }
        let has_authorizations = !self.authorizations.is_empty();
        writer.text("deviceKeyInfo").map(1 + usize::from(has_authorizations)).text("deviceKey");
        write_key(&mut writer, &self.device_key);
        if has_authorizations {
            writer.text("keyAuthorizations");
            self.authorizations.write(&mut writer);
        }
        writer.text("docType").text(&self.doc_type);
        let Validity { signed, from, until, expected_update } = self.validity;
        writer.text("validityInfo").map(3 + usize::from(expected_update.is_some()));
        writer.text("signed").time(signed).text("validFrom").time(from).text("validUntil").time(until);
        if let Some(expected_update) = expected_update {
            writer.text("expectedUpdate").time(expected_update);
        }
        if let Some(status) = &self.status {
            writer.text("status").map(1).text("status_list").map(2);
            writer.text("idx").integer(i64::try_from(status.idx).unwrap_or(i64::MAX)).text("uri").text(&status.uri);
        }
        let mut embedded = Writer::new();
        embedded.embedded(writer.as_bytes());
        embedded.into_bytes()
    }
}

fn read_digests(
    fields: Fields,
    algorithm: DigestAlgorithm,
) -> Result<BTreeMap<String, BTreeMap<u32, Vec<u8>>>, FieldError> {
    let malformed = FieldError::Malformed("valueDigests");
    let mut read = BTreeMap::new();
    let mut left = MOST_DIGESTS;
    for (name_space, digests) in fields.rest() {
        let digests = digests.into_map().ok_or(malformed)?;
        left = left.checked_sub(digests.len()).ok_or(malformed)?;
        let digests: Option<BTreeMap<u32, Vec<u8>>> = digests
            .into_iter()
            .map(|(id, digest)| {
                let id = id.as_integer().filter(|id| (0..DIGEST_IDS).contains(id))?;
                let digest = digest.into_bytes().filter(|digest| digest.len() == algorithm.length())?;
                Some((u32::try_from(id).ok()?, digest))
            })
            .collect();
        read.insert(name_space.into_text().ok_or(malformed)?, digests.ok_or(malformed)?);
    }
    Ok(read)
}

/// The entry of a status list. A status that we cannot look up is refused rather than ignored.
///
/// # Source
/// Token Status List §6.3 "Referenced Token in COSE".
fn read_status(value: Value) -> Result<StatusReference, FieldError> {
    let mut list = Fields::of(value, "status")?.map("status_list")?;
    let (idx, uri) = (list.unsigned("idx")?, list.text("uri")?);
    if uri.is_empty() { Err(FieldError::Malformed("uri")) } else { Ok(StatusReference { idx, uri }) }
}
