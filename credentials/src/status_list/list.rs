//! The list itself: an array of entries of 1, 2, 4 or 8 bits, the least significant first.

use super::StatusError;
use crate::zlib;
use schemas::status::Status;
use std::fmt;

/// What a list may inflate to: 2^20 entries of 8 bits, or 2^23 of 1 bit.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// How many bits an entry has.
///
/// # Source
/// Token Status List §4.1 "Compressed Byte Array", step 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bits {
    /// Valid or invalid.
    One,
    /// Also suspended, and one value of the application's own.
    Two,
    /// 16 statuses.
    Four,
    /// 256 statuses.
    Eight,
}

impl Bits {
    /// The number as it stands in the token.
    pub const fn get(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Four => 4,
            Self::Eight => 8,
        }
    }

    const fn mask(self) -> u8 {
        match self {
            Self::One => 0b1,
            Self::Two => 0b11,
            Self::Four => 0b1111,
            Self::Eight => 0xff,
        }
    }

    const fn per_byte(self) -> u64 {
        match self {
            Self::One => 8,
            Self::Two => 4,
            Self::Four => 2,
            Self::Eight => 1,
        }
    }
}

impl TryFrom<u64> for Bits {
    type Error = StatusError;

    fn try_from(bits: u64) -> Result<Self, StatusError> {
        match bits {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            4 => Ok(Self::Four),
            8 => Ok(Self::Eight),
            _ => Err(StatusError::Bits),
        }
    }
}

/// The statuses of many credentials. Says nothing of who vouches for it: see [`super::VerifiedStatusList`].
///
/// # Source
/// Token Status List §4.1 "Compressed Byte Array".
#[derive(Clone, PartialEq, Eq)]
pub struct StatusList {
    bits: Bits,
    bytes: Vec<u8>,
}

impl StatusList {
    /// A list of at least `size` entries (rounded up to whole bytes), all [`Status::Valid`].
    ///
    /// # Errors
    /// [`StatusError::Size`] for none, or for more than 2^20 bytes hold.
    pub fn new(size: u64, bits: Bits) -> Result<Self, StatusError> {
        let length = usize::try_from(size.div_ceil(bits.per_byte())).map_err(|_| StatusError::Size)?;
        if length == 0 || length > MAX_BYTES {
            return Err(StatusError::Size);
        }
        Ok(Self { bits, bytes: vec![0; length] })
    }

    /// A list from its uncompressed bytes, as [`StatusList::as_bytes`] gave them.
    ///
    /// # Errors
    /// [`StatusError::Size`] for none, or for more than 2^20.
    pub fn from_bytes(bits: Bits, bytes: Vec<u8>) -> Result<Self, StatusError> {
        if bytes.is_empty() || bytes.len() > MAX_BYTES {
            return Err(StatusError::Size);
        }
        Ok(Self { bits, bytes })
    }

    /// A list from the `lst` member of a token: base64url of zlib, inflated to at most 2^20 bytes.
    ///
    /// # Errors
    /// [`StatusError::Compression`] unless it is exactly one whole zlib stream; [`StatusError::Size`] if it is too long.
    ///
    /// # Source
    /// Token Status List §4.2 "Status List in JSON Format".
    pub fn from_lst(bits: Bits, lst: &str) -> Result<Self, StatusError> {
        Self::from_zlib(bits, &crate::b64::decode(lst).map_err(|_| StatusError::Compression)?)
    }

    /// A list from one whole zlib stream: the `lst` of a token in CBOR.
    ///
    /// # Errors
    /// As [`StatusList::from_lst`].
    ///
    /// # Source
    /// Token Status List §4.3 "Status List in CBOR Format".
    pub fn from_zlib(bits: Bits, deflated: &[u8]) -> Result<Self, StatusError> {
        Self::from_bytes(bits, zlib::inflate(deflated, MAX_BYTES)?)
    }

    /// The list compressed as well as zlib can.
    pub fn to_zlib(&self) -> Vec<u8> {
        zlib::deflate(&self.bytes)
    }

    /// The `lst` member of a token, compressed as well as zlib can.
    pub fn to_lst(&self) -> String {
        crate::b64::encode(&self.to_zlib())
    }

    /// The bits of an entry.
    pub const fn bits(&self) -> Bits {
        self.bits
    }

    /// How many entries there are.
    pub const fn len(&self) -> u64 {
        self.bytes.len() as u64 * self.bits.per_byte()
    }

    /// Never: a list has at least one entry.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The uncompressed bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The status at `index`.
    ///
    /// # Errors
    /// [`StatusError::IndexOutOfRange`] when there is no such entry, which is not the same as *valid*.
    ///
    /// # Source
    /// Token Status List §8.3 step 5, §7.1 "Status Types Values".
    pub fn get(&self, index: u64) -> Result<Status, StatusError> {
        let (at, shift) = self.place(index);
        match at.and_then(|at| self.bytes.get(at)) {
            Some(byte) => Ok(status(byte >> shift & self.bits.mask())),
            None => Err(StatusError::IndexOutOfRange { entries: self.len() }),
        }
    }

    /// Sets the status at `index`.
    ///
    /// # Errors
    /// [`StatusError::IndexOutOfRange`], or [`StatusError::TooWide`] when the status needs more bits.
    pub fn set(&mut self, index: u64, status: Status) -> Result<(), StatusError> {
        let (value, mask) = (value(status), self.bits.mask());
        if value & !mask != 0 {
            return Err(StatusError::TooWide);
        }
        let (at, shift) = self.place(index);
        let entries = self.len();
        let byte = at.and_then(|at| self.bytes.get_mut(at)).ok_or(StatusError::IndexOutOfRange { entries })?;
        *byte = *byte & !(mask << shift) | value << shift;
        Ok(())
    }

    /// The byte that holds an entry, and how far its bits stand from the least significant.
    fn place(&self, index: u64) -> (Option<usize>, u8) {
        let per_byte = self.bits.per_byte();
        // The remainder is at most 7, so that the cast keeps it.
        (usize::try_from(index / per_byte).ok(), (index % per_byte) as u8 * self.bits.get())
    }
}

impl fmt::Debug for StatusList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bits, bytes: _ } = self;
        f.debug_struct("StatusList").field("bits", bits).field("entries", &self.len()).finish_non_exhaustive()
    }
}

const fn status(value: u8) -> Status {
    match value {
        0x00 => Status::Valid,
        0x01 => Status::Invalid,
        0x02 => Status::Suspended,
        other => Status::Other(other),
    }
}

const fn value(status: Status) -> u8 {
    match status {
        Status::Valid => 0x00,
        Status::Invalid => 0x01,
        Status::Suspended => 0x02,
        Status::Other(other) => other,
    }
}
