//! TIFF before it is decoded: one page only.

use super::DecodeError;

/// Reads the first directory's length and what follows it: the next page's place, which must be nowhere.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), DecodeError> {
    let little = bytes.first() == Some(&b'I');
    let short = |at: usize| -> Option<usize> {
        let raw = bytes.get(at..)?.first_chunk().copied()?;
        Some(usize::from(if little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) }))
    };
    let long = |at: usize| -> Option<usize> {
        let raw = bytes.get(at..)?.first_chunk().copied()?;
        usize::try_from(if little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) }).ok()
    };
    let directory = long(4).ok_or(DecodeError::Truncated)?;
    let entries = short(directory).ok_or(DecodeError::Truncated)?;
    let next = directory.checked_add(2 + 12 * entries).and_then(long).ok_or(DecodeError::Truncated)?;
    if next == 0 { Ok(()) } else { Err(DecodeError::SeveralPages) }
}
