//! The sample: a picture, decoded under limits, as 8-bit RGB pixels the right way up.
//!
//! What a file is, its first bytes say, never its name; the bytes themselves are not kept. Only pixels and the orientation
//! are taken from it: every other piece of metadata is dropped unread or refused by size.

mod jpeg;
mod png;
mod tiff;
mod webp;

use std::fmt;
use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use zeroize::{Zeroize, Zeroizing};

/// A picture of a person. Personal data: wiped on drop, its `Debug` shows its size only.
pub struct Sample {
    width: u32,
    height: u32,
    rgb: Zeroizing<Vec<u8>>,
}

impl Sample {
    /// The most bytes an encoded picture may have.
    pub const MAX_BYTES: usize = 16 << 20;
    /// The most pixels a picture may have.
    pub const MAX_PIXELS: u64 = 8_000_000;

    /// Decodes a JPEG, PNG, PNM, BMP, WebP or TIFF, turned upright as its EXIF orientation says.
    ///
    /// Colours are converted to 8-bit RGB; transparency is ignored. Limits are checked before anything is allocated:
    /// [`Self::MAX_BYTES`], [`Self::MAX_PIXELS`], the number of progressive scans, the size of metadata.
    ///
    /// # Errors
    /// [`DecodeError`], with a hint to the person, for anything that is not one whole picture within the limits.
    #[inline(never)]
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Empty);
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(DecodeError::TooManyBytes { most: Self::MAX_BYTES, got: bytes.len() });
        }
        let stripped;
        let (format, bytes) = match sniff(bytes)? {
            Kind::Jpeg => {
                jpeg::inspect(bytes)?;
                (ImageFormat::Jpeg, bytes)
            }
            Kind::Png => {
                stripped = Zeroizing::new(png::strip(bytes)?);
                (ImageFormat::Png, stripped.as_slice())
            }
            Kind::WebP => {
                webp::inspect(bytes)?;
                (ImageFormat::WebP, bytes)
            }
            Kind::Tiff => {
                tiff::inspect(bytes)?;
                (ImageFormat::Tiff, bytes)
            }
            Kind::Bmp => (ImageFormat::Bmp, bytes),
            Kind::Pnm => (ImageFormat::Pnm, bytes),
        };
        // A decoder that panics on a malformed file must not take the program with it. Nothing of ours is touched inside.
        std::panic::catch_unwind(|| pixels(bytes, format)).unwrap_or(Err(DecodeError::Malformed))
    }

    /// A sample from a camera: rows from the top, three bytes a pixel, red first.
    ///
    /// # Errors
    /// [`DecodeError`] if the size is zero or too large, or the number of bytes is not that of the size.
    pub fn from_rgb(width: u32, height: u32, rgb: Vec<u8>) -> Result<Self, DecodeError> {
        let rgb = Zeroizing::new(rgb);
        check_size(width, height)?;
        if rgb.len() as u64 != u64::from(width) * u64::from(height) * 3 {
            return Err(DecodeError::Truncated);
        }
        Ok(Self { width, height, rgb })
    }

    /// Width in pixels, at least 1.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels, at least 1.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// The pixels: rows from the top, three bytes a pixel, red first.
    #[must_use]
    pub fn as_rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, rgb: _ } = self;
        f.debug_struct("Sample").field("width", width).field("height", height).finish_non_exhaustive()
    }
}

/// Why bytes are not a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No bytes.
    #[error("the file is empty")]
    Empty,
    /// Too large a file.
    #[error("the file has {got} bytes, at most {most} are taken")]
    TooManyBytes {
        /// The limit.
        most: usize,
        /// The file's length.
        got: usize,
    },
    /// Not a picture, by its first bytes.
    #[error("the file is no picture")]
    NotAPicture,
    /// A picture of a format that we do not read.
    #[error("{format} pictures are not read")]
    UnsupportedFormat {
        /// The format.
        format: &'static str,
    },
    /// More than one frame.
    #[error("the picture is animated")]
    Animated,
    /// More than one page.
    #[error("the file holds several pictures")]
    SeveralPages,
    /// No pixels.
    #[error("the picture has no pixels")]
    NoPixels,
    /// Too many pixels.
    #[error("the picture has {got} pixels, at most {most} are taken")]
    TooManyPixels {
        /// The limit.
        most: u64,
        /// Width times height.
        got: u64,
    },
    /// So long or so high that it is no photograph.
    #[error("the picture is more than {most} pixels long")]
    TooLong {
        /// The limit for either side.
        most: u32,
    },
    /// A progressive picture in more passes than any camera writes.
    #[error("the picture has {got} scans, at most {most} are read at its size")]
    TooManyScans {
        /// The limit at this size.
        most: u64,
        /// Scans found.
        got: u64,
    },
    /// Colour profiles, previews or comments beyond any use.
    #[error("the picture carries {got} bytes of metadata, at most {most} are taken")]
    TooMuchMetadata {
        /// The limit.
        most: usize,
        /// Bytes of metadata.
        got: usize,
    },
    /// The file ends early.
    #[error("the picture is incomplete")]
    Truncated,
    /// The file contradicts itself.
    #[error("the picture is damaged")]
    Malformed,
    /// Floating-point, palette or other colours that the decoder does not convert.
    #[error("the picture's kind of colour is not read")]
    UnsupportedColour,
}

impl DecodeError {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty | Self::Truncated | Self::Malformed => "copy or take the picture again: this file is damaged",
            Self::NotAPicture => "give a photograph: a JPEG or PNG file",
            Self::UnsupportedFormat { .. } | Self::UnsupportedColour => "save the picture as JPEG or PNG and try again",
            Self::Animated | Self::SeveralPages => "give a file with a single picture",
            Self::NoPixels | Self::TooLong { .. } => "give a photograph of your face",
            Self::TooManyBytes { .. } | Self::TooManyPixels { .. } => {
                "make the picture smaller: 8 megapixels and 16 megabytes at most"
            }
            Self::TooManyScans { .. } | Self::TooMuchMetadata { .. } => {
                "save the picture anew as an ordinary JPEG and try again"
            }
        }
    }
}

enum Kind {
    Jpeg,
    Png,
    Pnm,
    Bmp,
    WebP,
    Tiff,
}

/// What the first bytes say.
fn sniff(bytes: &[u8]) -> Result<Kind, DecodeError> {
    let unsupported = |format| Err(DecodeError::UnsupportedFormat { format });
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => Ok(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(Kind::Png),
        [b'P', b'1'..=b'7', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Ok(Kind::Pnm),
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Ok(Kind::Bmp),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Kind::WebP),
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => Ok(Kind::Tiff),
        [b'I', b'I', 43, 0, ..] | [b'M', b'M', 0, 43, ..] => unsupported("BigTIFF"),
        [b'G', b'I', b'F', b'8', ..] => unsupported("GIF"),
        [b'%', b'P', b'D', b'F', ..] => unsupported("PDF"),
        [0, 0, 0, _, b'j', b'P', b' ', b' ', ..] => unsupported("JPEG 2000"),
        [0xFF, 0x0A, ..] | [0, 0, 0, _, b'J', b'X', b'L', b' ', ..] => unsupported("JPEG XL"),
        [0, 0, 0, _, b'f', b't', b'y', b'p', b'a', b'v', b'i', ..] => unsupported("AVIF"),
        [0, 0, 0, _, b'f', b't', b'y', b'p', b'h' | b'm', ..] => unsupported("HEIC"),
        [b'<', b's', b'v', b'g', ..] | [b'<', b'?', b'x', b'm', b'l', ..] => unsupported("SVG and XML"),
        _ => Err(DecodeError::NotAPicture),
    }
}

fn pixels(bytes: &[u8], format: ImageFormat) -> Result<Sample, DecodeError> {
    // Sides are checked below, from the header, with an error that says which.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOCATION);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(classify)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes() > MAX_ALLOCATION {
        return Err(DecodeError::UnsupportedColour);
    }
    decoder.set_limits(limits).map_err(classify)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(classify)?;
    if matches!(picture, DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)) {
        return Err(DecodeError::UnsupportedColour);
    }
    let picture = turned(picture, orientation);
    if let DynamicImage::ImageRgb8(rgb) = picture {
        return Sample::from_rgb(rgb.width(), rgb.height(), rgb.into_raw());
    }
    let rgb = picture.to_rgb8();
    wipe(picture);
    Sample::from_rgb(rgb.width(), rgb.height(), rgb.into_raw())
}

/// The picture upright; where that makes another one, the first is wiped.
fn turned(mut picture: DynamicImage, orientation: Orientation) -> DynamicImage {
    let mut turned = match orientation {
        Orientation::Rotate90 | Orientation::Rotate90FlipH => picture.rotate90(),
        Orientation::Rotate270 | Orientation::Rotate270FlipH => picture.rotate270(),
        in_place => {
            picture.apply_orientation(in_place);
            return picture;
        }
    };
    wipe(picture);
    if matches!(orientation, Orientation::Rotate90FlipH | Orientation::Rotate270FlipH) {
        turned.apply_orientation(Orientation::FlipHorizontal);
    }
    turned
}

/// The picture in its own colours, where it is not the one that is kept.
fn wipe(picture: DynamicImage) {
    match picture {
        DynamicImage::ImageLuma8(grey) => grey.into_raw().zeroize(),
        DynamicImage::ImageLumaA8(grey) => grey.into_raw().zeroize(),
        DynamicImage::ImageRgb8(rgb) => rgb.into_raw().zeroize(),
        DynamicImage::ImageRgba8(rgba) => rgba.into_raw().zeroize(),
        DynamicImage::ImageLuma16(grey) => grey.into_raw().zeroize(),
        DynamicImage::ImageLumaA16(grey) => grey.into_raw().zeroize(),
        DynamicImage::ImageRgb16(rgb) => rgb.into_raw().zeroize(),
        DynamicImage::ImageRgba16(rgba) => rgba.into_raw().zeroize(),
        // Pictures in floating point were refused.
        _ => {}
    }
}

fn check_size(width: u32, height: u32) -> Result<(), DecodeError> {
    let got = u64::from(width) * u64::from(height);
    if got == 0 {
        return Err(DecodeError::NoPixels);
    }
    if got > Sample::MAX_PIXELS {
        return Err(DecodeError::TooManyPixels { most: Sample::MAX_PIXELS, got });
    }
    if width.max(height) > MAX_SIDE {
        return Err(DecodeError::TooLong { most: MAX_SIDE });
    }
    Ok(())
}

fn classify(error: image::ImageError) -> DecodeError {
    use image::error::UnsupportedErrorKind;
    match error {
        image::ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::Color(_) => DecodeError::UnsupportedColour,
            _ => DecodeError::UnsupportedFormat { format: "such" },
        },
        // Within eight megapixels only odd kinds of colour need more memory.
        image::ImageError::Limits(_) => DecodeError::UnsupportedColour,
        image::ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => DecodeError::Truncated,
        _ => DecodeError::Malformed,
    }
}

/// Big-endian number at a place, if it is within the bytes.
fn be_u32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

/// The longest side; eight megapixels at this length are half a thousand pixels high.
const MAX_SIDE: u32 = 16_384;
/// Eight megapixels of four 16-bit channels, and half as much again for the decoder.
const MAX_ALLOCATION: u64 = 96 << 20;
/// EXIF, colour profiles, previews: what phones write stays below; copied, never expanded.
const MAX_METADATA: usize = 4 << 20;

#[cfg(test)]
mod tests;
