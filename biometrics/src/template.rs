//! The enrolled reference and the probe of one attempt, made of embeddings.

mod embedding;
mod fixed;
mod update;

use std::borrow::Borrow;
use std::fmt;

use zeroize::Zeroizing;

pub use embedding::{Embedding, EmbeddingError, ModelId};
use embedding::{MIN_NORM, norm_of};
pub(crate) use fixed::FixedVector;
pub use update::{LEAST_ELAPSED, UpdateError};

/// How many numbers an embedding has: SFace's output layer `fc1`.
pub const DIMENSION: usize = 128;

/// Captures below this number cannot be enrolled: one picture alone says nothing about how much a face varies.
pub const MIN_CAPTURES: usize = 2;

/// Captures we ask for. With fewer, more attempts of the right person fail (`docs/biometric-evaluation.md`).
pub const RECOMMENDED_CAPTURES: usize = 5;

/// Captures (or frames) taken at once at most: a bound on work, far above any sensible enrolment.
pub const MAX_CAPTURES: usize = 64;

/// Two captures of one enrolment must be at least this alike (cosine).
///
/// Low enough for one person years and glasses apart, high enough that a stranger's picture mixed in is noticed: of the
/// ORL faces one impostor pair in a thousand reaches it. Measured in `docs/biometric-evaluation.md`.
const AGREEMENT: f64 = 0.40;

/// The enrolled face: the mean of the captures' embeddings, in fixed point. Personal data, wiped on drop.
pub struct Reference {
    vector: FixedVector,
    model: ModelId,
    captures: u8,
}

impl Reference {
    /// Enrols one person from at least [`MIN_CAPTURES`] captures.
    ///
    /// Does not check that the captures differ: five copies of one picture count as five, and enrol badly.
    ///
    /// # Errors
    /// [`EnrolError`] if there are too few or too many, if they come from different models, or if two of them do not look
    /// like the same person.
    pub fn enrol<E: Borrow<Embedding>>(captures: &[E]) -> Result<Self, EnrolError> {
        if captures.len() < MIN_CAPTURES {
            return Err(EnrolError::TooFewCaptures { needed: MIN_CAPTURES, got: captures.len() });
        }
        for (i, first) in captures.iter().enumerate() {
            for (j, second) in captures.iter().enumerate().skip(i + 1) {
                let cosine = first.borrow().cosine(second.borrow()).ok_or(EnrolError::ModelMismatch)?;
                if cosine < AGREEMENT {
                    return Err(EnrolError::CapturesDisagree { first: i + 1, second: j + 1 });
                }
            }
        }
        Self::fuse(captures)
    }

    /// Fuses captures without asking whether they agree: for evaluation, where the list says who is who.
    ///
    /// # Errors
    /// [`EnrolError`] if there is none or too many, or if they come from different models.
    pub fn fuse<E: Borrow<Embedding>>(captures: &[E]) -> Result<Self, EnrolError> {
        let (vector, model) = mean(captures).map_err(|fault| match fault {
            MeanFault::Empty => EnrolError::TooFewCaptures { needed: 1, got: 0 },
            MeanFault::TooMany => EnrolError::TooManyCaptures { most: MAX_CAPTURES, got: captures.len() },
            MeanFault::Models => EnrolError::ModelMismatch,
            MeanFault::Vanishes => EnrolError::CapturesCancel,
        })?;
        let captures = u8::try_from(captures.len()).unwrap_or(u8::MAX);
        Ok(Self { vector, model, captures })
    }

    /// The stored form: version, captures, model, then the vector as big-endian 16-bit fixed point. To be sealed, never
    /// stored as it is.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(ENCODED_LENGTH));
        bytes.push(VERSION);
        bytes.push(self.captures);
        bytes.extend_from_slice(self.model.as_bytes());
        for value in self.vector.iter() {
            bytes.extend_from_slice(&value.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`Reference::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`TemplateError`] if the version, the length or the vector is not one that we write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        let [version, captures, rest @ ..] = bytes else { return Err(TemplateError::WrongLength) };
        if *version != VERSION {
            return Err(TemplateError::UnknownVersion { got: *version });
        }
        let (model, numbers) = rest.split_first_chunk::<32>().ok_or(TemplateError::WrongLength)?;
        let vector = FixedVector::from_be_bytes(numbers).ok_or(TemplateError::WrongLength)?;
        if !vector.is_unit() || *captures == 0 {
            return Err(TemplateError::NotATemplate);
        }
        Ok(Self { vector, model: ModelId::new(*model), captures: *captures })
    }

    /// The embedder that made it.
    #[must_use]
    pub const fn model(&self) -> ModelId {
        self.model
    }

    /// How many captures were enrolled.
    #[must_use]
    pub fn captures(&self) -> usize {
        usize::from(self.captures)
    }

    pub(crate) const fn vector(&self) -> &FixedVector {
        &self.vector
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vector: _, model, captures } = self;
        f.debug_struct("Reference").field("model", model).field("captures", captures).finish_non_exhaustive()
    }
}

/// The face of one attempt: the mean of its frames, in fixed point. Personal data, wiped on drop.
pub struct Probe {
    vector: FixedVector,
    model: ModelId,
    frames: usize,
}

impl Probe {
    /// Averages the frames of one attempt. Does not check that they show the same face: mixing faces gains nothing.
    ///
    /// # Errors
    /// [`ProbeError`] if there is no frame or too many, or if they come from different models.
    pub fn from_frames<E: Borrow<Embedding>>(frames: &[E]) -> Result<Self, ProbeError> {
        let (vector, model) = mean(frames).map_err(|fault| match fault {
            MeanFault::Empty => ProbeError::NoFrame,
            MeanFault::TooMany => ProbeError::TooManyFrames { most: MAX_CAPTURES, got: frames.len() },
            MeanFault::Models => ProbeError::ModelMismatch,
            MeanFault::Vanishes => ProbeError::FramesCancel,
        })?;
        Ok(Self { vector, model, frames: frames.len() })
    }

    /// The embedder that made it.
    #[must_use]
    pub const fn model(&self) -> ModelId {
        self.model
    }

    /// How many frames it is the mean of.
    #[must_use]
    pub const fn frames(&self) -> usize {
        self.frames
    }

    pub(crate) const fn vector(&self) -> &FixedVector {
        &self.vector
    }

    /// How alike one more frame is; nothing if it comes from another model.
    pub(crate) fn cosine_of(&self, frame: &Embedding) -> Option<f64> {
        let other = Self::from_frames(&[frame]).ok()?;
        (other.model == self.model).then(|| self.vector.cosine(&other.vector))
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vector: _, model, frames } = self;
        f.debug_struct("Probe").field("model", model).field("frames", frames).finish_non_exhaustive()
    }
}

/// Why captures could not be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolError {
    /// Fewer captures than enrolment needs.
    #[error("enrolment needs {needed} captures, got {got}")]
    TooFewCaptures {
        /// The least number.
        needed: usize,
        /// How many came.
        got: usize,
    },
    /// More captures than are taken at once.
    #[error("enrolment takes at most {most} captures, got {got}")]
    TooManyCaptures {
        /// The greatest number.
        most: usize,
        /// How many came.
        got: usize,
    },
    /// Two captures do not look like one person. Counted from 1, in the order given.
    #[error("captures {first} and {second} do not look like the same person")]
    CapturesDisagree {
        /// The earlier of the two.
        first: usize,
        /// The later of the two.
        second: usize,
    },
    /// The captures' mean is nothing: they point in opposite directions.
    #[error("the captures have nothing in common")]
    CapturesCancel,
    /// Embeddings of different embedders.
    #[error("the captures were made with different models")]
    ModelMismatch,
}

impl EnrolError {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooFewCaptures { .. } => "take more pictures: five, in slightly different light and poses, work best",
            Self::TooManyCaptures { .. } => "use fewer pictures: five are enough",
            Self::CapturesDisagree { .. } | Self::CapturesCancel => {
                "check that both pictures show you, then take the blurred, dark or turned one again"
            }
            Self::ModelMismatch => "make all captures with the same version of the program",
        }
    }
}

/// Why frames could not become a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// Nothing was captured.
    #[error("no frame was captured")]
    NoFrame,
    /// More frames than are taken at once.
    #[error("an attempt takes at most {most} frames, got {got}")]
    TooManyFrames {
        /// The greatest number.
        most: usize,
        /// How many came.
        got: usize,
    },
    /// The frames' mean is nothing.
    #[error("the frames have nothing in common")]
    FramesCancel,
    /// Embeddings of different embedders.
    #[error("the frames were made with different models")]
    ModelMismatch,
}

/// Why stored bytes are no [`Reference`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A version of the encoding that we do not know.
    #[error("template version {got} is unknown, {VERSION} is known")]
    UnknownVersion {
        /// The version found.
        got: u8,
    },
    /// Shorter or longer than every template is.
    #[error("a template has {ENCODED_LENGTH} bytes")]
    WrongLength,
    /// The numbers are not those of a unit vector.
    #[error("the bytes are not those of a template")]
    NotATemplate,
}

enum MeanFault {
    Empty,
    TooMany,
    Models,
    Vanishes,
}

/// The mean of unit vectors, scaled to unit length again and put in fixed point. Summed in the order given.
fn mean<E: Borrow<Embedding>>(embeddings: &[E]) -> Result<(FixedVector, ModelId), MeanFault> {
    let model = embeddings.first().ok_or(MeanFault::Empty)?.borrow().model();
    if embeddings.len() > MAX_CAPTURES {
        return Err(MeanFault::TooMany);
    }
    let mut sum = Zeroizing::new([0.0_f64; DIMENSION]);
    for embedding in embeddings.iter().map(Borrow::borrow) {
        if embedding.model() != model {
            return Err(MeanFault::Models);
        }
        for (to, from) in sum.iter_mut().zip(embedding.values()) {
            *to += f64::from(*from);
        }
    }
    let norm = norm_of(sum.iter().copied());
    if norm < MIN_NORM {
        return Err(MeanFault::Vanishes);
    }
    sum.iter_mut().for_each(|v| *v /= norm);
    Ok((FixedVector::from_unit(&sum), model))
}

const VERSION: u8 = 1;
const ENCODED_LENGTH: usize = 2 + 32 + 2 * DIMENSION;

#[cfg(test)]
mod tests;
