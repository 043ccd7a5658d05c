//! The embedder: an aligned face to 128 numbers.

use std::path::Path;

use ort::session::Session;
use ort::value::TensorRef;
use zeroize::Zeroizing;

use super::{CaptureError, EngineError, runtime};
use crate::face::align::{AlignedFace, SIDE};
use crate::models::EMBEDDER;
use crate::onnx::{self, Contract, FoldError, Port, Weights};
use crate::template::{DIMENSION, Embedding, ModelId};

/// SFace. Each face is embedded twice, and the two are added: as it is, and mirrored with more around it. What light and a
/// landmark a pixel off do to one differs from what they do to the other (measured in `docs/biometric-evaluation.md`).
pub(super) struct Embedder {
    session: Session,
    /// Two thirds of the model: the runtime would keep two copies of them.
    last_layer: Weights,
}

impl Embedder {
    pub(super) fn load(library: &Path, model: &[u8]) -> Result<Self, EngineError> {
        let refuse = |fault| EngineError::Refused { model: NAME, fault };
        let mut folded = onnx::fold(model, &CONTRACT).map_err(refuse)?;
        let missing = || refuse(FoldError::UnexpectedPort { port: LAST_LAYER.to_owned() });
        let last_layer = folded.take_weights(LAST_LAYER).ok_or_else(missing)?;
        let bytes = folded.to_bytes();
        // Gone before the runtime makes its own copies.
        drop(folded);
        Ok(Self { session: runtime::session(library, NAME, &bytes)?, last_layer })
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
        let model = self.model();
        let unit = self.output(planes, |output| Embedding::from_output(output, model))??;
        let mut values = Zeroizing::new([0.0; DIMENSION]);
        values.iter_mut().zip(unit.values()).for_each(|(to, from)| *to = *from);
        Ok(values)
    }

    /// What the model makes of a face, where the runtime put it.
    pub(super) fn output<T>(&mut self, planes: &[f32], read: impl FnOnce(&[f32]) -> T) -> Result<T, CaptureError> {
        let fail = |e: ort::Error| CaptureError::Runtime { detail: e.to_string() };
        let input = TensorRef::from_array_view(([1, 3, SIDE, SIDE], planes)).map_err(fail)?;
        let last_layer = TensorRef::from_array_view(self.last_layer.tensor()).map_err(fail)?;
        let outputs = self.session.run(ort::inputs!["data" => input, LAST_LAYER => last_layer]).map_err(fail)?;
        let missing = || CaptureError::Runtime { detail: "the embedder gave no fc1".to_owned() };
        let (_, output) = outputs.get("fc1").ok_or_else(missing)?.try_extract_tensor::<f32>().map_err(fail)?;
        Ok(read(output))
    }
}

impl Drop for Embedder {
    /// The runtime's memory held a face: it holds nothing now. What comes of it does not matter.
    fn drop(&mut self) {
        let _ = self.run(&[0.0; 3 * SIDE * SIDE]);
    }
}

/// How much smaller the face is in its mirrored cut.
pub(super) const WIDE_ZOOM: f64 = 0.88;

const NAME: &str = "the embedder";
/// What the last layer multiplies with, as folding names it.
const LAST_LAYER: &str = "pre_fc1_weight_dequantized";
const CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: "data", shape: &[1, 3, 112, 112] }],
    outputs: &[Port { name: "fc1", shape: &[1, 128] }],
};
