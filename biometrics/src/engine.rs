//! The engine: models loaded from memory, and the way from a sample to an embedding.

mod detector;
mod embedder;
pub(crate) mod runtime;

use std::fmt;
use std::path::Path;

use crate::face::align::AlignedFace;
use crate::face::detect::Face;
use crate::face::geometry::Landmarks;
use crate::face::pyramid::Pyramid;
use crate::face::quality::{Quality, QualityFault};
use crate::models::{DETECTOR, EMBEDDER, PinError};
use crate::onnx::FoldError;
use crate::sample::Sample;
use crate::template::{Embedding, EmbeddingError, ModelId};
use detector::Detector;
use embedder::Embedder;

/// Finds and embeds faces. Holds the models; loading takes a few hundred milliseconds, so keep it.
///
/// One thread, and the same result for the same sample on the same machine. What the runtime's working memory holds of a face is
/// overwritten when the engine is dropped, by a run on nothing: some milliseconds. Nobody promises that nothing escapes it: a
/// process that embeds faces should be short-lived.
pub struct Engine {
    detector: Detector,
    embedder: Embedder,
}

impl Engine {
    /// Loads the runtime library and the pinned models.
    ///
    /// The models' bytes are checked against their SHA-256, checked for everything that we refuse in a model, folded to
    /// 32-bit weights and handed to the runtime from memory. The library is loaded once a process; its bytes are checked
    /// by whoever put it there (`models::RUNTIME_LINUX_X86_64`), not here.
    ///
    /// # Errors
    /// [`EngineError`] if a model is not the pinned one or is refused, or if the runtime cannot be loaded.
    pub fn load(runtime_library: &Path, detector: &[u8], embedder: &[u8]) -> Result<Self, EngineError> {
        DETECTOR.check(detector)?;
        EMBEDDER.check(embedder)?;
        // The larger model first: loading takes several times its size for a moment.
        let embedder = Embedder::load(runtime_library, embedder)?;
        Ok(Self { detector: Detector::load(runtime_library, detector)?, embedder })
    }

    /// Which embedder this is.
    #[must_use]
    pub const fn model(&self) -> ModelId {
        self.embedder.model()
    }

    /// Captures the one face of a sample, if it is good enough to be enrolled or recognised.
    ///
    /// # Errors
    /// [`CaptureError`]: no face, several, one of too little quality (each with a reason and a hint), or a fault of the
    /// runtime.
    pub fn capture(&mut self, sample: &Sample) -> Result<Capture, CaptureError> {
        self.capture_in_steps(sample, &mut |_| ())
    }

    /// The same as [`Engine::capture`], telling after each step that it is done: for those who measure time.
    ///
    /// # Errors
    /// As [`Engine::capture`].
    pub fn capture_in_steps(&mut self, sample: &Sample, done: &mut dyn FnMut(Step)) -> Result<Capture, CaptureError> {
        let pyramid = Pyramid::new(sample);
        let (found, faces) = alone(&self.detector.find(&pyramid)?)?;
        done(Step::Found);
        let refined = self.detector.refine(&pyramid, &found)?;
        done(Step::Refined);
        let settled = Self::settle(&pyramid, &refined, faces)?;
        settled.quality.check()?;
        done(Step::Aligned);
        let capture = self.embed(settled)?;
        capture.quality.check()?;
        done(Step::Embedded);
        Ok(capture)
    }

    /// Captures the one face of a frame whose head may be moving: nothing is asked of its pose or sharpness.
    ///
    /// # Errors
    /// [`CaptureError`]: no face, several, or a fault of the runtime.
    pub fn capture_in_motion(&mut self, sample: &Sample) -> Result<Capture, CaptureError> {
        let pyramid = Pyramid::new(sample);
        let (found, faces) = alone(&self.detector.find_steadily(&pyramid)?)?;
        let refined = self.detector.refine(&pyramid, &found)?;
        self.embed(Self::settle(&pyramid, &refined, faces)?)
    }

    /// Captures the largest face of a sample, whatever its quality and however many others there are: for evaluation,
    /// which reports quality and does not hide behind it.
    ///
    /// # Errors
    /// [`CaptureError::NoFace`] if none is found at any scale, or a fault of the runtime.
    pub fn capture_ungated(&mut self, sample: &Sample) -> Result<Capture, CaptureError> {
        let pyramid = Pyramid::new(sample);
        let faces = self.detector.find_anything(&pyramid)?;
        let largest = dominant(&faces, 0.0).ok_or(CaptureError::NoFace)?;
        let refined = self.detector.refine(&pyramid, &largest)?;
        self.embed(Self::settle(&pyramid, &refined, count(&faces, &largest))?)
    }

    /// Cuts the face out and measures it.
    fn settle(pyramid: &Pyramid<'_>, face: &Face, faces: usize) -> Result<Settled, CaptureError> {
        let cut = |zoom| AlignedFace::cut(pyramid, &face.landmarks, zoom).ok_or(CaptureError::NoFace);
        let (close, wide) = (cut(1.0)?, cut(embedder::WIDE_ZOOM)?);
        let view = pyramid.at_step(1.0);
        let outside = face.landmarks.points().iter().filter(|point| !view.contains(**point)).count();
        let quality = Quality::measure(&face.landmarks, &close, face.score, outside);
        let place = FacePlace {
            left: face.place.left.round() as i32,
            top: face.place.top.round() as i32,
            width: face.place.width.round() as i32,
            height: face.place.height.round() as i32,
        };
        Ok(Settled { close, wide, quality, landmarks: face.landmarks, place, faces })
    }

    fn embed(&mut self, settled: Settled) -> Result<Capture, CaptureError> {
        let Settled { close, wide, quality, landmarks, place, faces } = settled;
        let (embedding, agreement) = self.embedder.embed(&close, &wide)?;
        let quality = quality.with_agreement(agreement);
        Ok(Capture { embedding, quality, landmarks, place, faces })
    }
}

/// A step of [`Engine::capture_in_steps`], in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The picture was reduced and searched at two scales.
    Found,
    /// The face was looked at again at three sizes.
    Refined,
    /// It was cut out twice, turned upright, and measured.
    Aligned,
    /// It was embedded twice.
    Embedded,
}

/// A face found, cut out and measured, but not embedded.
struct Settled {
    close: AlignedFace,
    wide: AlignedFace,
    quality: Quality,
    landmarks: Landmarks,
    place: FacePlace,
    faces: usize,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { detector: _, embedder } = self;
        f.debug_struct("Engine").field("model", &embedder.model()).finish_non_exhaustive()
    }
}

/// A face taken from a sample: its embedding, its quality and where it was.
pub struct Capture {
    embedding: Embedding,
    quality: Quality,
    landmarks: Landmarks,
    place: FacePlace,
    faces: usize,
}

impl Capture {
    /// The embedding, to enrol or to compare.
    #[must_use]
    pub fn into_embedding(self) -> Embedding {
        self.embedding
    }

    /// The embedding, where the rest is still needed.
    #[must_use]
    pub const fn embedding(&self) -> &Embedding {
        &self.embedding
    }

    /// What was measured of the face.
    #[must_use]
    pub const fn quality(&self) -> &Quality {
        &self.quality
    }

    /// How many faces of similar size are in the sample, this one among them.
    #[must_use]
    pub const fn faces(&self) -> usize {
        self.faces
    }

    pub(crate) const fn landmarks(&self) -> &Landmarks {
        &self.landmarks
    }

    /// Where in the sample the face is.
    #[must_use]
    pub const fn place(&self) -> FacePlace {
        self.place
    }
}

impl fmt::Debug for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { embedding, quality, landmarks: _, place, faces } = self;
        let mut shown = f.debug_struct("Capture");
        shown.field("embedding", embedding).field("quality", quality).field("place", place).field("faces", faces);
        shown.finish_non_exhaustive()
    }
}

/// Where a face is, in pixels of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct FacePlace {
    /// From the left; negative where the face begins outside.
    pub left: i32,
    /// From the top.
    pub top: i32,
    /// Width.
    pub width: i32,
    /// Height.
    pub height: i32,
}

/// Why a sample gave no capture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    // The person's to mend.
    /// No face at any scale.
    #[error("no face was found in the picture")]
    NoFace,
    /// More than one face of similar size.
    #[error("{got} faces are in the picture")]
    SeveralFaces {
        /// How many.
        got: usize,
    },
    /// One face, of too little quality.
    #[error(transparent)]
    Quality(#[from] QualityFault),
    // The surroundings'.
    /// The embedder gave something that is no embedding.
    #[error("the model gave no embedding: {0}")]
    NotAnEmbedding(#[from] EmbeddingError),
    /// The runtime failed.
    #[error("the model runtime failed: {detail}")]
    Runtime {
        /// What it said.
        detail: String,
    },
}

impl CaptureError {
    /// What the person can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::NoFace => "look straight at the camera, with your whole face in the picture and enough light",
            Self::SeveralFaces { .. } => "make sure that you are alone in the picture",
            Self::Quality(fault) => fault.hint(),
            Self::NotAnEmbedding(_) => "take the picture again",
            Self::Runtime { .. } => "set up the models again: cargo xtask setup",
        }
    }

    /// A short name for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFace => "no-face",
            Self::SeveralFaces { .. } => "several-faces",
            Self::Quality(fault) => fault.code(),
            Self::NotAnEmbedding(_) => "no-embedding",
            Self::Runtime { .. } => "runtime-failed",
        }
    }
}

/// Why the engine does not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// A model file with other bytes than the pinned one.
    #[error(transparent)]
    NotPinned(#[from] PinError),
    /// A model that holds what we refuse.
    #[error("{model} is refused: {fault}")]
    Refused {
        /// Which model.
        model: &'static str,
        /// Why.
        fault: FoldError,
    },
    /// The runtime library cannot be loaded.
    #[error("the model runtime cannot be loaded: {detail}")]
    RuntimeLibrary {
        /// What the system said.
        detail: String,
    },
    /// The runtime does not take the model.
    #[error("the model runtime does not take {model}: {detail}")]
    Session {
        /// Which model.
        model: &'static str,
        /// What the runtime said.
        detail: String,
    },
}

impl EngineError {
    /// What the operator can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        "set up the models and the runtime again: cargo xtask setup"
    }
}

/// The one face of a sample.
fn alone(faces: &[Face]) -> Result<(Face, usize), CaptureError> {
    let largest = dominant(faces, LEAST_SCORE).ok_or(CaptureError::NoFace)?;
    match count(faces, &largest) {
        0 | 1 => Ok((largest, 1)),
        got => Err(CaptureError::SeveralFaces { got }),
    }
}

/// The largest face that is sure enough; the surer, the larger it counts.
fn dominant(faces: &[Face], least_score: f64) -> Option<Face> {
    let weight = |face: &Face| face.place.area() * face.score.powi(4);
    faces.iter().filter(|face| face.score >= least_score).max_by(|a, b| weight(a).total_cmp(&weight(b))).copied()
}

/// How many faces could be the one meant as well as the largest: bystanders far behind do not count.
fn count(faces: &[Face], largest: &Face) -> usize {
    let is_rival =
        |face: &&Face| face.score >= LEAST_RIVAL_SCORE && face.place.area() >= RIVAL_AREA * largest.place.area();
    faces.iter().filter(is_rival).count().max(1)
}

/// Below this the detector sees faces in curtains.
const LEAST_SCORE: f64 = 0.6;
const LEAST_RIVAL_SCORE: f64 = 0.7;
/// Half as wide and half as high.
const RIVAL_AREA: f64 = 0.25;

#[cfg(test)]
pub(crate) mod tests;
