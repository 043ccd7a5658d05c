//! Codes from pictures of paper and screens, single or many, or from texts that a scanner gave.

use super::read;
use crate::service::cli::failure::{Exit, Failure};
use credentials::paper::{Assembly, FrameError};
use image::{GrayImage, ImageError, ImageFormat, ImageReader, Limits};
use rxing::helpers::detect_multiple_in_luma_with_hints;
use rxing::{BarcodeFormat, DecodeHints};
use std::collections::HashSet;
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// The longest side of a picture that is looked at, in pixels: a telephone's camera has 12,000.
const MOST_SIDE: u32 = 16_384;
/// The most memory that decoding a picture may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;
/// The longest side of a picture of a film.
const MOST_FILM_SIDE: u16 = 4_096;
/// The most pictures of a film, or files of a folder, that are looked at: minutes of a camera that takes some in a second.
const MOST_PICTURES: usize = 2_000;

/// Codes collected, and how many of the pictures had none that could be read.
pub(super) struct Collected {
    pub(super) assembly: Assembly,
    pub(super) pictures: usize,
    pub(super) unreadable: usize,
}

/// Reads files and folders, the pictures in any order and as often as they come, until nothing is missing. One file alone must
/// have a code in it; of several some may have none, as happens to a camera that is held before a screen.
pub(super) fn collect(named: &[PathBuf]) -> Result<Collected, Failure> {
    let files = files(named)?;
    let mut collected = Collected { assembly: Assembly::new(), pictures: 0, unreadable: 0 };
    for file in &files {
        let several = files.len() > 1;
        match texts(file) {
            Ok(pictures) => pictures.iter().try_for_each(|texts| collected.take(texts, file))?,
            Err(_) if several => {
                collected.pictures += 1;
                collected.unreadable += 1;
            }
            Err(error) => return Err(error),
        }
        if collected.assembly.total() > 0 && collected.assembly.missing().is_empty() {
            break;
        }
    }
    if collected.assembly.total() == 0 {
        let what = match named {
            [one] => format!("{}: no code of a paper can be read in it", one.display()),
            _ => format!("in none of {} pictures a code of a paper can be read", collected.pictures),
        };
        return Err(Failure::usage(what, "hold the camera closer and straight, with light on the paper"));
    }
    Ok(collected)
}

/// The files named, and those in the folders named, by name.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in named {
        if path.is_dir() {
            let inside = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let inside = inside.map_err(|error| Failure::file(path, &error))?;
            let mut inside: Vec<_> = inside.iter().map(std::fs::DirEntry::path).filter(|path| path.is_file()).collect();
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    if files.len() > MOST_PICTURES {
        let message = format!("{} pictures, at most {MOST_PICTURES} are looked at", files.len());
        return Err(Failure::usage(message, "leave some out: every code is needed once only"));
    }
    Ok(files)
}

impl Collected {
    /// Takes the codes of one picture.
    fn take(&mut self, texts: &[String], file: &Path) -> Result<(), Failure> {
        let taken = take(texts.iter().map(String::as_str), &mut self.assembly).map_err(|error| {
            let message = format!("{}: {error}", file.display());
            Failure::new(Exit::Refused, "paper_invalid", message, "read the codes of one paper at a time, all of them")
        })?;
        self.pictures += 1;
        self.unreadable += usize::from(taken == 0);
        Ok(())
    }
}

/// The texts in a file, picture by picture: of the codes in a picture or in those of a film, or one a line.
fn texts(file: &PathBuf) -> Result<Vec<Vec<String>>, Failure> {
    let bytes = read(file)?;
    let unreadable = |error: String| {
        let message = format!("{} is not a picture that can be read: {error}", file.display());
        Failure::usage(message, "give PNG, JPEG or GIF")
    };
    match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => {
            let picture = decode(&bytes, format).map_err(|error| unreadable(error.to_string()))?;
            Ok(vec![in_picture(picture)])
        }
        Ok(ImageFormat::Gif) => film(&bytes).map_err(|error| unreadable(error.to_string())),
        _ => Ok(vec![String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()]),
    }
}

/// The texts in a file, whatever it is.
pub(in crate::service::cli) fn all_texts(file: &PathBuf) -> Result<Vec<String>, Failure> {
    Ok(texts(file)?.into_iter().flatten().collect())
}

/// The codes in each picture of a GIF. A picture that covers a part only is read as that part; a film that breaks off is read
/// as far as it goes.
fn film(bytes: &[u8]) -> Result<Vec<Vec<String>>, gif::DecodingError> {
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    options.set_memory_limit(gif::MemoryLimit::Bytes(MOST_MEMORY.try_into().unwrap_or(std::num::NonZeroU64::MIN)));
    let mut decoder = options.read_info(Cursor::new(bytes))?;
    let mut pictures = Vec::new();
    while pictures.len() < MOST_PICTURES {
        let frame = match decoder.read_next_frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            Err(error) if pictures.is_empty() => return Err(error),
            Err(_) => break,
        };
        if frame.width > MOST_FILM_SIDE || frame.height > MOST_FILM_SIDE {
            pictures.push(Vec::new());
            continue;
        }
        // Codes are black on white: the mean of the three colours is enough.
        let gray = frame
            .buffer
            .as_chunks::<4>()
            .0
            .iter()
            .map(|[r, g, b, _]| ((u16::from(*r) + u16::from(*g) + u16::from(*b)) / 3) as u8);
        let gray = GrayImage::from_raw(frame.width.into(), frame.height.into(), gray.collect());
        pictures.push(gray.map(in_picture).unwrap_or_default());
    }
    Ok(pictures)
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
