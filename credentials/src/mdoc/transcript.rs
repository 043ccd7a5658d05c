//! The session transcript: what holder and verifier must have in common, or no presentation verifies.

use crate::cbor::{FieldError, Limits, Writer, parse};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// A `SessionTranscript`, encoded.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.5.1.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionTranscript(Vec<u8>);

/// How the two parties of a session in person came together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// The reader scanned a QR code.
    Qr,
    /// The two were held together: the Handover Select message, and the Handover Request message where there was one.
    Nfc {
        /// `Hs`
        select: Vec<u8>,
        /// `Hr`
        request: Option<Vec<u8>>,
    },
}

impl SessionTranscript {
    /// For a request by redirect: `client_id` with its prefix, `nonce`, the JWK thumbprint of the key that the answer is
    /// encrypted to (none when it is not), and `response_uri` or `redirect_uri`, all as they stand in the request.
    ///
    /// # Source
    /// OpenID4VP 1.0 Annex B.2.6.1.
    pub fn openid4vp(client_id: &str, nonce: &str, jwk_thumbprint: Option<&[u8; 32]>, response_uri: &str) -> Self {
        let mut info = Writer::new();
        info.array(4).text(client_id).text(nonce);
        write_thumbprint(&mut info, jwk_thumbprint).text(response_uri);
        Self::with_handover("OpenID4VPHandover", info.as_bytes())
    }

    /// For a request by the Digital Credentials API: the origin without `origin:`, `nonce`, and the JWK thumbprint of the
    /// key that the answer is encrypted to (none for the response mode `dc_api`).
    ///
    /// # Source
    /// OpenID4VP 1.0 Annex B.2.6.2.
    pub fn openid4vp_dc_api(origin: &str, nonce: &str, jwk_thumbprint: Option<&[u8; 32]>) -> Self {
        let mut info = Writer::new();
        info.array(3).text(origin).text(nonce);
        write_thumbprint(&mut info, jwk_thumbprint);
        Self::with_handover("OpenID4VPDCAPIHandover", info.as_bytes())
    }

    /// For a session in person: the encoded `DeviceEngagement` and the encoded `COSE_Key` of the reader, both exactly as
    /// they were sent, and how the parties came together.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.5.1.
    pub fn in_person(device_engagement: &[u8], reader_key: &[u8], handover: &Handover) -> Self {
        let mut writer = Writer::new();
        writer.array(3).embedded(device_engagement).embedded(reader_key);
        match handover {
            Handover::Qr => writer.null(),
            Handover::Nfc { select, request } => {
                writer.array(2).bytes(select);
                match request {
                    Some(request) => writer.bytes(request),
                    None => writer.null(),
                }
            }
        };
        Self(writer.into_bytes())
    }

    /// One that came as bytes, from wherever the session was held.
    ///
    /// # Errors
    /// [`FieldError`] when it is not an array of three.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, FieldError> {
        let items = parse(bytes, &Limits::MESSAGE)?.into_array();
        match items {
            Some(items) if items.len() == 3 => Ok(Self(bytes.to_vec())),
            _ => Err(FieldError::Malformed("SessionTranscript")),
        }
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// SHA-256 of `SessionTranscriptBytes`: the salt of every key of the session.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.5, §9.1.3.5.
    pub(super) fn salt(&self) -> [u8; 32] {
        let mut writer = Writer::new();
        writer.embedded(&self.0);
        Sha256::digest(writer.as_bytes()).into()
    }

    fn with_handover(name: &str, info: &[u8]) -> Self {
        let mut writer = Writer::new();
        writer.array(3).null().null().array(2).text(name).bytes(&Sha256::digest(info));
        Self(writer.into_bytes())
    }
}

fn write_thumbprint<'w>(writer: &'w mut Writer, jwk_thumbprint: Option<&[u8; 32]>) -> &'w mut Writer {
    match jwk_thumbprint {
        Some(thumbprint) => writer.bytes(thumbprint),
        None => writer.null(),
    }
}

impl fmt::Debug for SessionTranscript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = self;
        write!(f, "SessionTranscript({} bytes)", bytes.len())
    }
}
