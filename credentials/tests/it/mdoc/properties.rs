//! What holds for every document.

use super::world::*;
use crate::world::{NOW, WORLD, rng};
use credentials::cbor::Value;
use credentials::mdoc::{
    Elements, Expected, Mdoc, SessionTranscript, device_response, issue, verify_issued, verify_presented,
};
use credentials::signer::Signer as _;
use credentials::trust::ChainPolicy;
use proptest::prelude::*;
use schemas::ClaimPath;

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bytes),
        "\\PC{0,20}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
    ];
    scalar.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..4)
                .prop_map(|members| Value::Map(members.into_iter().map(|(k, v)| (k.into(), v)).collect())),
        ]
    })
}

fn elements() -> impl Strategy<Value = Vec<(String, String, Value)>> {
    proptest::collection::vec(("[a-c]", "[a-z]{1,8}", value()), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_drafted_is_held_and_what_is_chosen_is_shown(
        drafted in elements(), chosen in proptest::collection::vec(any::<bool>(), 12), decoys: bool, seed: u64,
    ) {
        let mut draft = draft();
        draft.decoys = decoys;
        draft.elements = Elements::new();
        for (space, name, value) in &drafted {
            draft.elements.insert(space, name, value.clone());
        }
        let bytes = issue(&draft, &WORLD.chain, WORLD.holder.public_key(), &WORLD.issuer, &mut rng(seed)).unwrap();
        let held = verify_issued(&bytes, &WORLD.policy(), NOW).unwrap();
        prop_assert!(held.elements() == draft.elements);
        let all = held.elements().paths();
        let paths: Vec<ClaimPath> = all.into_iter().zip(&chosen).filter(|(_, c)| **c).map(|(path, _)| path).collect();
        let selection = held.select(&paths).unwrap();
        let presented =
            verified(&device_response(&[selection.sign(&transcript(), &grant(), &WORLD.holder).unwrap()])).unwrap();
        prop_assert!(presented.elements() == &selection.shown());
        prop_assert_eq!(presented.disclosed_paths(), paths);
    }

    #[test]
    fn parsers_do_not_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index, cut: prop::sample::Index,
    ) {
        let transcript = transcript();
        let policy = ChainPolicy::unknown_allowed(&WORLD.anchors);
        let expected = Expected::new(policy, &transcript, NOW).with_mac_key(&WORLD.holder);
        let mut spliced = response();
        let place = at.index(spliced.len());
        let end = (place + bytes.len()).min(spliced.len());
        spliced.splice(place..end, bytes.iter().copied());
        let mut short = response();
        short.truncate(cut.index(short.len()));
        for bytes in [&bytes, &spliced, &short] {
            let _ = verify_presented(bytes, &expected);
            let _ = verify_issued(bytes, &policy, NOW);
            let _ = Mdoc::reopen(bytes);
            let _ = SessionTranscript::from_cbor(bytes);
        }
        let whole = issued(&draft());
        let mut mixed = whole.clone();
        let place = at.index(mixed.len());
        let end = (place + bytes.len()).min(mixed.len());
        mixed.splice(place..end, bytes.iter().copied());
        let _ = verify_issued(&mixed, &policy, NOW);
        let _ = Mdoc::reopen(&whole[..cut.index(whole.len())]);
    }
}

/// For every byte the text that differs in one bit of it: the lowest of the first byte, the next of the second, and so on.
fn changed(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len()).map(|at| {
        let mut changed = bytes.to_vec();
        changed[at] ^= 1 << (at % 8);
        (at, changed)
    })
}

#[test]
fn no_bit_of_an_issued_document_can_be_changed() {
    for (at, bytes) in changed(&issued(&draft())) {
        assert!(verify_issued(&bytes, &WORLD.policy(), NOW).is_err(), "at {at}");
    }
}

#[test]
fn no_bit_of_a_presented_document_can_be_changed() {
    let good = response();
    // Nobody signs the version of the response; beyond its first digit it is not looked at.
    let version = good.windows(4).position(|window| window == b"c1.0").unwrap() + 3;
    for (at, bytes) in changed(&good).filter(|(at, _)| *at != version) {
        assert!(verified(&bytes).is_err(), "at {at}");
    }
}
