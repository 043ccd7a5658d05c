//! Making a vault: a face and perhaps a PIN, or a finger and a PIN; a device key; and everything else random.

pub(crate) mod face;
mod finger;

use crate::device_key::{DeviceKey, DeviceKeyError, DeviceStore, LedgerFull};
use crate::secret::{EpochKey, Pin, Vmk};
use crate::unlock::Factors;
use crate::unlock::rate_limit::{Attempts, Clock};
use crate::vault::committed::SealError;
use crate::vault::compartment::{Compartment, RecordError};
use crate::vault::image::Image;
use crate::vault::kdf::{self, SlotRoot};
use crate::vault::outer;
use crate::vault::params::{Argon2Cost, ContainerId, ContainerSalt, Params, VERSION};
use crate::vault::record::RecordKind;
use crate::vault::slot::{self, SlotBinding};
use biometrics::template::{ModelId, Reference};
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

pub use finger::{
    MIN_FINGER_PIN_CHARACTERS, MIN_IMPRESSIONS, NewFingerVault, RECOMMENDED_IMPRESSIONS, create_with_finger,
};

/// The shortest PIN that a new vault takes, in characters.
pub const MIN_PIN_CHARACTERS: usize = 4;

const FIRST_EPOCH: u64 = 1;

/// What a new vault is made of.
#[derive(Debug)]
pub struct NewVault<'a> {
    /// The enrolled face.
    pub reference: &'a Reference,
    /// With a PIN the one slot needs both; without, the face alone opens it and it is labelled convenience only.
    pub pin: Option<&'a Pin>,
    /// What each attempt costs.
    pub cost: Argon2Cost,
}

/// A new vault, not yet written. Write the store first, then the file: a store that knows of a vault that is not there
/// does no harm.
#[must_use = "nothing is made until it is written"]
pub struct Created {
    /// The device-key file.
    pub store: Zeroizing<Vec<u8>>,
    /// The vault's file.
    pub file: Vec<u8>,
    /// What will open it.
    pub factors: Factors,
}

impl fmt::Debug for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { store: _, file: _, factors } = self;
        f.debug_struct("Created").field("factors", factors).finish_non_exhaustive()
    }
}

/// Makes a vault and enters it in the store.
///
/// Everything in it is fresh: container, salts, transform, released message, keys. An existing file is never looked at:
/// the caller must not put this one over it.
///
/// # Errors
/// [`CreateError`]; the store is unchanged then.
///
/// # Source
/// `security.md` §1.2, §1.3 and §2.4.
pub fn create<S: DeviceStore + ?Sized, R: CryptoRng + ?Sized>(
    new: &NewVault<'_>,
    store: &mut S,
    clock: Clock,
    rng: &mut R,
) -> Result<Created, CreateError> {
    let NewVault { reference, pin, cost } = new;
    if pin.is_some_and(|pin| pin.characters() < MIN_PIN_CHARACTERS) {
        return Err(CreateError::PinTooShort { least: MIN_PIN_CHARACTERS });
    }
    let parts = Parts {
        pin: *pin,
        cost: *cost,
        model: reference.model(),
        face: Some(reference),
        factors: if pin.is_some() { Factors::FaceAndPin } else { Factors::Face },
        records: vec![(RecordKind::REFERENCE, reference.to_bytes())],
    };
    make(&parts, store, clock, rng)
}

/// What any vault is made of.
struct Parts<'a> {
    pin: Option<&'a Pin>,
    cost: Argon2Cost,
    model: ModelId,
    /// The face that the slot's key comes from, if one is needed.
    face: Option<&'a Reference>,
    factors: Factors,
    records: Vec<(RecordKind, Zeroizing<Vec<u8>>)>,
}

fn make<S: DeviceStore + ?Sized, R: CryptoRng + ?Sized>(
    parts: &Parts<'_>,
    store: &mut S,
    clock: Clock,
    rng: &mut R,
) -> Result<Created, CreateError> {
    let params = Params {
        version: VERSION,
        min_reader: VERSION,
        container: ContainerId::generate(rng),
        salt: ContainerSalt::generate(rng),
        cost: parts.cost,
        epoch: FIRST_EPOCH,
        saved: clock.now,
        model: parts.model,
    };
    let (device, ledger) = store.split();
    let mut image = Image::random(rng);
    let vmk = Vmk::generate(rng);

    let params_key = kdf::params_key(device.mac(&Params::device_message(&params.container))?);
    image.params_mut().copy_from_slice(&params.to_page(&params_key));

    let mut compartment = Compartment::empty(0, params.container, &vmk);
    let bytes = image.compartment_mut(0);
    for (kind, data) in &parts.records {
        compartment.put(*kind, None, data, bytes, rng)?;
    }
    compartment.write_manifest(params.epoch, bytes, rng)?;

    let factors = parts.factors;
    let sealed = seal_slot(parts, &params, device, slot::Opened { vmk, compartment: 0, factors }, rng)?;
    // Any slot would do; which one is used shows nowhere.
    let chosen = usize::from(random_byte(rng) % 8);
    if let Some(place) = image.slots_mut().nth(chosen) {
        place.copy_from_slice(&sealed);
    }

    let epoch_key = EpochKey::generate(rng);
    let file = outer::seal(&image, &epoch_key, rng)?;
    ledger.insert(params.container, params.epoch, &epoch_key, Attempts::none(clock), rng)?;
    Ok(Created { store: store.to_bytes(), file, factors })
}

fn seal_slot<R: CryptoRng + ?Sized>(
    parts: &Parts<'_>,
    params: &Params,
    device: &dyn DeviceKey,
    opened: slot::Opened,
    rng: &mut R,
) -> Result<Zeroizing<Vec<u8>>, CreateError> {
    let pin_key = kdf::pin_key(parts.pin, &params.salt, params.cost).ok_or(CreateError::NoMemory)?;
    let mac = device.mac(&kdf::device_message(&params.container, &pin_key))?;
    let device_part = kdf::device_part(mac);
    let mut salt = [0; 32];
    rng.fill_bytes(&mut salt);
    let root = SlotRoot::derive(&salt, &device_part, &pin_key);
    let binding = SlotBinding { container: &params.container, cost: params.cost };
    let Some(face) = parts.face else {
        // No helper data: what lies in their place is as random as they look.
        let mut nothing = Zeroizing::new([0; 64]);
        rng.fill_bytes(&mut nothing[..]);
        return Ok(slot::seal(&opened, &root.secret(None), &salt, &nothing, binding)?);
    };
    Ok(face::seal_slot(face, &root, &salt, &opened, binding, rng)?)
}

fn random_byte<R: CryptoRng + ?Sized>(rng: &mut R) -> u8 {
    let mut byte = [0];
    rng.fill_bytes(&mut byte);
    let [byte] = byte;
    byte
}

/// Why a vault could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// Too few characters for what is to open with it.
    #[error("the PIN has fewer than {least} characters")]
    PinTooShort {
        /// The least.
        least: usize,
    },
    /// Fewer than [`MIN_IMPRESSIONS`], or more than are compared at once.
    #[error("a finger is enrolled from {least} to {most} impressions, and got {got}")]
    Impressions {
        /// The least.
        least: usize,
        /// The most.
        most: usize,
        /// How many were given.
        got: usize,
    },
    /// One of them is not like any other: of another finger, or a bad one.
    #[error("impression {number} is not like any of the others")]
    ImpressionsDisagree {
        /// Which, from 1.
        number: usize,
    },
    /// The memory that Argon2id needs is not there.
    #[error("there is not enough memory to protect the PIN")]
    NoMemory,
    /// The device key serves as many vaults as it can.
    #[error(transparent)]
    LedgerFull(#[from] LedgerFull),
    /// The device key does not answer.
    #[error(transparent)]
    DeviceKey(#[from] DeviceKeyError),
    /// The reference does not fit a record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Beyond what the cipher takes.
    #[error(transparent)]
    Seal(#[from] SealError),
}
