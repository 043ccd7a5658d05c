//! PNG before it is decoded: only the chunks that make the picture are kept.

use super::{DecodeError, be_u32, check_size};

/// The file without compressed text, colour profiles and every other chunk that pixels do not need: what is not handed to
/// the decoder cannot expand in it.
pub(super) fn strip(bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let (signature, mut rest) = bytes.split_at_checked(8).ok_or(DecodeError::Truncated)?;
    let mut kept = Vec::with_capacity(bytes.len());
    kept.extend_from_slice(signature);
    loop {
        let (length, kind) = be_u32(rest, 0)
            .zip(rest.get(4..).and_then(|after| after.first_chunk::<4>()))
            .ok_or(DecodeError::Truncated)?;
        let body = usize::try_from(length).map_err(|_| DecodeError::Malformed)?;
        let whole = body.checked_add(12).ok_or(DecodeError::Malformed)?;
        let (chunk, after) = rest.split_at_checked(whole).ok_or(DecodeError::Truncated)?;
        match kind {
            b"IHDR" => {
                let (width, height) = be_u32(chunk, 8).zip(be_u32(chunk, 12)).ok_or(DecodeError::Malformed)?;
                check_size(width, height)?;
                kept.extend_from_slice(chunk);
            }
            b"acTL" | b"fcTL" | b"fdAT" => return Err(DecodeError::Animated),
            b"PLTE" | b"tRNS" | b"IDAT" => kept.extend_from_slice(chunk),
            // The orientation; nothing else of it is read.
            b"eXIf" if body <= MAX_EXIF => kept.extend_from_slice(chunk),
            b"IEND" => {
                kept.extend_from_slice(chunk);
                return Ok(kept);
            }
            _ => {}
        }
        rest = after;
    }
}

/// An EXIF block with a preview fits; more is dropped with the orientation.
const MAX_EXIF: usize = 128 << 10;
