//! Quality of a print, after the ideas of NFIQ 2: how much of it, how clear, and at which scale. Not NFIQ 2's number.

use serde::Serialize;

use super::ridges::{BLOCK, RidgeMap};
use super::template::Minutia;

/// What was measured of one print.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FingerQuality {
    /// Square millimetres of ridges.
    area: f64,
    /// How much of the gradient agrees with the ridges' direction, 0 to 1: the mean over the print.
    clarity: f64,
    /// Pixels from ridge to ridge at 500 dpi.
    period: f64,
    /// How many minutiae were found.
    minutiae: usize,
    /// MINDTCT's mean quality of them, 0 to 100.
    minutia_quality: f64,
}

impl FingerQuality {
    pub(super) fn measure(map: &RidgeMap, minutiae: &[Minutia]) -> Self {
        let side = BLOCK as f64 * 25.4 / 500.0;
        let blocks = map.foreground_blocks() as f64;
        let inside = map.coherence.cells().iter().zip(map.foreground.cells()).filter(|(_, inside)| **inside);
        let clarity: f64 = inside.map(|(coherence, _)| f64::from(*coherence)).sum();
        let sum: f64 = minutiae.iter().map(|m| f64::from(m.quality)).sum();
        Self {
            area: blocks * side * side,
            clarity: clarity / blocks.max(1.0),
            period: f64::from(map.mean_period),
            minutiae: minutiae.len(),
            minutia_quality: sum / minutiae.len().max(1) as f64,
        }
    }

    /// Whether the print is good enough; if not, the first reason, the most useful to know first.
    ///
    /// # Errors
    /// [`FingerQualityFault`], each with a hint to the person.
    pub fn check(&self) -> Result<(), FingerQualityFault> {
        let Self { area, clarity, period, minutiae, minutia_quality: _ } = self;
        let faults = [
            (!PERIODS.contains(period), FingerQualityFault::WrongScale),
            (*area < LEAST_AREA, FingerQualityFault::TooLittle),
            (*clarity < LEAST_CLARITY, FingerQualityFault::Unclear),
            (*minutiae < LEAST_MINUTIAE, FingerQualityFault::TooFewMinutiae),
        ];
        faults.into_iter().find_map(|(found, fault)| found.then_some(fault)).map_or(Ok(()), Err)
    }
}

/// Why a print cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingerQualityFault {
    /// Ridges too close together or too far apart for a finger at 500 dpi.
    #[error("the ridges are not as far apart as a finger's are at this resolution")]
    WrongScale,
    /// Too small a piece of a finger.
    #[error("too little of the finger is in the image")]
    TooLittle,
    /// Too dry, too wet, smeared or moved.
    #[error("the ridges are unclear")]
    Unclear,
    /// Hardly anything to compare.
    #[error("too few minutiae were found")]
    TooFewMinutiae,
}

impl FingerQualityFault {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::WrongScale => "give the scanner's resolution with --dpi",
            Self::TooLittle => "lay the whole fingertip flat on the scanner",
            Self::Unclear => "dry or moisten the finger, wipe the scanner, hold still, and try again",
            Self::TooFewMinutiae => "lay the middle of the fingertip on the scanner, or take another finger",
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::WrongScale => "wrong-scale",
            Self::TooLittle => "too-little-print",
            Self::Unclear => "unclear-ridges",
            Self::TooFewMinutiae => "too-few-minutiae",
        }
    }
}

/// Children's ridges lie closer than adults'; beyond is another resolution than was said.
const PERIODS: std::ops::RangeInclusive<f64> = 5.5..=13.5;
const LEAST_AREA: f64 = 70.0;
const LEAST_CLARITY: f64 = 0.35;
const LEAST_MINUTIAE: usize = 12;
