//! The key hierarchy: HMAC, HKDF and Argon2id, and what is derived for what.
//!
//! # Source
//! `security.md` §1.2; RFC 2104 (HMAC), RFC 5869 (HKDF), RFC 9106 (Argon2).

use crate::device_key::DeviceMac;
use crate::secret::{DevicePart, EpochKey, Pin, PinKey, PurposeKey, SlotSecret, Vmk};
use crate::vault::params::{Argon2Cost, ContainerId, ContainerSalt};
use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// HMAC-SHA-256 over the parts one after the other. Every key here is 32 bytes.
pub(crate) fn hmac(key: &[u8; 32], message: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    // RFC 2104 pads a key shorter than the block with zeros; done here, the constructor cannot fail.
    let mut block = Zeroizing::new([0u8; 64]);
    if let Some(head) = block.first_chunk_mut::<32>() {
        head.copy_from_slice(key);
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in message {
        mac.update(part);
    }
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// HKDF-Extract with SHA-256: the salt is HMAC's key.
pub(crate) fn extract(salt: &[u8; 32], ikm: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    hmac(salt, ikm)
}

/// HKDF-Expand with SHA-256, from a 32-byte pseudorandom key. Its blocks are wiped.
pub(crate) fn expand<const N: usize>(prk: &[u8; 32], info: &[&[u8]]) -> Zeroizing<[u8; N]> {
    const { assert!(N <= 255 * 32, "RFC 5869 §2.3: at most 255 blocks") };
    let mut okm = Zeroizing::new([0u8; N]);
    let mut previous: Option<Zeroizing<[u8; 32]>> = None;
    for (number, out) in (1u8..=255).zip(okm.chunks_mut(32)) {
        let mut message: Vec<&[u8]> = Vec::with_capacity(info.len() + 2);
        message.extend(previous.as_ref().map(|block| &block[..]));
        message.extend(info);
        let counter = [number];
        message.push(&counter);
        let block = hmac(prk, &message);
        out.iter_mut().zip(block.iter()).for_each(|(out, byte)| *out = *byte);
        previous = Some(block);
    }
    okm
}

fn purpose(prk: &[u8; 32], info: &[&[u8]]) -> PurposeKey {
    PurposeKey::fill_with(|out| out.copy_from_slice(&expand::<32>(prk, info)[..]))
}

/// Argon2id v1.3 of the PIN (no PIN is the empty one), or `None` if the memory cannot be had.
///
/// The memory is ours, so that it is asked for without a panic and wiped afterwards.
pub(crate) fn pin_key(pin: Option<&Pin>, salt: &ContainerSalt, cost: Argon2Cost) -> Option<PinKey> {
    let mut builder = ParamsBuilder::new();
    builder.m_cost(cost.memory_kib()).t_cost(cost.passes()).p_cost(cost.lanes());
    builder.data(AssociatedData::new(b"amparo/v1/pin").ok()?).output_len(32);
    let params = builder.build().ok()?;
    let blocks = params.block_count();
    let mut memory: Vec<Block> = Vec::new();
    memory.try_reserve_exact(blocks).ok()?;
    memory.resize(blocks, Block::new());
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut done = false;
    let key = PinKey::fill_with(|out| {
        let pin = pin.map_or(&[][..], Pin::bytes);
        done = argon2.hash_password_into_with_memory(pin, salt.bytes(), out, &mut memory).is_ok();
    });
    memory.iter_mut().for_each(Zeroize::zeroize);
    done.then_some(key)
}

/// What the device is asked to MAC in an attempt: `"amparo/v1/dev" || container_id || pin_key`.
pub(crate) fn device_message<'a>(container: &'a ContainerId, pin_key: &'a PinKey) -> [&'a [u8]; 3] {
    [b"amparo/v1/dev", container.bytes(), pin_key.bytes()]
}

/// What a slot's face helper is hidden under, and what its own key starts from.
pub(crate) struct SlotRoot {
    pre: Zeroizing<[u8; 32]>,
    /// The one-time pad of the helper data.
    pub(crate) pad: Zeroizing<[u8; 64]>,
    /// The seed of the secret transform.
    pub(crate) transform: Zeroizing<[u8; 32]>,
}

impl SlotRoot {
    pub(crate) fn derive(slot_salt: &[u8; 32], device: &DevicePart, pin_key: &PinKey) -> Self {
        let pre = extract(slot_salt, &[device.bytes(), pin_key.bytes()]);
        let pad = expand(&pre, &[b"amparo/v1/bio/pad"]);
        let transform = expand(&pre, &[b"amparo/v1/bio/transform"]);
        Self { pre, pad, transform }
    }

    /// The slot's key, with the message that the face released, or for a slot without face.
    pub(crate) fn secret(&self, released: Option<&[u8; 12]>) -> SlotSecret {
        let prk = match released {
            Some(message) => extract(&self.pre, &[message, b"face"]),
            None => extract(&self.pre, &[b"none"]),
        };
        SlotSecret::fill_with(|out| out.copy_from_slice(&expand::<32>(&prk, &[b"amparo/v1/slot/kek"])[..]))
    }
}

/// The 76 bytes of key, commitment and nonce that a slot is sealed with.
pub(crate) fn slot_okm(secret: &SlotSecret, container: &ContainerId, slot_salt: &[u8; 32]) -> Zeroizing<[u8; 76]> {
    expand(secret.bytes(), &[b"amparo/v1/slot/aead", container.bytes(), slot_salt])
}

/// The keys of an open compartment, by purpose.
pub(crate) struct CompartmentKeys {
    /// Seals records.
    pub(crate) record: PurposeKey,
    /// Chains the history.
    pub(crate) log: PurposeKey,
    /// Gives each consent its revocation secret.
    pub(crate) consent: PurposeKey,
}

impl CompartmentKeys {
    pub(crate) fn derive(vmk: &Vmk) -> Self {
        Self {
            record: purpose(vmk.bytes(), &[b"amparo/v1/k/record"]),
            log: purpose(vmk.bytes(), &[b"amparo/v1/k/log"]),
            consent: purpose(vmk.bytes(), &[b"amparo/v1/k/consent"]),
        }
    }
}

/// The key of the outer stream of one file.
pub(crate) fn outer_key(epoch: &EpochKey, outer_salt: &[u8; 32]) -> PurposeKey {
    purpose(&extract(outer_salt, &[epoch.bytes()]), &[b"amparo/v1/outer"])
}

/// A key from a MAC that the device computed.
pub(crate) fn device_part(mac: DeviceMac) -> DevicePart {
    DevicePart::fill_with(|out| out.copy_from_slice(&mac.into_bytes()[..]))
}

/// The key of the page of parameters, from the device's MAC of [`Params::device_message`].
///
/// [`Params::device_message`]: crate::vault::params::Params::device_message
pub(crate) fn params_key(mac: DeviceMac) -> PurposeKey {
    PurposeKey::fill_with(|out| out.copy_from_slice(&mac.into_bytes()[..]))
}

#[cfg(test)]
mod tests;
