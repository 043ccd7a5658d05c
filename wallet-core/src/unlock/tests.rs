//! The whole way: create, open, write, save, open again; and what an attacker tries at it.

use super::*;
use crate::device_key::{DeviceStore, SoftwareStore};
use crate::enrolment::{CreateError, NewVault, create};
use crate::secret::Pin;
use crate::vault::testing::{
    OWNER, RECORDS, STRANGER, clock, face, open_outer, pin, probe, reference, rng, save, store, world,
};
use crate::vault::{Argon2Cost, RecordError, RecordKind, SaveError};
use biometrics::template::{Embedding, ModelId, Probe};

mod challenge;
mod crash;
mod entropy;
mod finger;
mod limits;
mod memory;
mod rollback;
mod update;

fn new_vault<'a>(reference: &'a biometrics::template::Reference, pin: Option<&'a Pin>) -> NewVault<'a> {
    NewVault { reference, pin, cost: Argon2Cost::FLOOR }
}

#[test]
fn what_was_written_is_there_after_the_next_opening() {
    let (vault, mut store) = world().open();
    for (id, data) in world().records.iter().zip(RECORDS) {
        assert_eq!(&vault.read(*id).unwrap()[..], data);
    }
    assert!(vault.records(RecordKind::CREDENTIAL).all(|id| world().records.contains(&id)));
    assert_eq!(vault.factors(), Factors::FaceAndPin);
    assert!(!vault.is_read_only() && vault.saved().unix() % 86_400 == 0);
    assert_ne!(vault.consent_secret(&[1; 16]), vault.consent_secret(&[2; 16]));
    assert_eq!(format!("{vault:?}"), "OpenVault { factors: FaceAndPin, .. }");
    // The count is back to none: six more are free.
    for _ in 0..6 {
        let _ = begin(&mut store, &world().file, clock(11)).unwrap();
    }
    assert!(begin(&mut store, &world().file, clock(11)).is_err());
}

#[test]
fn whatever_is_wrong_the_answer_is_the_same() {
    let wrong_pin = Pin::parse("246811").unwrap();
    let other_model =
        Embedding::from_output(&std::array::from_fn::<f32, 128, _>(|at| at as f32), ModelId::new([8; 32]));
    let other_model = Probe::from_frames(&[other_model.unwrap()]).unwrap();
    let (owner, stranger) = (probe(OWNER), probe(STRANGER));
    for (what, pin, probe) in [
        ("wrong PIN", Some(&wrong_pin), Some(&owner)),
        ("no PIN", None, Some(&owner)),
        ("another face", Some(&pin()), Some(&stranger)),
        ("no face", Some(&pin()), None),
        ("nothing", None, None),
        ("another model's face", Some(&pin()), Some(&other_model)),
    ] {
        let mut store = world().store();
        let attempt = world().attempt(&mut store);
        let counted = store.to_bytes();
        assert_eq!(attempt.try_open(&mut store, pin, probe).unwrap_err().to_string(), "unavailable", "{what}");
        assert_eq!(store.to_bytes(), counted, "{what}: the count stays");
    }
}

#[test]
fn attack_86_a_match_that_is_only_said_opens_nothing() {
    // All that software could say in favour of a stranger is said: PIN, device key and model are right, and the second
    // stage is never asked. There is no boolean to turn: no key comes out that any slot commits to.
    use crate::unlock::evaluation::evaluate;
    use crate::vault::testing::binding;
    let (params, device) = world().keys();
    let image = world().image();
    let tried = |person| evaluate(image.slots(), binding(&params), &device, &world().pin_key, Some(&probe(person)));
    assert!(tried(STRANGER).open(binding(&params)).is_none());
    assert!(tried(OWNER).open(binding(&params)).is_some());
}

#[test]
fn the_second_stage_refuses_a_face_that_is_not_the_reference_inside() {
    let (mut vault, mut store) = world().open();
    vault.replace_reference(&reference(STRANGER).to_bytes(), &mut rng(5));
    let (file, store) = save(&mut vault, &mut store, &mut rng(6));
    let mut store = self::store(&store);
    let attempt = begin(&mut store, &file, clock(12)).unwrap().persisted();
    assert!(attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).is_err());
}

#[test]
fn a_vault_without_pin_opens_with_the_face_and_says_what_it_is() {
    let mut rng = rng(20);
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let created = create(&new_vault(&reference(OWNER), None), &mut store, clock(0), &mut rng).unwrap();
    assert!(created.factors.convenience_only() && created.factors.face() && !created.factors.pin());
    let attempt = begin(&mut store, &created.file, clock(0)).unwrap().persisted();
    let opened = attempt.try_open(&mut store, None, Some(&probe(OWNER))).unwrap();
    assert_eq!(opened.vault.factors(), Factors::Face);
}

#[test]
fn attack_95_two_enrolments_of_one_face_share_nothing() {
    let mut rng = rng(21);
    let mut store = SoftwareStore::generate(&mut rng).unwrap();
    let (reference, pin) = (reference(OWNER), pin());
    let new = new_vault(&reference, Some(&pin));
    let one = create(&new, &mut store, clock(0), &mut rng).unwrap();
    let image = open_outer(&mut SoftwareStore::parse(&one.store).unwrap(), &one.file);
    let two = create(&new, &mut store, clock(0), &mut rng).unwrap();
    // One device key serves both; each opens as itself.
    for created in [&one, &two] {
        assert!(begin(&mut SoftwareStore::parse(&two.store).unwrap(), &created.file, clock(0)).is_ok());
    }
    let other = world().image();
    for (slot, others) in image.slots().zip(other.slots()) {
        assert_ne!(slot[..32], others[..32], "salt");
        assert_ne!(slot[32..96], others[32..96], "helper");
    }
}

#[test]
fn attack_78_slots_and_vaults_of_another_device_do_not_open() {
    let mut rng = rng(22);
    let mut other_store = SoftwareStore::generate(&mut rng).unwrap();
    let (reference, pin) = (reference(OWNER), pin());
    let other = create(&new_vault(&reference, Some(&pin)), &mut other_store, clock(0), &mut rng).unwrap();
    // The vault of one device under the key of the other.
    assert!(begin(&mut world().store(), &other.file, clock(10)).is_err());
    assert!(begin(&mut other_store, &world().file, clock(10)).is_err());
    // The other's slots in this vault.
    let mut image = world().image();
    let theirs = open_outer(&mut other_store, &other.file);
    image.slots_mut().zip(theirs.slots()).for_each(|(ours, theirs)| *ours = *theirs);
    let mut store = world().store();
    let attempt = begin(&mut store, &world().resealed(&image), clock(10)).unwrap().persisted();
    assert!(attempt.try_open(&mut store, Some(&pin), Some(&probe(OWNER))).is_err());
}

#[test]
fn attack_78_compartments_that_changed_places_do_not_open() {
    let mut image = world().image();
    let (a, b) = (image.compartment(0).to_vec(), image.compartment(1).to_vec());
    image.compartment_mut(0).copy_from_slice(&b);
    image.compartment_mut(1).copy_from_slice(&a);
    let mut store = world().store();
    let attempt = begin(&mut store, &world().resealed(&image), clock(10)).unwrap().persisted();
    assert!(attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).is_err());
}

#[test]
fn attack_76_a_changed_record_is_corrupt_and_the_others_are_not() {
    use crate::vault::layout::HEAP_AT;
    // The first record of the heap is the reference, the next two are ours.
    let mut image = world().image();
    image.compartment_mut(0)[HEAP_AT + 1_104 + 500] ^= 1;
    let mut store = world().store();
    let attempt = begin(&mut store, &world().resealed(&image), clock(10)).unwrap().persisted();
    let vault = attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap().vault;
    let [one, two] = world().records;
    assert_eq!(vault.read(one), Err(RecordError::Corrupt { rid: one }));
    assert_eq!(&vault.read(two).unwrap()[..], RECORDS[1]);
}

#[test]
fn a_newer_vault_is_read_and_not_written() {
    use crate::vault::testing::params_key;
    let mut image = world().image();
    let (mut params, _) = world().keys();
    (params.version, params.min_reader) = (7, 2);
    let page = params.to_page(&params_key(&mut world().store()));
    image.params_mut().copy_from_slice(&page);
    let mut store = world().store();
    let attempt = begin(&mut store, &world().resealed(&image), clock(10)).unwrap().persisted();
    let mut vault = attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap().vault;
    let [id, _] = world().records;
    assert!(vault.is_read_only());
    assert_eq!(&vault.read(id).unwrap()[..], RECORDS[0]);
    assert_eq!(vault.put(RecordKind::CREDENTIAL, None, b"", &mut rng(1)), Err(RecordError::ReadOnly));
    assert_eq!(vault.remove(id, &mut rng(1)), Err(RecordError::ReadOnly));
    assert_eq!(vault.save(&mut store, clock(11).now, &mut rng(1)).unwrap_err(), SaveError::ReadOnly);
}

#[test]
fn a_pin_that_is_no_pin_makes_no_vault() {
    let mut store = SoftwareStore::generate(&mut rng(1)).unwrap();
    let (reference, short) = (reference(OWNER), Pin::parse("123").unwrap());
    let error = create(&new_vault(&reference, Some(&short)), &mut store, clock(0), &mut rng(1)).unwrap_err();
    assert_eq!(error, CreateError::PinTooShort { least: 4 });
    assert!(face(OWNER, 201).model() == reference.model());
}

#[test]
fn what_an_opening_proves_is_for_one_request() {
    use crate::presentation::RequestId;
    let mut store = world().store();
    let attempt = world().attempt(&mut store);
    let opened = attempt.try_open(&mut store, Some(&pin()), Some(&probe(OWNER))).unwrap();
    let request = RequestId::of("openid4vp://?request_uri=https://verifier.example/r/1");
    assert_eq!(opened.unlocked.for_request(request).request(), request);
}

/// The format, byte for byte: whoever changes it changes this, and the version with it.
#[test]
fn the_file_is_pinned() {
    use sha2::{Digest, Sha256};
    let digest: String = Sha256::digest(&world().file).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "69cee33fc6fb14f7c65ec14dd93937c530bbfa50a0e137736ce2f8de9dde6f44");
}
