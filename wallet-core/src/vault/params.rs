//! The page of parameters: what must be known before a slot can be tried.

use crate::fields::Fields;
use crate::secret::PurposeKey;
use crate::vault::kdf;
use crate::vault::layout::PARAMS_LEN;
use biometrics::template::ModelId;
use rand_core::CryptoRng;
use schemas::{Seconds, Timestamp};
use std::fmt;
use subtle::ConstantTimeEq;

/// The version of the format that this code writes.
pub(crate) const VERSION: u16 = 1;

const MAGIC: &[u8; 4] = b"AMP1";
/// Bytes before the MAC.
const MACED_LEN: usize = 100;

/// What Argon2id costs, between [`Argon2Cost::FLOOR`] and [`Argon2Cost::CEILING`].
///
/// # Source
/// RFC 9106 §4; the bounds: `security.md` §1.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2Cost {
    /// 256 MiB, 3 passes, 4 lanes.
    pub const DEFAULT: Self = Self { memory_kib: 262_144, passes: 3, lanes: 4 };
    /// 64 MiB, 3 passes, 4 lanes: RFC 9106's second recommended choice, and the least that is accepted.
    pub const FLOOR: Self = Self { memory_kib: 65_536, passes: 3, lanes: 4 };
    /// 1 GiB, 10 passes, 8 lanes: the most that is accepted.
    pub const CEILING: Self = Self { memory_kib: 1_048_576, passes: 10, lanes: 8 };

    /// A cost of `memory_kib` KiB, `passes` and `lanes`; `None` outside the bounds.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let (floor, ceiling) = (Self::FLOOR, Self::CEILING);
        let within = (floor.memory_kib..=ceiling.memory_kib).contains(&memory_kib)
            && (floor.passes..=ceiling.passes).contains(&passes)
            && (floor.lanes..=ceiling.lanes).contains(&lanes);
        within.then_some(Self { memory_kib, passes, lanes })
    }

    /// Memory in KiB.
    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    pub const fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes.
    pub const fn lanes(self) -> u32 {
        self.lanes
    }

    pub(crate) fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        let words = [self.memory_kib, self.passes, self.lanes];
        bytes.chunks_exact_mut(4).zip(words).for_each(|(out, word)| out.copy_from_slice(&word.to_be_bytes()));
        bytes
    }
}

/// The random name of a container; no secret, but nobody outside the vault learns it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContainerId([u8; 16]);

impl ContainerId {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for ContainerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("ContainerId").finish_non_exhaustive()
    }
}

/// The salt of Argon2id.
#[derive(Clone)]
pub(crate) struct ContainerSalt([u8; 16]);

impl ContainerSalt {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut salt = [0; 16];
        rng.fill_bytes(&mut salt);
        Self(salt)
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The page at the front of the image.
#[derive(Clone)]
pub(crate) struct Params {
    /// The version that wrote the file.
    pub(crate) version: u16,
    /// The least version that may change it; an older one reads only.
    pub(crate) min_reader: u16,
    pub(crate) container: ContainerId,
    pub(crate) salt: ContainerSalt,
    pub(crate) cost: Argon2Cost,
    pub(crate) epoch: u64,
    /// When it was saved, rounded down to the day.
    pub(crate) saved: Timestamp,
    /// The embedder that the reference was made with.
    pub(crate) model: ModelId,
}

impl Params {
    /// What the device is asked to MAC to have the key of this page: `"amparo/v1/params" || container_id`.
    pub(crate) fn device_message(container: &ContainerId) -> [&[u8]; 2] {
        [b"amparo/v1/params", container.bytes()]
    }

    pub(crate) fn to_page(&self, key: &PurposeKey) -> Vec<u8> {
        let mut page = Vec::with_capacity(PARAMS_LEN);
        page.extend(MAGIC);
        page.extend(self.version.to_be_bytes());
        page.extend(self.min_reader.to_be_bytes());
        page.extend(self.container.bytes());
        page.extend(self.salt.bytes());
        page.extend(self.cost.to_bytes());
        page.extend(self.epoch.to_be_bytes());
        page.extend(self.saved.floor_to(Seconds::DAY).unix().to_be_bytes());
        page.extend(self.model.as_bytes());
        let mac = kdf::hmac(key.bytes(), &[&page]);
        page.extend(mac.iter());
        page.resize(PARAMS_LEN, 0);
        page
    }

    /// Reads a page and checks its MAC before anything in it is believed.
    ///
    /// `None` for every fault alike: a bad MAC, another magic, a cost out of bounds, padding that is not zero.
    pub(crate) fn parse(page: &[u8], key: &PurposeKey) -> Option<Self> {
        if page.len() != PARAMS_LEN {
            return None;
        }
        let (maced, rest) = page.split_at_checked(MACED_LEN)?;
        let mut rest = Fields::new(rest);
        let mac = rest.array::<32>()?;
        if !bool::from(kdf::hmac(key.bytes(), &[maced]).ct_eq(&mac)) || !rest.only_zeros() {
            return None;
        }
        let mut fields = Fields::new(maced);
        if &fields.array::<4>()? != MAGIC {
            return None;
        }
        let (version, min_reader) = (fields.u16()?, fields.u16()?);
        let (container, salt) = (ContainerId::from_bytes(fields.array()?), ContainerSalt::from_bytes(fields.array()?));
        let cost = Argon2Cost::new(fields.u32()?, fields.u32()?, fields.u32()?)?;
        let (epoch, saved) = (fields.u64()?, Timestamp::from_unix(fields.i64()?));
        let model = ModelId::new(fields.array()?);
        (version >= 1).then_some(Self { version, min_reader, container, salt, cost, epoch, saved, model })
    }
}

#[cfg(test)]
mod tests;
