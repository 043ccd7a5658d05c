//! What is left of an open vault in memory after it was locked: the whole memory of this process is searched.

#![cfg(target_os = "linux")]
#![allow(clippy::disallowed_methods, reason = "a test reads its own memory")]

#[path = "../../../../biometrics/tests/memory/search.rs"]
mod search;

use super::*;
use crate::unlock::evaluation::evaluate;
use crate::vault::kdf;
use crate::vault::params::Params;
use crate::vault::testing::{binding, params_key};
use search::{Needle, found};

const PASSPHRASE: &str = "seven kites over the harbour, 96";
const RECORD: &[u8] = b"case 96-1184, mother of two, from the coast";

/// A vault of its own, made, written to, saved and opened again; what is to be sought, and how often it is there while the vault is open. Apart, so that its
/// stack is left.
#[inline(never)]
fn opened_and_locked() -> ([Needle; 6], Vec<(&'static str, usize)>) {
    let mut rng = rng(96);
    let (reference, pin) = (reference(96), Pin::parse(PASSPHRASE).unwrap());
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let created = create(&new_vault(&reference, Some(&pin)), &mut store, clock(0), &mut rng).unwrap();
    let attempt = begin(&mut store, &created.file, clock(1)).unwrap().persisted();
    let mut vault = attempt.try_open(&mut store, Some(&pin), Some(&probe(96))).unwrap().vault;
    let id = vault.put(RecordKind::CREDENTIAL, None, RECORD, &mut rng).unwrap();
    let (file, kept) = save(&mut vault, &mut store, &mut rng);
    drop(vault);

    let mut store = self::store(&kept);
    let attempt = begin(&mut store, &file, clock(2)).unwrap().persisted();
    let vault = attempt.try_open(&mut store, Some(&pin), Some(&probe(96))).unwrap().vault;
    let record = vault.read(id).unwrap();
    // What is derived on the way, once more.
    let image = open_outer(&mut store, &file);
    let params = Params::parse(image.params(), &params_key(&mut store)).unwrap();
    let pin_key = kdf::pin_key(Some(&pin), &params.salt, params.cost).unwrap();
    let mac = store.split().0.mac(&kdf::device_message(&params.container, &pin_key)).unwrap();
    let device = kdf::device_part(mac);
    let slot = evaluate(image.slots(), binding(&params), &device, &pin_key, Some(&probe(96))).open(binding(&params));
    let slot = slot.unwrap().0;
    let stored = reference.to_bytes();
    // The template as it is reckoned with; its stored form is the same numbers, turned.
    let numbers: zeroize::Zeroizing<Vec<u8>> =
        zeroize::Zeroizing::new(stored[34..66].chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect());
    let needles = [
        Needle::new("PIN", pin.bytes()),
        Needle::new("what Argon2 made of it", pin_key.bytes()),
        Needle::new("vault master key", slot.vmk.bytes()),
        Needle::new("record", &record),
        Needle::new("template", &numbers),
        Needle::new("stored template", &stored[34..66]),
    ];
    let there = found(&needles);
    (needles, there)
}

#[test]
fn attack_96_nothing_of_pin_face_record_or_keys_is_in_memory_after_the_vault_was_locked() {
    let (needles, there) = opened_and_locked();
    assert!(there.iter().all(|(_, count)| *count > 0), "the search finds what is there: {there:?}");
    let left = found(&needles);
    assert!(left.iter().all(|(_, count)| *count == 0), "open {there:?}, locked {left:?}");
}
