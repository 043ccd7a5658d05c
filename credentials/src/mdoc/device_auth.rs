//! What the device key signs or authenticates: this document, in this session.

use super::{SessionTranscript, session_key};
use crate::cbor::Writer;
use crate::cose::MacKey;
use crate::key_agreement::SharedSecret;

/// `DeviceAuthenticationBytes`; `name_spaces` is the encoded `DeviceNameSpaces`, exactly as it is sent.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.3.4.
pub(super) fn device_authentication(transcript: &SessionTranscript, doc_type: &str, name_spaces: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(4).text("DeviceAuthentication").raw(transcript.as_bytes()).text(doc_type).embedded(name_spaces);
    let mut embedded = Writer::new();
    embedded.embedded(writer.as_bytes());
    embedded.into_bytes()
}

/// The key of the device's MAC, `EMacKey`, from what device key and reader key share.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.3.5.
pub(super) fn mac_key(secret: &SharedSecret, transcript: &SessionTranscript) -> MacKey {
    MacKey::new(session_key::derive(secret, transcript, session_key::Purpose::DeviceMac))
}
