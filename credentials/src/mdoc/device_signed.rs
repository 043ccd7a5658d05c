//! What the holder's device key vouches for, as it came.

use super::Elements;
use crate::cbor::{FieldError, Fields, Value, Writer};
use crate::cose::{CoseError, Mac0In, Sign1In};

/// How a device key vouched for a presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceProof {
    /// By its signature, which anybody can verify later.
    Signature,
    /// By a MAC, which the verifier could have made itself: it convinces nobody else.
    Mac,
}

/// A `DeviceSigned` as it came: nothing of it is verified.
pub(super) struct DeviceSignedIn {
    pub(super) elements: Elements,
    /// The encoded `DeviceNameSpaces` as received.
    pub(super) name_spaces: Vec<u8>,
    pub(super) auth: DeviceAuthIn,
}

/// A `DeviceAuth` as it came.
pub(super) enum DeviceAuthIn {
    Signature(Sign1In),
    Mac(Mac0In),
}

impl DeviceSignedIn {
    /// Reads one. Signature and MAC together are refused: either would do, and which of them was checked would be unclear.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §8.3.2.1.2.2.
    pub(super) fn read(mut fields: Fields) -> Result<Self, CoseError> {
        let name_spaces = fields.embedded("nameSpaces")?;
        let elements = Elements::parse(&name_spaces)?;
        let mut auth = fields.map("deviceAuth")?;
        let auth = match (auth.optional("deviceSignature"), auth.optional("deviceMac")) {
            (Some(signature), None) => DeviceAuthIn::Signature(Sign1In::read(signature, "deviceSignature")?),
            (None, Some(mac)) => DeviceAuthIn::Mac(Mac0In::read(mac, "deviceMac")?),
            (None, None) => return Err(FieldError::Missing("deviceSignature").into()),
            (Some(_), Some(_)) => return Err(FieldError::Malformed("deviceAuth").into()),
        };
        Ok(Self { elements, name_spaces, auth })
    }
}

/// Writes a `DeviceSigned`; `auth` is the structure called `name`.
pub(super) fn write_device_signed(writer: &mut Writer, name_spaces: &[u8], name: &str, auth: &[u8]) {
    writer.map(2).text("nameSpaces").embedded(name_spaces).text("deviceAuth").map(1).text(name).raw(auth);
}

/// `errors` of a document: identifiers by name space, each with a code. Read for their form, not kept: that something was
/// not sent is seen without them.
pub(super) fn check_errors(value: Value) -> Result<(), FieldError> {
    let malformed = FieldError::Malformed("errors");
    for (name_space, errors) in Fields::of(value, "errors")?.rest() {
        let is_code = |(name, code): &(Value, Value)| name.as_text().is_some() && code.as_integer().is_some();
        let errors = errors.into_map().ok_or(malformed)?;
        if name_space.as_text().is_none() || errors.is_empty() || !errors.iter().all(is_code) {
            return Err(malformed);
        }
    }
    Ok(())
}
