//! Whether anything of a face stays in this process after it was dropped: its whole memory is searched.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop where it stands, and reads its own memory"
)]

#[path = "memory/search.rs"]
mod search;

use biometrics::comparison::compare;
use biometrics::protection::{Message, TransformSeed, release, seal};
use biometrics::search::Gallery;
use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use search::{Needle, found};

/// A face from a seed: the same again without keeping it.
fn embedding(seed: u64) -> Embedding {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut values = zeroize::Zeroizing::new([0.0_f32; DIMENSION]);
    values.iter_mut().for_each(|v| *v = rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0);
    Embedding::from_output(values.as_slice(), ModelId::new([1; 32])).unwrap()
}

/// What the fixed-point vector of a reference is in memory: 16 of its numbers.
fn needles(reference: &Reference, message: &Message) -> [Needle; 2] {
    let encoded = reference.to_bytes();
    let numbers: Vec<u8> = encoded[34..66].chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    [Needle::new("template", &numbers), Needle::new("message", message.as_bytes())]
}

/// One attempt, as an unlock makes it. Apart, so that its stack is left.
#[inline(never)]
fn attempt(seed: u64) -> ([Needle; 2], bool) {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let (reference, probe) =
        (Reference::fuse(&[embedding(seed)]).unwrap(), Probe::from_frames(&[embedding(seed)]).unwrap());
    let (transform, message) = (TransformSeed::generate(&mut rng), Message::generate(&mut rng));
    let helper = seal(&reference, &transform, &message);
    let opened = release(&probe, &transform, &helper).iter().any(|found| found.as_bytes() == message.as_bytes());
    let mut gallery = Gallery::new(ModelId::new([1; 32]));
    for _ in 0..3_000 {
        gallery.insert(&reference).unwrap();
    }
    let alike = gallery.search(&probe, 3).unwrap().len() == 3 && compare(&probe, &reference).unwrap().value() > 0.99;
    (needles(&reference, &message), opened && alike)
}

#[test]
fn attack_96_nothing_of_a_face_or_of_its_key_is_in_memory_after_it_was_dropped() {
    // The search finds what is there.
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let (kept, message) = (Reference::fuse(&[embedding(1)]).unwrap(), Message::generate(&mut rng));
    for (name, count) in found(&needles(&kept, &message)) {
        assert!(count > 0, "{name} was not found where it is");
    }
    drop((kept, message));

    let (needles, opened) = attempt(96);
    assert!(opened);
    let left = found(&needles);
    assert_eq!(left, [("template", 0), ("message", 0)]);
}
