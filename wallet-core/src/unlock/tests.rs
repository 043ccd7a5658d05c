//! The whole way: create, open, write, save, open again.

use super::*;
use crate::device_key::SoftwareStore;
use crate::enrolment::{NewVault, create};
use crate::secret::Pin;
use crate::vault::{Argon2Cost, RecordKind};
use biometrics::template::{Embedding, ModelId, Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use schemas::{Seconds, Timestamp};

fn clock(seconds: u64) -> Clock {
    Clock {
        now: Timestamp::from_unix(1_795_000_000).plus(Seconds::new(seconds)),
        boot: BootId::from_bytes([1; 16]),
        uptime: Seconds::new(1_000 + seconds),
    }
}

fn face(person: f32, turn: f32) -> Embedding {
    let output: Vec<f32> =
        (0..128).map(|i| ((i as f32 + 1.0) * person).sin() + 0.3 * ((i as f32) * turn).cos()).collect();
    Embedding::from_output(&output, ModelId::new([9; 32])).unwrap()
}

#[test]
fn what_was_written_is_there_after_the_next_opening() {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let reference = Reference::enrol(&[face(1.3, 0.1), face(1.3, 0.2)]).unwrap();
    let probe = Probe::from_frames(&[face(1.3, 0.15)]).unwrap();
    let pin = Pin::parse("246810").unwrap();
    let new = NewVault { reference: &reference, pin: Some(&pin), cost: Argon2Cost::FLOOR };
    let created = create(&new, &mut store, clock(0), &mut rng).unwrap();
    let mut store = SoftwareStore::parse(&created.store).unwrap();

    let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
    let mut vault = attempt.try_open(&mut store, Some(&pin), Some(&probe)).unwrap().vault;
    let id = vault.put(RecordKind::CREDENTIAL, None, b"a credential", &mut rng).unwrap();
    let plan = vault.save(&mut store, clock(2).now, &mut rng).unwrap();
    let file = plan.file().to_vec();
    let after = vault.confirm(plan, &mut store, &file).unwrap();

    let mut store = SoftwareStore::parse(&after).unwrap();
    assert!(begin(&mut store, &created.file, clock(3)).is_err());
    let attempt = begin(&mut store, &file, clock(3)).unwrap().persisted();
    let opened = attempt.try_open(&mut store, Some(&pin), Some(&probe)).unwrap();
    assert_eq!(&opened.vault.read(id).unwrap()[..], b"a credential");
    let attempt = begin(&mut store, &file, clock(4)).unwrap().persisted();
    assert!(attempt.try_open(&mut store, None, Some(&probe)).is_err());
    let attempt = begin(&mut store, &file, clock(4)).unwrap().persisted();
    let other = Probe::from_frames(&[face(2.9, 0.1)]).unwrap();
    assert!(attempt.try_open(&mut store, Some(&pin), Some(&other)).is_err());
}
