//! The page of parameters: pinned, and shut for every change.

use super::*;
use crate::device_key::DeviceStore;
use crate::unlock::begin;
use crate::vault::testing::{clock, each_bit, params_key, world};
use proptest::prelude::*;

fn page() -> Vec<u8> {
    world().image().params().to_vec()
}

fn key() -> PurposeKey {
    params_key(&mut world().store())
}

/// The page with bytes replaced and a right MAC, as a thief of the device key could write it.
fn forged(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut page = page();
    page[at..at + bytes.len()].copy_from_slice(bytes);
    let mac = kdf::hmac(key().bytes(), &[&page[..MACED_LEN]]);
    page[MACED_LEN..MACED_LEN + 32].copy_from_slice(&mac[..]);
    page
}

#[test]
fn every_field_is_where_the_layout_says() {
    let page = page();
    assert_eq!(&page[..4], b"AMP1");
    assert_eq!(page[4..8], [0, 1, 0, 1], "version and least version");
    assert_eq!(page[40..52], [0, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 4], "64 MiB, 3 passes, 4 lanes");
    assert_eq!(page[52..60], 2u64.to_be_bytes(), "epoch");
    assert_eq!(page[60..68], 1_794_960_000_i64.to_be_bytes(), "the day only");
    assert_eq!(page[68..100], [9; 32], "model");
    assert!(page[132..].iter().all(|byte| *byte == 0));
}

#[test]
fn attack_76_any_bit_of_the_parameters_flipped_is_refused() {
    let (mut page, key) = (page(), key());
    assert!(Params::parse(&page, &key).is_some());
    let bits = 0..page.len() * 8;
    each_bit(&mut page, bits, |bit, page| assert!(Params::parse(page, &key).is_none(), "bit {bit}"));
}

#[test]
fn attack_82_a_cost_out_of_bounds_is_unavailable_before_any_memory_is_taken() {
    let costs = [
        (67_108_864, 3, 4), // 64 GiB
        (u32::MAX, 3, 4),
        (1_048_577, 3, 4),
        (65_536, 1 << 31, 4),
        (65_536, 11, 4),
        (65_536, 3, 9),
        (65_536, 3, u32::MAX),
        (8, 3, 4),
        (65_535, 3, 4),
        (65_536, 2, 4),
        (65_536, 0, 4),
        (65_536, 3, 3),
        (65_536, 3, 0),
        (0, 0, 0),
    ];
    for (memory, passes, lanes) in costs {
        assert!(Argon2Cost::new(memory, passes, lanes).is_none());
        let cost: Vec<u8> = [memory, passes, lanes].iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
        let page = forged(40, &cost);
        assert!(Params::parse(&page, &key()).is_none(), "{memory} {passes} {lanes}");
    }
    // The same through the whole file: refused by `begin`, long before a PIN is asked for.
    let mut image = world().image();
    image.params_mut().copy_from_slice(&forged(40, &67_108_864_u32.to_be_bytes()));
    assert!(begin(&mut world().store(), &world().resealed(&image), clock(10)).is_err());
    for cost in [Argon2Cost::FLOOR, Argon2Cost::DEFAULT, Argon2Cost::CEILING] {
        assert_eq!(Argon2Cost::new(cost.memory_kib(), cost.passes(), cost.lanes()), Some(cost));
    }
}

#[test]
fn attack_78_parameters_of_another_container_or_epoch_are_refused() {
    for (at, bytes) in
        [(8, &[0; 16][..]), (52, &1u64.to_be_bytes()), (52, &3u64.to_be_bytes()), (0, b"AMP2"), (4, &[0, 0])]
    {
        let mut image = world().image();
        image.params_mut().copy_from_slice(&forged(at, bytes));
        let file = world().resealed(&image);
        assert!(begin(&mut world().store(), &file, clock(10)).is_err(), "{bytes:?} at {at}");
    }
    let mut store = world().store();
    assert!(begin(&mut store, &world().resealed(&world().image()), clock(10)).is_ok());
    assert!(!store.to_bytes().is_empty());
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        prop_assert!(Params::parse(&bytes, &key()).is_none());
    }
}
