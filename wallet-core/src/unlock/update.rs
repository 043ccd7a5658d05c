//! A template that follows a face as it ages: by the face that just opened the vault, within caps, under a new key.
//!
//! Record [`RecordKind::ENROLLED`]: `1 u8, updated i64`, then the reference as it was enrolled. A vault that was never updated
//! has none: its reference is the enrolled one, and its last save the latest time at which that can have been made.
//!
//! # Source
//! `security.md` §2.9; decisions 0071 and 0126.

use crate::enrolment::face;
use crate::fields::Fields;
use crate::secret::{DevicePart, PinKey};
use crate::unlock::Factors;
use crate::vault::OpenVault;
use crate::vault::committed::SealError;
use crate::vault::compartment::{Compartment, RecordError};
use crate::vault::kdf::SlotRoot;
use crate::vault::record::{RecordId, RecordKind};
use crate::vault::slot;
use biometrics::template::{Probe, Reference};
use rand_core::CryptoRng;
use schemas::Timestamp;
use std::fmt;
use std::time::Duration;
use zeroize::Zeroizing;

/// What the opening of a vault has for its template. Drop it, and the template stays as it is; it holds keys, which are wiped then.
///
/// Only an opening with PIN and face makes it:
/// ```compile_fail,E0451
/// use wallet_core::unlock::TemplateUpdate;
/// fn forge() -> TemplateUpdate {
///     TemplateUpdate { step: panic!(), slot: panic!(), at: panic!() }
/// }
/// ```
pub struct TemplateUpdate {
    step: Step,
    slot: OwnSlot,
    at: Timestamp,
}

/// The slot that opened the vault, and what it is sealed with.
pub(super) struct OwnSlot {
    pub(super) number: u8,
    pub(super) opened: slot::Opened,
    pub(super) device: DevicePart,
    pub(super) pin_key: PinKey,
}

enum Step {
    /// This is the reference from now on; that one was enrolled.
    Follow { next: Reference, enrolled: Reference, record: Option<RecordId> },
    /// The time from which the first week counts is not written yet.
    Note { enrolled: Reference },
}

/// What became of the template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Followed {
    /// It was moved, and its slot sealed anew: save the vault now.
    Updated,
    /// When it was enrolled is noted, if the vault is saved for something else.
    Noted,
}

impl TemplateUpdate {
    /// Whether, and to what, the template may be updated: only with PIN and face, and within the caps.
    pub(super) fn find(
        slot: OwnSlot,
        compartment: &Compartment,
        bytes: &[u8],
        probe: Option<&Probe>,
        saved: Timestamp,
        at: Timestamp,
    ) -> Option<Self> {
        let probe = probe.filter(|_| slot.opened.factors == Factors::FaceAndPin)?;
        let id = compartment.ids(RecordKind::REFERENCE).next()?;
        let reference = Reference::from_bytes(&compartment.read(id, bytes).ok()?).ok()?;
        let record = compartment.ids(RecordKind::ENROLLED).next();
        let (enrolled, since) = match record {
            // Damaged: nothing says how far it may go.
            Some(id) => parse(&compartment.read(id, bytes).ok()?)?,
            None => (Reference::from_bytes(&reference.to_bytes()).ok()?, saved),
        };
        let elapsed = Duration::from_secs(at.since(since).get());
        let step = match reference.updated(&enrolled, probe, elapsed) {
            Ok(next) => Step::Follow { next, enrolled, record },
            Err(_) if record.is_none() => Step::Note { enrolled },
            Err(_) => return None,
        };
        Some(Self { step, slot, at })
    }

    /// Carries it out in the vault that was opened: reference, slot and record of the caps, all in memory until it is saved.
    ///
    /// The slot gets a new salt, and with it a new pad and transform; the message is drawn anew, and with it the slot's key. The
    /// old helper data are gone with the save.
    ///
    /// # Errors
    /// [`UpdateError`]; reference and slot are then as they were, and the vault can be used on.
    ///
    /// # Source
    /// `security.md` §2.9: "each update makes a new slot_salt, m, kek".
    pub fn apply<R: CryptoRng + ?Sized>(self, vault: &mut OpenVault, rng: &mut R) -> Result<Followed, UpdateError> {
        let Self { step, slot, at } = self;
        match step {
            Step::Note { enrolled } => {
                vault.put(RecordKind::ENROLLED, None, &written(&enrolled, at), rng)?;
                Ok(Followed::Noted)
            }
            Step::Follow { next, enrolled, record } => {
                let OwnSlot { number, opened, device, pin_key } = slot;
                let mut salt = [0; 32];
                rng.fill_bytes(&mut salt);
                let root = SlotRoot::derive(&salt, &device, &pin_key);
                let sealed = face::seal_slot(&next, &root, &salt, &opened, vault.slot_binding(), rng)?;
                let reference = vault.records(RecordKind::REFERENCE).next();
                vault.put(RecordKind::ENROLLED, record, &written(&enrolled, at), rng)?;
                vault.put(RecordKind::REFERENCE, reference, &next.to_bytes(), rng)?;
                vault.replace_slot(number, &sealed)?;
                Ok(Followed::Updated)
            }
        }
    }
}

impl fmt::Debug for TemplateUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step: _, slot: _, at } = self;
        f.debug_struct("TemplateUpdate").field("at", at).finish_non_exhaustive()
    }
}

/// Why an update could not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The vault is full, or may only be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Beyond what the cipher takes.
    #[error(transparent)]
    Seal(#[from] SealError),
}

fn written(enrolled: &Reference, at: Timestamp) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(512));
    bytes.push(VERSION);
    bytes.extend(at.unix().to_be_bytes());
    bytes.extend_from_slice(&enrolled.to_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<(Reference, Timestamp)> {
    let mut fields = Fields::new(bytes);
    let (version, updated) = (fields.u8()?, Timestamp::from_unix(fields.i64()?));
    (version == VERSION)
        .then(|| Reference::from_bytes(fields.rest()).ok())
        .flatten()
        .map(|enrolled| (enrolled, updated))
}

const VERSION: u8 = 1;
