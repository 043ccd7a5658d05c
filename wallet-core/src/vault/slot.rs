//! Slots: the only way to a vault master key.
//!
//! `slot_salt[32] helper[64] com[32] ct[880] tag[16]`; an unused slot is random bytes and looks no different.
//!
//! # Source
//! `security.md` §1.2 and §1.3.

use crate::fields::Fields;
use crate::secret::{SlotSecret, Vmk};
use crate::unlock::Factors;
use crate::vault::committed::{Forged, MessageKey, SealError};
use crate::vault::kdf;
use crate::vault::layout::{COMPARTMENTS, SLOT_LEN, TAG_LEN};
use crate::vault::params::{Argon2Cost, ContainerId};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of what a slot seals.
const SEALED_LEN: usize = SLOT_LEN - 32 - 64 - 32 - TAG_LEN;

/// A slot as it lies in the image.
pub(crate) struct Slot<'a> {
    pub(crate) salt: &'a [u8; 32],
    pub(crate) helper: &'a [u8; 64],
    pub(crate) commitment: &'a [u8; 32],
    sealed: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

/// What an opened slot gives.
pub(crate) struct Opened {
    pub(crate) vmk: Vmk,
    pub(crate) compartment: u8,
    pub(crate) factors: Factors,
}

/// What all slots of one container are bound to.
#[derive(Clone, Copy)]
pub(crate) struct SlotBinding<'a> {
    pub(crate) container: &'a ContainerId,
    pub(crate) cost: Argon2Cost,
}

impl SlotBinding<'_> {
    fn aad(&self) -> Vec<u8> {
        [&b"amparo/v1/slot-aad"[..], self.container.bytes(), &self.cost.to_bytes()].concat()
    }

    /// The key that `secret` gives for the slot of this salt.
    pub(crate) fn key(&self, secret: &SlotSecret, slot_salt: &[u8; 32]) -> MessageKey {
        MessageKey::from_okm(kdf::slot_okm(secret, self.container, slot_salt))
    }
}

impl<'a> Slot<'a> {
    pub(crate) fn parse(bytes: &'a [u8; SLOT_LEN]) -> Option<Self> {
        let (salt, rest) = bytes.split_first_chunk()?;
        let (helper, rest) = rest.split_first_chunk()?;
        let (commitment, rest) = rest.split_first_chunk()?;
        let (sealed, tag) = rest.split_last_chunk()?;
        Some(Self { salt, helper, commitment, sealed, tag })
    }

    /// Opens the slot with a key whose commitment is the stored one.
    pub(crate) fn open(&self, key: MessageKey, binding: SlotBinding<'_>) -> Result<Opened, Forged> {
        let mut plain = Zeroizing::new([0u8; SEALED_LEN]);
        plain.iter_mut().zip(self.sealed).for_each(|(out, byte)| *out = *byte);
        key.open(self.commitment, &binding.aad(), &mut plain[..], self.tag)?;
        self.read(&plain[..]).ok_or(Forged)
    }

    fn read(&self, plain: &[u8]) -> Option<Opened> {
        let mut fields = Fields::new(plain);
        let vmk = Zeroizing::new(fields.array::<32>()?);
        let compartment = fields.u8()?;
        let factors = Factors::from_bits(fields.u32()?)?;
        // The helper corrects errors, in itself too: without this a changed helper would go unseen.
        let helper = fields.array::<32>()?;
        let sound = fields.only_zeros() && usize::from(compartment) < COMPARTMENTS;
        (sound && helper == <[u8; 32]>::from(Sha256::digest(self.helper))).then(|| Opened {
            vmk: Vmk::fill_with(|out| out.copy_from_slice(&vmk[..])),
            compartment,
            factors,
        })
    }
}

/// Seals a slot: `secret` must come from this very `salt`.
pub(crate) fn seal(
    opened: &Opened,
    secret: &SlotSecret,
    salt: &[u8; 32],
    helper: &[u8; 64],
    binding: SlotBinding<'_>,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let mut plain = Zeroizing::new(Vec::with_capacity(SEALED_LEN));
    plain.extend(opened.vmk.bytes());
    plain.push(opened.compartment);
    plain.extend(opened.factors.to_bits().to_be_bytes());
    plain.extend(Sha256::digest(helper));
    plain.resize(SEALED_LEN, 0);
    let key = binding.key(secret, salt);
    let commitment = key.commitment();
    let tag = key.seal(&binding.aad(), &mut plain)?;
    Ok(Zeroizing::new([&salt[..], helper, &commitment, &plain, &tag].concat()))
}

#[cfg(test)]
mod tests;
