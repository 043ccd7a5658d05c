//! The embedder: an aligned face to 128 numbers.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use zeroize::Zeroizing;

use super::{CaptureError, EngineError, runtime};
use crate::face::align::{AlignedFace, SIDE};
use crate::models::EMBEDDER;
use crate::onnx::{self, Contract, Port};
use crate::template::{DIMENSION, Embedding, ModelId};

/// SFace. Each face is embedded twice, and the two are added: as it is, and mirrored with more around it. What light and a
/// landmark a pixel off do to one differs from what they do to the other (measured in `docs/biometric-evaluation.md`).
pub(super) struct Embedder {
    session: Session,
}

impl Embedder {
    pub(super) fn load(library: &Path, model: &[u8]) -> Result<Self, EngineError> {
        let refuse = |fault| EngineError::Refused { model: NAME, fault };
        // The folded model is gone before the runtime makes its own copies of 40 MB of weights.
        let bytes = onnx::fold(model, &CONTRACT).map_err(refuse)?.to_bytes();
        Ok(Self { session: runtime::session(library, NAME, &bytes)? })
    }

    pub(super) const fn model(&self) -> ModelId {
        ModelId::new(EMBEDDER.sha256)
    }

    /// `close` is the face as the model was trained with it, `wide` the same at [`WIDE_ZOOM`]. The number is the cosine between
    /// what comes of each: how surely this face is seen.
    pub(super) fn embed(&mut self, close: &AlignedFace, wide: &AlignedFace) -> Result<(Embedding, f64), CaptureError> {
        let plain = self.run(&close.planes(false))?;
        let mirrored = self.run(&wide.planes(true))?;
        let agreement = plain.iter().zip(mirrored.iter()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        let mut sum = Zeroizing::new([0.0_f32; DIMENSION]);
        for ((to, a), b) in sum.iter_mut().zip(plain.iter()).zip(mirrored.iter()) {
            *to = a + b;
        }
        Ok((Embedding::from_output(sum.as_slice(), self.model())?, agreement))
    }

    /// One output, at unit length, so that both count the same.
    fn run(&mut self, planes: &[f32]) -> Result<Zeroizing<[f32; DIMENSION]>, CaptureError> {
        let fail = |e: ort::Error| CaptureError::Runtime { detail: e.to_string() };
        let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], planes)).map_err(fail)?;
        let model = self.model();
        let outputs = self.session.run(ort::inputs!["data" => input]).map_err(fail)?;
        let missing = || CaptureError::Runtime { detail: "the embedder gave no fc1".to_owned() };
        let (_, output) = outputs.get("fc1").ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?;
        let unit = Embedding::from_output(output, model)?;
        let mut values = Zeroizing::new([0.0; DIMENSION]);
        values.iter_mut().zip(unit.values()).for_each(|(to, from)| *to = *from);
        Ok(values)
    }
}

/// How much smaller the face is in its mirrored cut.
pub(super) const WIDE_ZOOM: f64 = 0.88;

const NAME: &str = "the embedder";
const CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: "data", shape: &[1, 3, 112, 112] }],
    outputs: &[Port { name: "fc1", shape: &[1, 128] }],
};
