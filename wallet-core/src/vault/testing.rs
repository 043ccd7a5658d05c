//! A vault made once for all tests: Argon2id is slow, and most faults lie behind it.

use crate::device_key::{DeviceStore, SoftwareStore};
use crate::enrolment::{NewVault, create};
use crate::secret::{DevicePart, EpochKey, Pin, PinKey, PurposeKey};
use crate::unlock::{Attempt, BootId, Clock, begin};
use crate::vault::image::Image;
use crate::vault::params::Params;
use crate::vault::slot::SlotBinding;
use crate::vault::{Argon2Cost, OpenVault, RecordId, RecordKind, kdf, outer};
use biometrics::template::{Embedding, ModelId, Probe, Reference};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use schemas::{Seconds, Timestamp};
use std::sync::OnceLock;

pub(crate) const MODEL: ModelId = ModelId::new([9; 32]);

/// The owner of the vault in all tests.
pub(crate) const OWNER: u8 = 101;
/// Somebody else.
pub(crate) const STRANGER: u8 = 102;

pub(crate) fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// A clock that has run `seconds` since the vault was made, in one boot.
pub(crate) fn clock(seconds: u64) -> Clock {
    Clock {
        now: Timestamp::from_unix(1_795_000_000).plus(Seconds::new(seconds)),
        boot: BootId::from_bytes([1; 16]),
        uptime: Seconds::new(1_000 + seconds),
    }
}

/// An embedding of a person, a little different with each `turn`. Whole numbers, so that no machine rounds otherwise.
pub(crate) fn face(person: u8, turn: u8) -> Embedding {
    let numbers = |seed, size: f32| {
        let mut bytes = [0; 128];
        rng(seed).fill_bytes(&mut bytes);
        bytes.map(|byte| (f32::from(byte) - 127.5) * size)
    };
    let output: Vec<f32> =
        numbers(person, 4.0).iter().zip(numbers(turn, 1.0)).map(|(face, turn)| face + turn).collect();
    Embedding::from_output(&output, MODEL).unwrap()
}

pub(crate) fn reference(person: u8) -> Reference {
    Reference::enrol(&[face(person, 201), face(person, 202)]).unwrap()
}

pub(crate) fn probe(person: u8) -> Probe {
    Probe::from_frames(&[face(person, 203)]).unwrap()
}

pub(crate) fn pin() -> Pin {
    Pin::parse("246810").unwrap()
}

/// A vault with a PIN, two records and one save behind it.
pub(crate) struct World {
    pub(crate) file: Vec<u8>,
    store: Vec<u8>,
    pub(crate) pin_key: PinKey,
    pub(crate) records: [RecordId; 2],
}

/// The contents of [`World::records`].
pub(crate) const RECORDS: [&[u8]; 2] = [b"given_name: Amparo", b"family_name: Desamparada"];

pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let mut rng = rng(1);
        let mut store = SoftwareStore::generate(&mut rng).unwrap();
        let (reference, pin) = (reference(OWNER), pin());
        let new = NewVault { reference: &reference, pin: Some(&pin), cost: Argon2Cost::FLOOR };
        let created = create(&new, &mut store, clock(0), &mut rng).unwrap();
        let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
        let mut vault = attempt.try_open(&mut store, Some(&pin), Some(&probe(OWNER))).unwrap().vault;
        let records = RECORDS.map(|data| vault.put(RecordKind::CREDENTIAL, None, data, &mut rng).unwrap());
        let (file, store) = save(&mut vault, &mut store, &mut rng);
        let mut opened = self::store(&store);
        let image = open_outer(&mut opened, &file);
        let params = params(&mut opened, &image);
        let pin_key = kdf::pin_key(Some(&pin), &params.salt, params.cost).unwrap();
        World { file, store, pin_key, records }
    })
}

impl World {
    /// The store as it is on disk.
    pub(crate) fn store(&self) -> SoftwareStore {
        store(&self.store)
    }

    /// Opens it with everything right, at the price of one Argon2id.
    pub(crate) fn open(&self) -> (OpenVault, SoftwareStore) {
        let mut store = self.store();
        let attempt = self.attempt(&mut store);
        (attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap().vault, store)
    }

    pub(crate) fn attempt(&self, store: &mut SoftwareStore) -> Attempt {
        begin(store, &self.file, clock(10)).unwrap().persisted()
    }

    /// What is inside the outer layer: what a thief of the device key sees.
    pub(crate) fn image(&self) -> Image {
        open_outer(&mut self.store(), &self.file)
    }

    /// The parameters, and the device's part of the keys for the right PIN.
    pub(crate) fn keys(&self) -> (Params, DevicePart) {
        let mut store = self.store();
        let params = params(&mut store, &self.image());
        let mac = store.split().0.mac(&kdf::device_message(&params.container, &self.pin_key)).unwrap();
        (params, kdf::device_part(mac))
    }

    /// Puts a changed image back under the same keys, as a thief of the device key could.
    pub(crate) fn resealed(&self, image: &Image) -> Vec<u8> {
        outer::seal(image, &epoch_key(&mut self.store()), &mut rng(2)).unwrap()
    }
}

pub(crate) fn binding(params: &Params) -> SlotBinding<'_> {
    SlotBinding { container: &params.container, cost: params.cost }
}

pub(crate) fn store(bytes: &[u8]) -> SoftwareStore {
    SoftwareStore::parse(bytes).unwrap()
}

/// Saves as `wallet-app` does; gives the file and the store.
pub(crate) fn save(vault: &mut OpenVault, store: &mut SoftwareStore, rng: &mut ChaCha20Rng) -> (Vec<u8>, Vec<u8>) {
    let plan = vault.save(store, clock(2).now, rng).unwrap();
    let file = plan.file().to_vec();
    let store = vault.confirm(plan, store, &file).unwrap();
    (file, store.to_vec())
}

pub(crate) fn epoch_key(store: &mut SoftwareStore) -> EpochKey {
    let ledger = store.split().1;
    let id = ledger.containers()[0];
    ledger.epoch_keys(&id).remove(0).1
}

pub(crate) fn open_outer(store: &mut SoftwareStore, file: &[u8]) -> Image {
    outer::open(file, &epoch_key(store)).unwrap()
}

pub(crate) fn params_key(store: &mut SoftwareStore) -> PurposeKey {
    let (device, ledger) = store.split();
    kdf::params_key(device.mac(&Params::device_message(&ledger.containers()[0])).unwrap())
}

fn params(store: &mut SoftwareStore, image: &Image) -> Params {
    Params::parse(image.params(), &params_key(store)).unwrap()
}

/// Every bit of the bytes, one at a time: calls `check` with the bit flipped, and flips it back.
pub(crate) fn each_bit(bytes: &mut [u8], bits: impl Iterator<Item = usize>, mut check: impl FnMut(usize, &[u8])) {
    for bit in bits {
        bytes[bit / 8] ^= 1 << (bit % 8);
        check(bit, bytes);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}
