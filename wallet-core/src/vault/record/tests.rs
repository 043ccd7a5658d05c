//! Records: their sizes, and that every bit of them counts.

use super::*;
use crate::vault::testing::{each_bit, rng};
use proptest::prelude::*;

const CONTAINER: ContainerId = ContainerId::from_bytes([6; 16]);

fn key() -> PurposeKey {
    PurposeKey::fill_with(|out| out.fill(7))
}

fn name(length: usize) -> BlobName<'static> {
    BlobName {
        container: &CONTAINER,
        compartment: 0,
        id: RecordId::from_bytes([1; 16]),
        kind: RecordKind::CREDENTIAL,
        generation: 1,
        bucket: Bucket::holding(length).unwrap(),
    }
}

#[test]
fn records_are_padded_to_one_of_six_sizes() {
    for (length, blob) in [
        (0, 1_104),
        (1_020, 1_104),
        (1_021, 4_176),
        (4_092, 4_176),
        (4_093, 16_464),
        (16_380, 16_464),
        (16_381, 32_848),
        (32_764, 32_848),
        (32_765, 65_616),
        (65_532, 65_616),
        (65_533, 262_224),
        (262_140, 262_224),
    ] {
        let name = name(length);
        let sealed = name.seal(&key(), &vec![5; length], &mut rng(1)).unwrap();
        assert_eq!(sealed.len(), blob, "{length}");
        assert_eq!(&name.open(&key(), &sealed).unwrap()[..], &vec![5; length][..]);
    }
    assert!(Bucket::holding(MAX_RECORD + 1).is_none());
    assert_eq!(Bucket::MANIFEST.blob_len(), 65_536);
    assert_eq!(Bucket::MANIFEST.number(), 65_456);
}

#[test]
fn attack_76_any_bit_of_a_record_flipped_is_refused() {
    let mut sealed = name(9).seal(&key(), b"a record.", &mut rng(1)).unwrap();
    let bits = 0..sealed.len() * 8;
    each_bit(&mut sealed, bits, |bit, blob| assert_eq!(name(9).open(&key(), blob), Err(Forged), "bit {bit}"));
}

#[test]
fn attack_78_a_record_under_another_name_is_refused() {
    let sealed = name(9).seal(&key(), b"a record.", &mut rng(1)).unwrap();
    let other = ContainerId::from_bytes([0; 16]);
    for wrong in [
        BlobName { container: &other, ..name(9) },
        BlobName { compartment: 1, ..name(9) },
        BlobName { id: RecordId::from_bytes([2; 16]), ..name(9) },
        BlobName { kind: RecordKind::CONSENT, ..name(9) },
        BlobName { generation: 2, ..name(9) },
        BlobName { bucket: Bucket::holding(2_000).unwrap(), ..name(9) },
    ] {
        assert_eq!(wrong.open(&key(), &sealed), Err(Forged));
    }
    assert_eq!(name(9).open(&PurposeKey::fill_with(|out| out.fill(8)), &sealed), Err(Forged));
}

#[test]
fn padding_that_is_not_zero_and_lengths_beyond_are_refused() {
    let sealed_as_is = |plain: &[u8]| {
        let salt = [9; 32];
        let message_key = name(9).key(&key(), &salt);
        let commitment = message_key.commitment();
        let mut sealed = plain.to_vec();
        let tag = message_key.seal(&name(9).aad(), &mut sealed).unwrap();
        [&salt[..], &commitment, &sealed, &tag].concat()
    };
    let mut plain = [0; 1_024];
    plain[3] = 9;
    assert!(name(9).open(&key(), &sealed_as_is(&plain)).is_ok());
    plain[1_023] = 1;
    assert!(name(9).open(&key(), &sealed_as_is(&plain)).is_err(), "padding");
    for length in [1_021_u32, 1_024, u32::MAX] {
        let mut plain = [0; 1_024];
        plain[..4].copy_from_slice(&length.to_be_bytes());
        assert!(name(9).open(&key(), &sealed_as_is(&plain)).is_err(), "{length}");
    }
}

#[test]
fn every_write_has_a_salt_of_its_own() {
    let mut rng = rng(1);
    let (one, two) =
        (name(9).seal(&key(), b"same", &mut rng).unwrap(), name(9).seal(&key(), b"same", &mut rng).unwrap());
    assert_ne!(one[..32], two[..32]);
    assert_ne!(one[64..], two[64..]);
}

#[test]
fn ids_are_read_as_they_are_written() {
    let id = RecordId::generate(&mut rng(3));
    assert_eq!(id.to_string().parse(), Ok(id));
    for text in ["", "0", &"0".repeat(31), &"0".repeat(33), &"A".repeat(32), &"g".repeat(32), &"é".repeat(16)] {
        assert_eq!(text.parse::<RecordId>(), Err(RecordIdError), "{text}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1_200)) {
        prop_assert_eq!(name(9).open(&key(), &bytes), Err(Forged));
    }
}
