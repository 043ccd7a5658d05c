//! What paper and screens do to a picture of a face: rough imitations.

use std::f64::consts::TAU;

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::Seed;
use super::head::Noise;
use crate::sample::{DecodeError, Sample};

/// As photographed from a print: less contrast, lifted blacks, a colour cast, soft, halftone dots, light from one side.
///
/// # Errors
/// None in fact: the picture keeps its size.
pub fn print_rephotographed(sample: &Sample, seed: Seed) -> Result<Sample, DecodeError> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed.0);
    let (contrast, black) = (within(&mut rng, 0.6, 0.85), within(&mut rng, 18.0, 40.0));
    let cast = [within(&mut rng, 0.97, 1.08), 1.0, within(&mut rng, 0.88, 1.0)];
    let (slope, dots) = (within(&mut rng, -0.25, 0.25), within(&mut rng, 0.0, 0.08));
    let (pitch, soft) = (within(&mut rng, 2.4, 4.5), within(&mut rng, 1.0, 2.5));
    changed(&softened(sample, soft)?, rng.next_u64(), |x, y, channel, value| {
        let screen = 1.0 + dots * (x * TAU / pitch).sin() * (y * TAU / pitch).sin();
        let light = 1.0 + slope * (x / f64::from(sample.width()) - 0.5);
        (black + value * contrast) * screen * light * cast.get(channel).copied().unwrap_or(1.0)
    })
}

/// As photographed from a screen: another gamma, a cold cast, moiré, bands of the refresh, glare.
///
/// # Errors
/// None in fact: the picture keeps its size.
pub fn screen_replayed(sample: &Sample, seed: Seed) -> Result<Sample, DecodeError> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed.0);
    let gamma = within(&mut rng, 0.75, 1.4);
    let cast = [within(&mut rng, 0.88, 0.98), 1.0, within(&mut rng, 1.02, 1.15)];
    let (moire, angle, period) =
        (within(&mut rng, 0.02, 0.12), within(&mut rng, 0.0, 1.5), within(&mut rng, 3.0, 12.0));
    let (bands, height, phase) =
        (within(&mut rng, 0.0, 0.12), within(&mut rng, 30.0, 120.0), within(&mut rng, 0.0, 6.0));
    let (glare, soft) = (within(&mut rng, 0.0, 25.0), within(&mut rng, 0.4, 1.4));
    let (sine, cosine) = angle.sin_cos();
    changed(&softened(sample, soft)?, rng.next_u64(), |x, y, channel, value| {
        let wave = (x * cosine + y * sine) * TAU / period + 2.1 * channel as f64;
        let band = 1.0 + bands * (y * TAU / height + phase).sin();
        let shine = glare * (-(x / f64::from(sample.width()) - 0.7).powi(2) * 20.0).exp();
        let bent = 255.0 * (value / 255.0).powf(gamma);
        bent * (1.0 + moire * wave.sin()) * band * cast.get(channel).copied().unwrap_or(1.0) + shine
    })
}

fn within(rng: &mut ChaCha20Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

/// Every value changed by a rule of place and channel, then noise.
pub(super) fn changed(
    sample: &Sample,
    noise: u64,
    rule: impl Fn(f64, f64, usize, f64) -> f64,
) -> Result<Sample, DecodeError> {
    let mut noise = Noise::new(noise);
    let mut rgb = Vec::with_capacity(sample.as_rgb().len());
    for (y, row) in sample.as_rgb().chunks_exact(sample.width() as usize * 3).enumerate() {
        for (x, pixel) in row.as_chunks::<3>().0.iter().enumerate() {
            for (channel, value) in pixel.iter().enumerate() {
                let value = rule(x as f64, y as f64, channel, f64::from(*value)) + 0.6 * noise.next();
                rgb.push(value.round().clamp(0.0, 255.0) as u8);
            }
        }
    }
    Sample::from_rgb(sample.width(), sample.height(), rgb)
}

/// A Gaussian blur, by the `image` crate.
pub(super) fn softened(sample: &Sample, sigma: f64) -> Result<Sample, DecodeError> {
    let picture = image::RgbImage::from_raw(sample.width(), sample.height(), sample.as_rgb().to_vec());
    let picture = picture.ok_or(DecodeError::Truncated)?;
    let soft = image::imageops::fast_blur(&picture, sigma as f32);
    Sample::from_rgb(sample.width(), sample.height(), soft.into_raw())
}
