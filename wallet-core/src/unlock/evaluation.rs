//! Trying the slots: every one of them with every candidate, whether or not one has matched.
//!
//! Nothing here decides with a boolean. What comes out is a key whose commitment a slot holds, or no key.
//!
//! # Source
//! `security.md` §2.4.

use crate::secret::{DevicePart, PinKey};
use crate::vault::committed::MessageKey;
use crate::vault::kdf::SlotRoot;
use crate::vault::layout::{SLOT_LEN, SLOTS};
use crate::vault::slot::{Opened, Slot, SlotBinding};
use biometrics::protection::{HelperData, TransformSeed, release};
use biometrics::template::Probe;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use zeroize::Zeroizing;

/// What trying all slots came to.
pub(crate) struct Evaluation<'a> {
    /// How many commitments were compared, in all slots.
    pub(crate) compared: usize,
    slots: Vec<Slot<'a>>,
    found: Choice,
    slot: u8,
    key: MessageKey,
}

/// Derives and compares the key of every candidate in every slot, in an order that no secret changes.
pub(crate) fn evaluate<'a>(
    slots: impl Iterator<Item = &'a [u8; SLOT_LEN]>,
    binding: SlotBinding<'_>,
    device: &DevicePart,
    pin_key: &PinKey,
    probe: Option<&Probe>,
) -> Evaluation<'a> {
    let slots: Vec<Slot<'a>> = slots.filter_map(Slot::parse).collect();
    let (mut compared, mut found, mut slot_found) = (0, Choice::from(0), 0u8);
    let mut key_found = MessageKey::nobodys();
    for (number, slot) in (0u8..).zip(&slots) {
        let root = SlotRoot::derive(slot.salt, device, pin_key);
        let mut attempt = |released: Option<&[u8; 12]>| {
            let key = binding.key(&root.secret(released), slot.salt);
            let first = key.committed(slot.commitment) & !found;
            key_found.assign_if(&key, first);
            slot_found.conditional_assign(&number, first);
            found |= first;
            compared += 1;
        };
        match probe {
            Some(probe) => {
                let helper = HelperData::from_bytes(&pad_helper(slot.helper, &root.pad));
                let seed = TransformSeed::from_bytes(&root.transform);
                release(probe, &seed, &helper).iter().for_each(|message| attempt(Some(message.as_bytes())));
            }
            None => attempt(None),
        }
    }
    Evaluation { compared, slots, found, slot: slot_found, key: key_found }
}

impl Evaluation<'_> {
    /// Opens the slot that matched, and says which it is; without one there is no key that could.
    pub(crate) fn open(self, binding: SlotBinding<'_>) -> Option<(Opened, u8)> {
        let Self { compared, slots, found, slot: number, key } = self;
        if compared % SLOTS != 0 || slots.len() != SLOTS {
            return None;
        }
        let slot = slots.into_iter().zip(0u8..).find(|(_, at)| bool::from(at.ct_eq(&number)))?.0;
        // Not even asked when nothing was found: the key would be all zeros, and its commitment is compared again.
        bool::from(found).then(|| slot.open(key, binding).ok()).flatten().map(|opened| (opened, number))
    }
}

/// Puts the one-time pad on, or takes it off.
pub(crate) fn pad_helper(helper: &[u8; 64], pad: &[u8; 64]) -> Zeroizing<[u8; 64]> {
    let mut other = Zeroizing::new(*helper);
    other.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    other
}
