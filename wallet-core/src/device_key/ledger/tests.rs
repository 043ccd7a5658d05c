//! Ledgers and stores: what is read back, and what a change of bytes does.

use super::*;
use crate::device_key::{DeviceStore, SoftwareStore, StoreError};
use crate::vault::testing::{clock, rng, world};
use proptest::prelude::*;

fn id(byte: u8) -> ContainerId {
    ContainerId::from_bytes([byte; 16])
}

fn key(byte: u8) -> EpochKey {
    EpochKey::fill_with(|out| out.fill(byte))
}

fn numbers(store: &mut SoftwareStore, id: &ContainerId) -> Vec<u64> {
    store.split().1.epoch_keys(id).iter().map(|(number, _)| *number).collect()
}

fn filled() -> SoftwareStore {
    let mut store = SoftwareStore::generate(&mut rng(1)).unwrap();
    let ledger = store.split().1;
    for byte in [1, 2] {
        ledger.insert(id(byte), 1, &key(byte), Attempts::none(clock(0)), &mut rng(byte)).unwrap();
    }
    ledger.add_epoch(&id(1), 1, 2, &key(9), &mut rng(3)).unwrap();
    store
}

#[test]
fn a_store_is_read_as_it_was_written() {
    let store = filled();
    let bytes = store.to_bytes();
    assert_eq!(bytes.len(), 4 + 2 + 32 + 2 + 2 * 364);
    let mut read = SoftwareStore::parse(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    let keys = read.split().1.epoch_keys(&id(1));
    assert_eq!(
        keys.iter().map(|(number, key)| (*number, *key.bytes())).collect::<Vec<_>>(),
        [(2, [9; 32]), (1, [1; 32])]
    );
    assert_eq!(format!("{read:?}"), "SoftwareStore { key: SoftwareKey { .. }, ledger: Ledger { containers: 2, .. } }");
}

#[test]
fn keys_go_when_and_only_when_their_time_is_over() {
    let mut store = filled();
    assert_eq!(numbers(&mut store, &id(1)), [2, 1]);
    // A third save: the file of the second was never seen.
    store.split().1.add_epoch(&id(1), 1, 3, &key(7), &mut rng(4)).unwrap();
    assert_eq!(numbers(&mut store, &id(1)), [3, 1]);
    store.split().1.forget_older(&id(1), 1);
    assert_eq!(numbers(&mut store, &id(1)), [3, 1]);
    store.split().1.forget_older(&id(1), 3);
    assert_eq!(numbers(&mut store, &id(1)), [3]);
    assert_eq!(numbers(&mut store, &id(2)), [1]);
    assert_eq!(numbers(&mut store, &id(3)), [0; 0]);
}

#[test]
fn attack_76_any_byte_of_a_store_changed_opens_nothing_more() {
    let sound = world().store().to_bytes();
    let state = |bytes: &[u8]| {
        let mut store = SoftwareStore::parse(bytes).ok()?;
        let ledger = store.split().1;
        let id = *ledger.containers().first()?;
        Some((ledger.epoch_keys(&id).len(), ledger.attempts(&id) == AttemptState::Invalid))
    };
    assert_eq!(state(&sound), Some((1, false)));
    for at in 0..sound.len() {
        let mut bytes = sound.to_vec();
        bytes[at] ^= 1 << (at % 8);
        let state = state(&bytes);
        assert!(!matches!(state, Some((1, false))), "byte {at}: {state:?}");
    }
}

#[test]
fn attack_78_states_of_two_containers_cannot_be_exchanged() {
    let bytes = filled().to_bytes().to_vec();
    let first = 4 + 2 + 32 + 2;
    let exchanged = |from: usize, length: usize| {
        let mut bytes = bytes.clone();
        let (one, two) = bytes.split_at_mut(first + ENTRY_LEN);
        one[first + from..first + from + length].swap_with_slice(&mut two[from..from + length]);
        SoftwareStore::parse(&bytes).unwrap()
    };
    let mut store = exchanged(16, 2 * KEY_PLACE_LEN + 32);
    assert_eq!(numbers(&mut store, &id(1)), [0; 0]);
    let mut store = exchanged(16 + 2 * KEY_PLACE_LEN + 32, ATTEMPTS_LEN + 32);
    assert_eq!(store.split().1.attempts(&id(1)), AttemptState::Invalid);
    assert_eq!(numbers(&mut store, &id(1)), [2, 1]);
}

#[test]
fn other_files_are_no_store() {
    for bytes in [&b""[..], b"AMPK", b"-----BEGIN PRIVATE KEY-----", &[0; 40]] {
        assert_eq!(SoftwareStore::parse(bytes).unwrap_err(), StoreError::NotAStore);
    }
    let sound = filled().to_bytes();
    assert!(SoftwareStore::parse(&sound[..sound.len() - 1]).is_err());
    assert!(SoftwareStore::parse(&[&sound[..], &[0]].concat()).is_err());
    let mut other_version = sound.to_vec();
    other_version[5] = 2;
    assert!(SoftwareStore::parse(&other_version).is_err());
}

#[test]
fn a_device_key_serves_so_many_vaults() {
    let mut store = SoftwareStore::generate(&mut rng(1)).unwrap();
    let mut add = |number: u16| {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&number.to_be_bytes());
        store.split().1.insert(ContainerId::from_bytes(id), 1, &key(1), Attempts::none(clock(0)), &mut rng(2))
    };
    assert!((0..MAX_CONTAINERS as u16).all(|number| add(number).is_ok()));
    assert_eq!(add(999), Err(LedgerFull));
    assert_eq!(SoftwareStore::parse(&store.to_bytes()).unwrap().split().1.containers().len(), MAX_CONTAINERS);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..900), entries in 0usize..3) {
        let _ = SoftwareStore::parse(&bytes);
        let head = [b"AMPK\0\x01".as_slice(), &[7; 32], &[0, entries as u8]].concat();
        let mut body = bytes;
        body.resize(entries * ENTRY_LEN, 0);
        prop_assert!(SoftwareStore::parse(&[head, body].concat()).is_ok());
    }
}
