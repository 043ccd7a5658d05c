//! Photographs of fingertips made up from scanners' images: **simulation**.
//!
//! A print is laid round a finger that is deep as well as wide, in front of some background, under one lamp, and seen by a
//! pinhole camera; then blur, noise and JPEG. Neither skin that gives nor a real lens is in it: it shows that the pipeline
//! of [`crate::finger::FingerPhotograph`] undoes what is done here, not how often real photographs match.

mod body;

use chacha20::ChaCha20Rng;
use image::codecs::jpeg::JpegEncoder;
use rand_core::{Rng, SeedableRng};

use super::Seed;
use super::head::Noise;
use super::material::softened;
use crate::finger::{FingerImage, Handedness, Relief};
use crate::sample::Sample;
use body::{Body, Place};

/// How hard it is made: distance, tilt, blur, light, noise and compression are drawn within these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Conditions {
    /// A steady hand and good light.
    Good,
    /// As it comes.
    Ordinary,
    /// Far, slanting, dim, shaken, and in half of them with dark ridges that nobody speaks of.
    Hard,
}

impl Conditions {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Good, Self::Ordinary, Self::Hard];

    /// A short name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Ordinary => "ordinary",
            Self::Hard => "hard",
        }
    }

    /// Pixels across the finger; degrees of tilt and of roll; blur in millimetres; noise in grey levels; ambient share of the
    /// light; contrast of the ridges; JPEG quality.
    const fn ranges(self) -> Ranges {
        match self {
            Self::Good => Ranges {
                width: (480.0, 700.0),
                tilt: 5.0,
                roll: 6.0,
                blur: (0.02, 0.05),
                noise: (0.5, 1.5),
                ambient: (0.55, 0.75),
                contrast: (0.13, 0.20),
                jpeg: (90.0, 96.0),
            },
            Self::Ordinary => Ranges {
                width: (340.0, 600.0),
                tilt: 12.0,
                roll: 14.0,
                blur: (0.03, 0.08),
                noise: (1.0, 3.0),
                ambient: (0.4, 0.6),
                contrast: (0.08, 0.16),
                jpeg: (78.0, 92.0),
            },
            Self::Hard => Ranges {
                width: (230.0, 450.0),
                tilt: 20.0,
                roll: 25.0,
                blur: (0.05, 0.14),
                noise: (2.0, 6.0),
                ambient: (0.25, 0.5),
                contrast: (0.05, 0.13),
                jpeg: (60.0, 85.0),
            },
        }
    }
}

struct Ranges {
    width: (f32, f32),
    tilt: f32,
    roll: f32,
    blur: (f32, f32),
    noise: (f32, f32),
    ambient: (f32, f32),
    contrast: (f32, f32),
    jpeg: (f32, f32),
}

/// Why there is no simulated photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FingertipError {
    /// The scanner's image shows no ridges.
    #[error("the image shows no print to lay round a finger")]
    NoPrint,
    /// What was drawn could not be written.
    #[error("the simulated photograph could not be encoded")]
    Encoding,
}

/// A photograph of the finger that left this print, as the bytes of a JPEG. The same seed takes the same photograph.
///
/// # Errors
/// [`FingertipError::NoPrint`] if there are no ridges.
pub fn fingertip(
    print: &FingerImage,
    conditions: Conditions,
    handedness: Handedness,
    seed: Seed,
) -> Result<Vec<u8>, FingertipError> {
    let relief = Relief::of(print).ok_or(FingertipError::NoPrint)?;
    let mut rng = ChaCha20Rng::seed_from_u64(seed.0);
    let ranges = conditions.ranges();
    let width = within(&mut rng, ranges.width);
    let body = Body::draw(&mut rng, ranges.tilt, ranges.roll, width);
    let scene = Scene::draw(&mut rng, &ranges, conditions == Conditions::Hard);
    let sides = if body.lies() { (2.1, 1.6) } else { (1.6, 2.1) };
    let (wide, high) = ((width * sides.0) as usize, (width * sides.1) as usize);
    let skin = Skin::new(&relief, handedness, &mut rng);
    let mut rgb = Vec::with_capacity(wide * high * 3);
    for y in 0..high {
        for x in 0..wide {
            let at = (x as f32 + 0.5 - wide as f32 / 2.0, y as f32 + 0.5 - high as f32 / 2.0);
            let colour = match body.seen_at(at) {
                Some(place) => scene.finger(&place, &skin),
                None => scene.background(at.0 / width, at.1 / width),
            };
            rgb.extend(colour.map(|v| v.round().clamp(0.0, 255.0) as u8));
        }
    }
    let sharp = Sample::from_rgb(wide as u32, high as u32, rgb).map_err(|_| FingertipError::Encoding)?;
    let blur = within(&mut rng, ranges.blur) * width / body.width();
    let soft = softened(&sharp, f64::from(blur.max(0.2))).map_err(|_| FingertipError::Encoding)?;
    let (level, mut noise) = (within(&mut rng, ranges.noise), Noise::new(rng.next_u64()));
    let noisy: Vec<u8> = soft
        .as_rgb()
        .iter()
        .map(|v| (f32::from(*v) + level * noise.next() as f32 / 2.5).round().clamp(0.0, 255.0) as u8)
        .collect();
    let mut jpeg = Vec::new();
    let quality = within(&mut rng, ranges.jpeg) as u8;
    JpegEncoder::new_with_quality(&mut jpeg, quality)
        .encode(&noisy, wide as u32, high as u32, image::ExtendedColorType::Rgb8)
        .map_err(|_| FingertipError::Encoding)?;
    Ok(jpeg)
}

/// Where on the finger the print lies.
struct Skin<'a> {
    relief: &'a Relief,
    middle: f32,
    top: f32,
    sign: f32,
}

impl<'a> Skin<'a> {
    fn new(relief: &'a Relief, handedness: Handedness, rng: &mut ChaCha20Rng) -> Self {
        let [left, top, right, _] = relief.bounds();
        let sign = if handedness == Handedness::AsSeen { -1.0 } else { 1.0 };
        let from_tip = within(rng, (1.5, 3.5));
        Self { relief, middle: (left + right) / 2.0, top: top - from_tip * PIXELS, sign }
    }

    /// The height at so many millimetres beside the middle and from the tip.
    fn at(&self, beside: f32, down: f32) -> f32 {
        self.relief.at(self.middle + self.sign * beside * PIXELS, self.top + down * PIXELS)
    }
}

/// Light, colours and what lies behind.
struct Scene {
    tone: [f32; 3],
    behind: [f32; 3],
    slope: (f32, f32),
    grain: (f32, f32, f32),
    light: [f32; 3],
    ambient: f32,
    shine: f32,
    contrast: f32,
    /// The share of the contrast that comes from slopes towards the lamp.
    oblique: f32,
}

impl Scene {
    fn draw(rng: &mut ChaCha20Rng, ranges: &Ranges, may_be_dark: bool) -> Self {
        let tone = TONES.get(rng.next_u32() as usize % TONES.len()).copied().unwrap_or([200.0, 150.0, 120.0]);
        let behind = [0; 3].map(|_| within(rng, (15.0, 235.0)));
        let (side, height) = (within(rng, (-0.7, 0.7)), within(rng, (-0.7, 0.7)));
        let length = (side * side + height * height + 1.0).sqrt();
        let dark = may_be_dark && rng.next_u32().is_multiple_of(2);
        Self {
            tone,
            behind,
            slope: (within(rng, (-0.2, 0.2)), within(rng, (-0.2, 0.2))),
            grain: (within(rng, (0.0, 0.10)), within(rng, (2.0, 25.0)), within(rng, (0.0, 3.1))),
            light: [side / length, height / length, 1.0 / length],
            ambient: within(rng, ranges.ambient),
            shine: within(rng, (0.0, 0.15)),
            contrast: within(rng, ranges.contrast) * if dark { -1.0 } else { 1.0 },
            oblique: within(rng, (0.0, 0.5)),
        }
    }

    fn finger(&self, place: &Place, skin: &Skin<'_>) -> [f32; 3] {
        let Place { beside, down, normal, .. } = *place;
        let height = skin.at(beside, down);
        let [lx, ly, lz] = self.light;
        let step = 0.06;
        let slope = skin.at(beside + step * lx.signum() * lx.abs().sqrt(), down + step * ly.signum() * ly.abs().sqrt())
            - skin.at(beside - step * lx.signum() * lx.abs().sqrt(), down - step * ly.signum() * ly.abs().sqrt());
        let ridges = 1.0 + self.contrast * ((1.0 - self.oblique) * height - self.oblique * slope);
        let [nx, ny, nz] = normal;
        let facing = (nx * lx + ny * ly + nz * lz).max(0.0);
        let half = (lz + 1.0).max(0.1).sqrt();
        let mirror = ((nx * lx + ny * ly + nz * (lz + 1.0)) / (half * std::f32::consts::SQRT_2)).clamp(0.0, 1.0);
        let light = (self.ambient + (1.0 - self.ambient) * facing) * ridges;
        let shine = 255.0 * self.shine * mirror.powi(30);
        self.tone.map(|v| v * light * 1.1 + shine)
    }

    fn background(&self, x: f32, y: f32) -> [f32; 3] {
        let (amount, rate, angle) = self.grain;
        let wave = ((x * angle.cos() + y * angle.sin()) * rate + 2.0 * (y * 3.0).sin()).sin();
        let light = (1.0 + self.slope.0 * x + self.slope.1 * y) * (1.0 + amount * wave);
        self.behind.map(|v| v * light)
    }
}

fn within(rng: &mut ChaCha20Rng, (low, high): (f32, f32)) -> f32 {
    low + (high - low) * (rng.next_u32() as f32 / u32::MAX as f32)
}

/// Fingertips from light to dark, in ordinary light.
const TONES: [[f32; 3]; 6] = [
    [232.0, 188.0, 170.0],
    [219.0, 168.0, 140.0],
    [196.0, 145.0, 112.0],
    [170.0, 118.0, 88.0],
    [136.0, 92.0, 70.0],
    [110.0, 78.0, 64.0],
];
/// At 500 dpi, in a millimetre.
const PIXELS: f32 = 500.0 / 25.4;
