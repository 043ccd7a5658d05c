//! Slots: what opens one, and that nothing else does.

use super::*;
use crate::unlock::evaluation::evaluate;
use crate::vault::layout::SLOTS;
use crate::vault::testing::{OWNER, STRANGER, binding, each_bit, pin, probe, world};

/// The slot that the world's vault uses, by trying.
fn used_slot() -> [u8; SLOT_LEN] {
    let (params, device) = world().keys();
    let image = world().image();
    let used = image.slots().find(|slot| {
        let all = [*slot; SLOTS];
        evaluate(all.into_iter(), binding(&params), &device, &world().pin_key, Some(&probe(OWNER)))
            .open(binding(&params))
            .is_some()
    });
    *used.unwrap()
}

/// Tries one slot, with the right PIN and device key.
fn opens(slot: &[u8; SLOT_LEN], person: u8) -> bool {
    let (params, device) = world().keys();
    let mut slots = [[0; SLOT_LEN]; SLOTS];
    slots[3] = *slot;
    let probe = probe(person);
    evaluate(slots.iter(), binding(&params), &device, &world().pin_key, Some(&probe)).open(binding(&params)).is_some()
}

/// The key of the used slot, as the right face releases it.
fn key_of(slot: &[u8; SLOT_LEN]) -> MessageKey {
    use crate::unlock::evaluation::pad_helper;
    use biometrics::protection::{HelperData, TransformSeed, release};
    let (params, device) = world().keys();
    let slot = Slot::parse(slot).unwrap();
    let root = kdf::SlotRoot::derive(slot.salt, &device, &world().pin_key);
    let helper = HelperData::from_bytes(&pad_helper(slot.helper, &root.pad));
    release(&probe(OWNER), &TransformSeed::from_bytes(&root.transform), &helper)
        .iter()
        .map(|message| binding(&params).key(&root.secret(Some(message.as_bytes())), slot.salt))
        .find(|key| bool::from(key.committed(slot.commitment)))
        .unwrap()
}

#[test]
fn attack_76_any_bit_of_a_slot_flipped_is_refused() {
    let mut slot = used_slot();
    assert!(opens(&slot, OWNER) && !opens(&slot, STRANGER));
    // Salt and helper lead to another key: the whole way, for a sample of the bits.
    each_bit(&mut slot, (0..96 * 8).step_by(7), |bit, slot| {
        assert!(!opens(slot.try_into().unwrap(), OWNER), "bit {bit}");
    });
    // With the key at hand: every bit of the helper, the commitment, the ciphertext and the tag.
    let (params, _) = world().keys();
    let helper_on = 32 * 8..SLOT_LEN * 8;
    let okm = key_of(&slot);
    each_bit(&mut slot, helper_on, |bit, slot| {
        let mut key = MessageKey::nobodys();
        key.assign_if(&okm, 1.into());
        let slot = Slot::parse(slot.try_into().unwrap()).unwrap();
        assert!(slot.open(key, binding(&params)).is_err(), "bit {bit}");
    });
}

#[test]
fn a_slot_is_bound_to_its_container_and_cost() {
    let slot = used_slot();
    let (params, device) = world().keys();
    let (other, dearer) = (ContainerId::from_bytes([0; 16]), Argon2Cost::DEFAULT);
    let right = SlotBinding { container: &params.container, cost: params.cost };
    for (wrong, expected) in [
        (right, true),
        (SlotBinding { container: &other, ..right }, false),
        (SlotBinding { cost: dearer, ..right }, false),
    ] {
        let slots = [&slot; SLOTS];
        let tried = evaluate(slots.into_iter(), wrong, &device, &world().pin_key, Some(&probe(OWNER)));
        assert_eq!(tried.open(wrong).is_some(), expected);
    }
}

#[test]
fn a_slot_without_face_opens_without_one_and_with_none() {
    let (params, device) = world().keys();
    let salt = [4; 32];
    let root = kdf::SlotRoot::derive(&salt, &device, &world().pin_key);
    let factors = Factors::Pin;
    let plain = Opened { vmk: Vmk::fill_with(|out| out.fill(8)), compartment: 2, factors };
    let sealed = seal(&plain, &root.secret(None), &salt, &[5; 64], binding(&params)).unwrap();
    let mut slots = [[0; SLOT_LEN]; SLOTS];
    slots[7].copy_from_slice(&sealed);
    let tried = |probe: Option<&_>| evaluate(slots.iter(), binding(&params), &device, &world().pin_key, probe);
    let (opened, number) = tried(None).open(binding(&params)).unwrap();
    assert_eq!(number, 7);
    assert_eq!((opened.vmk.bytes(), opened.compartment, opened.factors), (&[8; 32], 2, factors));
    assert!(tried(Some(&probe(OWNER))).open(binding(&params)).is_none());
}

#[test]
fn attack_87_all_slots_and_candidates_are_always_tried() {
    let (params, device) = world().keys();
    let slot = used_slot();
    let other_pin = crate::secret::PinKey::fill_with(|out| out.fill(1));
    assert!(pin().characters() >= crate::enrolment::MIN_PIN_CHARACTERS);
    for place in 0..SLOTS {
        let mut slots = [[0xaa; SLOT_LEN]; SLOTS];
        slots[place] = slot;
        let tried = |pin_key, probe: Option<&_>| evaluate(slots.iter(), binding(&params), &device, pin_key, probe);
        let right = tried(&world().pin_key, Some(&probe(OWNER)));
        assert_eq!(right.compared, 128, "slot {place}");
        assert!(right.open(binding(&params)).is_some(), "slot {place}");
        if place == 0 {
            assert_eq!(tried(&world().pin_key, Some(&probe(STRANGER))).compared, 128, "a wrong face");
            assert_eq!(tried(&other_pin, Some(&probe(OWNER))).compared, 128, "a wrong PIN");
            assert_eq!(tried(&world().pin_key, None).compared, 8, "no face");
        }
    }
    // All eight the same: still every one is tried, and one key comes out.
    let all = [slot; SLOTS];
    let tried = evaluate(all.iter(), binding(&params), &device, &world().pin_key, Some(&probe(OWNER)));
    assert_eq!(tried.compared, 128);
    assert!(tried.open(binding(&params)).is_some());
}
