//! Finger minutiae records: ISO/IEC 19794-2:2005 and ANSI INCITS 378-2004, read strictly and written.
//!
//! Extended data (ridge counts, cores, deltas) is skipped by its length; ours is not written into it.

use zeroize::Zeroizing;

use super::extractor::Extractor;
use super::template::{FingerTemplate, MOST_MINUTIAE, Minutia, MinutiaKind};

/// Which of the two standards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordFormat {
    /// ISO/IEC 19794-2:2005, record format: angles in 256ths of a turn.
    Iso19794,
    /// ANSI INCITS 378-2004: angles in steps of two degrees.
    Ansi378,
}

/// Reads every finger view of a record, at 500 dpi.
///
/// Positions may lie outside the size that the header gives: commercial extractors write such records.
///
/// # Errors
/// [`RecordError`] for anything that the standard does not allow, or that is more than a hand has.
///
/// # Source
/// ISO/IEC 19794-2:2005, section 7.3 and 7.4; ANSI INCITS 378-2004, section 6.
pub fn read_records(format: RecordFormat, bytes: &[u8]) -> Result<Vec<FingerTemplate>, RecordError> {
    if bytes.len() > MOST_BYTES {
        return Err(RecordError::TooLong { most: MOST_BYTES });
    }
    let mut input = Reader { rest: bytes };
    if input.take::<8>()? != *MAGIC {
        return Err(RecordError::NotARecord);
    }
    let length = match format {
        RecordFormat::Iso19794 => input.long()?,
        RecordFormat::Ansi378 => {
            let short = u32::from(input.short()?);
            let length = if short == 0 { input.long()? } else { short };
            input.take::<4>()?; // product
            length
        }
    };
    if usize::try_from(length) != Ok(bytes.len()) {
        return Err(RecordError::WrongLength);
    }
    input.take::<2>()?; // capture equipment
    let [width, height, across, down] = [input.short()?, input.short()?, input.short()?, input.short()?];
    if !DENSITIES.contains(&across) || !DENSITIES.contains(&down) {
        return Err(RecordError::Density);
    }
    let [views, reserved] = input.take::<2>()?;
    if usize::from(views) > MOST_VIEWS || views == 0 {
        return Err(RecordError::Views { most: MOST_VIEWS });
    }
    if reserved != 0 {
        return Err(RecordError::NotARecord);
    }
    let scale = Scale { across, down };
    let templates: Vec<_> =
        (0..views).map(|_| view(&mut input, format, (width, height), &scale)).collect::<Result<_, _>>()?;
    if input.rest.is_empty() { Ok(templates) } else { Err(RecordError::WrongLength) }
}

fn view(
    input: &mut Reader<'_>,
    format: RecordFormat,
    size: (u16, u16),
    scale: &Scale,
) -> Result<FingerTemplate, RecordError> {
    let [position, _impression, quality, count] = input.take::<4>()?;
    if position > LAST_POSITION || quality > 100 {
        return Err(RecordError::OutOfRange);
    }
    let mut minutiae = Zeroizing::new(Vec::with_capacity(usize::from(count)));
    let (mut width, mut height) = (scale.across(size.0), scale.down(size.1));
    for _ in 0..count {
        let [x0, x1, y0, y1, angle, quality] = input.take::<6>()?;
        let kind = match x0 >> 6 {
            0 => MinutiaKind::Other,
            1 => MinutiaKind::Ending,
            2 => MinutiaKind::Bifurcation,
            _ => return Err(RecordError::OutOfRange),
        };
        if y0 >> 6 != 0 || quality > 100 {
            return Err(RecordError::OutOfRange);
        }
        let angle = match format {
            RecordFormat::Iso19794 => angle,
            RecordFormat::Ansi378 if angle < 180 => to_256ths(angle),
            RecordFormat::Ansi378 => return Err(RecordError::OutOfRange),
        };
        let x = scale.across(u16::from_be_bytes([x0 & 0x3F, x1]));
        let y = scale.down(u16::from_be_bytes([y0, y1]));
        (width, height) = (width.max(x + 1), height.max(y + 1));
        minutiae.push(Minutia { x, y, angle, kind, quality });
    }
    let extended = usize::from(input.short()?);
    input.skip(extended)?;
    Ok(FingerTemplate::new(Extractor::Foreign, (width, height), minutiae, None))
}

/// Writes one finger view of an unknown position.
///
/// What the standards have no place for is left out: the ridges' directions. A comparison loses by it.
///
/// # Errors
/// [`RecordError::OutOfRange`] if a minutia lies beyond 16,383 pixels.
pub fn write_record(format: RecordFormat, template: &FingerTemplate) -> Result<Zeroizing<Vec<u8>>, RecordError> {
    let header = match format {
        RecordFormat::Iso19794 => ISO_HEADER,
        RecordFormat::Ansi378 => ANSI_HEADER,
    };
    let length = header + 4 + 6 * template.minutiae.len() + 2;
    let short = u16::try_from(length).map_err(|_| RecordError::OutOfRange)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    bytes.extend_from_slice(MAGIC);
    match format {
        RecordFormat::Iso19794 => bytes.extend_from_slice(&u32::from(short).to_be_bytes()),
        RecordFormat::Ansi378 => {
            bytes.extend_from_slice(&short.to_be_bytes());
            bytes.extend_from_slice(&[0; 4]); // product: not registered
        }
    }
    bytes.extend_from_slice(&[0; 2]); // capture equipment: not reported
    for value in [template.width, template.height, STANDARD_DENSITY, STANDARD_DENSITY] {
        bytes.extend_from_slice(&value.to_be_bytes());
    }
    bytes.extend_from_slice(&[1, 0]);
    let sum: u32 = template.minutiae.iter().map(|m| u32::from(m.quality)).sum();
    let count = u8::try_from(template.minutiae.len()).map_err(|_| RecordError::OutOfRange)?;
    let quality = (sum / u32::from(count).max(1)).min(100) as u8;
    bytes.extend_from_slice(&[0, 0, quality, count]);
    for Minutia { x, y, angle, kind, quality } in template.minutiae.iter() {
        if *x > MOST_PLACE || *y > MOST_PLACE {
            return Err(RecordError::OutOfRange);
        }
        let kind = match kind {
            MinutiaKind::Other => 0,
            MinutiaKind::Ending => 1_u16 << 14,
            MinutiaKind::Bifurcation => 2 << 14,
        };
        bytes.extend_from_slice(&(kind | x).to_be_bytes());
        bytes.extend_from_slice(&y.to_be_bytes());
        let angle = match format {
            RecordFormat::Iso19794 => *angle,
            RecordFormat::Ansi378 => to_two_degrees(*angle),
        };
        bytes.extend_from_slice(&[angle, *quality]);
    }
    bytes.extend_from_slice(&[0, 0]); // no extended data
    Ok(bytes)
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// More bytes than a hand's record has.
    #[error("the record has more than {most} bytes")]
    TooLong {
        /// The most.
        most: usize,
    },
    /// Another format or version.
    #[error("the bytes are no finger minutiae record of version 2.0")]
    NotARecord,
    /// The length is not what the record says.
    #[error("the record's length is not what it says")]
    WrongLength,
    /// Densities that no scanner has.
    #[error("the record's pixel density is none of a scanner")]
    Density,
    /// No finger, or more than are read.
    #[error("the record has no finger view, or more than {most}")]
    Views {
        /// The most.
        most: usize,
    },
    /// A value that the standard does not allow.
    #[error("the record holds a value that the standard does not allow")]
    OutOfRange,
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(RecordError::WrongLength)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn short(&mut self) -> Result<u16, RecordError> {
        self.take().map(u16::from_be_bytes)
    }

    fn long(&mut self) -> Result<u32, RecordError> {
        self.take().map(u32::from_be_bytes)
    }

    fn skip(&mut self, count: usize) -> Result<(), RecordError> {
        self.rest = self.rest.get(count..).ok_or(RecordError::WrongLength)?;
        Ok(())
    }
}

/// From the record's pixels to ours.
struct Scale {
    across: u16,
    down: u16,
}

impl Scale {
    fn across(&self, pixels: u16) -> u16 {
        scaled(pixels, self.across)
    }

    fn down(&self, pixels: u16) -> u16 {
        scaled(pixels, self.down)
    }
}

/// Below 2^16 for all that a record can say: 16,383 × 197 / 78, and a header's 65,535 capped.
fn scaled(pixels: u16, density: u16) -> u16 {
    let exact = (u32::from(pixels) * u32::from(STANDARD_DENSITY) + u32::from(density) / 2) / u32::from(density).max(1);
    exact.min(u32::from(u16::MAX - 1)) as u16
}

/// Both round to the nearest.
fn to_256ths(two_degrees: u8) -> u8 {
    ((u16::from(two_degrees) * 256 + 90) / 180) as u8
}

fn to_two_degrees(part: u8) -> u8 {
    ((u16::from(part) * 180 + 128) / 256 % 180) as u8
}

/// Format identifier and version.
const MAGIC: &[u8; 8] = b"FMR\0 20\0";
const ISO_HEADER: usize = 24;
const ANSI_HEADER: usize = 26;
/// Pixels per centimetre at 500 dpi.
const STANDARD_DENSITY: u16 = 197;
/// 200 to 2,000 dpi.
const DENSITIES: std::ops::RangeInclusive<u16> = 78..=788;
const MOST_PLACE: u16 = 0x3FFF;
const MOST_VIEWS: usize = 16;
/// Plain fingers, thumbs together, four fingers together.
const LAST_POSITION: u8 = 14;
/// Sixteen views of 255 minutiae, and as much extended data again.
const MOST_BYTES: usize = 64 << 10;
const _: () = assert!(MOST_MINUTIAE <= 255);
