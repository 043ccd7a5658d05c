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
/// How many pixels of a film are searched: half a minute of a screen at a megapixel. A film of four megabytes could hold dozens of
/// times as many.
const MOST_FILM_PIXELS: u64 = 512 << 20;
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
        match pictures(file) {
            Ok(pictures) => collected.take_until_whole(pictures, file)?,
            Err(_) if several => {
                collected.pictures += 1;
                collected.unreadable += 1;
            }
            Err(error) => return Err(error),
        }
        if collected.is_whole() {
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
    fn is_whole(&self) -> bool {
        self.assembly.total() > 0 && self.assembly.missing().is_empty()
    }

    /// Takes the codes picture by picture. What follows when nothing is missing any more is not even decoded.
    fn take_until_whole(&mut self, pictures: Pictures, file: &Path) -> Result<(), Failure> {
        for texts in pictures {
            self.take(&texts, file)?;
            if self.is_whole() {
                break;
            }
        }
        Ok(())
    }

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
enum Pictures {
    One(Option<Vec<String>>),
    Film(Box<Film>),
}

impl Iterator for Pictures {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        match self {
            Self::One(texts) => texts.take(),
            Self::Film(film) => film.next(),
        }
    }
}

fn pictures(file: &PathBuf) -> Result<Pictures, Failure> {
    let bytes = read(file)?;
    let unreadable = |error: String| {
        let message = format!("{} is not a picture that can be read: {error}", file.display());
        Failure::usage(message, "give PNG, JPEG or GIF")
    };
    match image::guess_format(&bytes) {
        Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg)) => {
            let picture = decode(&bytes, format).map_err(|error| unreadable(error.to_string()))?;
            Ok(Pictures::One(Some(in_picture(picture))))
        }
        Ok(ImageFormat::Gif) => {
            let film = Film::open(bytes, MOST_FILM_PIXELS).map_err(|error| unreadable(error.to_string()))?;
            Ok(Pictures::Film(Box::new(film)))
        }
        _ => Ok(Pictures::One(Some(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()))),
    }
}

/// The texts in a file, whatever it is.
pub(in crate::service::cli) fn all_texts(file: &PathBuf) -> Result<Vec<String>, Failure> {
    Ok(pictures(file)?.flatten().collect())
}

/// A GIF, read picture by picture and only as far as somebody asks. A picture that covers a part only is read as that part; a film
/// that breaks off, or holds more than is searched, is read as far as that goes.
struct Film {
    decoder: gif::Decoder<Cursor<Vec<u8>>>,
    first: Option<Vec<String>>,
    /// How much is searched still.
    pictures: usize,
    pixels: u64,
}

impl Film {
    /// A film of which at most so many pixels are searched. Reads the first picture, so that what is no film is known at once.
    fn open(bytes: Vec<u8>, pixels: u64) -> Result<Self, gif::DecodingError> {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        options.set_memory_limit(gif::MemoryLimit::Bytes(MOST_MEMORY.try_into().unwrap_or(std::num::NonZeroU64::MIN)));
        let decoder = options.read_info(Cursor::new(bytes))?;
        let mut film = Self { decoder, first: None, pictures: MOST_PICTURES, pixels };
        film.first = film.read()?;
        Ok(film)
    }

    /// The codes in the next picture.
    fn read(&mut self) -> Result<Option<Vec<String>>, gif::DecodingError> {
        let Some(left) = self.pictures.checked_sub(1) else { return Ok(None) };
        let Some(frame) = self.decoder.next_frame_info()? else { return Ok(None) };
        let (width, height) = (frame.width, frame.height);
        self.pictures = left;
        if width > MOST_FILM_SIDE || height > MOST_FILM_SIDE {
            return Ok(Some(Vec::new()));
        }
        let Some(left) = self.pixels.checked_sub(u64::from(width) * u64::from(height)) else {
            self.pictures = 0;
            return Ok(None);
        };
        self.pixels = left;
        let mut colours = vec![0; self.decoder.buffer_size()];
        self.decoder.read_into_buffer(&mut colours)?;
        // Codes are black on white: the mean of the three colours is enough.
        let pixels = colours.as_chunks::<4>().0.iter();
        let gray = pixels.map(|[r, g, b, _]| ((u16::from(*r) + u16::from(*g) + u16::from(*b)) / 3) as u8);
        let gray = GrayImage::from_raw(width.into(), height.into(), gray.collect());
        Ok(Some(gray.map(in_picture).unwrap_or_default()))
    }
}

impl Iterator for Film {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        self.first.take().or_else(|| self.read().ok().flatten())
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

#[cfg(test)]
mod tests {
    use super::*;
    use qrcode::{Color, EcLevel, QrCode};

    /// A film of these codes, with pictures of that many pixels a side after them that show nothing.
    fn film(codes: &[String], blank: usize, side: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = gif::Encoder::new(&mut bytes, side, side, &[0, 0, 0, 255, 255, 255]).unwrap();
        for code in codes {
            let code = QrCode::with_error_correction_level(code, EcLevel::L).unwrap();
            let (width, colours) = (code.width(), code.to_colors());
            // Four pixels for each module, and four modules of white around them.
            let module = |n: usize| (n / 4).checked_sub(4).filter(|at| *at < width);
            let is_dark = |x, y| module(x).zip(module(y)).is_some_and(|(x, y)| colours[y * width + x] == Color::Dark);
            let drawn = (width + 8) * 4;
            let pixels = (0..drawn * drawn).map(|n| u8::from(!is_dark(n % drawn, n / drawn))).collect::<Vec<_>>();
            let drawn = u16::try_from(drawn).unwrap();
            encoder.write_frame(&gif::Frame::from_indexed_pixels(drawn, drawn, pixels, None)).unwrap();
        }
        let mut nothing = gif::Frame::from_indexed_pixels(side, side, vec![1; usize::from(side).pow(2)], None);
        nothing.make_lzw_pre_encoded();
        for _ in 0..blank {
            encoder.write_lzw_pre_encoded_frame(&nothing).unwrap();
        }
        drop(encoder);
        bytes
    }

    #[test]
    fn attack_45_of_a_film_nothing_is_decoded_after_the_last_code_of_the_paper() {
        let codes = credentials::paper::frames(&[7; 1_000]).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film.gif");
        std::fs::write(&path, film(&codes, 400, 2_048)).unwrap();
        let whole = collect(&[path]).unwrap();
        assert_eq!(whole.assembly.finish().unwrap(), [7; 1_000]);
        assert_eq!((codes.len(), whole.pictures), (2, 2));
    }

    #[test]
    fn attack_45_of_a_film_no_more_is_searched_than_its_budget() {
        let pictures = |pixels| Film::open(film(&[], 40, 200), pixels).unwrap().count();
        assert_eq!(pictures(40 * 200 * 200), 40);
        assert_eq!(pictures(40 * 200 * 200 - 1), 39);
        assert_eq!(pictures(3 * 200 * 200), 3);
        assert_eq!(pictures(0), 0);
    }
}
