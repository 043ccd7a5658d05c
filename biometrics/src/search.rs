//! One against many: the nearest of a bounded gallery, by looking at every vector.
//!
//! The answer is a candidate for a person to look at, never a verdict: among N strangers, a false candidate comes up N times
//! as often as in one comparison ([`crate::evaluation::Fpir`]). Accuracy, not speed, is what limits a gallery.
//!
//! A vector is kept in two planes of 8 bits. All of the upper plane is scanned, block by block, all probes over one block;
//! the lower one is read for the few that came up, and ranks them as 16-bit numbers would.

mod kernel;
mod ranking;

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::comparison::{Decision, Threshold};
use crate::template::{DIMENSION, FixedVector, ModelId, Probe, Reference};
pub use kernel::Instructions;
use kernel::{BLOCK, Row, Sought, scores};
use ranking::Best;

/// References in 8 bits a number and 8 more, all of one model. Personal data, wiped on drop.
pub struct Gallery {
    model: ModelId,
    upper: Zeroizing<Vec<Row>>,
    lower: Zeroizing<Vec<Row>>,
    /// One by the length of each vector, of its upper plane and of both.
    inverse_norms: Vec<f32>,
    exact_inverse_norms: Vec<f32>,
    instructions: Instructions,
}

impl Gallery {
    /// The most references a gallery takes: 1 GB, and far more than error rates allow.
    pub const CAPACITY: usize = 1 << 22;

    /// Bytes that each reference takes.
    pub const BYTES_EACH: usize = 2 * DIMENSION + 8;

    /// An empty gallery for vectors of one model.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        Self {
            model,
            upper: Zeroizing::new(Vec::new()),
            lower: Zeroizing::new(Vec::new()),
            inverse_norms: Vec::new(),
            exact_inverse_norms: Vec::new(),
            instructions: Instructions::detected(),
        }
    }

    /// Adds a reference; gives its position.
    ///
    /// # Errors
    /// [`SearchError`] if the gallery is full or the reference comes from another model.
    pub fn insert(&mut self, reference: &Reference) -> Result<Position, SearchError> {
        if reference.model() != self.model {
            return Err(SearchError::ModelMismatch);
        }
        let position = self.upper.len();
        if position >= Self::CAPACITY {
            return Err(SearchError::Full { capacity: Self::CAPACITY });
        }
        if position == self.upper.capacity() {
            let room = (position * 2).clamp(FIRST_CAPACITY, Self::CAPACITY);
            grow(&mut self.upper, room);
            grow(&mut self.lower, room);
        }
        let planes = Planes::of(reference.vector());
        self.upper.push(planes.upper);
        self.lower.push(planes.lower);
        self.inverse_norms.push(planes.inverse_norm);
        self.exact_inverse_norms.push(planes.exact_inverse_norm);
        Ok(Position(position))
    }

    /// The `most` references most like the probe, best first.
    ///
    /// # Errors
    /// [`SearchError::ModelMismatch`] if the probe comes from another model.
    pub fn search(&self, probe: &Probe, most: usize) -> Result<Vec<Candidate>, SearchError> {
        Ok(self.search_all(&[probe], most)?.pop().unwrap_or_default())
    }

    /// The same for several probes in one go: each block of the gallery is fetched from memory once for all of them.
    ///
    /// # Errors
    /// [`SearchError::ModelMismatch`] if a probe comes from another model.
    pub fn search_all(&self, probes: &[&Probe], most: usize) -> Result<Vec<Vec<Candidate>>, SearchError> {
        if probes.iter().any(|probe| probe.model() != self.model) {
            return Err(SearchError::ModelMismatch);
        }
        let looked_at = if most == 0 { 0 } else { most.saturating_mul(4).saturating_add(16).min(self.len()) };
        let mut searches: Vec<(Planes, Zeroizing<Sought>, Best)> = probes
            .iter()
            .map(|probe| {
                let planes = Planes::of(probe.vector());
                let sought = Zeroizing::new(planes.upper.0.map(i16::from));
                (planes, sought, Best::new(looked_at))
            })
            .collect();
        let mut buffer = [0.0_f32; BLOCK];
        for (block, (rows, norms)) in self.upper.chunks(BLOCK).zip(self.inverse_norms.chunks(BLOCK)).enumerate() {
            for (_, sought, best) in &mut searches {
                scores(self.instructions, rows, norms, sought, &mut buffer);
                best.offer_all(buffer.get(..rows.len()).unwrap_or_default(), block * BLOCK);
            }
        }
        Ok(searches.into_iter().map(|(planes, _, best)| self.ranked(&planes, best, most)).collect())
    }

    /// What came up, ranked by both planes.
    fn ranked(&self, probe: &Planes, best: Best, most: usize) -> Vec<Candidate> {
        let mut ranked = Best::new(most);
        let mut found: Vec<Position> = best.into_sorted().into_iter().map(|(_, position)| position).collect();
        found.sort_unstable();
        for position in found {
            let Position(i) = position;
            if let (Some(upper), Some(lower), Some(inverse)) =
                (self.upper.get(i), self.lower.get(i), self.exact_inverse_norms.get(i))
            {
                let dot = exact_dot(upper, lower, probe);
                ranked.offer((dot * f64::from(*inverse) * f64::from(probe.exact_inverse_norm)) as f32, position);
            }
        }
        ranked.into_sorted().into_iter().map(|(score, position)| Candidate { position, score }).collect()
    }

    /// How many references there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.upper.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.upper.is_empty()
    }

    /// Which instructions a search uses.
    #[must_use]
    pub const fn instructions(&self) -> Instructions {
        self.instructions
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, upper, lower: _, inverse_norms: _, exact_inverse_norms: _, instructions } = self;
        let mut shown = f.debug_struct("Gallery");
        shown.field("model", model).field("len", &upper.len()).field("instructions", instructions);
        shown.finish_non_exhaustive()
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

/// A vector in two planes: `upper` alone is the vector in 8 bits, 256 × `upper` + `lower` is it in 16.
struct Planes {
    upper: Row,
    lower: Row,
    inverse_norm: f32,
    exact_inverse_norm: f32,
}

impl Planes {
    /// Stretched so that the largest number just fits: the length is divided out again in every score.
    fn of(vector: &FixedVector) -> Self {
        let largest = vector.iter().map(|v| i32::from(v).abs()).max().unwrap_or(0).max(1);
        let (mut upper, mut lower) = (Row([0; DIMENSION]), Row([0; DIMENSION]));
        let (mut square, mut exact_square) = (0_i64, 0_i64);
        for ((high, low), from) in upper.0.iter_mut().zip(&mut lower.0).zip(vector.iter()) {
            let value = i32::from(from) * LARGEST / largest;
            let rounded = (value + 128) >> 8;
            (*high, *low) = (rounded as i8, (value - (rounded << 8)) as i8);
            square += i64::from(rounded * rounded);
            exact_square += i64::from(value) * i64::from(value);
        }
        let inverse = |square: i64| 1.0 / (square.max(1) as f64).sqrt();
        Self { upper, lower, inverse_norm: inverse(square) as f32, exact_inverse_norm: inverse(exact_square) as f32 }
    }
}

impl Drop for Planes {
    fn drop(&mut self) {
        self.upper.zeroize();
        self.lower.zeroize();
    }
}

fn exact_dot(upper: &Row, lower: &Row, probe: &Planes) -> f64 {
    let value = |high: &i8, low: &i8| i64::from(*high) * 256 + i64::from(*low);
    let mine = upper.0.iter().zip(&lower.0).map(|(h, l)| value(h, l));
    let theirs = probe.upper.0.iter().zip(&probe.lower.0).map(|(h, l)| value(h, l));
    let dot: i64 = mine.zip(theirs).map(|(a, b)| a * b).sum();
    dot as f64
}

/// Moves to more room by hand, so that the old place is wiped.
fn grow(rows: &mut Zeroizing<Vec<Row>>, room: usize) {
    let mut larger = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(rows);
    *rows = larger;
}

/// 127 × 256: rounds to 127 in the upper plane.
const LARGEST: i32 = 127 * 256;
const FIRST_CAPACITY: usize = 1024;

#[cfg(test)]
mod tests;
