//! A model written by us: nodes one after the other, each known by the name of what it gives.

use prost::Message as _;

use super::array::Array;
use super::check::FLOAT;
use super::message::{Attribute, Graph, Model, Node, OperatorSet, Tensor, ValueInfo};

/// A graph that grows.
#[derive(Default)]
pub(crate) struct Draft {
    graph: Graph,
    made: usize,
}

/// An attribute of a node.
pub(crate) enum Setting<'a> {
    Whole(&'a str, i64),
    Wholes(&'a str, &'a [i64]),
    Real(&'a str, f32),
    Text(&'a str, &'a str),
}

impl Draft {
    /// Floats that are handed over with each run; what is not known of the shape is open.
    pub(crate) fn input(&mut self, name: &str, shape: &[Option<i64>]) -> String {
        self.graph.input.push(ValueInfo::open(name, shape));
        name.to_owned()
    }

    /// Weights.
    pub(crate) fn constant(&mut self, array: Array) -> String {
        let Array { shape, values } = array;
        let raw = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let dims: Vec<i64> = shape.into_iter().filter_map(|length| i64::try_from(length).ok()).collect();
        self.tensor(Tensor { dims, data_type: Some(FLOAT), raw_data: Some(raw), ..Tensor::default() })
    }

    /// Whole numbers: places and lengths.
    pub(crate) fn wholes(&mut self, values: &[i64]) -> String {
        let dims = i64::try_from(values.len()).into_iter().collect();
        self.tensor(Tensor { dims, data_type: Some(INT64), int64_data: values.to_vec(), ..Tensor::default() })
    }

    /// A node with one output, whose name comes back.
    pub(crate) fn node(&mut self, operator: &str, inputs: &[&str], settings: &[Setting<'_>]) -> String {
        let name = self.fresh(operator);
        self.push(operator, inputs, settings, vec![name.clone()]);
        name
    }

    /// A value in equal parts along an axis.
    pub(crate) fn parts(&mut self, value: &str, axis: i64, count: usize) -> Vec<String> {
        let names: Vec<String> = (0..count).map(|_| self.fresh("part")).collect();
        self.push("Split", &[value], &[Setting::Whole("axis", axis)], names.clone());
        names
    }

    /// A value in three parts of these lengths along an axis.
    pub(crate) fn pieces(&mut self, value: &str, axis: i64, lengths: [usize; 3]) -> [String; 3] {
        let names = lengths.map(|_| self.fresh("piece"));
        let lengths = self.wholes(&lengths.map(|length| i64::try_from(length).unwrap_or_default()));
        self.push("Split", &[value, &lengths], &[Setting::Whole("axis", axis)], names.to_vec());
        names
    }

    /// Makes a value that was not asked for yet an output, under this name.
    pub(crate) fn output(&mut self, value: &str, name: &str, shape: &[Option<i64>]) {
        for node in &mut self.graph.node {
            for used in node.input.iter_mut().chain(&mut node.output).filter(|used| *used == value) {
                name.clone_into(used);
            }
        }
        self.graph.output.push(ValueInfo::open(name, shape));
    }

    /// How many nodes are of this operator.
    #[cfg(test)]
    pub(crate) fn count(&self, operator: &str) -> usize {
        self.graph.node.iter().filter(|node| node.op_type.as_deref() == Some(operator)).count()
    }

    /// The model file to hand to a runtime.
    pub(crate) fn to_bytes(&self, name: &str) -> Vec<u8> {
        let set = |domain: &str, version| OperatorSet { domain: Some(domain.to_owned()), version: Some(version) };
        let graph = Graph { name: Some(name.to_owned()), ..self.graph.clone() };
        let sets = vec![set("", OPERATOR_SET), set(RUNTIMES_OWN, 1)];
        let model = Model { ir_version: Some(8), graph: Some(graph), opset_import: sets, ..Model::default() };
        model.encode_to_vec()
    }

    fn push(&mut self, operator: &str, inputs: &[&str], settings: &[Setting<'_>], output: Vec<String>) {
        self.graph.node.push(Node {
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            name: output.first().cloned(),
            output,
            op_type: Some(operator.to_owned()),
            attribute: settings.iter().map(attribute).collect(),
            domain: (operator == FAST_GELU).then(|| RUNTIMES_OWN.to_owned()),
            doc_string: None,
        });
    }

    fn tensor(&mut self, tensor: Tensor) -> String {
        let name = self.fresh("weights");
        self.graph.initializer.push(Tensor { name: Some(name.clone()), ..tensor });
        name
    }

    fn fresh(&mut self, of: &str) -> String {
        self.made += 1;
        format!("{of}{}", self.made)
    }
}

fn attribute(setting: &Setting<'_>) -> Attribute {
    let (name, attribute) = match *setting {
        Setting::Real(name, f) => (name, Attribute { f: Some(f), kind: Some(1), ..Attribute::default() }),
        Setting::Whole(name, i) => (name, Attribute { i: Some(i), kind: Some(2), ..Attribute::default() }),
        Setting::Text(name, s) => (name, Attribute { s: Some(s.into()), kind: Some(3), ..Attribute::default() }),
        Setting::Wholes(name, i) => (name, Attribute { ints: i.to_vec(), kind: Some(7), ..Attribute::default() }),
    };
    Attribute { name: Some(name.to_owned()), ..attribute }
}

/// The one operator that is no standard one: the standard has it from set 20 on, without the bias.
pub(crate) const FAST_GELU: &str = "FastGelu";
const RUNTIMES_OWN: &str = "com.microsoft";
const OPERATOR_SET: i64 = 17;
const INT64: i32 = 7;
