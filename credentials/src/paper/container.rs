//! What stands on a paper: a presentation with everything that base64 had blown up taken back to bytes, and compressed.
//!
//! zlib of the CBOR array `[1, nonce, proposal, [header, payload, signature], [disclosure…], [header, payload, signature]]`:
//! texts and byte strings, the last three of the SD-JWT, its disclosures and its KB-JWT.

use crate::b64::{self, B64Error};
use crate::cbor::{self, Limits, Value, Writer};
use crate::consent::{ConsentError, ProposedConsent};
use crate::sd_jwt::MOST_DISCLOSURES;
use crate::zlib::{deflate, inflate};
use std::fmt;

const VERSION: i64 = 1;
/// The most bytes of a paper when it is unpacked: as many as an SD-JWT may have.
const LIMITS: Limits = Limits { bytes: 256 * 1024, depth: 3, items: 16 + MOST_DISCLOSURES };

/// Why something is not a paper.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaperError {
    /// Not of the form, larger than any, or of a later version.
    #[error("not a paper of a version that this program reads")]
    Form,
    /// Not a presentation with key binding.
    #[error("no presentation with key binding")]
    Presentation,
    /// What the holder agreed to cannot be read.
    #[error("the consent on the paper cannot be read: {0}")]
    Consent(#[from] ConsentError),
}

impl From<B64Error> for PaperError {
    fn from(_: B64Error) -> Self {
        Self::Presentation
    }
}

/// A paper as it was read: nothing verified.
#[derive(Clone)]
pub struct PaperIn {
    pub(super) presentation: String,
    pub(super) nonce: String,
    pub(super) proposal: ProposedConsent,
}

impl fmt::Debug for PaperIn {
    /// Its length: what stands in it is the person's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaperIn").field("characters", &self.presentation.len()).finish_non_exhaustive()
    }
}

/// Packs a presentation, SD-JWT with KB-JWT, with the nonce and the proposal that the KB-JWT speaks of.
///
/// # Errors
/// [`PaperError::Presentation`] for anything but an SD-JWT+KB in compact form.
pub fn write(presentation: &str, nonce: &str, proposal: &ProposedConsent) -> Result<Vec<u8>, PaperError> {
    let mut parts = presentation.split('~');
    let issued = parts.next().ok_or(PaperError::Presentation)?;
    let key_binding = parts.next_back().filter(|text| !text.is_empty()).ok_or(PaperError::Presentation)?;
    let disclosures = parts.map(b64::decode).collect::<Result<Vec<_>, _>>()?;
    let mut writer = Writer::new();
    writer.array(6).integer(VERSION).text(nonce).bytes(&b64::decode(proposal.raw())?);
    write_jws(&mut writer, issued)?;
    writer.array(disclosures.len());
    disclosures.iter().for_each(|disclosure| {
        writer.bytes(disclosure);
    });
    write_jws(&mut writer, key_binding)?;
    Ok(deflate(writer.as_bytes()))
}

fn write_jws(writer: &mut Writer, jws: &str) -> Result<(), PaperError> {
    let parts = jws.split('.').map(b64::decode).collect::<Result<Vec<_>, _>>()?;
    if parts.len() != 3 {
        return Err(PaperError::Presentation);
    }
    writer.array(3);
    parts.iter().for_each(|part| {
        writer.bytes(part);
    });
    Ok(())
}

impl PaperIn {
    /// Unpacks a paper.
    ///
    /// # Errors
    /// [`PaperError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PaperError> {
        let plain = inflate(bytes, LIMITS.bytes).map_err(|_| PaperError::Form)?;
        let value = cbor::parse(&plain, &LIMITS).map_err(|_| PaperError::Form)?;
        let parts = value.into_array().and_then(|parts| <[Value; 6]>::try_from(parts).ok()).ok_or(PaperError::Form)?;
        let [version, nonce, proposal, issued, disclosures, key_binding] = parts;
        if version.as_integer() != Some(VERSION) {
            return Err(PaperError::Form);
        }
        let nonce = nonce.into_text().ok_or(PaperError::Form)?;
        let proposal = proposal.into_bytes().ok_or(PaperError::Form)?;
        let mut presentation = String::with_capacity(plain.len() * 4 / 3 + 64);
        read_jws(issued, &mut presentation)?;
        presentation.push('~');
        for disclosure in disclosures.into_array().ok_or(PaperError::Form)? {
            b64::encode_onto(disclosure.as_bytes().ok_or(PaperError::Form)?, &mut presentation);
            presentation.push('~');
        }
        read_jws(key_binding, &mut presentation)?;
        Ok(Self { presentation, nonce, proposal: ProposedConsent::parse(&b64::encode(&proposal))? })
    }
}

fn read_jws(value: Value, text: &mut String) -> Result<(), PaperError> {
    let parts = value.into_array().filter(|parts| parts.len() == 3).ok_or(PaperError::Form)?;
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        b64::encode_onto(part.as_bytes().ok_or(PaperError::Form)?, text);
    }
    Ok(())
}
