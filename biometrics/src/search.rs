//! One against many: the nearest of a bounded gallery, by looking at every vector.
//!
//! The answer is a candidate for a person to look at, never a verdict: among N strangers, a false candidate comes up N times
//! as often as in one comparison ([`crate::evaluation::Fpir`]). Accuracy, not speed, is what limits a gallery.
//!
//! A vector is kept as numbers of 12 bits in two parts. The upper four of all are scanned, block by block, all probes over one
//! block; the lower eight are read for the few that came up, and rank them as exact numbers would.

mod kernel;
mod ranking;

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use crate::comparison::{Decision, Threshold};
use crate::template::{DIMENSION, FixedVector, ModelId, Probe, Reference};
pub use kernel::Instructions;
use kernel::{BLOCK, GROUPS, Group, LANES, Sought, TOGETHER, scores};
use ranking::Best;

/// References in four bits a number and eight more, all of one model. Personal data, wiped on drop.
pub struct Gallery {
    model: ModelId,
    /// The upper four bits, sixteen references side by side.
    groups: Zeroizing<Vec<Group>>,
    /// The lower eight.
    rest: Zeroizing<Vec<Rest>>,
    /// One by the length of each vector in twelve bits.
    inverse_norms: Vec<f32>,
    instructions: Instructions,
}

impl Gallery {
    /// The most references a gallery takes: 0.8 GB, and far more than error rates allow.
    pub const CAPACITY: usize = 1 << 22;

    /// Bytes that each reference takes.
    pub const BYTES_EACH: usize = size_of::<Group>() / LANES + size_of::<Rest>() + size_of::<f32>();

    /// An empty gallery for vectors of one model.
    #[must_use]
    pub fn new(model: ModelId) -> Self {
        Self {
            model,
            groups: Zeroizing::new(Vec::new()),
            rest: Zeroizing::new(Vec::new()),
            inverse_norms: Vec::new(),
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
        let position = self.len();
        if position >= Self::CAPACITY {
            return Err(SearchError::Full { capacity: Self::CAPACITY });
        }
        if position == self.rest.capacity() {
            let room = (position * 2).clamp(FIRST_CAPACITY, Self::CAPACITY);
            grow(&mut self.groups, room / LANES);
            grow(&mut self.rest, room);
        }
        let parts = Parts::of(reference.vector());
        if position.is_multiple_of(LANES) {
            self.groups.push(Group::EMPTY);
        }
        if let Some(group) = self.groups.last_mut() {
            group.set(position % LANES, &parts.codes, parts.coarse_inverse_norm);
        }
        self.rest.push(Rest(parts.rest));
        self.inverse_norms.push(parts.inverse_norm);
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
        let looked_at = if most == 0 { 0 } else { most.saturating_mul(8).saturating_add(32).min(self.len()) };
        let exact: Vec<Exact> = probes.iter().map(|probe| Exact::of(probe.vector())).collect();
        let sought: Vec<Sought> = exact.iter().map(Exact::sought).collect();
        let mut best: Vec<Best> = probes.iter().map(|_| Best::new(looked_at)).collect();
        let mut buffer = [[0.0_f32; BLOCK]; TOGETHER];
        for (i, block) in self.groups.chunks(GROUPS).enumerate() {
            let first = i * BLOCK;
            let there = BLOCK.min(self.len().saturating_sub(first));
            for (sought, best) in sought.chunks(TOGETHER).zip(best.chunks_mut(TOGETHER)) {
                scores(self.instructions, block, sought, &mut buffer);
                for (best, scores) in best.iter_mut().zip(&buffer) {
                    best.offer_all(scores.get(..there).unwrap_or_default(), first);
                }
            }
        }
        Ok(exact.iter().zip(best).map(|(probe, best)| self.ranked(probe, best, most)).collect())
    }

    /// What came up, ranked by all twelve bits.
    fn ranked(&self, probe: &Exact, best: Best, most: usize) -> Vec<Candidate> {
        let mut ranked = Best::new(most);
        for (_, position) in best.into_sorted() {
            let Position(i) = position;
            if let (Some(group), Some(Rest(rest)), Some(inverse)) =
                (self.groups.get(i / LANES), self.rest.get(i), self.inverse_norms.get(i))
            {
                let dot = dot(&group.codes(i % LANES), rest, &probe.numbers) as f64;
                ranked.offer((dot * f64::from(*inverse) * probe.inverse_norm) as f32, position);
            }
        }
        ranked.into_sorted().into_iter().map(|(score, position)| Candidate { position, score }).collect()
    }

    /// How many references there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Which instructions a search uses.
    #[must_use]
    pub const fn instructions(&self) -> Instructions {
        self.instructions
    }
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, groups: _, rest, inverse_norms: _, instructions } = self;
        let mut shown = f.debug_struct("Gallery");
        shown.field("model", model).field("len", &rest.len()).field("instructions", instructions);
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

/// The lower eight bits of a vector's numbers, within two cache lines.
#[derive(Clone, Copy, Zeroize)]
#[repr(align(64))]
struct Rest([u8; DIMENSION]);

/// A reference in numbers from -2048 to 2047: `256 × code + rest − 2048`. The code alone is the middle of what it may be.
#[derive(Zeroize, zeroize::ZeroizeOnDrop)]
struct Parts {
    codes: [u8; DIMENSION],
    rest: [u8; DIMENSION],
    coarse_inverse_norm: f32,
    inverse_norm: f32,
}

impl Parts {
    /// Stretched so that the largest number just fits: the length is divided out again in every score.
    fn of(vector: &FixedVector) -> Self {
        let (mut codes, mut rest) = ([0; DIMENSION], [0; DIMENSION]);
        let (mut coarse_square, mut square) = (0_i32, 0_i64);
        for ((code, rest), value) in codes.iter_mut().zip(&mut rest).zip(stretched(vector, MIDDLE - 1)) {
            let whole = value + MIDDLE;
            (*code, *rest) = ((whole >> 8) as u8, (whole & 0xFF) as u8);
            coarse_square += (2 * i32::from(*code) - 15).pow(2);
            square += i64::from(value * value);
        }
        Self {
            codes,
            rest,
            coarse_inverse_norm: (1.0 / f64::from(coarse_square.max(1)).sqrt()) as f32,
            inverse_norm: (1.0 / (square.max(1) as f64).sqrt()) as f32,
        }
    }
}

/// A probe in 16 bits a number.
#[derive(Zeroize, zeroize::ZeroizeOnDrop)]
struct Exact {
    numbers: [i16; DIMENSION],
    inverse_norm: f64,
}

impl Exact {
    fn of(vector: &FixedVector) -> Self {
        let (mut numbers, mut square) = ([0; DIMENSION], 0_i64);
        for (number, value) in numbers.iter_mut().zip(stretched(vector, LARGEST)) {
            *number = value as i16;
            square += i64::from(value) * i64::from(value);
        }
        Self { numbers, inverse_norm: 1.0 / (square.max(1) as f64).sqrt() }
    }

    /// In 8 bits, as the scan takes it.
    fn sought(&self) -> Sought {
        let rounded = Zeroizing::new(self.numbers.map(|n| ((i32::from(n) + 128) >> 8) as i8));
        Sought::new(&rounded)
    }
}

/// The vector's numbers, the largest of them `most`.
fn stretched(vector: &FixedVector, most: i32) -> impl Iterator<Item = i32> + '_ {
    let largest = vector.iter().map(|v| i32::from(v).abs()).max().unwrap_or(0).max(1);
    vector.iter().map(move |v| (i32::from(v) * most * 2 + largest * i32::from(v).signum()) / (largest * 2))
}

/// At most 128 × 2048 × 32512, beyond 32 bits.
fn dot(codes: &[u8; DIMENSION], rest: &[u8; DIMENSION], probe: &[i16; DIMENSION]) -> i64 {
    let reference = codes.iter().zip(rest).map(|(code, rest)| (i32::from(*code) << 8 | i32::from(*rest)) - MIDDLE);
    reference.zip(probe).map(|(a, b)| i64::from(a * i32::from(*b))).sum()
}

/// Moves to more room by hand, so that the old place is wiped.
fn grow<T: Copy + Zeroize>(items: &mut Zeroizing<Vec<T>>, room: usize) {
    let mut larger = Zeroizing::new(Vec::with_capacity(room));
    larger.extend_from_slice(items);
    *items = larger;
}

const MIDDLE: i32 = 2048;
/// 127 × 256: rounds to 127 in the upper eight bits.
const LARGEST: i32 = 127 * 256;
const FIRST_CAPACITY: usize = 1024;

#[cfg(test)]
mod tests;
