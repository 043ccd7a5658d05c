//! What the fuzzers found worth keeping, replayed; and every file changed a little, the same way each time.

use crate::fuzzed::TARGETS;
use crate::world::rng;
use rand_core::Rng as _;
use std::path::{Path, PathBuf};

/// Changes of each file.
const CHANGES: u64 = 24;

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name)
}

/// The files of a corpus, by name.
fn files(name: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(corpus(name)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// `bytes` with one thing changed: a byte, a piece cut out, or a piece doubled.
fn changed(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut rng = rng(seed);
    let mut below = |n: usize| usize::try_from(rng.next_u64() % (n.max(1) as u64)).unwrap();
    let mut bytes = bytes.to_vec();
    let (from, to) = {
        let (a, b) = (below(bytes.len() + 1), below(bytes.len() + 1));
        (a.min(b), a.max(b))
    };
    match below(3) {
        0 if !bytes.is_empty() => {
            let (place, bit) = (below(bytes.len()), below(8));
            bytes[place] ^= 1 << bit;
        }
        1 => drop(bytes.drain(from..to)),
        _ => {
            let piece = bytes[from..to].to_vec();
            bytes.splice(from..from, piece);
        }
    }
    bytes
}

#[test]
fn corpora_of_the_fuzzers_are_replayed() {
    for (name, target) in TARGETS {
        let files = files(name);
        assert!(files.len() >= 3, "a corpus with nothing in it: {name}");
        for (place, bytes) in files.iter().enumerate() {
            target(bytes);
            (0..CHANGES).for_each(|seed| target(&changed(bytes, seed.wrapping_add(place as u64 * CHANGES))));
        }
    }
}
