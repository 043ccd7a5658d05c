//! From an image to its template and quality: enhanced and read by MINDTCT, or read by a network as it is.

use fprint_mindtct::{GrayImage, detect_minutiae};
use zeroize::Zeroizing;

use super::enhance::{enhance, normalise};
use super::extractor::MinutiaFinder;
use super::field::OrientationField;
use super::grid::Grid;
use super::image::FingerImage;
use super::photograph::PhotographError;
use super::quality::{FingerQuality, FingerQualityFault};
use super::ridges::RidgeMap;
use super::template::{FingerTemplate, Minutia, MinutiaKind};

/// One impression taken from an image.
#[derive(Debug)]
pub struct FingerCapture {
    template: FingerTemplate,
    quality: FingerQuality,
}

impl FingerCapture {
    /// Takes the print from an image, if it is good enough to be enrolled or recognised.
    ///
    /// # Errors
    /// [`ExtractError`]: no print, or one of too little quality, each with a hint.
    pub fn take(image: &FingerImage, finder: &mut MinutiaFinder) -> Result<Self, ExtractError> {
        let capture = Self::take_ungated(image, finder)?;
        capture.quality.check()?;
        Ok(capture)
    }

    /// Takes what print there is, whatever its quality: for evaluation.
    ///
    /// # Errors
    /// [`ExtractError::NoPrint`] if the image shows no ridges, [`ExtractError::Runtime`] if the network fails.
    ///
    /// # Source
    /// Minutiae: NIST MINDTCT (NISTIR 7392) by `fprint-mindtct`, on the enhanced image; or LEADER on the plain one.
    pub fn take_ungated(image: &FingerImage, finder: &mut MinutiaFinder) -> Result<Self, ExtractError> {
        let (normal, deviation) = normalise(&image.grey);
        let map = RidgeMap::of(&normal, &deviation);
        if map.foreground_blocks() < LEAST_BLOCKS {
            return Err(ExtractError::NoPrint);
        }
        let mut minutiae = match finder.by_network(image)? {
            Some(minutiae) => minutiae,
            None => by_mindtct(&normal, &map)?,
        };
        minutiae.retain(|m| map.is_foreground(f32::from(m.x), f32::from(m.y)));
        let quality = FingerQuality::measure(&map, &minutiae);
        let size = |pixels: usize| u16::try_from(pixels).map_err(|_| ExtractError::NoPrint);
        let (width, height) = (size(normal.width())?, size(normal.height())?);
        let template = FingerTemplate::new(finder.extractor(), (width, height), minutiae, OrientationField::of(&map));
        Ok(Self { template, quality })
    }

    /// What was measured of the print.
    #[must_use]
    pub const fn quality(&self) -> &FingerQuality {
        &self.quality
    }

    /// The template.
    #[must_use]
    pub const fn template(&self) -> &FingerTemplate {
        &self.template
    }

    /// The template, to enrol or to compare.
    #[must_use]
    pub fn into_template(self) -> FingerTemplate {
        self.template
    }
}

fn by_mindtct(normal: &Grid<f32>, map: &RidgeMap) -> Result<Zeroizing<Vec<Minutia>>, ExtractError> {
    let ridges = enhance(normal, map);
    let grey = |v: &f32| (MIDDLE - GAIN * v).clamp(0.0, 255.0) as u8;
    let pixels: Zeroizing<Vec<u8>> = Zeroizing::new(ridges.cells().iter().map(grey).collect());
    let image = GrayImage::new(&pixels, ridges.width(), ridges.height(), 500).map_err(|_| ExtractError::NoPrint)?;
    let found = detect_minutiae(image);
    let mut minutiae = Zeroizing::new(Vec::with_capacity(found.len()));
    for m in &found {
        // MINDTCT counts rows from the bottom.
        let y = i32::try_from(ridges.height()).ok().and_then(|height| height.checked_sub(1 + m.y));
        let (Some(Ok(y)), Ok(x)) = (y.map(u16::try_from), u16::try_from(m.x)) else { continue };
        // MINDTCT looks away from the ridge, ISO/IEC 19794-2 along it.
        let angle = ((m.theta as f32 + 180.0) / 360.0 * 256.0).round().rem_euclid(256.0) as u8;
        let quality = m.quality.clamp(1, 100) as u8;
        minutiae.push(Minutia { x, y, angle, kind: MinutiaKind::Other, quality });
    }
    Ok(minutiae)
}

/// Why an image gave no capture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// Smaller than a print.
    #[error("at 500 dpi the image is less than {least} pixels wide or high")]
    TooSmall {
        /// The least.
        least: usize,
    },
    /// Larger than a hand.
    #[error("at 500 dpi the image has more than {most} pixels")]
    TooLarge {
        /// The most.
        most: usize,
    },
    /// Longer than a hand: the ridges' directions could not be kept.
    #[error("at 500 dpi the image has a side of more than {most} pixels")]
    TooLong {
        /// The most.
        most: usize,
    },
    /// Nothing with ridges.
    #[error("no print was found in the image")]
    NoPrint,
    /// A print of too little quality.
    #[error(transparent)]
    Quality(#[from] FingerQualityFault),
    /// A photograph that shows no print.
    #[error(transparent)]
    Photograph(#[from] PhotographError),
    /// The network did not run.
    #[error("the model runtime failed: {detail}")]
    Runtime {
        /// What it said.
        detail: String,
    },
}

impl ExtractError {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooSmall { .. } | Self::TooLarge { .. } | Self::TooLong { .. } => "check the image and its --dpi",
            Self::NoPrint => "press the fingertip flat on the scanner and take the image again",
            Self::Quality(fault) => fault.hint(),
            Self::Photograph(error) => error.hint(),
            Self::Runtime { .. } => "set up the models again: cargo xtask setup; or use --extractor mindtct",
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooSmall { .. } => "too-small",
            Self::TooLarge { .. } => "too-large",
            Self::TooLong { .. } => "too-long",
            Self::NoPrint => "no-print",
            Self::Quality(fault) => fault.code(),
            Self::Photograph(error) => error.code(),
            Self::Runtime { .. } => "runtime-failed",
        }
    }
}

/// 3 × 3 mm of ridges.
const LEAST_BLOCKS: usize = 56;
/// The enhanced image as grey levels.
const MIDDLE: f32 = 128.0;
const GAIN: f32 = 100.0;
