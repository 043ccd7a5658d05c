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

use std::fs::File;
use std::os::unix::fs::FileExt;

use biometrics::comparison::compare;
use biometrics::protection::{Message, TransformSeed, release, seal};
use biometrics::search::Gallery;
use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What is looked for, kept turned around so that it is not found in itself.
struct Needle {
    name: &'static str,
    turned: Vec<u8>,
}

impl Needle {
    fn new(name: &'static str, bytes: &[u8]) -> Self {
        Self { name, turned: bytes.iter().map(|b| !b).collect() }
    }

    fn is_at(&self, bytes: &[u8]) -> bool {
        bytes.len() >= self.turned.len() && bytes.iter().zip(&self.turned).all(|(a, b)| *a == !b)
    }
}

/// How often each needle is in the writable memory of this process.
fn found(needles: &[Needle]) -> Vec<(&'static str, usize)> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut counts: Vec<(&'static str, usize)> = needles.iter().map(|needle| (needle.name, 0)).collect();
    // One buffer, looked through in place and wiped after each portion.
    let mut buffer = vec![0_u8; PORTION];
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| u64::from_str_radix(address, 16).unwrap());
        // The buffer does not look at itself.
        let own = buffer.as_ptr() as u64;
        let parts = [(start, end.min(own)), (start.max(own + PORTION as u64), end)];
        for (mut at, end) in parts {
            while at < end {
                let length = (end - at).min(PORTION as u64) as usize;
                if memory.read_exact_at(&mut buffer[..length], at).is_ok() {
                    for (needle, (_, count)) in needles.iter().zip(&mut counts) {
                        let first = !needle.turned[0];
                        let hits = (0..length).filter(|i| buffer[*i] == first && needle.is_at(&buffer[*i..length]));
                        *count += hits.count();
                    }
                }
                buffer.fill(0);
                at += length as u64 - if length == PORTION { OVERLAP } else { 0 };
            }
        }
    }
    counts
}

const PORTION: usize = 1 << 16;
const OVERLAP: u64 = 64;

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
