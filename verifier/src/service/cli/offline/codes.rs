//! Codes from pictures of paper and screens, or from texts that a scanner gave.

use super::read;
use crate::service::cli::failure::{Exit, Failure};
use credentials::paper::{Assembly, FrameError};
use image::{GrayImage, ImageError, ImageFormat, ImageReader, Limits};
use rxing::helpers::detect_multiple_in_luma_with_hints;
use rxing::{BarcodeFormat, DecodeHints};
use std::collections::HashSet;
use std::io::Cursor;
use std::path::PathBuf;

/// The longest side of a picture that is looked at, in pixels: a telephone's camera has 12,000.
const MOST_SIDE: u32 = 16_384;
/// The most memory that decoding a picture may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;

/// Reads every file and gives the codes collected; a file in which there is none is refused by name.
pub(super) fn collect(files: &[PathBuf]) -> Result<Assembly, Failure> {
    let mut assembly = Assembly::new();
    for file in files {
        let taken = take(texts(file)?.iter().map(String::as_str), &mut assembly);
        let taken = taken.map_err(|error| {
            let message = format!("{}: {error}", file.display());
            Failure::new(Exit::Refused, "paper_invalid", message, "read the codes of one paper at a time, all of them")
        })?;
        if taken == 0 {
            let message = format!("{}: no code of a paper can be read in it", file.display());
            return Err(Failure::usage(message, "hold the camera closer and straight, with light on the paper"));
        }
    }
    Ok(assembly)
}

/// The texts in a file: of the codes in a picture, or one a line.
pub(in crate::service::cli) fn texts(file: &PathBuf) -> Result<Vec<String>, Failure> {
    let bytes = read(file)?;
    match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => {
            let picture = decode(&bytes, format).map_err(|error| {
                let message = format!("{} is not a picture that can be read: {error}", file.display());
                Failure::usage(message, "give PNG or JPEG")
            })?;
            Ok(in_picture(picture))
        }
        _ => Ok(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()),
    }
}

/// How many of the texts are codes of the paper. Beside its codes there may be others in a picture.
fn take<'t>(texts: impl IntoIterator<Item = &'t str>, assembly: &mut Assembly) -> Result<usize, FrameError> {
    let mut taken = 0;
    for text in texts {
        match assembly.add(text) {
            Ok(()) => taken += 1,
            Err(FrameError::NotOurs) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<GrayImage, ImageError> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    Ok(reader.decode()?.into_luma8())
}

/// The texts of the QR codes in a picture; what cannot be read is left out.
fn in_picture(picture: GrayImage) -> Vec<String> {
    let (width, height) = picture.dimensions();
    let mut hints = DecodeHints {
        PossibleFormats: Some(HashSet::from([BarcodeFormat::QR_CODE])),
        TryHarder: Some(true),
        ..DecodeHints::default()
    };
    let found = detect_multiple_in_luma_with_hints(picture.into_raw(), width, height, &mut hints);
    found.unwrap_or_default().iter().map(|code| code.getText().to_owned()).collect()
}
