//! How a session begins, on both sides.

use super::channel::Side;
use super::session::read_message;
use super::{DeviceEngagement, EngagementError, Retrieval, Session, SessionError};
use crate::cbor::{Limits, Writer, parse};
use crate::cose::{key_from_cbor, write_key};
use crate::mdoc::{Handover, SessionTranscript};
use crate::signer::{Signer as _, SoftwareKey};
use std::fmt;

/// The holder's side, waiting for a reader.
pub struct HolderEngagement {
    key: SoftwareKey,
    engagement: DeviceEngagement,
    handover: Handover,
}

impl HolderEngagement {
    /// Shows `key`, which must be fresh, and the ways to reach this device; by a QR code.
    pub fn new(key: SoftwareKey, retrieval: Vec<Retrieval>) -> Self {
        let engagement = DeviceEngagement::new(key.public_key(), retrieval);
        Self { key, engagement, handover: Handover::Qr }
    }

    /// The same, come together in another way.
    #[must_use]
    pub fn with_handover(self, handover: Handover) -> Self {
        Self { handover, ..self }
    }

    /// What is shown.
    pub const fn engagement(&self) -> &DeviceEngagement {
        &self.engagement
    }

    /// The URI for the QR code.
    pub fn qr_uri(&self) -> String {
        self.engagement.to_uri()
    }

    /// Takes the first message of a reader: gives the session and the bytes of its request, not parsed.
    ///
    /// Whoever saw the QR code can be that reader: who it says it is, [`super::RequestIn::authenticate`] tells.
    ///
    /// # Errors
    /// [`SessionError`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4 `SessionEstablishment`.
    pub fn accept(self, message: &[u8]) -> Result<(Session, Vec<u8>), SessionError> {
        let mut fields = read_message(message, "SessionEstablishment")?;
        let key_bytes = fields.embedded("eReaderKey")?;
        let data = fields.bytes("data")?;
        let reader = key_from_cbor(parse(&key_bytes, &Limits::MESSAGE)?).map_err(SessionError::Key)?;
        let transcript = SessionTranscript::in_person(self.engagement.as_bytes(), &key_bytes, &self.handover);
        let mut session = Session::new(self.key, reader, transcript, Side::Holder)?;
        let request = session.open(&data)?;
        Ok((session, request))
    }
}

/// The reader's side, having seen a device's engagement.
pub struct ReaderEngagement {
    key: SoftwareKey,
    /// Our key as it is sent.
    key_bytes: Vec<u8>,
    engagement: DeviceEngagement,
    transcript: SessionTranscript,
}

impl ReaderEngagement {
    /// Reads the URI of a QR code; `key` must be fresh.
    ///
    /// # Errors
    /// [`EngagementError`].
    pub fn scan(uri: &str, key: SoftwareKey) -> Result<Self, EngagementError> {
        Ok(Self::new(DeviceEngagement::from_uri(uri)?, key, &Handover::Qr))
    }

    /// From an engagement received in another way; `key` must be fresh.
    pub fn new(engagement: DeviceEngagement, key: SoftwareKey, handover: &Handover) -> Self {
        let mut cose_key = Writer::new();
        write_key(&mut cose_key, key.public_key());
        let key_bytes = cose_key.into_bytes();
        let transcript = SessionTranscript::in_person(engagement.as_bytes(), &key_bytes, handover);
        Self { key, key_bytes, engagement, transcript }
    }

    /// How the device is reached.
    pub const fn engagement(&self) -> &DeviceEngagement {
        &self.engagement
    }

    /// What a request is signed over.
    pub const fn transcript(&self) -> &SessionTranscript {
        &self.transcript
    }

    /// Begins the session with `request`; gives the session and the first message.
    ///
    /// # Errors
    /// [`SessionError::Agree`].
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4 `SessionEstablishment`.
    pub fn establish(self, request: &[u8]) -> Result<(Session, Vec<u8>), SessionError> {
        let peer = self.engagement.key().clone();
        let mut session = Session::new(self.key, peer, self.transcript, Side::Reader)?;
        let data = session.seal(request)?;
        let mut writer = Writer::new();
        writer.map(2).text("eReaderKey").embedded(&self.key_bytes).text("data").bytes(&data);
        Ok((session, writer.into_bytes()))
    }
}

impl fmt::Debug for HolderEngagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, engagement, handover } = self;
        let mut debug = f.debug_struct("HolderEngagement");
        debug.field("engagement", engagement).field("handover", handover).finish_non_exhaustive()
    }
}

impl fmt::Debug for ReaderEngagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, key_bytes: _, engagement, transcript } = self;
        let mut debug = f.debug_struct("ReaderEngagement");
        debug.field("engagement", engagement).field("transcript", transcript).finish_non_exhaustive()
    }
}
