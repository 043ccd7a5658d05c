//! The weights of a model that we know by heart, by the nodes that use them.

use std::collections::HashMap;

use prost::Message as _;

use super::FoldError;
use super::array::Array;
use super::check::FLOAT;
use super::message::{Model, Tensor};

/// Constants by name, and which node takes which.
pub(crate) struct Layers {
    inputs: HashMap<String, Vec<String>>,
    constants: HashMap<String, Tensor>,
}

impl Layers {
    /// Reads a model whose very bytes are known: nothing in it is looked at but what is asked for.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, FoldError> {
        let graph = Model::decode(bytes).ok().and_then(|model| model.graph).ok_or(FoldError::NotOnnx)?;
        let inputs = graph.node.into_iter().map(|node| (node.name.unwrap_or_default(), node.input)).collect();
        let constants = graph.initializer.into_iter().map(|tensor| (tensor.label().to_owned(), tensor)).collect();
        Ok(Self { inputs, constants })
    }

    /// The weights that a node takes at a place among its inputs.
    pub(crate) fn weights(&self, node: &str, place: usize) -> Result<Array, FoldError> {
        let name = self.inputs.get(node).and_then(|inputs| inputs.get(place));
        let tensor = name.and_then(|name| self.constants.get(name));
        tensor.and_then(read).ok_or_else(|| unknown(node))
    }
}

/// What is said where a model is not the one we know.
pub(crate) fn unknown(part: &str) -> FoldError {
    FoldError::NotAsKnown { part: part.to_owned() }
}

fn read(tensor: &Tensor) -> Option<Array> {
    let shape: Vec<usize> = tensor.dims.iter().map(|dim| usize::try_from(*dim).ok()).collect::<Option<_>>()?;
    let raw = tensor.raw_data.as_ref().filter(|_| tensor.data_type == Some(FLOAT))?;
    let values: Vec<f32> = raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    (shape.iter().product::<usize>() == values.len()).then_some(Array { shape, values })
}
