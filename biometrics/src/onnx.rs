//! ONNX model files: read strictly, folded to plain 32-bit weights, written again for the runtime.
//!
//! The pinned models are block-quantised in a way that ONNX Runtime 1.32 cannot run, so the weights are computed here. On
//! the way everything is refused that a face model has no use for: data outside the file, sparse weights, other operator
//! sets, control flow, functions, fields that we do not know. What is left is a list of plain operators and numbers.
//!
//! # Source
//! `onnx/onnx.proto3` of ONNX 1.17 (IR version 10, operator set 21).

mod array;
mod check;
mod draft;
mod fold;
mod layers;
mod message;
mod prelu;

use std::fmt;

use prost::Message as _;

pub(crate) use array::{Array, Matrix};
pub use check::{Contract, Port};
pub(crate) use draft::{Draft, FAST_GELU, Setting};
pub(crate) use layers::{Layers, unknown};
use message::{Model, Tensor, ValueInfo};

/// A model that passed every check, its weights plain 32-bit floats.
pub struct Folded(Model);

impl Folded {
    /// The model file to hand to a runtime.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }

    /// Takes folded weights out by their name, which becomes one of the inputs; nothing if there are none.
    pub fn take_weights(&mut self, name: &str) -> Option<Weights> {
        let graph = self.0.graph.as_mut()?;
        let at = graph.initializer.iter().position(|tensor| tensor.label() == name)?;
        if graph.initializer.get(at).is_none_or(|tensor| tensor.float_data.is_empty()) {
            return None;
        }
        let Tensor { dims: shape, float_data: values, .. } = graph.initializer.swap_remove(at);
        graph.input.push(ValueInfo::of(name, &shape));
        Some(Weights { shape, values })
    }

    /// The same model for inputs and outputs of other shapes. Whether the model can take them, the runtime finds out.
    #[must_use]
    pub fn reshaped(self, contract: &Contract<'_>) -> Self {
        let Self(mut model) = self;
        if let Some(graph) = model.graph.as_mut() {
            check::reshape(&mut graph.input, contract.inputs);
            check::reshape(&mut graph.output, contract.outputs);
        }
        Self(model)
    }
}

/// Weights that were taken out of a model, to be handed to it with each run. The runtime keeps copies of what is in a model, of
/// what is handed to it none.
pub struct Weights {
    shape: Vec<i64>,
    values: Vec<f32>,
}

impl Weights {
    /// The shape, and the numbers in rows.
    pub(crate) fn tensor(&self) -> (Vec<i64>, &[f32]) {
        (self.shape.clone(), &self.values)
    }
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { shape, values: _ } = self;
        f.debug_struct("Weights").field("shape", shape).finish_non_exhaustive()
    }
}

impl fmt::Debug for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(model) = self;
        let nodes = model.graph.as_ref().map_or(0, |graph| graph.node.len());
        f.debug_struct("Folded").field("nodes", &nodes).finish_non_exhaustive()
    }
}

/// Checks a model and gives it back with its quantised weights folded to 32-bit floats, and `PRelu` in quicker terms.
///
/// # Errors
/// [`FoldError`] if the file is no ONNX model, holds anything that we refuse, or does not have the inputs and outputs that
/// `contract` names.
pub fn fold(bytes: &[u8], contract: &Contract<'_>) -> Result<Folded, FoldError> {
    let mut model = folded(bytes)?;
    check::ports(model.graph.get_or_insert_default(), contract)?;
    Ok(Folded(model))
}

/// The same for a model that takes any number of inputs at once: made one that takes a single one.
///
/// # Errors
/// As [`fold`].
pub fn fold_one_of_a_batch(bytes: &[u8], contract: &Contract<'_>) -> Result<Folded, FoldError> {
    let mut model = folded(bytes)?;
    let graph = model.graph.get_or_insert_default();
    check::one_at_a_time(graph);
    check::ports(graph, contract)?;
    Ok(Folded(model))
}

fn folded(bytes: &[u8]) -> Result<Model, FoldError> {
    if bytes.len() > MAX_BYTES {
        return Err(FoldError::TooLarge { most: MAX_BYTES, got: bytes.len() });
    }
    let mut model = Model::decode(bytes).map_err(|_| FoldError::NotOnnx)?;
    // What our messages do not name is dropped in decoding: then the length differs, and the file is not what it seems.
    if model.encoded_len() != bytes.len() {
        return Err(FoldError::UnknownFields);
    }
    check::model(&model)?;
    let scales = model.opset_import.iter().any(|set| set.version >= Some(prelu::LEAST_OPERATOR_SET));
    let graph = model.graph.as_mut().ok_or(FoldError::NotOnnx)?;
    fold::graph(graph)?;
    if scales {
        prelu::unfold(graph);
    }
    Ok(model)
}

/// Why a model file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The file, or a tensor in it, is larger than any model we use.
    #[error("the model would take {got} bytes, at most {most} are allowed")]
    TooLarge {
        /// The limit.
        most: usize,
        /// What it would take.
        got: usize,
    },
    /// Not a serialised ONNX model with a graph.
    #[error("the file is no ONNX model")]
    NotOnnx,
    /// Fields beyond those that our models use.
    #[error("the model holds fields that no model of ours has")]
    UnknownFields,
    /// Weights kept outside the file.
    #[error("tensor {tensor:?} keeps its data outside the model")]
    ExternalData {
        /// The tensor.
        tensor: String,
    },
    /// Sparse weights.
    #[error("the model holds sparse tensors")]
    SparseTensor,
    /// Operators of another set than ONNX's own.
    #[error("the model asks for operator set {domain:?} version {version}")]
    OperatorSet {
        /// Whose operators.
        domain: String,
        /// Which version.
        version: i64,
    },
    /// An operator that is not on the list, control flow among them.
    #[error("the model uses operator {operator:?}, which is not allowed")]
    OperatorNotAllowed {
        /// The operator, with its domain where it has one.
        operator: String,
    },
    /// Model-local functions, training graphs, or attributes that hold graphs.
    #[error("the model holds graphs within its graph")]
    NestedGraph,
    /// A tensor whose length is not that of its shape, or of a type that we do not use.
    #[error("tensor {tensor:?} is malformed")]
    MalformedTensor {
        /// The tensor.
        tensor: String,
    },
    /// Quantised weights that do not fit their scales, or that are not weights.
    #[error("quantised weights {tensor:?} cannot be folded")]
    CannotFold {
        /// The tensor.
        tensor: String,
    },
    /// Other inputs or outputs than the model we know has.
    #[error("the model's inputs or outputs are not the expected ones: {port:?}")]
    UnexpectedPort {
        /// The first that differs.
        port: String,
    },
    /// A model that we know by heart lacks weights, or has them in another shape.
    #[error("the model has no weights {part:?} that we know")]
    NotAsKnown {
        /// The node that would use them.
        part: String,
    },
}

/// Six times the embedder: a limit on what is parsed and on what folding may make.
const MAX_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
