//! One against many: the nearest of a bounded gallery, by brute force over 8-bit vectors.
//!
//! The answer is a candidate for a person to look at, never a verdict: among N strangers, a false candidate comes up N times
//! as often as in one comparison. Accuracy, not speed, is what limits a gallery.

use std::fmt;

use zeroize::Zeroizing;

use crate::comparison::{Decision, Threshold};
use crate::template::{DIMENSION, FixedVector, ModelId, Probe, Reference};

/// References in 8 bits a number, all of one model. Personal data, wiped on drop.
pub struct Gallery {
    model: ModelId,
    vectors: Zeroizing<Vec<[i8; DIMENSION]>>,
    /// One by the length of each vector.
    inverse_norms: Vec<f32>,
}

impl Gallery {
    /// The most references a gallery takes: 1 GB, and far more than error rates allow.
    pub const CAPACITY: usize = 1 << 22;

    /// An empty gallery for vectors of one model.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        Self { model, vectors: Zeroizing::new(Vec::new()), inverse_norms: Vec::new() }
    }

    /// Adds a reference; gives its position.
    ///
    /// # Errors
    /// [`SearchError`] if the gallery is full or the reference comes from another model.
    pub fn insert(&mut self, reference: &Reference) -> Result<Position, SearchError> {
        if reference.model() != self.model {
            return Err(SearchError::ModelMismatch);
        }
        let position = self.vectors.len();
        if position >= Self::CAPACITY {
            return Err(SearchError::Full { capacity: Self::CAPACITY });
        }
        let (vector, inverse_norm) = quantise(reference.vector());
        if position == self.vectors.capacity() {
            self.grow();
        }
        self.vectors.push(vector);
        self.inverse_norms.push(inverse_norm);
        Ok(Position(position))
    }

    /// The `most` references most like the probe, best first.
    ///
    /// # Errors
    /// [`SearchError::ModelMismatch`] if the probe comes from another model.
    pub fn search(&self, probe: &Probe, most: usize) -> Result<Vec<Candidate>, SearchError> {
        if probe.model() != self.model {
            return Err(SearchError::ModelMismatch);
        }
        let (sought, inverse_norm) = quantise(probe.vector());
        let mut best: Vec<Candidate> = Vec::with_capacity(most.min(self.vectors.len()).saturating_add(1));
        let mut worst = f32::NEG_INFINITY;
        for (position, (vector, inverse)) in self.vectors.iter().zip(&self.inverse_norms).enumerate() {
            let score = dot(vector, &sought) as f32 * inverse * inverse_norm;
            if score > worst && most > 0 {
                let at = best.partition_point(|candidate| candidate.score >= score);
                best.insert(at, Candidate { position: Position(position), score });
                best.truncate(most);
                worst = if best.len() == most { best.last().map_or(worst, |last| last.score) } else { worst };
            }
        }
        Ok(best)
    }

    /// How many references there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Moves to twice the room by hand, so that the old place is wiped.
    fn grow(&mut self) {
        let mut larger = Zeroizing::new(Vec::with_capacity((self.vectors.len() * 2).max(FIRST_CAPACITY)));
        larger.extend_from_slice(&self.vectors);
        self.vectors = larger;
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, vectors, inverse_norms: _ } = self;
        f.debug_struct("Gallery").field("model", model).field("len", &vectors.len()).finish_non_exhaustive()
    }
}

/// Where in the gallery a reference is: the order of insertion, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(usize);

impl Position {
    /// The number.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// A reference that came up, for a person to look at. Its score stays inside.
#[derive(Clone, Copy)]
pub struct Candidate {
    position: Position,
    score: f32,
}

impl Candidate {
    /// Which reference.
    #[must_use]
    pub const fn position(&self) -> Position {
        self.position
    }

    /// Whether it is alike enough to be shown at all.
    pub fn decide(&self, threshold: Threshold) -> Decision {
        if f64::from(self.score) >= threshold.value() { Decision::Match } else { Decision::NonMatch }
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, score: _ } = self;
        f.debug_struct("Candidate").field("position", position).finish_non_exhaustive()
    }
}

/// Why a gallery cannot be filled or searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SearchError {
    /// No room.
    #[error("the gallery holds its {capacity} references")]
    Full {
        /// The most it takes.
        capacity: usize,
    },
    /// Made by another embedder.
    #[error("gallery and vector were made with different models")]
    ModelMismatch,
}

/// To 8 bits, and one by the length.
fn quantise(vector: &FixedVector) -> ([i8; DIMENSION], f32) {
    let mut small = [0_i8; DIMENSION];
    let mut square = 0_i32;
    for (to, from) in small.iter_mut().zip(vector.iter()) {
        // 2^14 is 1.0; a 128-dimensional unit vector's numbers rarely reach 0.4, so 127 stands for that.
        let scaled = (i32::from(from) * 5 + 128) >> 8;
        *to = scaled.clamp(-127, 127) as i8;
        square += i32::from(*to) * i32::from(*to);
    }
    (small, 1.0 / (square.max(1) as f32).sqrt())
}

/// Written so that the compiler makes vector instructions of it, also where overflow is checked: 127² fits 16 bits, and 128
/// of them fit 32.
fn dot(a: &[i8; DIMENSION], b: &[i8; DIMENSION]) -> i32 {
    a.iter().zip(b).fold(0_i32, |sum, (x, y)| sum.wrapping_add(i32::from(i16::from(*x).wrapping_mul(i16::from(*y)))))
}

const FIRST_CAPACITY: usize = 1024;

#[cfg(test)]
mod tests;
