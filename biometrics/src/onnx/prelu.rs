//! `PRelu` in terms that the runtime computes quickly: `a·x + (1 − a)·max(x, 0)`, which is `x` above 0 and `a·x` below.
//!
//! ONNX Runtime keeps convolutions in blocks of channels, in which it has no `PRelu`: before each one the layout is turned, after
//! it turned back, and `PRelu` itself is slow. `Relu`, `Add` and a `BatchNormalization` that only scales stay in blocks.
//!
//! # Source
//! ONNX operators `PRelu` 16, `BatchNormalization` 15.

use super::check::FLOAT;
use super::message::{Attribute, Graph, Node, Tensor};

/// Replaces every `PRelu` whose slopes are weights, one a channel of a picture; leaves others.
pub(super) fn unfold(graph: &mut Graph) {
    let mut nodes = Vec::with_capacity(graph.node.len());
    for node in std::mem::take(&mut graph.node) {
        match replaced(&node, &graph.initializer) {
            Some((in_its_place, weights)) => {
                nodes.extend(in_its_place);
                graph.initializer.extend(weights);
            }
            None => nodes.push(node),
        }
    }
    graph.node = nodes;
    graph.initializer.retain(|tensor| graph.node.iter().any(|node| node.input.iter().any(|i| i == tensor.label())));
}

fn replaced(node: &Node, constants: &[Tensor]) -> Option<([Node; 4], [Tensor; 4])> {
    let ("PRelu", [x, slopes], [y]) = (node.op_type.as_deref()?, node.input.as_slice(), node.output.as_slice()) else {
        return None;
    };
    let slopes = constants.iter().find(|tensor| tensor.label() == slopes)?;
    let [channels, 1, 1] = *slopes.dims.as_slice() else { return None };
    let numbers: Vec<f32> = match &slopes.raw_data {
        _ if slopes.data_type != Some(FLOAT) => return None,
        Some(raw) => raw.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
        None => slopes.float_data.clone(),
    };
    let weights = |name: &str, numbers: Vec<f32>| Tensor {
        dims: vec![channels],
        data_type: Some(FLOAT),
        name: Some(format!("{y}/{name}")),
        raw_data: Some(numbers.iter().flat_map(|number| number.to_le_bytes()).collect()),
        ..Tensor::default()
    };
    let rest = numbers.iter().map(|slope| 1.0 - slope).collect();
    let (zeros, ones) = (vec![0.0; numbers.len()], vec![1.0; numbers.len()]);
    let weights = [weights("below", numbers), weights("rest", rest), weights("zeros", zeros), weights("ones", ones)];
    let names = weights.each_ref().map(Tensor::label);
    let [below, rest, zeros, ones] = names;
    let inner = |name: &str| format!("{y}/{name}");
    let nodes = [
        operation("Relu", &[x], inner("positive")),
        scaled(&[x, below, zeros, zeros, ones], inner("whole")),
        scaled(&[&inner("positive"), rest, zeros, zeros, ones], inner("surplus")),
        operation("Add", &[&inner("whole"), &inner("surplus")], y.clone()),
    ];
    Some((nodes, weights))
}

fn operation(operator: &str, input: &[&str], output: String) -> Node {
    Node {
        input: input.iter().map(|name| (*name).to_owned()).collect(),
        name: Some(output.clone()),
        output: vec![output],
        op_type: Some(operator.to_owned()),
        ..Node::default()
    }
}

fn scaled(input: &[&str], output: String) -> Node {
    let exact = Attribute { name: Some("epsilon".to_owned()), f: Some(0.0), kind: Some(1), ..Attribute::default() };
    Node { attribute: vec![exact], ..operation("BatchNormalization", input, output) }
}

/// Before this one `BatchNormalization` had other attributes.
pub(super) const LEAST_OPERATOR_SET: i64 = 9;
