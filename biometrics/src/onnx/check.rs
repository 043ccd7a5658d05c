//! What a model may not hold, and what it must.

use super::message::{Attribute, Dimension, Graph, Model, Node, Tensor, ValueInfo};
use super::{FoldError, MAX_BYTES};

/// The inputs and outputs that a model must have, no more and no fewer.
#[derive(Debug, Clone, Copy)]
pub struct Contract<'a> {
    /// What goes in.
    pub inputs: &'a [Port<'a>],
    /// What comes out.
    pub outputs: &'a [Port<'a>],
}

/// A named tensor of 32-bit floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port<'a> {
    /// Its name in the graph.
    pub name: &'a str,
    /// Its shape.
    pub shape: &'a [i64],
}

/// Refuses everything but ONNX's own plain operators on dense tensors inside the file.
pub(super) fn model(model: &Model) -> Result<(), FoldError> {
    if !model.functions.is_empty() || !model.training_info.is_empty() {
        return Err(FoldError::NestedGraph);
    }
    for set in &model.opset_import {
        let (domain, version) = (set.domain.as_deref().unwrap_or_default(), set.version.unwrap_or_default());
        if !OWN_DOMAINS.contains(&domain) || !(1..=NEWEST_OPERATOR_SET).contains(&version) {
            return Err(FoldError::OperatorSet { domain: domain.to_owned(), version });
        }
    }
    let graph = model.graph.as_ref().ok_or(FoldError::NotOnnx)?;
    if !graph.sparse_initializer.is_empty() {
        return Err(FoldError::SparseTensor);
    }
    let mut folded_bytes = 0_usize;
    for initializer in &graph.initializer {
        // Folding turns a byte into a float.
        folded_bytes = folded_bytes.saturating_add(tensor(initializer)?.saturating_mul(4));
    }
    if folded_bytes > MAX_BYTES {
        return Err(FoldError::TooLarge { most: MAX_BYTES, got: folded_bytes });
    }
    graph.node.iter().try_for_each(node)
}

/// After folding: one input, and the outputs, as the contract says.
pub(super) fn ports(graph: &Graph, contract: &Contract<'_>) -> Result<(), FoldError> {
    for (found, expected) in [(&graph.input, contract.inputs), (&graph.output, contract.outputs)] {
        if let Some(strange) = found.iter().find(|value| !expected.iter().any(|port| is_port(value, port))) {
            return Err(FoldError::UnexpectedPort { port: strange.label().to_owned() });
        }
        if let Some(missing) = expected.iter().find(|port| !found.iter().any(|value| is_port(value, port))) {
            return Err(FoldError::UnexpectedPort { port: missing.name.to_owned() });
        }
    }
    Ok(())
}

/// Makes a batch of any size a batch of one.
pub(super) fn one_at_a_time(graph: &mut Graph) {
    for value in graph.input.iter_mut().chain(&mut graph.output) {
        let tensor = value.kind.as_mut().and_then(|kind| kind.tensor.as_mut());
        let first = tensor.and_then(|tensor| tensor.shape.as_mut()).and_then(|shape| shape.dim.first_mut());
        if let Some(dimension) = first.filter(|d| d.value.is_none() && d.parameter.is_some()) {
            *dimension = Dimension { value: Some(1), parameter: None };
        }
    }
}

/// Gives values the shapes of the ports of their name.
pub(super) fn reshape(values: &mut [ValueInfo], ports: &[Port<'_>]) {
    for value in values {
        let Some(port) = ports.iter().find(|port| port.name == value.label()) else { continue };
        let tensor = value.kind.as_mut().and_then(|kind| kind.tensor.as_mut());
        if let Some(shape) = tensor.and_then(|tensor| tensor.shape.as_mut()) {
            shape.dim = port.shape.iter().map(|n| Dimension { value: Some(*n), parameter: None }).collect();
        }
    }
}

fn is_port(value: &ValueInfo, port: &Port<'_>) -> bool {
    let Some(tensor) = value.kind.as_ref().and_then(|kind| kind.tensor.as_ref()) else { return false };
    let Some(shape) = tensor.shape.as_ref() else { return false };
    value.label() == port.name
        && tensor.element == Some(FLOAT)
        && shape.dim.iter().map(|dim| dim.value).eq(port.shape.iter().copied().map(Some))
}

fn node(node: &Node) -> Result<(), FoldError> {
    let (domain, operator) = (node.domain.as_deref().unwrap_or_default(), node.op_type.as_deref().unwrap_or_default());
    if !OWN_DOMAINS.contains(&domain) {
        return Err(FoldError::OperatorNotAllowed { operator: format!("{domain}.{operator}") });
    }
    if !ALLOWED_OPERATORS.contains(&operator) {
        return Err(FoldError::OperatorNotAllowed { operator: operator.to_owned() });
    }
    node.attribute.iter().try_for_each(attribute)
}

fn attribute(attribute: &Attribute) -> Result<(), FoldError> {
    if attribute.g.is_some() || !attribute.graphs.is_empty() {
        return Err(FoldError::NestedGraph);
    }
    if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() {
        return Err(FoldError::SparseTensor);
    }
    attribute.t.as_ref().map_or(Ok(()), |held| tensor(held).map(|_| ()))
}

/// Checks that a tensor holds its data, all of it; gives the number of elements.
fn tensor(tensor: &Tensor) -> Result<usize, FoldError> {
    let name = || tensor.label().to_owned();
    if !tensor.external_data.is_empty() || tensor.data_location.unwrap_or_default() != 0 {
        return Err(FoldError::ExternalData { tensor: name() });
    }
    let mut elements = 1_usize;
    for dim in &tensor.dims {
        let dim = usize::try_from(*dim).map_err(|_| FoldError::MalformedTensor { tensor: name() })?;
        elements = elements.checked_mul(dim).ok_or(FoldError::TooLarge { most: MAX_BYTES, got: usize::MAX })?;
    }
    if elements.saturating_mul(4) > MAX_BYTES {
        return Err(FoldError::TooLarge { most: MAX_BYTES, got: elements.saturating_mul(4) });
    }
    let raw = tensor.raw_data.as_ref().map(Vec::len);
    let whole = match (tensor.data_type, raw) {
        (Some(FLOAT), None) => tensor.float_data.len() == elements && tensor.int64_data.is_empty(),
        (Some(INT64), None) => tensor.int64_data.len() == elements && tensor.float_data.is_empty(),
        (Some(kind), Some(length)) => {
            let width = match kind {
                FLOAT => 4,
                INT64 => 8,
                INT8 => 1,
                _ => 0,
            };
            width != 0
                && length == elements.saturating_mul(width)
                && tensor.float_data.is_empty()
                && tensor.int64_data.is_empty()
        }
        _ => false,
    };
    if whole { Ok(elements) } else { Err(FoldError::MalformedTensor { tensor: name() }) }
}

/// `TensorProto.DataType`.
pub(super) const FLOAT: i32 = 1;
/// `TensorProto.DataType`.
pub(super) const INT8: i32 = 3;
/// `TensorProto.DataType`.
pub(super) const INT64: i32 = 7;

/// ONNX's own operators go by the empty name or by this one.
const OWN_DOMAINS: [&str; 2] = ["", "ai.onnx"];
const NEWEST_OPERATOR_SET: i64 = 21;
/// What the pinned models use, and convolutional networks with attention to channels (`pad::network`): no control flow, no
/// random numbers, no strings, no loops.
const ALLOWED_OPERATORS: [&str; 23] = [
    "Add",
    "BatchNormalization",
    "Concat",
    "Constant",
    "Conv",
    "DequantizeLinear",
    "Dropout",
    "Flatten",
    "Gather",
    "Gemm",
    "GlobalAveragePool",
    "MatMul",
    "MaxPool",
    "Mul",
    "PRelu",
    "Relu",
    "Reshape",
    "Resize",
    "Shape",
    "Sigmoid",
    "Sub",
    "Transpose",
    "Unsqueeze",
];
