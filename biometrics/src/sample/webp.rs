//! WebP before it is decoded: whole, not animated, little metadata.

use super::{DecodeError, MAX_METADATA};

/// Walks the chunks of the container once.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), DecodeError> {
    let size = le_u32(bytes, 4).ok_or(DecodeError::Truncated)?;
    let mut rest = bytes.get(8..).and_then(|body| body.get(..size)).ok_or(DecodeError::Truncated)?;
    rest = rest.get(4..).ok_or(DecodeError::Truncated)?;
    let mut metadata = 0;
    while !rest.is_empty() {
        let (head, after) = rest.split_at_checked(8).ok_or(DecodeError::Malformed)?;
        let length = le_u32(head, 4).ok_or(DecodeError::Malformed)?;
        let (body, after) = after.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        match head.first_chunk() {
            Some(b"ANIM" | b"ANMF") => return Err(DecodeError::Animated),
            Some(b"VP8X") if body.first().is_some_and(|flags| flags & ANIMATION != 0) => {
                return Err(DecodeError::Animated);
            }
            Some(b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH") => {}
            _ => metadata += length,
        }
        // Chunks are padded to even lengths; some writers leave the last pad byte out.
        rest = after.get(length % 2..).unwrap_or_default();
    }
    if metadata > MAX_METADATA {
        return Err(DecodeError::TooMuchMetadata { most: MAX_METADATA, got: metadata });
    }
    Ok(())
}

fn le_u32(bytes: &[u8], at: usize) -> Option<usize> {
    let number = bytes.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)?;
    usize::try_from(number).ok()
}

const ANIMATION: u8 = 0x02;
