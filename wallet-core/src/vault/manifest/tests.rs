//! Manifests that are read, and those that are not.

use super::*;
use proptest::prelude::*;

fn entry(offset: u32, size: u32) -> Entry {
    let bucket = Bucket::from_number(size).unwrap();
    Entry { kind: RecordKind::CREDENTIAL, generation: 1, offset, bucket, digest: [3; 32] }
}

fn manifest(entries: &[(u8, Entry)]) -> Manifest {
    let entries = entries.iter().map(|(id, entry)| (RecordId::from_bytes([*id; 16]), *entry)).collect();
    Manifest { epoch: 5, log_head: [1; 32], previous: [2; 32], entries }
}

#[test]
fn a_manifest_is_pinned() {
    let bytes = manifest(&[(1, entry(0, 1_024))]).to_bytes();
    assert_eq!(bytes.len(), 74 + 68);
    assert_eq!(bytes[..8], 5u64.to_be_bytes());
    assert_eq!(bytes[72..74], [0, 1]);
    assert_eq!(bytes[90..110], [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4, 0]);
    assert_eq!(MAX_ENTRIES, 961);
}

#[test]
fn records_that_overlap_or_leave_the_heap_are_refused() {
    let parses = |manifest: &Manifest| Manifest::parse(&manifest.to_bytes()).is_some();
    assert!(parses(&manifest(&[(1, entry(0, 1_024)), (2, entry(1_104, 4_096))])));
    assert!(!parses(&manifest(&[(1, entry(0, 1_024)), (2, entry(1_103, 4_096))])));
    assert!(!parses(&manifest(&[(1, entry(500, 1_024)), (2, entry(0, 1_024))])));
    assert!(parses(&manifest(&[(1, entry(HEAP_LEN as u32 - 1_104, 1_024))])));
    assert!(!parses(&manifest(&[(1, entry(HEAP_LEN as u32 - 1_103, 1_024))])));
    assert!(!parses(&manifest(&[(1, entry(u32::MAX, 1_024))])));
    assert!(!parses(&manifest(&[(1, Entry { kind: RecordKind::MANIFEST, ..entry(0, 1_024) })])));
}

#[test]
fn a_manifest_is_canonical() {
    let sound = manifest(&[(1, entry(0, 1_024)), (2, entry(1_104, 4_096))]).to_bytes();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.to_vec();
        change(&mut bytes);
        Manifest::parse(&bytes)
    };
    assert!(changed(&|_| ()).is_some());
    assert!(changed(&|bytes| bytes.push(0)).is_none(), "more after it");
    assert!(changed(&|bytes| bytes.truncate(bytes.len() - 1)).is_none(), "cut");
    assert!(changed(&|bytes| bytes[73] = 1).is_none(), "another count");
    assert!(changed(&|bytes| bytes[74..90].fill(2)).is_none(), "the same id twice");
    assert!(changed(&|bytes| bytes[74..90].fill(9)).is_none(), "not sorted");
    assert!(changed(&|bytes| bytes[109] = 1).is_none(), "a size that is none of the six");
    assert!(changed(&|bytes| bytes[72..74].fill(0xff)).is_none(), "too many");
}

#[test]
fn gaps_are_found_where_they_are() {
    let manifest = manifest(&[(1, entry(1_104, 1_024)), (2, entry(10_000, 1_024))]);
    assert_eq!(manifest.gap(1_104), Some(0));
    assert_eq!(manifest.gap(1_105), Some(2_208));
    assert_eq!(manifest.gap(16_464), Some(11_104));
    assert_eq!(manifest.gap(HEAP_LEN), None);
    assert_eq!(manifest.free(), HEAP_LEN - 2_208);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some(manifest) = Manifest::parse(&bytes) {
            prop_assert_eq!(&manifest.to_bytes()[..], &bytes[..]);
        }
    }

    #[test]
    fn no_changed_manifest_makes_it_panic(at in 0usize..210, byte: u8) {
        let mut bytes = manifest(&[(1, entry(0, 1_024)), (2, entry(1_104, 4_096))]).to_bytes().to_vec();
        bytes[at] = byte;
        if let Some(manifest) = Manifest::parse(&bytes) {
            prop_assert_eq!(&manifest.to_bytes()[..], &bytes[..]);
        }
    }
}
