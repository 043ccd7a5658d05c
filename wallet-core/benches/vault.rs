//! How long opening and saving take, by stage. Argon2id at its floor unless named otherwise; the product's default is
//! `argon2id_default`.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark stops where it stands")]

use argon2::{Algorithm, Argon2, Params, Version};
use biometrics::protection::{HelperData, TransformSeed, release};
use biometrics::template::{Embedding, ModelId, Probe, Reference};
use divan::{Bencher, black_box};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use schemas::{Seconds, Timestamp};
use wallet_core::device_key::{DeviceStore, SoftwareStore};
use wallet_core::enrolment::{NewVault, create};
use wallet_core::secret::Pin;
use wallet_core::unlock::{BootId, Clock, begin};
use wallet_core::vault::{Argon2Cost, OpenVault, RecordKind};

fn main() {
    divan::main();
}

const CLOCK: Clock =
    Clock { now: Timestamp::from_unix(1_795_000_000), boot: BootId::from_bytes([1; 16]), uptime: Seconds::new(1_000) };

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_seed([1; 32])
}

fn embedding(turn: u8) -> Embedding {
    let mut bytes = [0; 128];
    rng().fill_bytes(&mut bytes);
    let output = bytes.map(|byte| f32::from(byte) - 127.5 + f32::from(byte & turn));
    Embedding::from_output(&output, ModelId::new([9; 32])).unwrap()
}

fn probe() -> Probe {
    Probe::from_frames(&[embedding(7)]).unwrap()
}

/// The store and the file of a new vault.
fn vault() -> (Vec<u8>, Vec<u8>) {
    let mut rng = rng();
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let reference = Reference::enrol(&[embedding(1), embedding(3)]).unwrap();
    let pin = Pin::parse("246810").unwrap();
    let new = NewVault { reference: &reference, pin: Some(&pin), cost: Argon2Cost::FLOOR };
    let created = create(&new, &mut store, CLOCK, &mut rng).unwrap();
    (created.store.to_vec(), created.file)
}

fn open(store: &mut SoftwareStore, file: &[u8]) -> OpenVault {
    let attempt = begin(store, file, CLOCK).unwrap().persisted();
    attempt.try_open(store, Some(&Pin::parse("246810").unwrap()), Some(&probe())).unwrap().vault
}

fn argon2id(cost: Argon2Cost) {
    let params = Params::new(cost.memory_kib(), cost.passes(), cost.lanes(), Some(32)).unwrap();
    let mut out = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(b"246810", &[7; 16], &mut out).unwrap();
    black_box(out);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn open_1_outer_layer(bencher: Bencher) {
    let (store, file) = vault();
    bencher
        .with_inputs(|| SoftwareStore::parse(&store).unwrap())
        .bench_local_values(|mut store| begin(&mut store, &file, CLOCK).unwrap());
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn open_2_argon2id_floor() {
    argon2id(Argon2Cost::FLOOR);
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn open_2_argon2id_default() {
    argon2id(Argon2Cost::DEFAULT);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn open_3_key_release_of_eight_slots(bencher: Bencher) {
    let (probe, seed, helper) = (probe(), TransformSeed::from_bytes(&[1; 32]), HelperData::from_bytes(&[2; 64]));
    bencher.bench_local(|| (0..8).for_each(|_| drop(black_box(release(&probe, &seed, &helper)))));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn open_whole(bencher: Bencher) {
    let (store, file) = vault();
    bencher
        .with_inputs(|| SoftwareStore::parse(&store).unwrap())
        .bench_local_values(|mut store| open(&mut store, &file));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn save_whole(bencher: Bencher) {
    let (store, file) = vault();
    let mut store = SoftwareStore::parse(&store).unwrap();
    let mut vault = open(&mut store, &file);
    bencher.bench_local(|| {
        let plan = vault.save(&mut store, CLOCK.now, &mut rng()).unwrap();
        let file = plan.file().to_vec();
        vault.confirm(plan, &mut store, &file).unwrap()
    });
}

#[divan::bench(args = [900, 12_000, 200_000])]
fn record_write_and_read(bencher: Bencher, length: usize) {
    let (store, file) = vault();
    let mut vault = open(&mut SoftwareStore::parse(&store).unwrap(), &file);
    let (data, mut rng) = (vec![1; length], rng());
    let id = vault.put(RecordKind::CREDENTIAL, None, &data, &mut rng).unwrap();
    bencher.bench_local(|| {
        vault.put(RecordKind::CREDENTIAL, Some(id), &data, &mut rng).unwrap();
        vault.read(id).unwrap()
    });
}

#[divan::bench(sample_count = 3)]
fn store_to_bytes(bencher: Bencher) {
    let (store, _) = vault();
    let store = SoftwareStore::parse(&store).unwrap();
    bencher.bench_local(|| store.to_bytes());
}
