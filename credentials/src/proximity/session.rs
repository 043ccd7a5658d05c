//! A session between holder and reader, after its keys are agreed.

use super::channel::{Channel, Side};
use crate::cbor::{CborError, FieldError, Fields, Limits, Writer, parse};
use crate::cose::CoseError;
use crate::key::PublicKey;
use crate::key_agreement::{AgreeError, KeyAgreement};
use crate::mdoc::SessionTranscript;
use crate::signer::SoftwareKey;
use std::fmt;

/// The status in a session message.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.1.4, Table 20.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionStatus {
    /// 10: a message did not decrypt.
    EncryptionError,
    /// 11: a message is not CBOR of the form.
    DecodingError,
    /// 20: over.
    Termination,
    /// A code without a meaning here.
    Other(u64),
}

impl SessionStatus {
    const fn from_code(code: u64) -> Self {
        match code {
            10 => Self::EncryptionError,
            11 => Self::DecodingError,
            20 => Self::Termination,
            code => Self::Other(code),
        }
    }

    fn code(self) -> i64 {
        match self {
            Self::EncryptionError => 10,
            Self::DecodingError => 11,
            Self::Termination => 20,
            Self::Other(code) => i64::try_from(code).unwrap_or(i64::MAX),
        }
    }

    /// The session message that says this and nothing else.
    pub fn message(self) -> Vec<u8> {
        session_data(None, Some(self))
    }
}

/// Why a session ends without an answer. The session and its keys are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    // The other side's fault.
    /// Not of the form.
    #[error(transparent)]
    Form(#[from] FieldError),
    /// The other side's key of this session.
    #[error("the other side's key: {0}")]
    Key(#[source] CoseError),
    /// A message that does not decrypt: changed, replayed, out of order, or for another session.
    #[error("a session message that does not decrypt")]
    Decryption,

    // Ours, or nobody's.
    /// Our key of this session is out of reach.
    #[error(transparent)]
    Agree(#[from] AgreeError),
    /// More messages than one session may have.
    #[error("the session has no message numbers left")]
    Exhausted,
}

impl SessionError {
    /// What the other side is told before the connection is closed.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4, Table 20.
    pub const fn status(&self) -> SessionStatus {
        match self {
            Self::Form(_) => SessionStatus::DecodingError,
            Self::Key(_) | Self::Decryption => SessionStatus::EncryptionError,
            Self::Agree(_) | Self::Exhausted => SessionStatus::Termination,
        }
    }
}

/// What came in a session.
pub enum Received {
    /// A message; the session goes on.
    Message(Session, Vec<u8>),
    /// A message, and that it was the last.
    Last(Vec<u8>),
    /// That the session is over, and why.
    Ended(SessionStatus),
}

impl fmt::Debug for Received {
    /// Which it is; nothing of the message, which holds what was shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(..) => f.write_str("Message(..)"),
            Self::Last(_) => f.write_str("Last(..)"),
            Self::Ended(status) => f.debug_tuple("Ended").field(status).finish(),
        }
    }
}

/// A session, on either side. What ends it consumes it, and its keys are wiped.
pub struct Session {
    channel: Channel,
    transcript: SessionTranscript,
    key: SoftwareKey,
    peer: PublicKey,
}

impl Session {
    pub(super) fn new(
        key: SoftwareKey,
        peer: PublicKey,
        transcript: SessionTranscript,
        side: Side,
    ) -> Result<Self, AgreeError> {
        let channel = Channel::new(&key.agree(&peer)?, &transcript, side);
        Ok(Self { channel, transcript, key, peer })
    }

    /// What presentation and reader authentication are bound to.
    pub const fn transcript(&self) -> &SessionTranscript {
        &self.transcript
    }

    /// Our key of this session: with it a reader verifies MACs.
    pub const fn key(&self) -> &dyn KeyAgreement {
        &self.key
    }

    /// The other side's key of this session: for it a holder makes MACs.
    pub const fn peer_key(&self) -> &PublicKey {
        &self.peer
    }

    /// Encrypts a message; the session goes on.
    ///
    /// # Errors
    /// [`SessionError::Exhausted`].
    pub fn send(mut self, message: &[u8]) -> Result<(Self, Vec<u8>), SessionError> {
        let data = self.seal(message)?;
        Ok((self, session_data(Some(&data), None)))
    }

    /// Encrypts a message and says that it is the last.
    ///
    /// # Errors
    /// [`SessionError::Exhausted`].
    pub fn send_last(mut self, message: &[u8]) -> Result<Vec<u8>, SessionError> {
        let data = self.seal(message)?;
        Ok(session_data(Some(&data), Some(SessionStatus::Termination)))
    }

    /// Ends the session; gives the message that says so.
    pub fn end(self) -> Vec<u8> {
        SessionStatus::Termination.message()
    }

    /// Takes a message of the other side.
    ///
    /// # Errors
    /// [`SessionError`]; the session is gone, and [`SessionError::status`] is what to tell the other side.
    ///
    /// # Source
    /// ISO/IEC 18013-5 §9.1.1.4 `SessionData`.
    pub fn receive(mut self, message: &[u8]) -> Result<Received, SessionError> {
        let (data, status) = read_session_data(message)?;
        match (data, status) {
            (Some(data), None) => {
                let message = self.open(&data)?;
                Ok(Received::Message(self, message))
            }
            (Some(data), Some(SessionStatus::Termination)) => Ok(Received::Last(self.open(&data)?)),
            (_, Some(status)) => Ok(Received::Ended(status)),
            (None, None) => Err(FieldError::Missing("data").into()),
        }
    }

    pub(super) fn seal(&mut self, message: &[u8]) -> Result<Vec<u8>, SessionError> {
        self.channel.seal(message).ok_or(SessionError::Exhausted)
    }

    pub(super) fn open(&mut self, data: &[u8]) -> Result<Vec<u8>, SessionError> {
        self.channel.open(data).ok_or(SessionError::Decryption)
    }
}

/// Reads a session message. It holds one encrypted message, so it may be longer than one by the head and the tag.
pub(super) fn read_message(bytes: &[u8], what: &'static str) -> Result<Fields, FieldError> {
    let limits = Limits { bytes: Limits::MESSAGE.bytes + 1024, depth: 4, items: 16 };
    Fields::of(parse(bytes, &limits)?, what)
}

fn read_session_data(bytes: &[u8]) -> Result<(Option<Vec<u8>>, Option<SessionStatus>), FieldError> {
    let mut fields = read_message(bytes, "SessionData")?;
    let malformed = FieldError::Malformed;
    let data = fields.optional("data").map(|data| data.into_bytes().ok_or(malformed("data"))).transpose()?;
    let status = fields.optional("status").map(|status| {
        let code = status.as_integer().and_then(|code| u64::try_from(code).ok());
        code.map(SessionStatus::from_code).ok_or(malformed("status"))
    });
    Ok((data, status.transpose()?))
}

fn session_data(data: Option<&[u8]>, status: Option<SessionStatus>) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.map(usize::from(data.is_some()) + usize::from(status.is_some()));
    if let Some(data) = data {
        writer.text("data").bytes(data);
    }
    if let Some(status) = status {
        writer.text("status").integer(status.code());
    }
    writer.into_bytes()
}

impl From<CborError> for SessionError {
    fn from(error: CborError) -> Self {
        Self::Form(FieldError::Cbor(error))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel: _, transcript, key: _, peer: _ } = self;
        f.debug_struct("Session").field("transcript", transcript).finish_non_exhaustive()
    }
}
