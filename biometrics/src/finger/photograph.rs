//! A photograph of a fingertip, made into what a scanner would have shown: found, unrolled, evened out, at 500 dpi.

mod flatten;
mod outline;
mod quality;
mod segment;
mod unroll;

use std::fmt;

use super::enhance::normalise;
use super::grid::Grid;
use super::image::{FingerImage, Resolution, resampled};
use super::ridges::{RidgeMap, USUAL_PERIOD};
use crate::sample::Sample;
use flatten::{flatten, modulation};
use outline::Outline;
pub use quality::{PhotographComponent, PhotographQuality, PhotographQualityFault};
use unroll::unroll;

/// How the ridges look in a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RidgeTone {
    /// Brighter than the valleys: what a lamp beside the camera does to a dry finger.
    #[default]
    Bright,
    /// Darker than the valleys, as a scanner shows them.
    Dark,
}

/// Which way round a photograph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Handedness {
    /// As an eye sees the finger: the mirror image of what a print or a scanner's image shows.
    #[default]
    AsSeen,
    /// Mirrored already, as cameras on the side of the screen often store it.
    Mirrored,
}

/// What the picture cannot say of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PhotographView {
    /// Bright ridges unless said otherwise.
    pub ridges: RidgeTone,
    /// As seen unless said otherwise.
    pub handedness: Handedness,
}

/// One fingertip from a photograph. Personal data, wiped on drop.
pub struct FingerPhotograph {
    image: FingerImage,
    quality: PhotographQuality,
}

impl FingerPhotograph {
    /// Develops a photograph: the fingertip against another background, not touching a second finger.
    ///
    /// There is no length in a photograph: it is scaled so that ridges lie nine pixels apart, as an adult's do at 500 dpi
    /// on average. A finger whose ridges lie closer or farther apart comes out too large or too small by that much.
    /// Nothing here tells a finger from a picture of one.
    ///
    /// # Errors
    /// [`PhotographError`], each with a hint: no finger, two, too far, too blurred, no ridges to measure.
    ///
    /// # Source
    /// Our choice, decision 0115.
    pub fn develop(sample: &Sample, view: PhotographView) -> Result<Self, PhotographError> {
        let outline = Outline::of(&segment::segment(sample)?)?;
        if 2.0 * outline.half_width < LEAST_WIDTH {
            return Err(PhotographError::TooFar);
        }
        // Fine enough for any scale that comes below, and no finer.
        let reduction = (MOST_WIDTH / (2.0 * outline.half_width)).min(1.0);
        let grey = green(sample);
        let size = |pixels: usize| ((pixels as f32 * reduction).round() as usize).max(1);
        let (width, height) = (size(grey.width()), size(grey.height()));
        let grey = if reduction < 1.0 { resampled(&grey, width, height) } else { grey };
        let outline = outline.scaled(reduction);
        let scale = Self::ridge_scale(&grey, &outline, view)?;
        let unrolled = unroll(&grey, &outline, scale, view.handedness);
        let flat = flatten(&unrolled, view.ridges);
        let (normal, deviation) = normalise(&flat.grey);
        let map = RidgeMap::of(&normal, &deviation);
        let quality = PhotographQuality::measure(&unrolled, &flat, &map, scale * reduction);
        let image = FingerImage::from_grey(&flat.grey, 1.0).map_err(|_| PhotographError::TooFar)?;
        Ok(Self { image, quality })
    }

    /// Pixels of the scanner's image for one of the photograph, so that ridges lie as far apart as a scanner's.
    fn ridge_scale(grey: &Grid<f32>, outline: &Outline, view: PhotographView) -> Result<f32, PhotographError> {
        // What a finger of usual width would have: ridges are looked for there first.
        let usual = USUAL_WIDTH / (2.0 * outline.half_width);
        let mut strongest = 0.0_f32;
        for guess in GUESSES {
            let mut scale = usual * guess;
            for round in 0..2 {
                let flat = flatten(&unroll(grey, outline, scale, view.handedness), view.ridges);
                strongest = strongest.max(modulation(&flat));
                let (normal, deviation) = normalise(&flat.grey);
                let map = RidgeMap::of(&normal, &deviation);
                if map.periods_found < LEAST_PERIODS || !READABLE.contains(&map.mean_period) {
                    break;
                }
                scale *= USUAL_PERIOD / map.mean_period;
                if round == 1 {
                    return Ok(scale);
                }
            }
        }
        Err(if strongest < LEAST_MODULATION { PhotographError::TooBlurred } else { PhotographError::NoPeriod })
    }

    /// What was measured of the photograph.
    #[must_use]
    pub const fn quality(&self) -> &PhotographQuality {
        &self.quality
    }

    /// Whether the product would take it; if not, the first reason.
    ///
    /// # Errors
    /// [`PhotographError::Quality`], with a hint to the person.
    pub fn check(&self) -> Result<(), PhotographError> {
        Ok(self.quality.check()?)
    }

    /// What a scanner would have shown.
    #[must_use]
    pub const fn image(&self) -> &FingerImage {
        &self.image
    }

    /// What a scanner would have shown, and what was measured.
    #[must_use]
    pub fn into_parts(self) -> (FingerImage, PhotographQuality) {
        (self.image, self.quality)
    }
}

impl fmt::Debug for FingerPhotograph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image: _, quality } = self;
        f.debug_struct("FingerPhotograph").field("quality", quality).finish_non_exhaustive()
    }
}

/// Where skin shows its ridges best: blood takes green away, and red shines through.
fn green(sample: &Sample) -> Grid<f32> {
    let mut grey = Grid::new(sample.width() as usize, sample.height() as usize);
    for (to, pixel) in grey.cells_mut().iter_mut().zip(sample.as_rgb().as_chunks::<3>().0) {
        let [r, g, b] = *pixel;
        *to = 0.2 * f32::from(r) + 0.7 * f32::from(g) + 0.1 * f32::from(b);
    }
    grey
}

/// Why a photograph cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhotographError {
    /// Nothing that stands out from its background as a finger does.
    #[error("no finger was found in the photograph")]
    NoFinger,
    /// More than one.
    #[error("more than one finger is in the photograph")]
    TwoFingers,
    /// Too few pixels from ridge to ridge.
    #[error("the finger is too small in the photograph")]
    TooFar,
    /// Hardly any contrast where ridges should be.
    #[error("the photograph is too blurred to show ridges")]
    TooBlurred,
    /// Contrast, but nothing that comes again as ridges do.
    #[error("the distance from ridge to ridge cannot be measured")]
    NoPeriod,
    /// Developed, but of too little quality.
    #[error(transparent)]
    Quality(#[from] PhotographQualityFault),
}

impl PhotographError {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoFinger => "hold one whole fingertip before a plain background of another colour, and try again",
            Self::TwoFingers => "show one finger and fold the others away",
            Self::TooFar => "bring the camera closer, until the finger fills the picture from side to side",
            Self::TooBlurred => "tap on the finger to focus, hold still, and switch the lamp on",
            Self::NoPeriod => {
                "turn the ridges of the fingertip to the camera, focus on them, and let light fall from the side"
            }
            Self::Quality(fault) => fault.hint(),
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFinger => "no-finger",
            Self::TwoFingers => "two-fingers",
            Self::TooFar => "too-far",
            Self::TooBlurred => "too-blurred",
            Self::NoPeriod => "no-ridge-period",
            Self::Quality(fault) => fault.code(),
        }
    }
}

/// Millimetres of an inch times dpi: 16 mm is the usual width of a finger.
const USUAL_WIDTH: f32 = 16.0 / 25.4 * Resolution::STANDARD.dpi() as f32;
/// Times the usual scale: narrow and broad fingers, and those cut off by the picture's edge.
const GUESSES: [f32; 3] = [1.0, 0.7, 1.45];
/// Periods that a reading is trusted at; the next guess is nearer otherwise.
const READABLE: std::ops::Range<f32> = 5.5..15.0;
/// Readings of the period, each of a square of 24 pixels: about 35 mm².
const LEAST_PERIODS: usize = 24;
/// Pixels across a finger in the photograph: four from ridge to ridge.
const LEAST_WIDTH: f32 = 140.0;
/// Pixels across a finger that are worth keeping.
const MOST_WIDTH: f32 = 460.0;
/// Of the local brightness: what sensors' noise leaves of a blurred finger lies below.
const LEAST_MODULATION: f32 = 0.003;

#[cfg(test)]
mod tests;
