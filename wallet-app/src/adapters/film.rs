//! What a camera sends while it films: JPEG pictures one after another on a pipe, each taken when it comes. Nothing of it is on a disk.

use super::recording::MOST_FRAMES;
use std::fmt;
use std::io::{self, Read};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// The pictures of one film, in the order in which they came. Personal data, wiped on drop.
pub struct Film {
    frames: Vec<(Zeroizing<Vec<u8>>, Duration)>,
}

impl Film {
    /// Takes what comes until it ends, or until as long as a challenge can last; times count from the first picture. No picture is decoded.
    ///
    /// # Errors
    /// [`FilmError`]
    ///
    /// # Source
    /// ISO/IEC 10918-1, Annex B (where a JPEG picture ends).
    pub fn take(from: impl Read) -> Result<Self, FilmError> {
        let begun = Instant::now();
        Self::timed(from, || begun.elapsed())
    }

    /// The same, by another clock.
    fn timed(mut from: impl Read, now: impl Fn() -> Duration) -> Result<Self, FilmError> {
        let mut frames: Vec<(Zeroizing<Vec<u8>>, Duration)> = Vec::new();
        let (mut first, mut all) = (None, 0_usize);
        let mut coming = Coming::new();
        let mut chunk = Zeroizing::new([0; CHUNK]);
        loop {
            let read = match from.read(&mut chunk[..]) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(FilmError::Read(error)),
            };
            let at = now();
            coming.append(chunk.get(..read).unwrap_or_default());
            all = all.saturating_add(read);
            while let Some(picture) = coming.next_picture()? {
                let at = at.saturating_sub(*first.get_or_insert(at));
                // Two that came together were not taken together.
                let at = frames.last().map_or(at, |(_, last)| at.max(*last + APART));
                frames.push((picture, at));
            }
            if all > MOST_BYTES || frames.len() > MOST_FRAMES || coming.bytes.len() > MOST_PICTURE {
                return Err(FilmError::TooMuch { most: MOST_BYTES >> 20 });
            }
            let ended = read == 0 || frames.last().is_some_and(|(_, at)| *at > LONGEST);
            match (ended, frames.is_empty()) {
                (false, _) => (),
                (true, true) => return Err(FilmError::Empty),
                (true, false) => return Ok(Self { frames }),
            }
        }
    }

    /// The pictures, and when each came.
    pub fn frames(&self) -> impl Iterator<Item = (&[u8], Duration)> {
        self.frames.iter().map(|(picture, at)| (picture.as_slice(), *at))
    }
}

impl fmt::Debug for Film {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { frames } = self;
        f.debug_struct("Film").field("frames", &frames.len()).finish_non_exhaustive()
    }
}

/// Why there is no film.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FilmError {
    /// The pipe broke.
    #[error("what the camera sends cannot be read: {0}")]
    Read(#[source] io::Error),
    /// Something else than JPEG came.
    #[error("what comes is not one JPEG picture after another")]
    NotJpeg,
    /// It ended before a picture did.
    #[error("no whole picture came")]
    Empty,
    /// More than any answer has.
    #[error("a film has at most {most} MiB and {MOST_FRAMES} pictures")]
    TooMuch {
        /// The most, in MiB.
        most: usize,
    },
}

/// What has come of the next picture.
struct Coming {
    bytes: Zeroizing<Vec<u8>>,
    /// How far it was looked at, and among what.
    seen: usize,
    among: Among,
}

#[derive(Clone, Copy)]
enum Among {
    Start,
    Segments,
    Scan,
}

impl Coming {
    fn new() -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(ROOM)), seen: 0, among: Among::Start }
    }

    /// Grows into new room, so that what was there is wiped.
    fn append(&mut self, more: &[u8]) {
        let wanted = self.bytes.len() + more.len();
        if wanted > self.bytes.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(wanted * 2));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(more);
    }

    /// The next picture, if it is all there; what follows it stays.
    fn next_picture(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, FilmError> {
        let Some(end) = self.end()? else { return Ok(None) };
        let mut rest = Self::new();
        rest.append(self.bytes.get(end..).unwrap_or_default());
        let Self { bytes: mut picture, .. } = std::mem::replace(self, rest);
        // What is cut off is wiped with the rest of the room.
        picture.truncate(end);
        Ok(Some(picture))
    }

    /// Where the picture ends: just behind its end marker.
    fn end(&mut self) -> Result<Option<usize>, FilmError> {
        loop {
            let rest = self.bytes.get(self.seen..).unwrap_or_default();
            match (self.among, rest) {
                (Among::Start, [0xFF, 0xD8, ..]) => self.go(2, Among::Segments),
                (Among::Start, [] | [0xFF]) => return Ok(None),
                // Fill bytes may stand before a marker.
                (Among::Segments, [0xFF, 0xFF, ..]) => self.go(1, Among::Segments),
                (Among::Segments, [0xFF, 0xD9, ..]) => return Ok(Some(self.seen + 2)),
                (Among::Segments, [0xFF, 0x01 | 0xD0..=0xD7, ..]) => self.go(2, Among::Segments),
                (Among::Segments, [0xFF, marker, high, low, ..]) => {
                    let length = usize::from(u16::from_be_bytes([*high, *low]));
                    if length < 2 || matches!(marker, 0x00 | 0xD8) {
                        return Err(FilmError::NotJpeg);
                    }
                    if rest.len() < 2 + length {
                        return Ok(None);
                    }
                    self.go(2 + length, if *marker == 0xDA { Among::Scan } else { Among::Segments });
                }
                (Among::Segments, [] | [0xFF] | [0xFF, _] | [0xFF, _, _]) => return Ok(None),
                (Among::Start | Among::Segments, _) => return Err(FilmError::NotJpeg),
                (Among::Scan, [0xFF, 0x00 | 0xD0..=0xD7, ..]) => self.go(2, Among::Scan),
                (Among::Scan, [0xFF, 0xFF, ..]) => self.go(1, Among::Scan),
                (Among::Scan, [0xFF, _, ..]) => self.among = Among::Segments,
                (Among::Scan, [] | [0xFF]) => return Ok(None),
                (Among::Scan, rest) => {
                    let plain = rest.iter().position(|byte| *byte == 0xFF).unwrap_or(rest.len());
                    self.go(plain, Among::Scan);
                }
            }
        }
    }

    const fn go(&mut self, on: usize, among: Among) {
        self.seen += on;
        self.among = among;
    }
}

/// Longer than four movements there and back, with the time to look straight first.
const LONGEST: Duration = Duration::from_secs(60);
/// No camera takes pictures closer together.
const APART: Duration = Duration::from_millis(1);
const MOST_BYTES: usize = 256 << 20;
const MOST_PICTURE: usize = 16 << 20;
const ROOM: usize = 1 << 18;
const CHUNK: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// A picture as encoders write it, of this brightness.
    fn jpeg(brightness: u8) -> Vec<u8> {
        let mut bytes = io::Cursor::new(Vec::new());
        let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([brightness; 3]));
        picture.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    }

    /// Sends so many bytes at a time, and a tenth of a second passes each time.
    struct Camera<'a> {
        left: &'a [u8],
        at_once: usize,
        time: &'a Cell<u64>,
    }

    impl Read for Camera<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.time.set(self.time.get() + 100);
            let count = self.at_once.min(self.left.len()).min(into.len());
            let (now, later) = self.left.split_at(count);
            into[..count].copy_from_slice(now);
            self.left = later;
            Ok(count)
        }
    }

    fn film(bytes: &[u8], at_once: usize) -> Result<Vec<(Vec<u8>, u128)>, FilmError> {
        let time = Cell::new(0);
        let film = Film::timed(Camera { left: bytes, at_once, time: &time }, || Duration::from_millis(time.get()))?;
        Ok(film.frames().map(|(picture, at)| (picture.to_vec(), at.as_millis())).collect())
    }

    #[test]
    fn pictures_are_told_apart_and_timed_when_they_have_come() {
        let pictures = [jpeg(10), jpeg(120), jpeg(250)];
        let all = pictures.concat();
        // A comment with another picture in it, as cameras embed small ones, is part of its own picture.
        let inner =
            [&[0xFF, 0xFE], &u16::try_from(pictures[1].len() + 2).unwrap().to_be_bytes()[..], &pictures[1]].concat();
        let nested = [&pictures[0][..2], &inner, &pictures[0][2..]].concat();
        for at_once in [7, 400, 100_000] {
            let frames = film(&all, at_once).unwrap();
            assert_eq!(frames.iter().map(|(picture, _)| picture.clone()).collect::<Vec<_>>(), pictures, "{at_once}");
            assert!(frames[0].1 == 0 && frames.windows(2).all(|two| two[0].1 < two[1].1), "{at_once}");
            assert_eq!(film(&nested, at_once).unwrap(), [(nested.clone(), 0)]);
        }
        let sevenths = film(&all, 7).unwrap();
        assert!(sevenths[1].1.abs_diff(100 * pictures[1].len() as u128 / 7) <= 100, "as many reads as it takes");
        // What was cut off at the end is no picture.
        assert_eq!(film(&all[..all.len() - 1], 400).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_film_is_refused() {
        let picture = jpeg(99);
        assert!(matches!(film(b"", 10), Err(FilmError::Empty)));
        assert!(matches!(film(&picture[..picture.len() - 2], 10), Err(FilmError::Empty)));
        assert!(matches!(film(b"\x89PNG\r\n", 10), Err(FilmError::NotJpeg)));
        assert!(matches!(film(&[&picture[..], b"and more"].concat(), 10), Err(FilmError::NotJpeg)));
        assert!(matches!(film(b"\xFF\xD8\xFF\xE0\x00\x01", 10), Err(FilmError::NotJpeg)));
        // A picture that never ends.
        let scan = [&b"\xFF\xD8\xFF\xDA\x00\x02"[..], &vec![0x55; MOST_PICTURE + CHUNK]].concat();
        assert!(matches!(film(&scan, CHUNK), Err(FilmError::TooMuch { .. })));
        let many = picture.repeat(MOST_FRAMES + 1);
        assert!(matches!(film(&many, 100_000), Err(FilmError::TooMuch { .. })));
    }

    #[test]
    fn a_camera_that_films_on_is_not_waited_for() {
        // A picture every tenth of a second, for ever: what was taken in a minute is enough.
        let picture = jpeg(99);
        let frames = film(&picture.repeat(2_000), picture.len()).unwrap();
        assert_eq!(frames.last().unwrap().1, 60_100);
    }

    #[test]
    fn nothing_of_a_film_is_in_a_debug_text() {
        let film = Film::take(&jpeg(9)[..]).unwrap();
        assert_eq!(format!("{film:?}"), "Film { frames: 1, .. }");
    }
}
