//! The slot for a presentation attack detection network that the operator brings: a path, a SHA-256, and this contract.
//!
//! None is shipped: no public package holds one whose training data may be used in a product. The contract: ONNX, plain
//! operators only; input `input` 1 × 3 × 128 × 128, red first, 0 to 1, a square of one and a half times the face's box, what
//! lies outside the picture mirrored at its edge; output `output` 1 × 2, logits of *bona fide* and *attack*.
//!
//! # Source
//! The contract of `shared/data/README.md`. ISO/IEC 30107-3:2023 for what is counted with it.

use std::fmt;
use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::engine::{EngineError, FacePlace, runtime};
use crate::onnx::{self, Contract, FoldError, Port};
use crate::sample::Sample;

/// A loaded network.
pub struct PadNetwork {
    session: Session,
}

impl PadNetwork {
    /// Loads the network whose bytes have this SHA-256.
    ///
    /// # Errors
    /// [`PadNetworkError`] if the bytes are others, if the model holds what we refuse in every model, or if the runtime does
    /// not take it.
    pub fn load(runtime_library: &Path, model: &[u8], sha256: &ModelHash) -> Result<Self, PadNetworkError> {
        let got = ModelHash(Sha256::digest(model).into());
        if got != *sha256 {
            return Err(PadNetworkError::NotTheConfigured { expected: *sha256, got });
        }
        let model = onnx::fold_one_of_a_batch(model, &CONTRACT)?;
        Ok(Self { session: runtime::session(runtime_library, NAME, &model.to_bytes())? })
    }

    /// Looks at the face at this place.
    ///
    /// # Errors
    /// [`PadNetworkError`] if the runtime fails or the output is not finite: then nothing is known, and nobody is let in.
    pub fn examine(&mut self, sample: &Sample, place: FacePlace) -> Result<PadScore, PadNetworkError> {
        let fail = |e: ort::Error| PadNetworkError::Runtime { detail: e.to_string() };
        let planes = crop(sample, &place).ok_or(PadNetworkError::NoPlace)?;
        let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], planes.as_slice())).map_err(fail)?;
        let outputs = self.session.run(ort::inputs!["input" => input]).map_err(fail)?;
        let output = outputs.get("output").ok_or(PadNetworkError::NotFinite)?;
        let (_, logits) = output.try_extract_tensor::<f32>().map_err(fail)?;
        let [bona_fide, attack] = logits else { return Err(PadNetworkError::NotFinite) };
        let difference = f64::from(*attack) - f64::from(*bona_fide);
        if !difference.is_finite() {
            return Err(PadNetworkError::NotFinite);
        }
        Ok(PadScore(1.0 / (1.0 + difference.exp())))
    }
}

impl fmt::Debug for PadNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { session: _ } = self;
        f.debug_struct("PadNetwork").finish_non_exhaustive()
    }
}

/// The SHA-256 of a network's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelHash([u8; 32]);

impl std::str::FromStr for ModelHash {
    type Err = ModelHashError;

    fn from_str(text: &str) -> Result<Self, ModelHashError> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return Err(ModelHashError);
        }
        for (to, pair) in hash.iter_mut().zip(pairs) {
            let [high, low] = pair.map(|c| char::from(c).to_digit(16));
            let value = high.zip(low).ok_or(ModelHashError)?;
            *to = (value.0 * 16 + value.1) as u8;
        }
        Ok(Self(hash))
    }
}

impl fmt::Display for ModelHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Why text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 is written with 64 hexadecimal digits")]
pub struct ModelHashError;

/// How much a face looks like a living one to the network, 0 to 1. Its `Debug` does not show the number.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub struct PadScore(f64);

impl PadScore {
    /// The number, for evaluation only.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }

    /// The middle one of the scores of several frames; of an even number the lower of the two.
    #[must_use]
    pub fn median(scores: &[Self]) -> Option<Self> {
        let mut sorted = scores.to_vec();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        sorted.get(sorted.len().checked_sub(1)? / 2).copied()
    }

    /// Whether it counts as a bona fide presentation: more likely than not.
    #[must_use]
    pub fn is_bona_fide(self) -> bool {
        self.0 >= 0.5
    }
}

impl fmt::Debug for PadScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_tuple("PadScore").finish_non_exhaustive()
    }
}

/// Why a network cannot be used, or said nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PadNetworkError {
    // The operator's to mend.
    /// Other bytes than the configured ones.
    #[error("the network has SHA-256 {got}, configured is {expected}")]
    NotTheConfigured {
        /// As configured.
        expected: ModelHash,
        /// As found.
        got: ModelHash,
    },
    /// A model that holds what we refuse, or with other inputs and outputs.
    #[error("the network is refused: {0}")]
    Refused(#[from] FoldError),
    /// The runtime does not take it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    // The surroundings'.
    /// The runtime failed.
    #[error("the model runtime failed: {detail}")]
    Runtime {
        /// What it said.
        detail: String,
    },
    /// The face has no extent.
    #[error("the place of the face has no extent")]
    NoPlace,
    /// Not two finite numbers.
    #[error("the network's output is not two finite numbers")]
    NotFinite,
}

/// The network's input. Each of its pixels is the mean of as many places as it is pixels of the sample wide.
fn crop(sample: &Sample, place: &FacePlace) -> Option<Zeroizing<Vec<f32>>> {
    let side = f64::from(place.width.max(place.height)) * MARGIN;
    if side < 1.0 {
        return None;
    }
    let left = f64::from(place.left) + f64::from(place.width) / 2.0 - side / 2.0;
    let top = f64::from(place.top) + f64::from(place.height) / 2.0 - side / 2.0;
    let step = side / SIDE as f64;
    let taps = (step.ceil() as usize).clamp(1, MOST_TAPS);
    let share = 1.0 / (taps * taps) as f32 / 255.0;
    let offsets: Vec<f64> = (0..taps).map(|tap| (tap as f64 + 0.5) / taps as f64).collect();
    let mut planes = Zeroizing::new(vec![0.0_f32; 3 * SIDE * SIDE]);
    let (red, rest) = planes.split_at_mut(SIDE * SIDE);
    let (green, blue) = rest.split_at_mut(SIDE * SIDE);
    for (i, ((r, g), b)) in red.iter_mut().zip(green).zip(blue).enumerate() {
        let (column, row) = ((i % SIDE) as f64, (i / SIDE) as f64);
        for dy in &offsets {
            for dx in &offsets {
                let [x, y, z] = colour(sample, left + (column + dx) * step - 0.5, top + (row + dy) * step - 0.5);
                *r += x * share;
                *g += y * share;
                *b += z * share;
            }
        }
    }
    Some(planes)
}

/// Interpolated; pixels have their middles at whole numbers.
fn colour(sample: &Sample, x: f64, y: f64) -> [f32; 3] {
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = ((x - left) as f32, (y - top) as f32);
    let pixel = |dx: i64, dy: i64| -> [u8; 3] {
        let column = mirrored(left as i64 + dx, sample.width());
        let row = mirrored(top as i64 + dy, sample.height());
        let at = (row * sample.width() as usize + column) * 3;
        sample.as_rgb().get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    };
    let (a, b, c, d) = (pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1));
    let mut mixed = [0.0; 3];
    for ((((to, a), b), c), d) in mixed.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let upper = f32::from(a) * (1.0 - fx) + f32::from(b) * fx;
        let lower = f32::from(c) * (1.0 - fx) + f32::from(d) * fx;
        *to = upper * (1.0 - fy) + lower * fy;
    }
    mixed
}

/// Mirrored at the first and the last pixel, neither of them twice.
fn mirrored(at: i64, length: u32) -> usize {
    let last = i64::from(length) - 1;
    if last == 0 {
        return 0;
    }
    let turned = at.rem_euclid(2 * last);
    turned.min(2 * last - turned) as usize
}

const NAME: &str = "the presentation attack detector";
const SIDE: usize = 128;
const MARGIN: f64 = 1.5;
const MOST_TAPS: usize = 16;
const CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: "input", shape: &[1, 3, 128, 128] }],
    outputs: &[Port { name: "output", shape: &[1, 2] }],
};

#[cfg(test)]
mod tests;
