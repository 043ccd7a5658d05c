//! The ledger: for each container its epoch keys, wrapped, and the state of its attempts, both under the device key.
//!
//! An entry is 364 bytes: `container_id[16]`, two places of `epoch u64, salt[32] com[32] ct[32] tag[16]`, their
//! MAC, `failures u32, delay u64, wall i64, boot[16], uptime u64`, their MAC. After the entries, for each container that a
//! challenge was drawn for: `container_id[16]`, [`Drawn`], its MAC.
//!
//! # Source
//! `security.md` §1.4 and §2.8; decision 0125.

use crate::device_key::{DeviceKey, DeviceKeyError};
use crate::fields::Fields;
use crate::secret::{EpochKey, PurposeKey};
use crate::unlock::drawn::{DRAWN_LEN, Drawn, Taken};
use crate::unlock::rate_limit::{ATTEMPTS_LEN, AttemptState, Attempts, Clock};
use crate::vault::committed::{MessageKey, SealError};
use crate::vault::kdf;
use crate::vault::layout::TAG_LEN;
use crate::vault::params::ContainerId;
use biometrics::pad::challenge::{Reflection, Script};
use rand_core::CryptoRng;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const MAX_CONTAINERS: usize = 256;
const WRAPPED_LEN: usize = 32 + 32 + 32 + TAG_LEN;
const KEY_PLACE_LEN: usize = 8 + WRAPPED_LEN;
const ENTRY_LEN: usize = 16 + 2 * KEY_PLACE_LEN + 32 + ATTEMPTS_LEN + 32;
const CHALLENGE_LEN: usize = 16 + DRAWN_LEN + 32;

/// What is remembered about containers outside their files.
pub struct Ledger {
    /// Derived from the device key once, so that a slow device is asked once.
    key: PurposeKey,
    containers: Vec<Container>,
}

struct Container {
    id: ContainerId,
    /// At most two, in no order; none if their MAC was wrong.
    epochs: Vec<Epoch>,
    attempts: AttemptState,
    challenge: Option<Drawn>,
}

#[derive(Clone)]
struct Epoch {
    number: u64,
    wrapped: [u8; WRAPPED_LEN],
}

impl Ledger {
    /// A ledger of no containers.
    ///
    /// # Errors
    /// [`DeviceKeyError`] if the device does not answer.
    pub fn empty(device: &dyn DeviceKey) -> Result<Self, DeviceKeyError> {
        let mac = device.mac(&[b"amparo/v1/ledger"])?.into_bytes();
        Ok(Self { key: PurposeKey::fill_with(|out| out.copy_from_slice(&mac[..])), containers: Vec::new() })
    }

    /// Reads a ledger.
    ///
    /// A container whose epoch keys do not authenticate is as good as unknown; one whose attempts do not is held
    /// back for an hour at its next opening.
    ///
    /// # Errors
    /// [`DeviceKeyError`] if the device does not answer, or the bytes are no ledger.
    pub fn parse(bytes: &[u8], device: &dyn DeviceKey) -> Result<Self, DeviceKeyError> {
        let mut ledger = Self::empty(device)?;
        let mut fields = Fields::new(bytes);
        let count = usize::from(fields.u16().ok_or(DeviceKeyError)?);
        let (entries, challenges) = fields.rest().split_at_checked(count * ENTRY_LEN).ok_or(DeviceKeyError)?;
        let (challenges, []) = challenges.as_chunks::<CHALLENGE_LEN>() else { return Err(DeviceKeyError) };
        if count > MAX_CONTAINERS {
            return Err(DeviceKeyError);
        }
        let entries = entries.as_chunks::<ENTRY_LEN>().0.iter();
        ledger.containers = entries.map(|entry| ledger.read(entry)).collect::<Option<_>>().ok_or(DeviceKeyError)?;
        for challenge in challenges {
            ledger.read_challenge(challenge).ok_or(DeviceKeyError)?;
        }
        Ok(ledger)
    }

    /// The bytes that [`Ledger::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 + self.containers.len() * ENTRY_LEN);
        bytes.extend((self.containers.len() as u16).to_be_bytes());
        self.containers.iter().for_each(|container| self.write(container, &mut bytes));
        self.containers.iter().for_each(|container| self.write_challenge(container, &mut bytes));
        bytes
    }

    fn read(&self, entry: &[u8; ENTRY_LEN]) -> Option<Container> {
        let mut fields = Fields::new(entry);
        let id = ContainerId::from_bytes(fields.array()?);
        let keys = fields.slice(2 * KEY_PLACE_LEN)?;
        let keys_mac = fields.array::<32>()?;
        let attempts = fields.array::<ATTEMPTS_LEN>()?;
        let attempts_mac = fields.array::<32>()?;
        let mut epochs = Vec::with_capacity(2);
        if bool::from(self.mac(b"amparo/v1/epoch-keys", &id, keys).ct_eq(&keys_mac)) {
            let mut keys = Fields::new(keys);
            for _ in 0..2 {
                let epoch = Epoch { number: keys.u64()?, wrapped: keys.array()? };
                epochs.extend((epoch.number != 0).then_some(epoch));
            }
        }
        let known = bool::from(self.mac(b"amparo/v1/attempts", &id, &attempts).ct_eq(&attempts_mac));
        let attempts = known.then(|| Attempts::parse(&attempts)).flatten();
        Some(Container {
            id,
            epochs,
            attempts: attempts.map_or(AttemptState::Invalid, AttemptState::Known),
            challenge: None,
        })
    }

    /// One whose MAC is wrong is held back like attempts whose MAC is.
    fn read_challenge(&mut self, bytes: &[u8; CHALLENGE_LEN]) -> Option<()> {
        let mut fields = Fields::new(bytes);
        let id = ContainerId::from_bytes(fields.array()?);
        let body = fields.array::<DRAWN_LEN>()?;
        let known = bool::from(self.mac(b"amparo/v1/challenge", &id, &body).ct_eq(&fields.array::<32>()?));
        let drawn = known.then(|| Drawn::parse(&body)).flatten().unwrap_or(Drawn::INVALID);
        let container = self.find_mut(&id).filter(|container| container.challenge.is_none())?;
        container.challenge = Some(drawn);
        Some(())
    }

    fn write_challenge(&self, container: &Container, bytes: &mut Vec<u8>) {
        let Some(drawn) = &container.challenge else { return };
        bytes.extend(container.id.bytes());
        match drawn.to_bytes() {
            Some(body) => {
                bytes.extend(body);
                bytes.extend(self.mac(b"amparo/v1/challenge", &container.id, &body).iter());
            }
            // Stays invalid until the next drawing writes a state.
            None => bytes.extend([0; DRAWN_LEN + 32]),
        }
    }

    fn write(&self, container: &Container, bytes: &mut Vec<u8>) {
        let Container { id, epochs, attempts, challenge: _ } = container;
        let mut keys = [0u8; 2 * KEY_PLACE_LEN];
        for (place, epoch) in keys.chunks_exact_mut(KEY_PLACE_LEN).zip(epochs) {
            let parts = epoch.number.to_be_bytes().into_iter().chain(epoch.wrapped);
            place.iter_mut().zip(parts).for_each(|(out, byte)| *out = byte);
        }
        bytes.extend(id.bytes());
        bytes.extend(keys);
        bytes.extend(self.mac(b"amparo/v1/epoch-keys", id, &keys).iter());
        match attempts {
            AttemptState::Known(attempts) => {
                let attempts = attempts.to_bytes();
                bytes.extend(attempts);
                bytes.extend(self.mac(b"amparo/v1/attempts", id, &attempts).iter());
            }
            // Stays invalid until the next opening writes a state.
            AttemptState::Invalid => bytes.extend([0; ATTEMPTS_LEN + 32]),
        }
    }

    fn mac(&self, label: &[u8], id: &ContainerId, body: &[u8]) -> Zeroizing<[u8; 32]> {
        kdf::hmac(self.key.bytes(), &[label, id.bytes(), body])
    }

    fn wrap_key(&self, id: &ContainerId, number: u64, salt: &[u8; 32]) -> MessageKey {
        let prk = kdf::extract(salt, &[self.key.bytes()]);
        MessageKey::from_okm(kdf::expand(&prk, &[b"amparo/v1/epoch-wrap", id.bytes(), &number.to_be_bytes()]))
    }

    fn wrap<R: CryptoRng + ?Sized>(
        &self,
        id: &ContainerId,
        number: u64,
        key: &EpochKey,
        rng: &mut R,
    ) -> Result<Epoch, SealError> {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let wrap = self.wrap_key(id, number, &salt);
        let commitment = wrap.commitment();
        let mut sealed = Zeroizing::new(*key.bytes());
        let tag = wrap.seal(b"amparo/v1/epoch-wrap-aad", &mut sealed[..])?;
        let mut wrapped = [0; WRAPPED_LEN];
        let parts = salt.iter().chain(&commitment).chain(sealed.iter()).chain(&tag);
        wrapped.iter_mut().zip(parts).for_each(|(out, byte)| *out = *byte);
        Ok(Epoch { number, wrapped })
    }

    fn unwrap(&self, id: &ContainerId, epoch: &Epoch) -> Option<EpochKey> {
        let mut fields = Fields::new(&epoch.wrapped);
        let (salt, commitment) = (fields.array()?, fields.array()?);
        let mut key = Zeroizing::new(fields.array::<32>()?);
        let tag = fields.array()?;
        let wrap = self.wrap_key(id, epoch.number, &salt);
        wrap.open(&commitment, b"amparo/v1/epoch-wrap-aad", &mut key[..], &tag).ok()?;
        Some(EpochKey::fill_with(|out| out.copy_from_slice(&key[..])))
    }

    /// The containers known, in the order in which they came.
    pub(crate) fn containers(&self) -> Vec<ContainerId> {
        self.containers.iter().map(|container| container.id).collect()
    }

    /// The epoch keys of a container, newest first.
    pub(crate) fn epoch_keys(&self, id: &ContainerId) -> Vec<(u64, EpochKey)> {
        let Some(container) = self.find(id) else { return Vec::new() };
        let mut keys: Vec<_> =
            container.epochs.iter().filter_map(|epoch| Some((epoch.number, self.unwrap(id, epoch)?))).collect();
        keys.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        keys
    }

    /// The epochs of a container that there are keys for.
    pub(crate) fn epochs(&self, id: &ContainerId) -> Vec<u64> {
        self.find(id).map_or_else(Vec::new, |container| container.epochs.iter().map(|epoch| epoch.number).collect())
    }

    /// Remembers a new container, at its first epoch and without a failed attempt.
    pub(crate) fn insert<R: CryptoRng + ?Sized>(
        &mut self,
        id: ContainerId,
        number: u64,
        key: &EpochKey,
        attempts: Attempts,
        rng: &mut R,
    ) -> Result<(), LedgerFull> {
        if self.containers.len() >= MAX_CONTAINERS {
            return Err(LedgerFull);
        }
        let epochs = vec![self.wrap(&id, number, key, rng).map_err(|SealError| LedgerFull)?];
        self.containers.push(Container { id, epochs, attempts: AttemptState::Known(attempts), challenge: None });
        Ok(())
    }

    /// Adds the key of the next save beside the one of the file in place; any other, whose file was never seen,
    /// goes.
    pub(crate) fn add_epoch<R: CryptoRng + ?Sized>(
        &mut self,
        id: &ContainerId,
        in_place: u64,
        number: u64,
        key: &EpochKey,
        rng: &mut R,
    ) -> Result<(), SealError> {
        let epoch = self.wrap(id, number, key, rng)?;
        let container = self.find_mut(id).ok_or(SealError)?;
        container.epochs.retain(|epoch| epoch.number == in_place);
        container.epochs.push(epoch);
        Ok(())
    }

    /// Forgets every key older than `number`, whose file has authenticated in full. Says whether there was any.
    pub(crate) fn forget_older(&mut self, id: &ContainerId, number: u64) -> bool {
        let Some(container) = self.find_mut(id) else { return false };
        let before = container.epochs.len();
        container.epochs.retain(|epoch| epoch.number >= number);
        container.epochs.len() != before
    }

    /// The attempts at a container; a container that is not known has an invalid state.
    pub(crate) fn attempts(&self, id: &ContainerId) -> AttemptState {
        self.find(id).map_or(AttemptState::Invalid, |container| container.attempts)
    }

    pub(crate) fn set_attempts(&mut self, id: &ContainerId, attempts: Attempts) {
        if let Some(container) = self.find_mut(id) {
            container.attempts = AttemptState::Known(attempts);
        }
    }

    /// Draws a challenge for a container, in the place of the last one; nothing if it is too early for another.
    pub(crate) fn draw_challenge<R: CryptoRng + ?Sized>(
        &mut self,
        id: &ContainerId,
        clock: Clock,
        reflection: Reflection,
        rng: &mut R,
    ) -> Option<Script> {
        let container = self.find_mut(id)?;
        let (drawn, script) = Drawn::draw(container.challenge.as_ref(), clock, reflection, rng);
        container.challenge = Some(drawn);
        script
    }

    /// The challenge that stands open for a container, once and in its time.
    pub(crate) fn take_challenge(&mut self, id: &ContainerId, clock: Clock) -> Option<Taken> {
        self.find_mut(id)?.challenge.as_mut()?.take(clock)
    }

    /// Forgets what was drawn for a container, and how often.
    pub(crate) fn forget_challenge(&mut self, id: &ContainerId) {
        if let Some(container) = self.find_mut(id) {
            container.challenge = None;
        }
    }

    fn find(&self, id: &ContainerId) -> Option<&Container> {
        self.containers.iter().find(|container| container.id == *id)
    }

    fn find_mut(&mut self, id: &ContainerId) -> Option<&mut Container> {
        self.containers.iter_mut().find(|container| container.id == *id)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key: _, containers } = self;
        f.debug_struct("Ledger").field("containers", &containers.len()).finish_non_exhaustive()
    }
}

/// The device remembers as many vaults as it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the device key already serves {MAX_CONTAINERS} vaults")]
pub struct LedgerFull;

#[cfg(test)]
mod tests;
