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
use biometrics::engine::Capture;
use biometrics::finger::{
    self, FingerCapture, FingerGallery, FingerImage, FingerPhotograph, FingerProbe, FingerReference, FingerTemplate,
};
use biometrics::pad::challenge::{Challenge, Frame, Presence};
use biometrics::protection::audit::{Inverted, TransformedSigns};
use biometrics::protection::{HelperData, Message, TransformSeed, release, seal};
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

/// Fails to compile if one of the types has the trait: then the two implementations of `is` are both possible.
macro_rules! none_is {
    ($capability:path: $($holder:ty),+ $(,)?) => {$({
        trait Ambiguous<Which> {
            fn is() {}
        }
        impl<T: ?Sized> Ambiguous<()> for T {}
        struct Capable;
        impl<T: ?Sized + $capability> Ambiguous<Capable> for T {}
        <$holder as Ambiguous<_>>::is();
    })+};
}

#[test]
fn attack_96_nothing_that_holds_a_face_a_finger_or_a_key_is_copied_or_compared_or_shown_as_text() {
    macro_rules! for_all_holders {
        ($capability:path) => {
            none_is!($capability:
                biometrics::Sample, Capture, Embedding, Reference, Probe, Gallery,
                Message, TransformSeed, HelperData, TransformedSigns, Inverted,
                FingerImage, FingerPhotograph, FingerCapture, FingerTemplate, FingerReference, FingerProbe, FingerGallery,
                Challenge, Frame, Presence,
            );
        };
    }
    for_all_holders!(Clone);
    for_all_holders!(Copy);
    for_all_holders!(PartialEq);
    for_all_holders!(std::fmt::Display);
}

/// A print from a seed, as it is stored: forty minutiae.
fn print(seed: u64) -> zeroize::Zeroizing<Vec<u8>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(7 + 40 * 7));
    bytes.extend_from_slice(&[2, 1, 1, 44, 1, 44, 40]);
    for _ in 0..40 {
        let [x, y, angle] = [300, 300, 256].map(|below| rng.next_u32() % below);
        let [x, y] = [x, y].map(|at| u16::try_from(at).unwrap().to_be_bytes());
        bytes.extend_from_slice(&[x[0], x[1], y[0], y[1], u8::try_from(angle).unwrap(), 1, 50]);
    }
    bytes
}

/// What a print's places are in memory: five in a row as the hull sorts them, and as the comparison reckons with them.
fn places(bytes: &[u8]) -> [Needle; 2] {
    let number = |pair: &[u8]| u16::from_be_bytes([pair[0], pair[1]]);
    let mut minutiae: Vec<(u16, u16, u8)> =
        bytes[7..].chunks_exact(7).map(|m| (number(&m[..2]), number(&m[2..4]), m[4])).collect();
    let five = |minutiae: &[(u16, u16, u8)], form: fn(u16) -> [u8; 4]| -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(40));
        minutiae[10..15].iter().for_each(|(x, y, _)| bytes.extend([form(*x), form(*y)].concat()));
        bytes
    };
    minutiae.sort_unstable();
    let sorted = five(&minutiae, |at| i32::from(at).to_ne_bytes());
    minutiae.sort_by_key(|m| m.2);
    let by_angle = five(&minutiae, |at| f32::from(at).to_ne_bytes());
    zeroize::Zeroize::zeroize(&mut minutiae);
    [Needle::new("sorted", &sorted), Needle::new("by angle", &by_angle)]
}

#[inline(never)]
fn finger_attempt(seed: u64) -> ([Needle; 2], bool) {
    let template = FingerTemplate::from_bytes(&print(seed)).unwrap();
    let (reference, probe) = (FingerReference::enrol([&template, &template]).unwrap(), FingerProbe::new(&template));
    let score = finger::compare(&probe, &reference).unwrap();
    (places(&template.to_bytes()), score.value() > 0.5)
}

#[test]
fn attack_96_nothing_of_a_finger_is_in_memory_after_it_was_dropped() {
    let kept = FingerProbe::new(&FingerTemplate::from_bytes(&print(3)).unwrap());
    let there = found(&places(&print(3)));
    assert!(there.iter().any(|(name, count)| *name == "by angle" && *count > 0), "the search finds what is there");
    drop(kept);

    let (needles, alike) = finger_attempt(97);
    assert!(alike);
    assert_eq!(found(&needles), [("sorted", 0), ("by angle", 0)]);
}
