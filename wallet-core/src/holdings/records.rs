//! Where the vault's records come from: the port that an open vault serves.

use rand_core::CryptoRng;
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// The records of one open vault.
///
/// An implementation keeps what was [`put`](Records::put) at once, in memory; it stands on disk after the next save.
pub trait Records {
    /// The names of all records of that kind.
    fn ids(&self, kind: RecordKind) -> Vec<RecordId>;

    /// Decrypts one record.
    ///
    /// # Errors
    /// [`RecordError`].
    fn read(&self, id: RecordId) -> Result<Zeroizing<Vec<u8>>, RecordError>;

    /// Writes a record, new or in place of the one with this name.
    ///
    /// # Errors
    /// [`RecordError`]; then nothing has changed.
    fn put(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<RecordId, RecordError>;

    /// Drops a record and overwrites it.
    ///
    /// # Errors
    /// [`RecordError`].
    fn remove(&mut self, id: RecordId, rng: &mut dyn CryptoRng) -> Result<(), RecordError>;

    /// The secret that withdraws the consent with this identifier: `HMAC(K_cons, "amparo/v1/consent-rev" || id)`.
    ///
    /// # Source
    /// `security.md` §4.3.
    fn consent_secret(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]>;
}

/// The random name of a record within its vault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// From 16 bytes that [`RecordId::bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl FromStr for RecordId {
    type Err = RecordIdError;

    fn from_str(text: &str) -> Result<Self, RecordIdError> {
        let mut id = [0; 16];
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(RecordIdError);
        }
        for (at, out) in id.iter_mut().enumerate() {
            let pair = text.get(2 * at..2 * at + 2).ok_or(RecordIdError)?;
            *out = u8::from_str_radix(pair, 16).map_err(|_| RecordIdError)?;
        }
        Ok(Self(id))
    }
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hexadecimal digits")]
pub struct RecordIdError;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKind(u32);

impl RecordKind {
    /// A batch of credential copies: all but the copies.
    pub const CREDENTIAL: Self = Self(2);
    /// The history.
    pub const HISTORY: Self = Self(3);
    /// A trust anchor.
    pub const TRUST_ANCHOR: Self = Self(4);
    /// A consent given.
    pub const CONSENT: Self = Self(5);
    /// The settings.
    pub const SETTING: Self = Self(6);
    /// One copy of a credential with its key.
    pub const COPY: Self = Self(7);
}

/// Why a record could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record's bytes are not what was written; the others stay usable.
    #[error("record {rid} is damaged")]
    Corrupt {
        /// Which record.
        rid: RecordId,
    },
    /// No room is left.
    #[error("the vault is full")]
    Full,
    /// No such record, or one of another kind.
    #[error("there is no record {rid} of this kind")]
    Unknown {
        /// Which record.
        rid: RecordId,
    },
}
