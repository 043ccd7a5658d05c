//! Compartments: records that come, change, move and go, and bytes that were touched.

use super::*;
use crate::vault::layout::COMPARTMENT_LEN;
use crate::vault::testing::{each_bit, rng};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use std::collections::BTreeMap;

const CONTAINER: ContainerId = ContainerId::from_bytes([6; 16]);

fn vmk() -> Vmk {
    Vmk::fill_with(|out| out.fill(7))
}

fn fresh() -> (Compartment, Vec<u8>, ChaCha20Rng) {
    let mut rng = rng(1);
    let mut bytes = vec![0; COMPARTMENT_LEN];
    fill_random(&mut bytes, &mut rng);
    (Compartment::empty(0, CONTAINER, &vmk()), bytes, rng)
}

fn reopened(epoch: u64, bytes: &[u8]) -> Option<Compartment> {
    Compartment::open(0, CONTAINER, &vmk(), epoch, bytes)
}

#[test]
fn attack_76_any_byte_of_the_manifest_changed_is_refused() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let id = compartment.put(RecordKind::CREDENTIAL, None, b"data", &mut bytes, &mut rng).unwrap();
    compartment.write_manifest(6, &mut bytes, &mut rng).unwrap();
    assert_eq!(&reopened(6, &bytes).unwrap().read(id, &bytes).unwrap()[..], b"data");
    // Every bit of salt, commitment, the first of the ciphertext and the tag; of the rest one bit of every byte.
    let head = 0..(64 + 128) * 8;
    let body = (192..MANIFEST_LEN - 16).map(|byte| byte * 8 + byte % 8);
    let tag = (MANIFEST_LEN - 16) * 8..MANIFEST_LEN * 8;
    // The manifest before it is bound by its hash.
    let other = (MANIFEST_LEN * 8..2 * MANIFEST_LEN * 8).step_by(997);
    let bits = head.chain(body).chain(tag).chain(other);
    each_bit(&mut bytes, bits, |bit, bytes| assert!(reopened(6, bytes).is_none(), "bit {bit}"));
    assert!(reopened(6, &bytes).is_some());
}

#[test]
fn attack_79_a_manifest_of_another_epoch_is_refused() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    compartment.write_manifest(6, &mut bytes, &mut rng).unwrap();
    let old = bytes[..MANIFEST_LEN].to_vec();
    compartment.put(RecordKind::CREDENTIAL, None, b"data", &mut bytes, &mut rng).unwrap();
    compartment.write_manifest(7, &mut bytes, &mut rng).unwrap();
    compartment.write_manifest(8, &mut bytes, &mut rng).unwrap();
    assert!(reopened(8, &bytes).is_some());
    assert!(reopened(6, &bytes).is_none() && reopened(7, &bytes).is_none());
    bytes[..MANIFEST_LEN].copy_from_slice(&old);
    assert!(reopened(8, &bytes).is_none(), "an older manifest in its place");
}

#[test]
fn attack_78_records_that_changed_places_are_both_corrupt() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let ids = [b"one", b"two", b"new"]
        .map(|data| compartment.put(RecordKind::CREDENTIAL, None, data, &mut bytes, &mut rng).unwrap());
    let places = ids.map(|id| compartment.manifest.entries[&id].range());
    let heap = &mut bytes[HEAP_AT..];
    let (one, two) = heap.split_at_mut(places[1].start);
    one[places[0].clone()].swap_with_slice(&mut two[..places[0].len()]);
    for id in &ids[..2] {
        assert_eq!(compartment.read(*id, &bytes), Err(RecordError::Corrupt { rid: *id }));
    }
    assert_eq!(&compartment.read(ids[2], &bytes).unwrap()[..], b"new", "the others stay usable");
}

#[test]
fn attack_78_an_older_write_of_a_record_is_corrupt() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let id = compartment.put(RecordKind::CREDENTIAL, None, b"old", &mut bytes, &mut rng).unwrap();
    let place = compartment.manifest.entries[&id].range();
    let old = bytes[HEAP_AT..][place.clone()].to_vec();
    compartment.put(RecordKind::CREDENTIAL, Some(id), b"new", &mut bytes, &mut rng).unwrap();
    assert_eq!(&compartment.read(id, &bytes).unwrap()[..], b"new");
    assert_eq!(compartment.manifest.entries[&id].range(), place, "its room was free again");
    bytes[HEAP_AT..][place].copy_from_slice(&old);
    assert_eq!(compartment.read(id, &bytes), Err(RecordError::Corrupt { rid: id }));
}

#[test]
fn attack_78_another_compartments_bytes_do_not_open() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    compartment.write_manifest(1, &mut bytes, &mut rng).unwrap();
    assert!(reopened(1, &bytes).is_some());
    assert!(Compartment::open(1, CONTAINER, &vmk(), 1, &bytes).is_none());
    assert!(Compartment::open(0, ContainerId::from_bytes([0; 16]), &vmk(), 1, &bytes).is_none());
    assert!(Compartment::open(0, CONTAINER, &Vmk::fill_with(|out| out.fill(8)), 1, &bytes).is_none());
    assert!(Compartment::open(0, CONTAINER, &vmk(), 1, &[]).is_none());
}

#[test]
fn a_removed_record_leaves_no_bytes() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let id = compartment.put(RecordKind::CREDENTIAL, None, b"gone", &mut bytes, &mut rng).unwrap();
    let place = compartment.manifest.entries[&id].range();
    let before = bytes[HEAP_AT..][place.clone()].to_vec();
    compartment.remove(id, &mut bytes, &mut rng).unwrap();
    let same = before.iter().zip(&bytes[HEAP_AT..][place]).filter(|(a, b)| a == b).count();
    assert!(same < 30, "{same} of 1,104 bytes stayed, about four are chance");
    assert_eq!(compartment.read(id, &bytes), Err(RecordError::Unknown { rid: id }));
    assert_eq!(compartment.remove(id, &mut bytes, &mut rng), Err(RecordError::Unknown { rid: id }));
}

#[test]
fn what_is_free_is_random_anew_and_what_is_not_stays() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let ids = [1_000, 5_000, 100]
        .map(|length| compartment.put(RecordKind::CREDENTIAL, None, &vec![1; length], &mut bytes, &mut rng).unwrap());
    compartment.remove(ids[1], &mut bytes, &mut rng).unwrap();
    let before = bytes.clone();
    compartment.refresh_free(&mut bytes, &mut rng);
    let same = before[HEAP_AT..].iter().zip(&bytes[HEAP_AT..]).filter(|(a, b)| a == b).count();
    // Two records of 1,104 bytes, and one byte in 256 of the rest by chance.
    assert!((17_000..19_500).contains(&same), "{same}");
    assert!(before[..HEAP_AT] == bytes[..HEAP_AT]);
    assert!(compartment.read(ids[0], &bytes).is_ok() && compartment.read(ids[2], &bytes).is_ok());
}

#[test]
fn a_full_compartment_says_so_and_loses_nothing() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let large = vec![1; MAX_RECORD];
    let mut ids = Vec::new();
    let full = loop {
        match compartment.put(RecordKind::CREDENTIAL, None, &large, &mut bytes, &mut rng) {
            Ok(id) => ids.push(id),
            Err(error) => break error,
        }
    };
    assert_eq!((full, ids.len()), (RecordError::Full, 15));
    assert!(ids.iter().all(|id| compartment.read(*id, &bytes).is_ok_and(|read| read[..] == large[..])));
    // In place of one there is room for one, and more of the small ones.
    compartment.put(RecordKind::CREDENTIAL, Some(ids[7]), &[2; MAX_RECORD], &mut bytes, &mut rng).unwrap();
    assert_eq!(compartment.read(ids[7], &bytes).unwrap()[0], 2);
    compartment.put(RecordKind::CREDENTIAL, None, b"small", &mut bytes, &mut rng).unwrap();
    let error = compartment.put(RecordKind::CREDENTIAL, None, &[0; MAX_RECORD + 1], &mut bytes, &mut rng);
    assert_eq!(error, Err(RecordError::TooLong { length: MAX_RECORD + 1 }));
}

#[test]
fn room_in_pieces_is_made_one() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    let mut ids = Vec::new();
    while let Ok(id) = compartment.put(RecordKind::CREDENTIAL, None, &[3; 60_000], &mut bytes, &mut rng) {
        ids.push(id);
    }
    for id in ids.iter().step_by(2).take(8) {
        compartment.remove(*id, &mut bytes, &mut rng).unwrap();
    }
    assert!(compartment.manifest.gap(262_224).is_none(), "no single gap is large enough");
    let large = compartment.put(RecordKind::CREDENTIAL, None, &[4; MAX_RECORD], &mut bytes, &mut rng).unwrap();
    assert_eq!(compartment.read(large, &bytes).unwrap()[0], 4);
    let left: Vec<_> = compartment.ids(RecordKind::CREDENTIAL).collect();
    assert!(left.iter().all(|id| compartment.read(*id, &bytes).is_ok()));
    compartment.write_manifest(1, &mut bytes, &mut rng).unwrap();
    assert_eq!(reopened(1, &bytes).unwrap().manifest, compartment.manifest);
}

#[test]
fn as_many_records_as_the_manifest_holds() {
    let (mut compartment, mut bytes, mut rng) = fresh();
    for _ in 0..MAX_ENTRIES {
        compartment.put(RecordKind::COPY, None, b"", &mut bytes, &mut rng).unwrap();
    }
    let full = compartment.put(RecordKind::COPY, None, b"", &mut bytes, &mut rng);
    assert_eq!(full, Err(RecordError::Full));
    compartment.write_manifest(1, &mut bytes, &mut rng).unwrap();
    assert_eq!(reopened(1, &bytes).unwrap().manifest.entries.len(), MAX_ENTRIES);
}

#[derive(Debug, Clone)]
enum Step {
    Put(usize),
    Replace(usize, usize),
    Remove(usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![0usize..6_000, 200_000usize..=MAX_RECORD];
    prop_oneof![
        3 => length.clone().prop_map(Step::Put),
        2 => (any::<usize>(), length).prop_map(|(which, length)| Step::Replace(which, length)),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn it_holds_what_a_map_would(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut compartment, mut bytes, mut rng) = fresh();
        let mut model: BTreeMap<RecordId, Vec<u8>> = BTreeMap::new();
        let mut epoch = 0;
        for (number, step) in steps.into_iter().enumerate() {
            let data = |length| vec![number as u8; length];
            let chosen = |which: usize| model.keys().nth(which % model.len().max(1)).copied();
            match step {
                Step::Put(length) => {
                    match compartment.put(RecordKind::CREDENTIAL, None, &data(length), &mut bytes, &mut rng) {
                        Ok(id) => { model.insert(id, data(length)); }
                        Err(error) => prop_assert_eq!(error, RecordError::Full),
                    }
                }
                Step::Replace(which, length) => if let Some(id) = chosen(which) {
                    match compartment.put(RecordKind::CREDENTIAL, Some(id), &data(length), &mut bytes, &mut rng) {
                        Ok(same) => { prop_assert_eq!(same, id); model.insert(id, data(length)); }
                        Err(error) => prop_assert_eq!(error, RecordError::Full),
                    }
                },
                Step::Remove(which) => if let Some(id) = chosen(which) {
                    compartment.remove(id, &mut bytes, &mut rng).unwrap();
                    model.remove(&id);
                },
                Step::Reopen => {
                    epoch += 1;
                    compartment.write_manifest(epoch, &mut bytes, &mut rng).unwrap();
                    compartment = reopened(epoch, &bytes).unwrap();
                }
            }
            prop_assert!(compartment.ids(RecordKind::CREDENTIAL).eq(model.keys().copied()));
        }
        for (id, data) in &model {
            prop_assert_eq!(&compartment.read(*id, &bytes).unwrap()[..], &data[..]);
        }
    }
}
