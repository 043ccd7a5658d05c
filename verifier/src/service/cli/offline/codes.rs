//! Codes from pictures of paper and screens, or from texts that a scanner gave.

use super::read;
use crate::service::cli::failure::{Exit, Failure};
use credentials::paper::{Assembly, FrameError};
use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;
use std::path::PathBuf;

/// The longest side of a picture that is looked at, in pixels: a telephone's camera has 12,000.
const MOST_SIDE: u32 = 16_384;
/// The most memory that decoding a picture may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;

/// Reads every file and gives the codes collected; a picture in which there is none is refused by name.
pub(super) fn collect(files: &[PathBuf]) -> Result<Assembly, Failure> {
    let mut assembly = Assembly::new();
    for file in files {
        let bytes = read(file)?;
        let name = file.display();
        let texts = match image::guess_format(&bytes) {
            Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => in_picture(&bytes, format).map_err(|error| {
                Failure::usage(format!("{name} is not a picture that can be read: {error}"), "give PNG or JPEG")
            })?,
            _ => String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect(),
        };
        let mut taken = 0_usize;
        for text in texts.iter().filter(|text| !text.trim().is_empty()) {
            match assembly.add(text) {
                Ok(()) => taken += 1,
                // Beside the codes of the paper there may be others in the picture.
                Err(FrameError::NotOurs) => {}
                Err(error) => {
                    let hint = "read the codes of one paper at a time, all of them";
                    return Err(Failure::new(Exit::Refused, "paper_invalid", format!("{name}: {error}"), hint));
                }
            }
        }
        if taken == 0 {
            let message = format!("{name}: no code of a paper can be read in it");
            return Err(Failure::usage(message, "hold the camera closer and straight, with light on the paper"));
        }
    }
    Ok(assembly)
}

/// The texts of the codes in a picture; those that cannot be read are left out.
fn in_picture(bytes: &[u8], format: ImageFormat) -> Result<Vec<String>, image::ImageError> {
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_SIDE), Some(MOST_SIDE));
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let picture = reader.decode()?.into_luma8();
    let (width, height) = picture.dimensions();
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, |x, y| {
        let place = y.saturating_mul(width as usize).saturating_add(x);
        picture.as_raw().get(place).copied().unwrap_or(u8::MAX)
    });
    Ok(prepared.detect_grids().iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect())
}
