//! Tests of reading, refusing and folding models. Each poisoned model is a good one with one fault.

use prost::Message as _;

use super::check::{FLOAT, INT8, INT64};
use super::message::*;
use super::*;

/// `y = Conv(x, reshape(dequantise(q)))`, with a block size of 4 along 6 columns.
fn good() -> Model {
    let scales: Vec<u8> = [0.5_f32, 0.25, 2.0, 4.0].iter().flat_map(|s| s.to_le_bytes()).collect();
    let graph = Graph {
        node: vec![
            Node {
                input: ["q", "s", "z"].map(str::to_owned).to_vec(),
                output: vec!["w_flat".to_owned()],
                op_type: Some("DequantizeLinear".to_owned()),
                attribute: vec![integer("axis", 1), integer("block_size", 4)],
                ..Node::default()
            },
            node("Reshape", &["w_flat", "w_shape"], "w"),
            node("Conv", &["x", "w"], "y"),
        ],
        initializer: vec![
            tensor("q", INT8, &[2, 6], vec![1, 2, 3, 4, 5, 6, 0xFF, 0x80, 0x7F, 0, 9, 8]),
            tensor("s", FLOAT, &[2, 2], scales),
            tensor("z", INT8, &[2, 2], vec![0, 1, 0xFF, 2]),
            tensor("w_shape", INT64, &[4], [2_i64, 6, 1, 1].iter().flat_map(|d| d.to_le_bytes()).collect()),
        ],
        // SFace's habit: former weights among the inputs.
        input: vec![value("x", &[1, 6, 8, 8]), value("q_old", &[2, 6])],
        output: vec![value("y", &[1, 2, 8, 8])],
        value_info: vec![value("w_flat", &[2, 6])],
        ..Graph::default()
    };
    Model {
        ir_version: Some(6),
        opset_import: vec![OperatorSet { domain: None, version: Some(21) }],
        graph: Some(graph),
        ..Model::default()
    }
}

fn node(operator: &str, input: &[&str], output: &str) -> Node {
    Node {
        input: input.iter().map(|i| (*i).to_owned()).collect(),
        output: vec![output.to_owned()],
        op_type: Some(operator.to_owned()),
        ..Node::default()
    }
}

fn integer(name: &str, i: i64) -> Attribute {
    Attribute { name: Some(name.to_owned()), i: Some(i), kind: Some(2), ..Attribute::default() }
}

fn tensor(name: &str, kind: i32, dims: &[i64], raw: Vec<u8>) -> Tensor {
    Tensor {
        dims: dims.to_vec(),
        data_type: Some(kind),
        name: Some(name.to_owned()),
        raw_data: Some(raw),
        ..Tensor::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|n| Dimension { value: Some(*n), parameter: None }).collect();
    let tensor = TensorType { element: Some(FLOAT), shape: Some(Shape { dim }) };
    ValueInfo { name: Some(name.to_owned()), kind: Some(TypeInfo { tensor: Some(tensor) }), doc_string: None }
}

const CONTRACT: Contract<'static> = Contract {
    inputs: &[Port { name: "x", shape: &[1, 6, 8, 8] }],
    outputs: &[Port { name: "y", shape: &[1, 2, 8, 8] }],
};

fn poisoned(poison: impl FnOnce(&mut Model)) -> Option<FoldError> {
    let mut model = good();
    poison(&mut model);
    fold(&model.encode_to_vec(), &CONTRACT).err()
}

fn graph(model: &mut Model) -> &mut Graph {
    model.graph.as_mut().unwrap()
}

#[test]
fn weights_are_folded_by_blocks_and_reshaped() {
    let folded = fold(&good().encode_to_vec(), &CONTRACT).unwrap();
    let model = Model::decode(folded.to_bytes().as_slice()).unwrap();
    let graph = model.graph.unwrap();
    assert_eq!(graph.node.len(), 1);
    assert_eq!(graph.input.len(), 1);
    let [weights] = graph.initializer.as_slice() else { panic!("{:?}", graph.initializer) };
    assert_eq!((weights.label(), weights.dims.as_slice()), ("w", &[2, 6, 1, 1][..]));
    let values = &weights.float_data;
    // Row 0: scale 0.5, zero 0, then scale 0.25, zero 1. Row 1: scale 2, zero -1, then scale 4, zero 2.
    assert_eq!(*values, [0.5, 1.0, 1.5, 2.0, 1.0, 1.25, 0.0, -254.0, 256.0, 2.0, 28.0, 24.0]);
}

#[test]
fn folded_weights_taken_out_become_an_input() {
    let mut folded = fold(&good().encode_to_vec(), &CONTRACT).unwrap();
    assert!(folded.take_weights("nothing").is_none());
    let weights = folded.take_weights("w").unwrap();
    let (shape, values) = weights.tensor();
    assert_eq!((shape.as_slice(), values.len()), (&[2, 6, 1, 1][..], 12));
    let graph = Model::decode(folded.to_bytes().as_slice()).unwrap().graph.unwrap();
    assert!(graph.initializer.is_empty());
    assert_eq!(graph.input.iter().map(ValueInfo::label).collect::<Vec<_>>(), ["x", "w"]);
    assert!(!format!("{weights:?}").contains("0.5"));
}

/// What comes in place of `PRelu` is worked out for numbers on both sides of 0, as the operators are defined.
#[test]
fn prelu_is_unfolded_to_the_same_numbers() {
    let slopes = [0.25_f32, -0.5];
    let with_slopes = |dims: &[i64]| {
        let mut model = good();
        let graph = graph(&mut model);
        graph.node[2].output = vec!["conv".to_owned()];
        graph.node.push(node("PRelu", &["conv", "slopes"], "y"));
        let raw = slopes.iter().flat_map(|s| s.to_le_bytes()).collect();
        graph.initializer.push(tensor("slopes", FLOAT, dims, raw));
        let folded = fold(&model.encode_to_vec(), &CONTRACT).unwrap();
        Model::decode(folded.to_bytes().as_slice()).unwrap().graph.unwrap()
    };
    let graph = with_slopes(&[2, 1, 1]);
    assert!(!graph.initializer.iter().any(|t| t.label() == "slopes"));
    let weights = |name: &str, channel: usize| {
        let raw = graph.initializer.iter().find(|t| t.label() == name).unwrap().raw_data.clone().unwrap();
        f32::from_le_bytes(raw[4 * channel..4 * channel + 4].try_into().unwrap())
    };
    for (channel, slope) in slopes.iter().enumerate() {
        for x in [-3.0_f32, -0.125, 0.0, 0.5, 7.0] {
            let mut values = std::collections::BTreeMap::from([("conv".to_owned(), x)]);
            for node in &graph.node[1..] {
                let value = |i: usize| values[&node.input[i]];
                let result = match node.op_type.as_deref().unwrap() {
                    "Relu" => value(0).max(0.0),
                    "Add" => value(0) + value(1),
                    "BatchNormalization" => {
                        let [scale, shift, mean, variance] = [1, 2, 3, 4].map(|i| weights(&node.input[i], channel));
                        let epsilon = node.attribute[0].f.unwrap();
                        (value(0) - mean) / (variance + epsilon).sqrt() * scale + shift
                    }
                    other => panic!("{other}"),
                };
                values.insert(node.output[0].clone(), result);
            }
            assert_eq!(values["y"], if x < 0.0 { slope * x } else { x });
        }
    }
    // Slopes along the last axis, and not by channels, are none of ours.
    assert_eq!(with_slopes(&[2]).node.last().unwrap().op_type.as_deref(), Some("PRelu"));
}

#[test]
fn a_folded_model_can_take_another_shape() {
    let other = Contract {
        inputs: &[Port { name: "x", shape: &[1, 6, 4, 4] }],
        outputs: &[Port { name: "y", shape: &[1, 2, 4, 4] }],
    };
    let reshaped = fold(&good().encode_to_vec(), &CONTRACT).unwrap().reshaped(&other);
    let graph = Model::decode(reshaped.to_bytes().as_slice()).unwrap().graph.unwrap();
    assert!(check::ports(&graph, &other).is_ok());
    assert!(check::ports(&graph, &CONTRACT).is_err());
}

#[test]
fn attack_92_data_outside_the_file_is_refused() {
    let expected = Some(FoldError::ExternalData { tensor: "q".to_owned() });
    let location = b"\x0a\x08location\x12\x10../../etc/passwd".to_vec();
    assert_eq!(poisoned(|m| graph(m).initializer[0].external_data = vec![location.clone()]), expected);
    assert_eq!(poisoned(|m| graph(m).initializer[0].data_location = Some(1)), expected);
    // Hidden in an attribute's tensor.
    let hidden = |m: &mut Model| {
        let mut t = tensor("hidden", FLOAT, &[0], Vec::new());
        t.external_data = vec![location.clone()];
        graph(m).node[2].attribute.push(Attribute { t: Some(t), ..Attribute::default() });
    };
    assert_eq!(poisoned(hidden), Some(FoldError::ExternalData { tensor: "hidden".to_owned() }));
}

#[test]
fn attack_92_sparse_tensors_are_refused() {
    assert_eq!(poisoned(|m| graph(m).sparse_initializer = vec![vec![0x0a, 0]]), Some(FoldError::SparseTensor));
    let attribute = Attribute { sparse_tensor: Some(vec![]), ..Attribute::default() };
    assert_eq!(poisoned(|m| graph(m).node[2].attribute.push(attribute)), Some(FoldError::SparseTensor));
    let attribute = Attribute { sparse_tensors: vec![vec![]], ..Attribute::default() };
    assert_eq!(poisoned(|m| graph(m).node[2].attribute.push(attribute)), Some(FoldError::SparseTensor));
}

#[test]
fn attack_92_other_operator_sets_are_refused() {
    let set = |domain: &str, version| OperatorSet { domain: Some(domain.to_owned()), version: Some(version) };
    let expected = |domain: &str, version| Some(FoldError::OperatorSet { domain: domain.to_owned(), version });
    assert_eq!(poisoned(|m| m.opset_import.push(set("com.microsoft", 1))), expected("com.microsoft", 1));
    assert_eq!(poisoned(|m| m.opset_import.push(set("", 99))), expected("", 99));
    assert_eq!(
        poisoned(|m| graph(m).node[2].domain = Some("evil".to_owned())),
        Some(FoldError::OperatorNotAllowed { operator: "evil.Conv".to_owned() })
    );
}

#[test]
fn attack_92_control_flow_and_unknown_operators_are_refused() {
    for operator in ["If", "Loop", "Scan", "SequenceMap", "RandomNormal", "StringConcat", ""] {
        let error = poisoned(|m| graph(m).node[2].op_type = Some(operator.to_owned()));
        assert_eq!(error, Some(FoldError::OperatorNotAllowed { operator: operator.to_owned() }));
    }
    let nested = Attribute { g: Some(Vec::new()), ..Attribute::default() };
    assert_eq!(poisoned(|m| graph(m).node[2].attribute.push(nested)), Some(FoldError::NestedGraph));
    let nested = Attribute { graphs: vec![Vec::new()], ..Attribute::default() };
    assert_eq!(poisoned(|m| graph(m).node[2].attribute.push(nested)), Some(FoldError::NestedGraph));
    assert_eq!(poisoned(|m| m.functions.push(Vec::new())), Some(FoldError::NestedGraph));
    assert_eq!(poisoned(|m| m.training_info.push(Vec::new())), Some(FoldError::NestedGraph));
}

#[test]
fn attack_92_a_tensor_of_four_gigabytes_is_refused_before_it_is_made() {
    let large = |m: &mut Model| graph(m).initializer[0].dims = vec![1 << 16, 1 << 16];
    assert!(matches!(poisoned(large), Some(FoldError::TooLarge { .. })));
    let overflowing = |m: &mut Model| graph(m).initializer[0].dims = vec![i64::MAX, i64::MAX];
    assert!(matches!(poisoned(overflowing), Some(FoldError::TooLarge { .. })));
    // Many tensors, each small enough: folded together they would not be.
    let many = |m: &mut Model| {
        for i in 0..9 {
            graph(m).initializer.push(tensor(&format!("t{i}"), INT8, &[2 << 20], vec![0; 2 << 20]));
        }
    };
    assert!(matches!(poisoned(many), Some(FoldError::TooLarge { .. })));
    assert!(matches!(fold(&vec![0; (64 << 20) + 1], &CONTRACT), Err(FoldError::TooLarge { .. })));
}

#[test]
fn attack_92_unexpected_inputs_and_outputs_are_refused() {
    let unexpected = |name: &str| Some(FoldError::UnexpectedPort { port: name.to_owned() });
    assert_eq!(poisoned(|m| graph(m).input[0] = value("x", &[1, 6, 9, 8])), unexpected("x"));
    assert_eq!(poisoned(|m| graph(m).output.push(value("leak", &[1]))), unexpected("leak"));
    assert_eq!(poisoned(|m| graph(m).output.clear()), unexpected("y"));
    assert_eq!(poisoned(|m| graph(m).input.clear()), unexpected("x"));
    let second = |m: &mut Model| {
        graph(m).input.push(value("u", &[1]));
        graph(m).node.push(node("Add", &["y", "u"], "v"));
    };
    assert_eq!(poisoned(second), unexpected("u"));
    let symbolic = |m: &mut Model| {
        let kind = graph(m).input[0].kind.as_mut().unwrap();
        let dim = &mut kind.tensor.as_mut().unwrap().shape.as_mut().unwrap().dim;
        dim[0] = Dimension { value: None, parameter: Some("batch".to_owned()) };
    };
    assert_eq!(poisoned(symbolic), unexpected("x"));
}

#[test]
fn attack_92_what_we_do_not_know_is_refused() {
    let mut bytes = good().encode_to_vec();
    // Field 26, `configuration`: newer than we know.
    bytes.extend_from_slice(&[0xD2, 0x01, 0x00]);
    assert_eq!(fold(&bytes, &CONTRACT).err(), Some(FoldError::UnknownFields));
    assert_eq!(fold(b"no model at all", &CONTRACT).err(), Some(FoldError::NotOnnx));
    assert_eq!(fold(b"", &CONTRACT).err(), Some(FoldError::NotOnnx));
}

#[test]
fn damaged_weights_are_refused() {
    let malformed = |name: &str| Some(FoldError::MalformedTensor { tensor: name.to_owned() });
    let cannot = |name: &str| Some(FoldError::CannotFold { tensor: name.to_owned() });
    assert_eq!(poisoned(|m| graph(m).initializer[0].raw_data = Some(vec![0; 11])), malformed("q"));
    assert_eq!(poisoned(|m| graph(m).initializer[0].dims = vec![-2, -6]), malformed("q"));
    assert_eq!(poisoned(|m| graph(m).initializer[0].data_type = Some(16)), malformed("q"));
    assert_eq!(poisoned(|m| graph(m).initializer[0].name = Some("s".to_owned())), malformed("s"));
    assert_eq!(poisoned(|m| graph(m).node[0].attribute[1].i = Some(0)), cannot("q"));
    assert_eq!(poisoned(|m| graph(m).node[0].attribute[1].i = Some(2)), cannot("q"));
    assert_eq!(poisoned(|m| graph(m).node[0].attribute[0].i = Some(7)), cannot("q"));
    assert_eq!(poisoned(|m| graph(m).node[0].attribute.clear()), cannot("q"));
    let infinite = |m: &mut Model| {
        let raw = graph(m).initializer[1].raw_data.as_mut().unwrap();
        raw[..4].copy_from_slice(&f32::INFINITY.to_le_bytes());
    };
    assert_eq!(poisoned(infinite), cannot("q"));
    // Weights that come from an input are none: an attacker could exchange them.
    assert_eq!(poisoned(|m| graph(m).node[0].input[0] = "x".to_owned()), cannot("x"));
    let wrong_shape = |m: &mut Model| {
        graph(m).initializer[3].raw_data = Some([2_i64, 5, 1, 1].iter().flat_map(|d| d.to_le_bytes()).collect());
    };
    assert_eq!(poisoned(wrong_shape), cannot("w_flat"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        proptest::prop_assert!(fold(&bytes, &CONTRACT).is_err());
    }

    #[test]
    fn a_damaged_model_never_panics(at in 0_usize..600, byte in proptest::num::u8::ANY) {
        let mut bytes = good().encode_to_vec();
        let place = at % bytes.len();
        bytes[place] = byte;
        let _ = fold(&bytes, &CONTRACT);
    }
}
