//! One attempt, from the count that is written first to the open vault.

use crate::device_key::{DeviceKey, DeviceStore, Ledger};
use crate::secret::{Pin, PurposeKey};
use crate::unlock::evaluation::evaluate;
use crate::unlock::evidence::Unlocked;
use crate::unlock::finger::{compare_in_vain, is_enrolled_finger};
use crate::unlock::rate_limit::{Attempts, Clock, Turn};
use crate::unlock::update::{OwnSlot, TemplateUpdate};
use crate::vault::OpenVault;
use crate::vault::compartment::Compartment;
use crate::vault::image::Image;
use crate::vault::kdf;
use crate::vault::layout::FILE_LEN;
use crate::vault::outer;
use crate::vault::params::{ContainerId, Params};
use crate::vault::record::RecordKind;
use crate::vault::slot::SlotBinding;
use biometrics::comparison::{Decision, Threshold, compare};
use biometrics::finger::FingerTemplate;
use biometrics::template::{Probe, Reference};
use std::fmt;
use std::time::Duration;

/// The least time that an opening takes, whatever comes of it; the caller waits for the rest of it.
pub const MINIMUM_TIME: Duration = Duration::from_millis(1_200);

/// The vault did not open. There is one such answer, whatever the reason: wrong PIN, wrong face, wrong device key, too
/// many attempts, a damaged, foreign or older file, no memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unavailable")]
pub struct Unavailable;

/// Asks for an attempt: opens the outer layer, then counts the attempt as failed before it is made.
///
/// A file whose outer layer does not open tests no guess and counts none. Where it does, a superseded epoch key is
/// forgotten, for the newer file has authenticated in full. So what was read must be on disk for good before the store
/// is written: after a save that was killed between its rename and its last fsync, the caller syncs file and folder.
///
/// # Errors
/// [`Unavailable`]: it is too early, or the file is none of this device's. The store may have changed even so (the wait
/// was noted): write it.
///
/// # Source
/// `security.md` §1.4 and §2.8.
pub fn begin<S: DeviceStore + ?Sized>(store: &mut S, file: &[u8], clock: Clock) -> Result<Counted, Unavailable> {
    let (device, ledger) = store.split();
    let (id, epoch, image) = opened_by(ledger, file).ok_or(Unavailable)?;
    let params_key = kdf::params_key(device.mac(&Params::device_message(&id)).map_err(|_| Unavailable)?);
    let params = Params::parse(image.params(), &params_key).ok_or(Unavailable)?;
    if params.container != id || params.epoch != epoch {
        return Err(Unavailable);
    }
    ledger.forget_older(&id, epoch);
    match ledger.attempts(&id).turn(clock) {
        Turn::Go(attempts) => {
            ledger.set_attempts(&id, attempts);
            Ok(Counted(Attempt { image, params, params_key, clock, examined: false }))
        }
        Turn::Wait(attempts) => {
            ledger.set_attempts(&id, attempts);
            Err(Unavailable)
        }
    }
}

/// Which of this device's vaults the file is, at which epoch, and what is inside its outer layer.
pub(super) fn opened_by(ledger: &Ledger, file: &[u8]) -> Option<(ContainerId, u64, Image)> {
    if file.len() != FILE_LEN {
        return None;
    }
    ledger
        .containers()
        .into_iter()
        .flat_map(|id| ledger.epoch_keys(&id).into_iter().map(move |(epoch, key)| (id, epoch, key)))
        .find_map(|(id, epoch, key)| Some((id, epoch, outer::open(file, &key)?)))
}

/// An attempt that is counted in the store, but perhaps not yet on disk.
#[derive(Debug)]
#[must_use = "write the store, then go on with `persisted`"]
pub struct Counted(pub(super) Attempt);

impl Counted {
    /// Goes on, now that the store's bytes are on disk. Without that, whoever kills the process has a free guess.
    pub fn persisted(self) -> Attempt {
        self.0
    }
}

/// An attempt that may be made, once.
pub struct Attempt {
    image: Image,
    params: Params,
    params_key: PurposeKey,
    clock: Clock,
    examined: bool,
}

impl Attempt {
    /// Tries to open the vault with what the person gave: no PIN is `None`, no face is `None`.
    ///
    /// One Argon2id and one question to the device; then all eight slots with all sixteen candidates. After the key
    /// is out, the probe is compared with the reference inside: a software check, no protection against other software.
    ///
    /// # Errors
    /// [`Unavailable`], always that; everything derived is wiped.
    ///
    /// # Source
    /// `security.md` §1.2 and §2.4.
    pub fn try_open<S: DeviceStore + ?Sized>(
        self,
        store: &mut S,
        pin: Option<&Pin>,
        probe: Option<&Probe>,
    ) -> Result<Opened, Unavailable> {
        self.open(store, pin, probe, None)
    }

    /// Tries to open a vault that asks for a finger: PIN and device key open it, then the finger is compared with the
    /// impressions inside, and nothing is given out unless it is the enrolled one.
    ///
    /// That comparison is this program's word only. Whoever has PIN, device key and file needs no finger if they change the
    /// program. Where no slot opens, as much is compared for nothing, so that the time says less of the PIN.
    ///
    /// # Errors
    /// [`Unavailable`], always that: wrong finger, wrong PIN, wrong device key.
    ///
    /// # Source
    /// `security.md` §2.10 (match-then-release); decision 0116.
    pub fn try_open_with_finger<S: DeviceStore + ?Sized>(
        self,
        store: &mut S,
        pin: Option<&Pin>,
        finger: &FingerTemplate,
    ) -> Result<Opened, Unavailable> {
        self.open(store, pin, None, Some(finger))
    }

    pub(super) fn noting_examination(self) -> Self {
        Self { examined: true, ..self }
    }

    pub(super) const fn container(&self) -> &ContainerId {
        &self.params.container
    }

    pub(super) const fn clock(&self) -> Clock {
        self.clock
    }

    fn open<S: DeviceStore + ?Sized>(
        self,
        store: &mut S,
        pin: Option<&Pin>,
        probe: Option<&Probe>,
        finger: Option<&FingerTemplate>,
    ) -> Result<Opened, Unavailable> {
        let Self { image, params, params_key, clock, examined } = self;
        let (device, ledger) = store.split();
        let Some(slot) = open_slot(device, &image, &params, pin, probe) else {
            if let Some(finger) = finger {
                compare_in_vain(finger);
            }
            return Err(Unavailable);
        };
        let opened = &slot.opened;
        let bytes = image.compartment(opened.compartment);
        let compartment = Compartment::open(opened.compartment, params.container, &opened.vmk, params.epoch, bytes)
            .ok_or(Unavailable)?;
        if opened.factors.face() && !is_enrolled_face(&compartment, bytes, probe) {
            return Err(Unavailable);
        }
        if opened.factors.finger() && !finger.is_some_and(|finger| is_enrolled_finger(&compartment, bytes, finger)) {
            return Err(Unavailable);
        }
        ledger.set_attempts(&params.container, Attempts::none(clock));
        let factors = opened.factors;
        let update = TemplateUpdate::find(slot, &compartment, bytes, probe, params.saved, clock.now);
        let vault = OpenVault::new(image, params, params_key, compartment, factors);
        let update = update.filter(|_| !vault.is_read_only());
        Ok(Opened { vault, unlocked: Unlocked::new(clock.now, factors, examined), update })
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image: _, params: _, params_key: _, clock, examined: _ } = self;
        f.debug_struct("Attempt").field("clock", clock).finish_non_exhaustive()
    }
}

fn open_slot(
    device: &dyn DeviceKey,
    image: &Image,
    params: &Params,
    pin: Option<&Pin>,
    probe: Option<&Probe>,
) -> Option<OwnSlot> {
    if probe.is_some_and(|probe| probe.model() != params.model) {
        return None;
    }
    let pin_key = kdf::pin_key(pin, &params.salt, params.cost)?;
    let mac = device.mac(&kdf::device_message(&params.container, &pin_key)).ok()?;
    let device_part = kdf::device_part(mac);
    let binding = SlotBinding { container: &params.container, cost: params.cost };
    let (opened, number) = evaluate(image.slots(), binding, &device_part, &pin_key, probe).open(binding)?;
    Some(OwnSlot { number, opened, device: device_part, pin_key })
}

/// The second stage: against the reference that is sealed in the compartment.
fn is_enrolled_face(compartment: &Compartment, bytes: &[u8], probe: Option<&Probe>) -> bool {
    let reference = compartment.ids(RecordKind::REFERENCE).next().and_then(|id| compartment.read(id, bytes).ok());
    let Some((probe, reference)) = probe.zip(reference.and_then(|bytes| Reference::from_bytes(&bytes).ok())) else {
        return false;
    };
    compare(probe, &reference)
        .is_ok_and(|score| Threshold::for_faces(probe, &reference).decide(score) == Decision::Match)
}

/// The vault is open, and the count of failures is back to none: write the store.
#[derive(Debug)]
pub struct Opened {
    /// The open vault.
    pub vault: OpenVault,
    /// The evidence, good for one request.
    pub unlocked: Unlocked,
    /// What the face that opened it has for the template: to be applied, or dropped.
    pub update: Option<TemplateUpdate>,
}
