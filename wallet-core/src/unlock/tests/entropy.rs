//! What a file tells those without keys: nothing, not even whether it was used.

use super::*;
use crate::vault::layout::{COMPARTMENTS, SLOT_LEN};
use flate2::{Compression, write::DeflateEncoder};
use std::io::Write;

/// Pearson's statistic of the byte values against the uniform distribution: 255 degrees of freedom.
fn chi_square(bytes: &[u8]) -> f64 {
    let mut counts = [0u64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let expected = bytes.len() as f64 / 256.0;
    counts.iter().map(|count| (*count as f64 - expected).powi(2) / expected).sum()
}

/// Within six standard deviations of what uniform bytes give: a false alarm in 10^8 runs, and the seeds are fixed.
fn looks_uniform(bytes: &[u8]) -> bool {
    (chi_square(bytes) - 255.0).abs() < 6.0 * (2.0_f64 * 255.0).sqrt()
}

fn compressed(bytes: &[u8]) -> usize {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().len()
}

/// A vault filled to the brim.
fn full() -> (Vec<u8>, SoftwareStore) {
    let (mut vault, mut store) = world().open();
    let mut rng = rng(5);
    while vault.put(RecordKind::CREDENTIAL, None, &[0; 200_000], &mut rng).is_ok() {}
    let (file, store) = save(&mut vault, &mut store, &mut rng);
    (file, self::store(&store))
}

#[test]
fn attack_84_fresh_and_full_vaults_look_alike_and_like_nothing() {
    let (file, mut store) = full();
    for file in [&world().file, &file] {
        assert_eq!(file.len(), crate::vault::FILE_LEN);
        assert!(looks_uniform(file) && looks_uniform(&file[..4_096]) && looks_uniform(&file[file.len() - 4_096..]));
        assert!(compressed(&file[..1 << 20]) >= 1 << 20, "nothing to compress");
        for plain in [&b"AMP1"[..], b"amparo", RECORDS[0], RECORDS[1], b"given_name"] {
            assert!(!file.windows(plain.len()).any(|window| window == plain));
        }
    }
    // Behind the outer layer, where a thief of the device key is, slots and compartments in use look like those
    // that are not.
    for image in [world().image(), open_outer(&mut store, &file)] {
        for number in 0..COMPARTMENTS as u8 {
            let bytes = image.compartment(number);
            assert!(looks_uniform(bytes), "compartment {number}");
            assert!(compressed(&bytes[..1 << 20]) >= 1 << 20, "compartment {number}");
        }
        for (number, slot) in image.slots().enumerate() {
            assert!(chi_square(slot) < 255.0 + 8.0 * 22.6, "slot {number} of {SLOT_LEN} bytes");
        }
    }
}
