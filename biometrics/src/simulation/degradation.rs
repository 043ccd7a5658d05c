//! What spoils a picture of a face, one thing at a time and more and more: to see whether quality notices before recognition
//! fails.

use chacha20::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

use super::Seed;
use super::head::{EYES, Portrait, Pose, Scene};
use super::material::{changed, softened};
use crate::sample::{DecodeError, Sample};

/// What spoils a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Degradation {
    /// Farther from the camera: down to 8 pixels between the eyes.
    Small,
    /// Out of focus: up to a fifth of the eye distance.
    Blurred,
    /// Too little light: down to 6 %, with noise.
    Dark,
    /// Too much light: up to five times, cut off at white.
    Bright,
    /// Mist on the lens: contrast down to 5 %.
    Flat,
    /// One half of the face in shadow: down to 5 %.
    Shadow,
    /// Turned aside: up to 60°.
    Turned,
    /// Looking down: up to 50°.
    Nodding,
    /// Lying on the shoulder: up to 90°.
    Tilted,
    /// A mask or scarf from the chin up to above the nose: dark or light, plain or patterned, by the seed.
    MouthCovered,
    /// Dark glasses, larger and larger; by the seed with the sky in them.
    EyesCovered,
    /// A hand of the colour of the face, from one side across it.
    HandBefore,
}

impl Degradation {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Small,
        Self::Blurred,
        Self::Dark,
        Self::Bright,
        Self::Flat,
        Self::Shadow,
        Self::Turned,
        Self::Nodding,
        Self::Tilted,
        Self::MouthCovered,
        Self::EyesCovered,
        Self::HandBefore,
    ];

    /// A short name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Blurred => "blurred",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Flat => "flat",
            Self::Shadow => "shadow",
            Self::Turned => "turned",
            Self::Nodding => "nodding",
            Self::Tilted => "tilted",
            Self::MouthCovered => "mouth-covered",
            Self::EyesCovered => "eyes-covered",
            Self::HandBefore => "hand-before",
        }
    }
}

/// The portrait spoilt: by nothing at level 0, by as much as there is at [`MOST_LEVEL`].
///
/// # Errors
/// None in fact: the picture is of a size that samples may have.
pub fn degraded(portrait: &Portrait<'_>, kind: Degradation, level: u32, seed: Seed) -> Result<Sample, DecodeError> {
    let t = f64::from(level.min(MOST_LEVEL)) / f64::from(MOST_LEVEL);
    // From 1 to `end`, by equal factors.
    let down_to = |end: f64| end.powf(t);
    let pose = match kind {
        Degradation::Small => Pose::new(0.0, 0.0, down_to(0.1)),
        Degradation::Turned => Pose::new(60.0 * t, 0.0, 1.0),
        Degradation::Nodding => Pose::new(0.0, 50.0 * t, 1.0),
        _ => Pose::STRAIGHT,
    };
    let scene = Scene { flat: false, colour: None, noise: seed.0, sway: [0.0; 3] };
    let seen = portrait.seen(&pose, &scene)?;
    let (middle_x, middle_y) = (f64::from(seen.width()) / 2.0, f64::from(seen.height()) / 2.0);
    let rule = |rule: &dyn Fn(f64, f64, f64) -> f64| changed(&seen, seed.0 ^ 1, |x, y, _, value| rule(x, y, value));
    match kind {
        Degradation::Small | Degradation::Turned | Degradation::Nodding => Ok(seen),
        Degradation::Blurred if level == 0 => Ok(seen),
        Degradation::Blurred => softened(&seen, 0.2 * EYES * t),
        Degradation::Dark => rule(&|_, _, value| value * down_to(0.06)),
        Degradation::Bright => rule(&|_, _, value| value * down_to(5.0)),
        Degradation::Flat => rule(&|_, _, value| 128.0 + (value - 128.0) * down_to(0.05)),
        Degradation::Shadow => rule(&|x, _, value| if x < middle_x { value * down_to(0.05) } else { value }),
        Degradation::Tilted => turned(&seen, 90.0 * t),
        Degradation::MouthCovered => {
            let from = middle_y + EYES * (1.0 - 1.6 * t);
            let cloth = Cloth::of(seed);
            rule(&|x, y, value| if y > from { cloth.at(x, y) } else { value })
        }
        Degradation::HandBefore => hand(&seen, EYES * (2.2 * t - 1.4), seed.0 ^ 1),
        Degradation::EyesCovered => {
            let (half_width, half_height) = (EYES * (0.4 + 0.7 * t), EYES * 0.35 * t);
            let eyes = middle_y - 0.55 * EYES;
            let inside = move |x: f64, y: f64| (x - middle_x).abs() < half_width && (y - eyes).abs() < half_height;
            // Brighter towards the brow, where the sky is.
            let [_, sky] = drawn(seed);
            let sky = if sky < 128 { 0.0 } else { 60.0 };
            let glass = move |y: f64| 25.0 + sky * ((eyes - y) / half_height.max(1.0)).max(0.0);
            rule(&|x, y, value| if inside(x, y) { glass(y) } else { value })
        }
    }
}

/// Four fingers side by side from the left, as bright as the cheek in the middle of each and darker between them.
fn hand(seen: &Sample, reach: f64, noise: u64) -> Result<Sample, DecodeError> {
    let (middle_x, middle_y) = (f64::from(seen.width()) / 2.0, f64::from(seen.height()) / 2.0);
    let cheek = ((middle_y as usize) * seen.width() as usize + (middle_x - 0.4 * EYES) as usize) * 3;
    let skin: [u8; 3] = seen.as_rgb().get(cheek..).and_then(|p| p.first_chunk()).copied().unwrap_or([150, 120, 100]);
    changed(seen, noise, |x, y, channel, value| {
        let across = (y - middle_y) / (0.45 * EYES);
        let shade = 0.72 + 0.28 * (across * std::f64::consts::PI).sin().abs().sqrt();
        let tone = skin.get(channel).copied().map_or(value, f64::from);
        if x < middle_x + reach && across.abs() < 2.0 { tone * shade } else { value }
    })
}

/// What a mask or a scarf is made of.
struct Cloth {
    brightness: f64,
    /// Of checks as wide as an eye.
    pattern: f64,
}

/// Two bytes of chance, apart from the noise.
fn drawn(seed: Seed) -> [u8; 2] {
    let mut bytes = [0; 2];
    ChaCha20Rng::seed_from_u64(seed.0 ^ 2).fill_bytes(&mut bytes);
    bytes
}

impl Cloth {
    fn of(seed: Seed) -> Self {
        let [brightness, pattern] = drawn(seed);
        Self {
            brightness: 40.0 + f64::from(brightness) / 255.0 * 175.0,
            pattern: if pattern < 128 { 0.0 } else { 30.0 },
        }
    }

    fn at(&self, x: f64, y: f64) -> f64 {
        let Self { brightness, pattern } = self;
        brightness + pattern * (x / (0.1 * EYES)).sin() * (y / (0.1 * EYES)).sin()
    }
}

/// Turned about its middle; corners are what the edge was.
fn turned(sample: &Sample, degrees: f64) -> Result<Sample, DecodeError> {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (width, height) = (sample.width() as usize, sample.height() as usize);
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as f64 - width as f64 / 2.0, y as f64 - height as f64 / 2.0);
            let from = |v: f64, most: usize| (v.round().max(0.0) as usize).min(most - 1);
            let column = from(cosine * dx + sine * dy + width as f64 / 2.0, width);
            let row = from(cosine * dy - sine * dx + height as f64 / 2.0, height);
            let at = (row * width + column) * 3;
            rgb.extend(sample.as_rgb().get(at..at + 3).unwrap_or(&[0; 3]));
        }
    }
    Sample::from_rgb(sample.width(), sample.height(), rgb)
}

/// The last level.
pub const MOST_LEVEL: u32 = 6;
