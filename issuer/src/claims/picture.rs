//! The portrait: decoded within limits, and encoded anew for each copy.
//!
//! Encoding anew leaves EXIF, location and comments behind, and makes the bytes of every copy differ, so that two verifiers
//! cannot join two copies by the hash of the picture. They can still join them by looking at it.
//!
//! # Source
//! `security.md` §3.2; EUDI PID rulebook, `portrait`.

use base64ct::{Base64, Encoding};
use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::{DynamicImage, ImageDecoder, Limits, RgbImage};
use rand_core::CryptoRng;
use std::collections::HashSet;
use std::fmt;
use std::io::Cursor;

/// The most bytes of a JPEG, given or made.
pub const MAX_BYTES: usize = 12 * 1024;
/// The longest side, in pixels.
pub const MAX_SIDE: u32 = 1024;
/// The shortest side, in pixels.
pub const MIN_SIDE: u32 = 16;

const PREFIX: &str = "data:image/jpeg;base64,";

/// A decoded portrait.
pub struct Picture(RgbImage);

/// Why a portrait cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Not a data URL of a JPEG.
    #[error("expected data:image/jpeg;base64, followed by base64")]
    NotADataUrl,
    /// More bytes than a portrait may have.
    #[error("the picture has more than 12 KiB; scale it down, about 240 by 320 pixels are enough")]
    TooManyBytes,
    /// Not a JPEG that decodes.
    #[error("the bytes are not a whole JPEG picture")]
    NotAJpeg,
    /// Too large or too small.
    #[error("the picture must have sides of 16 to 1024 pixels")]
    Size,
    /// It cannot be encoded within the limit.
    #[error("the picture does not fit 12 KiB when it is encoded anew; scale it down")]
    DoesNotFit,
}

impl Picture {
    /// Reads a portrait, and makes sure that it can be encoded anew.
    ///
    /// # Errors
    /// [`PictureError`], naming what is wrong.
    pub fn decode(data_url: &str) -> Result<Self, PictureError> {
        let text = data_url.strip_prefix(PREFIX).ok_or(PictureError::NotADataUrl)?;
        if text.len() > MAX_BYTES.div_ceil(3) * 4 {
            return Err(PictureError::TooManyBytes);
        }
        let bytes = Base64::decode_vec(text).map_err(|_| PictureError::NotADataUrl)?;
        if bytes.len() > MAX_BYTES {
            return Err(PictureError::TooManyBytes);
        }
        let mut decoder = JpegDecoder::new(Cursor::new(&bytes)).map_err(|_| PictureError::NotAJpeg)?;
        let (width, height) = decoder.dimensions();
        // The sides are read from the header, before any pixel is: a small file may claim to be a huge picture.
        if [width, height].iter().any(|side| !(MIN_SIDE..=MAX_SIDE).contains(side)) {
            return Err(PictureError::Size);
        }
        decoder.set_limits(limits()).map_err(|_| PictureError::Size)?;
        let image = DynamicImage::from_decoder(decoder).map_err(|_| PictureError::NotAJpeg)?;
        let picture = Self(image.into_rgb8());
        encode(&picture.0, BEST_QUALITY)?;
        Ok(picture)
    }

    /// `count` data URLs of the portrait, no two of the same bytes.
    ///
    /// # Errors
    /// [`PictureError::DoesNotFit`], which [`Picture::decode`] has ruled out for all but the strangest pictures.
    pub fn copies<R: CryptoRng + ?Sized>(&self, count: usize, rng: &mut R) -> Result<Vec<String>, PictureError> {
        let mut seen = HashSet::new();
        let mut copies = Vec::with_capacity(count);
        let mut strength = 1;
        while copies.len() < count {
            let mut pixels = self.0.clone();
            jitter(&mut pixels, strength, rng);
            let quality = LEAST_QUALITY + (rng.next_u32() % u32::from(BEST_QUALITY - LEAST_QUALITY + 1)) as u8;
            let text = format!("{PREFIX}{}", Base64::encode_string(&encode(&pixels, quality)?));
            if seen.insert(text.clone()) {
                copies.push(text);
            } else {
                // A flat picture swallows small changes in its quantisation: change it a little more.
                strength = (strength + 1).min(MOST_STRENGTH);
            }
        }
        Ok(copies)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("Picture").finish_non_exhaustive()
    }
}

/// Qualities of which one is drawn for each copy (`security.md` §3.2).
const LEAST_QUALITY: u8 = 80;
const BEST_QUALITY: u8 = 90;
/// Below this a portrait is no longer one.
const WORST_QUALITY: u8 = 30;
/// The most by which one channel of one pixel changes, of 255.
const MOST_STRENGTH: u8 = 24;

/// Changes one pixel in sixteen by at most `strength`.
fn jitter<R: CryptoRng + ?Sized>(pixels: &mut RgbImage, strength: u8, rng: &mut R) {
    for pixel in pixels.pixels_mut() {
        let drawn = rng.next_u32();
        if drawn & 15 != 0 {
            continue;
        }
        let [_, channel, amount, sign] = drawn.to_be_bytes();
        let amount = 1 + amount % strength;
        if let Some(value) = pixel.0.get_mut(usize::from(channel % 3)) {
            *value = if sign & 16 == 0 { value.saturating_add(amount) } else { value.saturating_sub(amount) };
        }
    }
}

/// Encodes at `quality`, or as much lower as the limit demands.
fn encode(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>, PictureError> {
    let mut quality = quality;
    loop {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, quality)
            .encode_image(pixels)
            .map_err(|_| PictureError::DoesNotFit)?;
        if bytes.len() <= MAX_BYTES {
            return Ok(bytes);
        }
        if quality <= WORST_QUALITY {
            return Err(PictureError::DoesNotFit);
        }
        quality = quality.saturating_sub(5);
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(16 * 1024 * 1024);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn jpeg(width: u32, height: u32, flat: bool) -> Vec<u8> {
        let pixels = RgbImage::from_fn(width, height, |x, y| {
            image::Rgb(if flat { [128; 3] } else { [(x * 2) as u8, (y * 2) as u8, (x ^ y) as u8] })
        });
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 75).encode_image(&pixels).unwrap();
        bytes
    }

    fn data_url(bytes: &[u8]) -> String {
        format!("{PREFIX}{}", Base64::encode_string(bytes))
    }

    #[test]
    fn every_copy_has_its_own_bytes_even_of_a_flat_picture() {
        for flat in [false, true] {
            let picture = Picture::decode(&data_url(&jpeg(96, 128, flat))).unwrap();
            let copies = picture.copies(30, &mut ChaCha20Rng::seed_from_u64(3)).unwrap();
            assert_eq!(copies.iter().collect::<HashSet<_>>().len(), 30);
            for copy in &copies {
                Picture::decode(copy).unwrap();
            }
        }
    }

    #[test]
    fn exif_and_comments_do_not_survive() {
        let plain = jpeg(96, 128, false);
        let mut bytes = plain[..2].to_vec();
        bytes.extend([0xff, 0xe1, 0, 24]);
        bytes.extend(b"Exif\0\0GPS-HERE-52.5N--");
        bytes.extend([0xff, 0xfe, 0, 8]);
        bytes.extend(b"secret");
        bytes.extend(&plain[2..]);
        let copies = Picture::decode(&data_url(&bytes)).unwrap().copies(1, &mut ChaCha20Rng::seed_from_u64(4)).unwrap();
        let made = Base64::decode_vec(copies[0].strip_prefix(PREFIX).unwrap()).unwrap();
        for needle in [&b"Exif"[..], b"GPS-HERE", b"secret"] {
            assert!(!made.windows(needle.len()).any(|w| w == needle));
        }
    }

    #[test]
    fn attack_93_a_picture_bomb_is_refused_from_its_header() {
        let mut bytes = jpeg(96, 128, false);
        // The frame header SOF0 (ff c0) holds height and width at bytes 5 to 8 after the marker.
        let at = bytes.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        bytes[at + 5..at + 9].copy_from_slice(&[0xff; 4]);
        assert_eq!(Picture::decode(&data_url(&bytes)).unwrap_err(), PictureError::Size);
        assert_eq!(Picture::decode(&data_url(&vec![0; MAX_BYTES + 1])).unwrap_err(), PictureError::TooManyBytes);
        assert_eq!(Picture::decode(&data_url(&jpeg(8, 8, true))).unwrap_err(), PictureError::Size);
        let whole = jpeg(96, 128, false);
        assert_eq!(Picture::decode(&data_url(&whole[..40])).unwrap_err(), PictureError::NotAJpeg);
        assert_eq!(Picture::decode(&data_url(b"\x89PNG\r\n\x1a\n")).unwrap_err(), PictureError::NotAJpeg);
        for text in ["data:image/png;base64,AAAA", "data:image/jpeg;base64,!!", "https://example/p.jpg"] {
            assert_eq!(Picture::decode(text).unwrap_err(), PictureError::NotADataUrl, "{text}");
        }
    }
}
