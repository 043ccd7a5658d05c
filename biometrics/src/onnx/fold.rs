//! Block-quantised weights to plain ones: `w = (q − zero point) × scale`, the scale repeated along its axis in blocks.
//!
//! # Source
//! ONNX operator `DequantizeLinear`, version 21, "blocked quantisation".

use std::collections::{BTreeMap, BTreeSet};

use super::FoldError;
use super::check::{FLOAT, INT8, INT64};
use super::message::{Graph, Node, Tensor};

/// Folds every `DequantizeLinear` of weights, and the `Reshape` after it; drops what nothing reads any more.
pub(super) fn graph(graph: &mut Graph) -> Result<(), FoldError> {
    let mut constants: BTreeMap<String, Tensor> = BTreeMap::new();
    for tensor in std::mem::take(&mut graph.initializer) {
        let name = tensor.label().to_owned();
        if constants.insert(name.clone(), tensor).is_some() {
            return Err(FoldError::MalformedTensor { tensor: name });
        }
    }
    let mut folded: BTreeSet<String> = BTreeSet::new();
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node) {
        let first = node.input.first().cloned().unwrap_or_default();
        let made = match node.op_type.as_deref() {
            Some("DequantizeLinear") => dequantize(&node, &constants)?,
            Some("Reshape") if folded.contains(&first) => reshape(&node, &mut constants)?,
            _ => {
                nodes.push(node);
                continue;
            }
        };
        folded.insert(made.label().to_owned());
        if constants.insert(made.label().to_owned(), made).is_some() {
            return Err(cannot_fold(&first));
        }
    }
    let read: BTreeSet<&str> = nodes.iter().flat_map(|node| node.input.iter().map(String::as_str)).collect();
    constants.retain(|name, _| read.contains(name.as_str()));
    // The embedder lists its former weights as inputs: only what is read and not given is one.
    graph.input.retain(|value| read.contains(value.label()) && !constants.contains_key(value.label()));
    graph.initializer = constants.into_values().collect();
    graph.node = nodes;
    // Shapes of inner values: the runtime infers them, and those of folded values would be dead.
    graph.value_info.clear();
    Ok(())
}

fn dequantize(node: &Node, constants: &BTreeMap<String, Tensor>) -> Result<Tensor, FoldError> {
    let [quantised, scale, zero_point] = node.input.as_slice() else {
        return Err(cannot_fold(node.output.first().map_or("", String::as_str)));
    };
    let refuse = || cannot_fold(quantised);
    let constant = |name: &String| constants.get(name).ok_or_else(refuse);
    let (values, scales, zeros) = (constant(quantised)?, constant(scale)?, constant(zero_point)?);
    let (values_bytes, zeros_bytes) = (int8(values).ok_or_else(refuse)?, int8(zeros).ok_or_else(refuse)?);
    let scale_numbers = floats(scales).ok_or_else(refuse)?;
    let blocks = Blocks::of(node, values, scales).ok_or_else(refuse)?;
    if scale_numbers.len() != zeros_bytes.len() || scales.dims != zeros.dims {
        return Err(refuse());
    }
    let mut weights = Vec::with_capacity(values_bytes.len());
    for (i, q) in values_bytes.iter().enumerate() {
        let at = blocks.scale_of(i);
        let (scale, zero) = scale_numbers.get(at).zip(zeros_bytes.get(at)).ok_or_else(refuse)?;
        let weight = f32::from(i16::from(q.cast_signed()) - i16::from(zero.cast_signed())) * scale;
        if !weight.is_finite() {
            return Err(refuse());
        }
        weights.push(weight);
    }
    float_tensor(node, values.dims.clone(), weights).ok_or_else(refuse)
}

/// The folded weights move on: nothing but this node reads them in the models that are folded.
fn reshape(node: &Node, constants: &mut BTreeMap<String, Tensor>) -> Result<Tensor, FoldError> {
    let [source, shape] = node.input.as_slice() else { return Err(FoldError::NotOnnx) };
    let refuse = || cannot_fold(source);
    let dims = constants.get(shape).and_then(integers).ok_or_else(refuse)?;
    let weights = constants.remove(source).ok_or_else(refuse)?.float_data;
    let elements = dims.iter().try_fold(1_usize, |n, dim| n.checked_mul(usize::try_from(*dim).ok()?));
    if elements != Some(weights.len()) {
        return Err(refuse());
    }
    float_tensor(node, dims, weights).ok_or_else(refuse)
}

/// Where in the scales the scale of an element is.
struct Blocks {
    /// Elements in a step along the axis.
    inner: usize,
    /// Length of the axis in the values.
    axis: usize,
    /// Length of the axis in the scales.
    scales: usize,
    block: usize,
}

impl Blocks {
    fn of(node: &Node, values: &Tensor, scales: &Tensor) -> Option<Self> {
        let attribute = |name: &str| {
            node.attribute.iter().find(|a| a.name.as_deref() == Some(name)).and_then(|a| usize::try_from(a.i?).ok())
        };
        let (axis, block) = (attribute("axis")?, attribute("block_size")?);
        let sizes = |tensor: &Tensor| -> Option<Vec<usize>> {
            tensor.dims.iter().map(|dim| usize::try_from(*dim).ok()).collect()
        };
        let (value_sizes, scale_sizes) = (sizes(values)?, sizes(scales)?);
        let (along, scales_along) = (*value_sizes.get(axis)?, *scale_sizes.get(axis)?);
        // Same shape, save that the axis counts blocks.
        let elsewhere = value_sizes.iter().zip(&scale_sizes).enumerate().all(|(i, (v, s))| i == axis || v == s);
        let fits = value_sizes.len() == scale_sizes.len()
            && elsewhere
            && block != 0
            && along != 0
            && scales_along == along.div_ceil(block);
        let inner = value_sizes.iter().skip(axis + 1).product();
        fits.then_some(Self { inner, axis: along, scales: scales_along, block })
    }

    fn scale_of(&self, element: usize) -> usize {
        let (row, column) = (element / self.inner, element % self.inner);
        let (outer, along) = (row / self.axis, row % self.axis);
        (outer * self.scales + along / self.block) * self.inner + column
    }
}

fn int8(tensor: &Tensor) -> Option<&[u8]> {
    tensor.raw_data.as_deref().filter(|_| tensor.data_type == Some(INT8))
}

fn floats(tensor: &Tensor) -> Option<Vec<f32>> {
    match tensor.raw_data.as_deref() {
        _ if tensor.data_type != Some(FLOAT) => None,
        Some(raw) => Some(raw.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        None => Some(tensor.float_data.clone()),
    }
}

fn integers(tensor: &Tensor) -> Option<Vec<i64>> {
    match tensor.raw_data.as_deref() {
        _ if tensor.data_type != Some(INT64) => None,
        Some(raw) => Some(raw.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect()),
        None => Some(tensor.int64_data.clone()),
    }
}

/// A tensor named as the node's one output.
fn float_tensor(node: &Node, dims: Vec<i64>, numbers: Vec<f32>) -> Option<Tensor> {
    let [name] = node.output.as_slice() else { return None };
    Some(Tensor { dims, data_type: Some(FLOAT), name: Some(name.clone()), float_data: numbers, ..Tensor::default() })
}

fn cannot_fold(tensor: &str) -> FoldError {
    FoldError::CannotFold { tensor: tensor.to_owned() }
}
