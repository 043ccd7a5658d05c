//! Tests of embeddings, references and probes.

use proptest::prelude::*;

use super::*;

fn model() -> ModelId {
    ModelId::new([7; 32])
}

fn embedding(values: impl Fn(usize) -> f32) -> Embedding {
    let output: Vec<f32> = (0..DIMENSION).map(values).collect();
    Embedding::from_output(&output, model()).unwrap()
}

fn wave(shift: usize) -> Embedding {
    embedding(|i| ((i * 7 + shift) as f32).sin())
}

#[test]
fn attack_89_an_output_that_is_no_embedding_is_refused() {
    let good: Vec<f32> = (0..DIMENSION).map(|i| if i % 2 == 0 { 1.0 } else { -0.5 }).collect();
    let refused = |output: &[f32]| Embedding::from_output(output, model()).err();
    assert!(refused(&good).is_none());

    for poison in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut bad = good.clone();
        bad[77] = poison;
        assert_eq!(refused(&bad), Some(EmbeddingError::NotFinite));
    }
    assert_eq!(refused(&[0.0; DIMENSION]), Some(EmbeddingError::ImplausibleLength));
    assert_eq!(refused(&[-0.0; DIMENSION]), Some(EmbeddingError::ImplausibleLength));
    let denormal: Vec<f32> = good.iter().map(|v| v * 1e-40).collect();
    assert_eq!(refused(&denormal), Some(EmbeddingError::ImplausibleLength));
    let huge: Vec<f32> = good.iter().map(|v| v * 1e38).collect();
    assert_eq!(refused(&huge), Some(EmbeddingError::ImplausibleLength));
    assert_eq!(refused(&[0.7; DIMENSION]), Some(EmbeddingError::Constant));
    for length in [0, 1, DIMENSION - 1, DIMENSION + 1, 511, 512, 513] {
        let bad = vec![0.5; length];
        assert_eq!(refused(&bad), Some(EmbeddingError::WrongLength { expected: DIMENSION, got: length }));
    }
}

#[test]
fn one_capture_does_not_enrol() {
    assert_eq!(Reference::enrol(&[wave(0)]).err(), Some(EnrolError::TooFewCaptures { needed: MIN_CAPTURES, got: 1 }));
    assert!(Reference::enrol::<Embedding>(&[]).is_err());
}

#[test]
fn captures_of_two_people_do_not_enrol_and_the_error_names_them() {
    let other = embedding(|i| if i % 2 == 0 { 1.0 } else { -1.0 });
    let error = Reference::enrol(&[wave(0), wave(0), other]).err();
    assert_eq!(error, Some(EnrolError::CapturesDisagree { first: 1, second: 3 }));
    assert!(error.unwrap().hint().contains("again"));
}

#[test]
fn opposite_captures_have_no_mean() {
    let (plus, minus) = (wave(0), embedding(|i| -((i * 7) as f32).sin()));
    assert_eq!(Reference::fuse(&[plus, minus]).err(), Some(EnrolError::CapturesCancel));
}

#[test]
fn different_models_never_meet() {
    let output: Vec<f32> = (0..DIMENSION).map(|i| (i as f32).cos()).collect();
    let ours = || Embedding::from_output(&output, model()).unwrap();
    let theirs = || Embedding::from_output(&output, ModelId::new([8; 32])).unwrap();
    assert_eq!(Reference::enrol(&[ours(), theirs()]).err(), Some(EnrolError::ModelMismatch));
    assert_eq!(Probe::from_frames(&[ours(), theirs()]).err(), Some(ProbeError::ModelMismatch));
    let reference = Reference::enrol(&[ours(), ours()]).unwrap();
    let probe = Probe::from_frames(&[theirs()]).unwrap();
    assert!(crate::comparison::compare(&probe, &reference).is_err());
}

#[test]
fn too_many_captures_are_refused() {
    let many: Vec<Embedding> = (0..=MAX_CAPTURES).map(|_| wave(0)).collect();
    let error = Reference::fuse(&many).err();
    assert_eq!(error, Some(EnrolError::TooManyCaptures { most: MAX_CAPTURES, got: MAX_CAPTURES + 1 }));
    assert!(Probe::from_frames(&many).is_err());
    assert_eq!(Probe::from_frames::<Embedding>(&[]).err(), Some(ProbeError::NoFrame));
}

#[test]
fn damaged_templates_are_refused() {
    let bytes = Reference::enrol(&[wave(0), wave(0)]).unwrap().to_bytes();
    for length in 0..bytes.len() {
        assert_eq!(Reference::from_bytes(&bytes[..length]).err(), Some(TemplateError::WrongLength), "{length}");
    }
    let mut longer = bytes.to_vec();
    longer.push(0);
    assert_eq!(Reference::from_bytes(&longer).err(), Some(TemplateError::WrongLength));
    let mut newer = bytes.to_vec();
    newer[0] = 2;
    assert_eq!(Reference::from_bytes(&newer).err(), Some(TemplateError::UnknownVersion { got: 2 }));
    let mut flat = bytes.to_vec();
    flat[34..].fill(0);
    assert_eq!(Reference::from_bytes(&flat).err(), Some(TemplateError::NotATemplate));
}

#[test]
fn nothing_secret_is_in_a_debug_text() {
    let reference = Reference::enrol(&[wave(0), wave(0)]).unwrap();
    let probe = Probe::from_frames(&[wave(0)]).unwrap();
    assert_eq!(format!("{:?}", wave(0)), "Embedding { model: ModelId(07070707…), .. }");
    assert_eq!(format!("{reference:?}"), "Reference { model: ModelId(07070707…), captures: 2, .. }");
    assert_eq!(format!("{probe:?}"), "Probe { model: ModelId(07070707…), frames: 1, .. }");
    let score = crate::comparison::compare(&probe, &reference).unwrap();
    assert_eq!(format!("{score:?}"), "ComparisonScore(..)");
}

proptest! {
    #[test]
    fn a_template_survives_storage(values in proptest::collection::vec(-10.0_f32..10.0, DIMENSION), copies in 2_usize..6) {
        prop_assume!(values.iter().any(|v| v.abs() > 0.1));
        let captures: Vec<Embedding> =
            (0..copies).map(|_| Embedding::from_output(&values, model()).unwrap()).collect();
        let reference = Reference::enrol(&captures).unwrap();
        let again = Reference::from_bytes(&reference.to_bytes()).unwrap();
        prop_assert_eq!(again.to_bytes(), reference.to_bytes());
        prop_assert_eq!(again.captures(), copies);
        let probe = Probe::from_frames(&captures).unwrap();
        let score = crate::comparison::compare(&probe, &again).unwrap().value();
        prop_assert!((score - 1.0).abs() < 1e-3);
    }

    #[test]
    fn any_bytes_are_refused_or_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = Reference::from_bytes(&bytes);
    }
}
