//! How long the parts take: sealing and release, comparison, 1:N search, decoding, folding, a capture.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a benchmark may stop where it stands, and reads files"
)]

use std::path::PathBuf;

use biometrics::comparison::compare;
use biometrics::models::{DETECTOR, EMBEDDER, RUNTIME_LINUX_X86_64};
use biometrics::onnx::{Contract, Port, fold};
use biometrics::protection::{Message, TransformSeed, release, seal};
use biometrics::search::Gallery;
use biometrics::template::{DIMENSION, Embedding, ModelId, Probe, Reference};
use biometrics::{Engine, Sample};
use divan::Bencher;
use divan::counter::ItemsCount;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn main() {
    divan::main();
}

fn embedding(rng: &mut ChaCha20Rng) -> Embedding {
    let values: Vec<f32> = (0..DIMENSION).map(|_| rng.next_u32() as f32 / 2.0_f32.powi(31) - 1.0).collect();
    Embedding::from_output(&values, ModelId::new([0; 32])).unwrap()
}

fn enrolled() -> (Reference, Probe, TransformSeed, Message) {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let capture = embedding(&mut rng);
    let reference = Reference::fuse(&[&capture]).unwrap();
    let probe = Probe::from_frames(&[&capture]).unwrap();
    (reference, probe, TransformSeed::generate(&mut rng), Message::generate(&mut rng))
}

#[divan::bench]
fn seal_transform_and_encode(bencher: Bencher<'_, '_>) {
    let (reference, _, seed, message) = enrolled();
    bencher.bench_local(|| seal(&reference, &seed, &message));
}

#[divan::bench]
fn release_transform_and_decode(bencher: Bencher<'_, '_>) {
    let (reference, probe, seed, message) = enrolled();
    let helper = seal(&reference, &seed, &message);
    bencher.bench_local(|| release(&probe, &seed, &helper));
}

#[divan::bench]
fn compare_one(bencher: Bencher<'_, '_>) {
    let (reference, probe, ..) = enrolled();
    bencher.bench_local(|| compare(&probe, &reference));
}

#[divan::bench]
fn search_100_000(bencher: Bencher<'_, '_>) {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut gallery = Gallery::new(ModelId::new([0; 32]));
    for _ in 0..100_000 {
        gallery.insert(&Reference::fuse(&[embedding(&mut rng)]).unwrap()).unwrap();
    }
    let probe = Probe::from_frames(&[embedding(&mut rng)]).unwrap();
    bencher.counter(ItemsCount::new(100_000_usize)).bench_local(|| gallery.search(&probe, 10));
}

#[divan::bench]
fn decode_two_megapixels(bencher: Bencher<'_, '_>) {
    let jpeg = picture(1600, 1250);
    bencher.bench_local(|| Sample::decode(&jpeg).unwrap());
}

fn picture(width: u32, height: u32) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, (x ^ y) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

fn models() -> Option<(PathBuf, Vec<u8>, Vec<u8>)> {
    let home = std::env::var_os("AMPARO_HOME").map(PathBuf::from);
    let home = home.or_else(|| directories::BaseDirs::new().map(|dirs| dirs.cache_dir().join("amparo")))?;
    let read = |name: &str| std::fs::read(home.join("models").join(name)).ok();
    let runtime = home.join("runtime").join(RUNTIME_LINUX_X86_64.file_name);
    Some((runtime, read(DETECTOR.file_name)?, read(EMBEDDER.file_name)?))
}

#[divan::bench]
fn fold_embedder(bencher: Bencher<'_, '_>) {
    let Some((_, _, embedder)) = models() else { return };
    let contract = Contract {
        inputs: &[Port { name: "data", shape: &[1, 3, 112, 112] }],
        outputs: &[Port { name: "fc1", shape: &[1, 128] }],
    };
    bencher.bench_local(|| fold(&embedder, &contract).unwrap().to_bytes());
}

#[divan::bench]
fn load_engine(bencher: Bencher<'_, '_>) {
    let Some((runtime, detector, embedder)) = models() else { return };
    bencher.bench_local(|| Engine::load(&runtime, &detector, &embedder).unwrap());
}

/// Detection at two scales, refinement at three, alignment, two embeddings; or how soon a picture without face is refused.
#[divan::bench]
fn look_for_a_face(bencher: Bencher<'_, '_>) {
    let Some((runtime, detector, embedder)) = models() else { return };
    let mut engine = Engine::load(&runtime, &detector, &embedder).unwrap();
    let sample = Sample::decode(&picture(1600, 1250)).unwrap();
    bencher.bench_local(|| engine.capture(&sample).is_ok());
}
