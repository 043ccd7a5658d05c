//! The print as a grey image at 500 dpi, ridges dark.

use std::fmt;

use super::capture::ExtractError;
use super::enhance::normalise;
use super::grid::Grid;
use super::ridges::{RidgeMap, USUAL_PERIOD};
use crate::sample::Sample;

/// Pixels per inch of a finger image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Resolution(u16);

impl Resolution {
    /// What most scanners have, and what every template here is counted in.
    pub const STANDARD: Self = Self(500);

    /// Between 200 and 2,000 dpi.
    ///
    /// # Errors
    /// [`ResolutionError`] outside: ridges are not resolved below, and no finger scanner is above.
    pub fn new(dpi: u32) -> Result<Self, ResolutionError> {
        match u16::try_from(dpi) {
            Ok(dpi @ 200..=2_000) => Ok(Self(dpi)),
            _ => Err(ResolutionError { got: dpi }),
        }
    }

    /// The number.
    #[must_use]
    pub const fn dpi(self) -> u16 {
        self.0
    }
}

/// No resolution of a finger scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{got} dpi is no resolution of a finger image: 200 to 2000 are")]
pub struct ResolutionError {
    /// The number given.
    pub got: u32,
}

/// A print at 500 dpi. Personal data, wiped on drop.
pub struct FingerImage {
    pub(super) grey: Grid<f32>,
}

impl FingerImage {
    /// Takes a scanner's image.
    ///
    /// # Errors
    /// [`ExtractError`] if, at 500 dpi, it is smaller than a fingertip's print can be or larger than a hand.
    pub fn from_scan(sample: &Sample, resolution: Resolution) -> Result<Self, ExtractError> {
        Self::from_grey(&luma(sample), f32::from(resolution.0) / f32::from(Resolution::STANDARD.0))
    }

    /// The same print with ridges nine pixels apart, as photographs are developed: to be compared with them.
    ///
    /// # Errors
    /// [`ExtractError::NoPrint`] if its ridges cannot be measured.
    pub fn evened(&self) -> Result<Self, ExtractError> {
        let (normal, deviation) = normalise(&self.grey);
        let map = RidgeMap::of(&normal, &deviation);
        if map.periods_found == 0 {
            return Err(ExtractError::NoPrint);
        }
        Self::from_grey(&self.grey, map.mean_period / USUAL_PERIOD)
    }

    /// Takes an image that is `scale` times as fine as 500 dpi.
    pub(super) fn from_grey(grey: &Grid<f32>, scale: f32) -> Result<Self, ExtractError> {
        let size = |pixels: usize| (pixels as f32 / scale).round() as usize;
        let (width, height) = (size(grey.width()), size(grey.height()));
        if width < LEAST_SIDE || height < LEAST_SIDE {
            return Err(ExtractError::TooSmall { least: LEAST_SIDE });
        }
        if width.saturating_mul(height) > MOST_PIXELS {
            return Err(ExtractError::TooLarge { most: MOST_PIXELS });
        }
        if width.max(height) > MOST_SIDE {
            return Err(ExtractError::TooLong { most: MOST_SIDE });
        }
        let same = (width, height) == (grey.width(), grey.height());
        let grey = if same { grey.map(|v| v) } else { resampled(grey, width, height) };
        Ok(Self { grey })
    }
}

impl fmt::Debug for FingerImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { grey } = self;
        f.debug_struct("FingerImage")
            .field("width", &grey.width())
            .field("height", &grey.height())
            .finish_non_exhaustive()
    }
}

/// Brightness, 0 to 255.
pub(super) fn luma(sample: &Sample) -> Grid<f32> {
    let mut grey = Grid::new(sample.width() as usize, sample.height() as usize);
    for (to, pixel) in grey.cells_mut().iter_mut().zip(sample.as_rgb().chunks_exact(3)) {
        let [r, g, b] = pixel else { continue };
        *to = 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b);
    }
    grey
}

/// Another size: each pixel the mean of what it covers, weighted by a triangle.
pub(super) fn resampled(from: &Grid<f32>, width: usize, height: usize) -> Grid<f32> {
    let columns = Taps::new(from.width(), width);
    let mut narrow = Grid::new(width, from.height());
    for y in 0..from.height() {
        let row = from.row(y);
        for (to, (first, weights)) in narrow.row_mut(y).iter_mut().zip(columns.all()) {
            *to = row.iter().skip(first).zip(weights).map(|(v, w)| v * w).sum();
        }
    }
    let rows = Taps::new(from.height(), height);
    let mut small = Grid::new(width, height);
    for (y, (first, weights)) in rows.all().enumerate() {
        for (i, weight) in weights.iter().enumerate() {
            let row = narrow.row(first + i);
            small.row_mut(y).iter_mut().zip(row).for_each(|(to, v)| *to += v * weight);
        }
    }
    small
}

/// Which cells make each cell of another size, with their weights.
struct Taps(Vec<(usize, Vec<f32>)>);

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let step = from as f32 / to as f32;
        let reach = step.max(1.0);
        let tap = |i: usize| {
            let centre = (i as f32 + 0.5) * step - 0.5;
            let first = (centre - reach).ceil().max(0.0) as usize;
            let last = ((centre + reach).floor() as usize).min(from - 1);
            let mut weights: Vec<f32> =
                (first..=last).map(|j| (1.0 - (j as f32 - centre).abs() / reach).max(0.0)).collect();
            let sum: f32 = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
            weights.iter_mut().for_each(|w| *w /= sum);
            (first, weights)
        };
        Self((0..to).map(tap).collect())
    }

    fn all(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.0.iter().map(|(first, weights)| (*first, weights.as_slice()))
    }
}

/// 4 mm: less cannot hold ten minutiae.
const LEAST_SIDE: usize = 80;
/// 50 × 50 mm and more: four fingers at once.
const MOST_PIXELS: usize = 2_000_000;
/// The ridges' directions are kept for so many squares a side, 16 pixels each.
const MOST_SIDE: usize = 255 * 16;
