//! The outer stream, and what becomes of a file that was touched.

use super::*;
use crate::device_key::DeviceStore;
use crate::unlock::begin;
use crate::vault::testing::{clock, each_bit, rng, world};

/// Not openable, and nothing in the store has moved: no guess was tested, so none is counted.
fn is_unavailable(file: &[u8]) -> bool {
    let mut store = world().store();
    let before = store.to_bytes();
    begin(&mut store, file, clock(10)).is_err() && store.to_bytes() == before
}

#[test]
fn a_file_is_as_long_as_it_always_is() {
    let epoch = EpochKey::generate(&mut rng(1));
    let image = Image::random(&mut rng(2));
    let file = seal(&image, &epoch, &mut rng(3)).unwrap();
    assert_eq!(file.len(), 12_598_320);
    assert!(open(&file, &epoch).unwrap().bytes() == image.bytes());
    assert!(open(&file, &EpochKey::generate(&mut rng(4))).is_none());
    assert_eq!(nonces().count(), 193);
    assert_eq!(nonces().last().unwrap(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 192, 1]);
}

#[test]
fn attack_76_any_bit_of_the_file_flipped_makes_it_unavailable() {
    let mut file = world().file.clone();
    let sealed_chunk = CHUNK_LEN + TAG_LEN;
    let salt = 0..OUTER_SALT_LEN * 8;
    let first_bytes = salt.end..salt.end + 4_096;
    let first_tag = (OUTER_SALT_LEN + CHUNK_LEN) * 8..(OUTER_SALT_LEN + sealed_chunk) * 8;
    let last_tag = (FILE_LEN - TAG_LEN) * 8..FILE_LEN * 8;
    let in_each_chunk = (0..CHUNKS).map(|number| {
        let start = OUTER_SALT_LEN + number * sealed_chunk;
        let end = (start + sealed_chunk).min(FILE_LEN);
        // In turn somewhere in the text, and somewhere in the tag.
        let text = start * 8 + number * 6_007 % ((end - TAG_LEN - start) * 8);
        if number % 2 == 0 { text } else { (end - TAG_LEN) * 8 + number % 128 }
    });
    let bits = salt.chain(first_bytes).chain(first_tag).chain(last_tag).chain(in_each_chunk);
    each_bit(&mut file, bits, |bit, file| assert!(is_unavailable(file), "bit {bit}"));
    assert!(!is_unavailable(&file), "untouched it opens");
}

#[test]
fn attack_77_a_file_of_another_length_is_unavailable() {
    let file = &world().file;
    for length in (0..FILE_LEN).step_by(4_096).chain([1, 31, 32, FILE_LEN - 1]) {
        assert!(is_unavailable(&file[..length]), "cut to {length}");
    }
    for more in [1, 16, 4_096, CHUNK_LEN + TAG_LEN] {
        let mut longer = file.clone();
        longer.resize(FILE_LEN + more, 0);
        assert!(is_unavailable(&longer), "{more} bytes longer");
    }
    assert!(is_unavailable(&vec![0; FILE_LEN]), "zeros");
    let mut half = file.clone();
    half[FILE_LEN / 2..].fill(0);
    assert!(is_unavailable(&half), "the second half zeros");
}

#[test]
fn attack_78_chunks_that_changed_places_make_it_unavailable() {
    let mut file = world().file.clone();
    let sealed_chunk = CHUNK_LEN + TAG_LEN;
    let (one, two) = file[OUTER_SALT_LEN..].split_at_mut(100 * sealed_chunk);
    one[50 * sealed_chunk..51 * sealed_chunk].swap_with_slice(&mut two[..sealed_chunk]);
    assert!(is_unavailable(&file));
}
