//! Quality of a photograph of a finger: components after the ideas of NFIQ 2, each with a value, a limit and a sentence of help.
//!
//! NFIQ 2 itself is made for scanners' images at 500 dpi and says nothing valid of photographs; no number here is one of its.

use serde::Serialize;
use zeroize::Zeroizing;

use super::super::ridges::{BLOCK, RidgeMap};
use super::flatten::{Flat, modulation};
use super::unroll::Unrolled;

/// What was measured of one photograph.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PhotographQuality {
    /// Pixels of the photograph from ridge to ridge.
    ridge_pixels: f64,
    /// How much ridges differ from valleys, as a share of the light.
    modulation: f64,
    /// The darkest tenth of the finger against the brightest, 0 to 1.
    even_light: f64,
    /// The share of the finger that is white or black.
    glare: f64,
    /// The share of the finger that shows ridges.
    ridge_share: f64,
    /// How far the periods of the middle half lie apart, as a share of their median.
    period_spread: f64,
}

impl PhotographQuality {
    pub(super) fn measure(unrolled: &Unrolled, flat: &Flat, map: &RidgeMap, scale: f32) -> Self {
        let seen = inside(unrolled, unrolled.grey.cells());
        let all = seen.len().max(1) as f64;
        let extremes = seen.iter().filter(|v| !(3.0..252.0).contains(*v)).count() as f64;
        let mut light = inside(unrolled, flat.light.cells());
        light.sort_by(f32::total_cmp);
        let at = |share: f64| f64::from(light.get((light.len() as f64 * share) as usize).copied().unwrap_or(0.0));
        Self {
            ridge_pixels: f64::from(map.mean_period / scale.max(1e-6)),
            modulation: f64::from(modulation(flat)),
            even_light: at(0.1) / at(0.9).max(1.0),
            glare: extremes / all,
            ridge_share: ((map.foreground_blocks() * BLOCK * BLOCK) as f64 / all).min(1.0),
            period_spread: f64::from(map.period_spread),
        }
    }

    /// Every component, in the order in which they are best mended.
    #[must_use]
    pub fn components(&self) -> [PhotographComponent; 6] {
        let Self { ridge_pixels, modulation, even_light, glare, ridge_share, period_spread } = self;
        let of = |fault, value: f64, limit: f64, least| PhotographComponent { fault, value, limit, least };
        [
            of(PhotographQualityFault::FewPixels, *ridge_pixels, 5.0, true),
            of(PhotographQualityFault::Faint, *modulation, 0.006, true),
            of(PhotographQualityFault::UnevenLight, *even_light, 0.12, true),
            of(PhotographQualityFault::Glare, *glare, 0.15, false),
            of(PhotographQualityFault::FewRidges, *ridge_share, 0.35, true),
            of(PhotographQualityFault::ManyPeriods, *period_spread, 0.45, false),
        ]
    }

    /// Whether the photograph is good enough; if not, the first reason.
    ///
    /// # Errors
    /// [`PhotographQualityFault`], with a hint to the person.
    pub fn check(&self) -> Result<(), PhotographQualityFault> {
        self.components().iter().find_map(PhotographComponent::fault).map_or(Ok(()), Err)
    }
}

fn inside(unrolled: &Unrolled, values: &[f32]) -> Zeroizing<Vec<f32>> {
    let mut seen = Zeroizing::new(Vec::with_capacity(values.len()));
    seen.extend(values.iter().zip(unrolled.inside.cells()).filter(|(_, inside)| **inside).map(|(v, _)| *v));
    seen
}

/// One measure of a photograph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhotographComponent {
    fault: PhotographQualityFault,
    value: f64,
    limit: f64,
    /// The limit is the least that is good enough, not the most.
    least: bool,
}

impl PhotographComponent {
    /// What was measured.
    #[must_use]
    pub const fn value(&self) -> f64 {
        self.value
    }

    /// The least or the most that is good enough.
    #[must_use]
    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// Its name for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.fault {
            PhotographQualityFault::FewPixels => "ridge-pixels",
            PhotographQualityFault::Faint => "modulation",
            PhotographQualityFault::UnevenLight => "even-light",
            PhotographQualityFault::Glare => "glare",
            PhotographQualityFault::FewRidges => "ridge-share",
            PhotographQualityFault::ManyPeriods => "period-spread",
        }
    }

    /// What is wrong, if it is not good enough.
    #[must_use]
    pub fn fault(&self) -> Option<PhotographQualityFault> {
        let good = if self.least { self.value >= self.limit } else { self.value <= self.limit };
        (!good).then_some(self.fault)
    }
}

/// Why a photograph of a finger is not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhotographQualityFault {
    /// Too few pixels from ridge to ridge.
    #[error("the ridges are too small in the photograph")]
    FewPixels,
    /// Too little contrast of the ridges.
    #[error("the ridges hardly show in the photograph")]
    Faint,
    /// One side in the dark.
    #[error("the light on the finger is too uneven")]
    UnevenLight,
    /// Too much of it white or black.
    #[error("the finger shines, or lies in the dark")]
    Glare,
    /// Ridges on a small part only.
    #[error("only a small part of the finger shows ridges")]
    FewRidges,
    /// No one distance from ridge to ridge.
    #[error("the ridges lie at too many different distances")]
    ManyPeriods,
}

impl PhotographQualityFault {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::FewPixels => "bring the camera closer, until the finger fills the picture from side to side",
            Self::Faint => "tap on the finger to focus, hold still, and let light fall on it from the side",
            Self::UnevenLight => "turn to the light, so that it falls on the whole fingertip",
            Self::Glare => "dry the finger, and move the lamp until nothing shines",
            Self::FewRidges => "show the fleshy side of the fingertip, flat to the camera and in focus",
            Self::ManyPeriods => "hold the finger flat to the camera, not pointing at it",
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::FewPixels => "ridges-too-small",
            Self::Faint => "ridges-too-faint",
            Self::UnevenLight => "uneven-light",
            Self::Glare => "glare",
            Self::FewRidges => "too-few-ridges",
            Self::ManyPeriods => "slanting-finger",
        }
    }
}
