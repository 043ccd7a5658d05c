//! JPEG before it is decoded: size, number of scans, metadata, and whether it ends.

use super::{DecodeError, MAX_METADATA, Sample, check_size};

/// Walks the segments once. What follows the end of the picture (a phone's video, a preview) is not looked at.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), DecodeError> {
    let mut rest = bytes.get(2..).unwrap_or_default();
    let mut walk = Walk::default();
    loop {
        let (marker, after) = next_marker(rest)?;
        rest = match marker {
            END => return walk.finish(),
            0x01 | RESTART_FIRST..=RESTART_LAST => after,
            START => return Err(DecodeError::Malformed),
            _ => {
                let (segment, after) = segment(after)?;
                walk.meet(marker, segment)?;
                if marker == SCAN { skip_entropy_coded(after)? } else { after }
            }
        };
    }
}

#[derive(Default)]
struct Walk {
    pixels: u64,
    scans: u64,
    metadata: usize,
}

impl Walk {
    fn meet(&mut self, marker: u8, segment: &[u8]) -> Result<(), DecodeError> {
        match marker {
            // Start of frame, all kinds; 0xC4, 0xC8 and 0xCC are tables.
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                let [_, h1, h0, w1, w0, ..] = segment else { return Err(DecodeError::Malformed) };
                let (width, height) = (u16::from_be_bytes([*w1, *w0]), u16::from_be_bytes([*h1, *h0]));
                check_size(width.into(), height.into())?;
                if self.pixels != 0 {
                    return Err(DecodeError::Malformed);
                }
                self.pixels = u64::from(width) * u64::from(height);
            }
            SCAN => {
                self.scans += 1;
                // Each scan is a pass over the whole picture: bound their product, not their number alone.
                let most = (MAX_SCANNED_PIXELS / self.pixels.max(1)).min(MAX_SCANS);
                if self.scans > most {
                    return Err(DecodeError::TooManyScans { most, got: self.scans });
                }
            }
            0xE0..=0xEF | 0xFE => {
                self.metadata += segment.len();
                if self.metadata > MAX_METADATA {
                    return Err(DecodeError::TooMuchMetadata { most: MAX_METADATA, got: self.metadata });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), DecodeError> {
        if self.pixels == 0 || self.scans == 0 { Err(DecodeError::Malformed) } else { Ok(()) }
    }
}

/// The next marker and what follows it. Fill bytes are skipped.
fn next_marker(bytes: &[u8]) -> Result<(u8, &[u8]), DecodeError> {
    let [0xFF, rest @ ..] = bytes else {
        return Err(if bytes.is_empty() { DecodeError::Truncated } else { DecodeError::Malformed });
    };
    let fill = rest.iter().take_while(|byte| **byte == 0xFF).count();
    match rest.get(fill..) {
        Some([marker, after @ ..]) => Ok((*marker, after)),
        _ => Err(DecodeError::Truncated),
    }
}

fn segment(bytes: &[u8]) -> Result<(&[u8], &[u8]), DecodeError> {
    let length = bytes.first_chunk().copied().map(u16::from_be_bytes).ok_or(DecodeError::Truncated)?;
    let body = usize::from(length).checked_sub(2).ok_or(DecodeError::Malformed)?;
    let rest = bytes.get(2..).unwrap_or_default();
    rest.split_at_checked(body).ok_or(DecodeError::Truncated)
}

/// Up to the next marker that is neither a stuffed byte nor a restart.
fn skip_entropy_coded(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let at = bytes
        .windows(2)
        .position(
            |pair| matches!(pair, [0xFF, marker] if !matches!(*marker, 0x00 | 0xFF | RESTART_FIRST..=RESTART_LAST)),
        )
        .ok_or(DecodeError::Truncated)?;
    Ok(bytes.get(at..).unwrap_or_default())
}

const START: u8 = 0xD8;
const END: u8 = 0xD9;
const SCAN: u8 = 0xDA;
const RESTART_FIRST: u8 = 0xD0;
const RESTART_LAST: u8 = 0xD7;
/// The customary progressive script has ten, optimised ones a few more.
const MAX_SCANS: u64 = 32;
/// Sixteen passes over the largest picture.
const MAX_SCANNED_PIXELS: u64 = 16 * Sample::MAX_PIXELS;
