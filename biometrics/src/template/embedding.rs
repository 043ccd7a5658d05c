//! Embeddings: one face as the embedder sees it.

use std::fmt;

use zeroize::Zeroizing;

use super::DIMENSION;

/// Which embedder made a vector: the SHA-256 of its model file. Vectors of different models never meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelId([u8; 32]);

impl ModelId {
    /// The model whose file has this SHA-256.
    #[must_use]
    pub const fn new(sha256: [u8; 32]) -> Self {
        Self(sha256)
    }

    /// The SHA-256 of the model file.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([a, b, c, d, ..]) = self;
        write!(f, "ModelId({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// One face as the embedder sees it: [`DIMENSION`] numbers of unit length. Personal data, wiped on drop.
pub struct Embedding {
    values: Box<Zeroizing<[f32; DIMENSION]>>,
    model: ModelId,
}

impl Embedding {
    /// Takes the raw output of the embedder and scales it to unit length.
    ///
    /// # Errors
    /// [`EmbeddingError`] if the output cannot be the embedding of a face: wrong length, not finite, too short or too long
    /// a vector, or all numbers equal. Such a vector never gets a score.
    pub fn from_output(output: &[f32], model: ModelId) -> Result<Self, EmbeddingError> {
        if output.len() != DIMENSION {
            return Err(EmbeddingError::WrongLength { expected: DIMENSION, got: output.len() });
        }
        if output.iter().any(|v| !v.is_finite()) {
            return Err(EmbeddingError::NotFinite);
        }
        let norm = norm_of(output.iter().map(|v| f64::from(*v)));
        if !(MIN_NORM..=MAX_NORM).contains(&norm) {
            return Err(EmbeddingError::ImplausibleLength);
        }
        let first = output.first().copied().unwrap_or_default();
        if output.iter().all(|v| v.to_bits() == first.to_bits()) {
            return Err(EmbeddingError::Constant);
        }
        let mut values = Box::new(Zeroizing::new([0.0; DIMENSION]));
        for (to, from) in values.iter_mut().zip(output) {
            let unit = (f64::from(*from) / norm) as f32;
            *to = unit;
        }
        Ok(Self { values, model })
    }

    /// The embedder that made it.
    #[must_use]
    pub const fn model(&self) -> ModelId {
        self.model
    }

    pub(crate) fn values(&self) -> &[f32; DIMENSION] {
        &self.values
    }

    /// A second one, for those who keep a frame and use it: not `Clone`, so that it does not happen unseen.
    pub(crate) fn copied(&self) -> Self {
        Self { values: Box::new(Zeroizing::new(**self.values)), model: self.model }
    }

    /// How alike two embeddings are: the cosine, or nothing if they come from different models.
    pub(crate) fn cosine(&self, other: &Self) -> Option<f64> {
        let alike = self.values.iter().zip(other.values.iter()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        (self.model == other.model).then_some(alike)
    }
}

impl fmt::Debug for Embedding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { values: _, model } = self;
        f.debug_struct("Embedding").field("model", model).finish_non_exhaustive()
    }
}

/// Why an embedder's output is not taken for an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// Another number of elements than the model has.
    #[error("an embedding has {expected} numbers, this has {got}")]
    WrongLength {
        /// What the model gives.
        expected: usize,
        /// What came.
        got: usize,
    },
    /// NaN or infinity somewhere.
    #[error("the embedding holds a number that is not finite")]
    NotFinite,
    /// Nearly zero, or absurdly long.
    #[error("the embedding's length is not one that the model gives for a face")]
    ImplausibleLength,
    /// All numbers the same.
    #[error("all numbers of the embedding are equal")]
    Constant,
}

/// The length of a vector.
pub(super) fn norm_of(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|v| v * v).sum::<f64>().sqrt()
}

/// Length, in the embedder's own units, below which an output is no embedding. Real faces lie between 5 and 25.
pub(super) const MIN_NORM: f64 = 1e-3;

/// Length above which an output is no embedding.
const MAX_NORM: f64 = 1e6;
