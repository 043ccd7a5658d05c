//! An open vault: records to read and write, keys by purpose, and the plan to save it.

use crate::device_key::DeviceStore;
use crate::secret::{EpochKey, PurposeKey};
use crate::unlock::Factors;
use crate::vault::compartment::{Compartment, RecordError};
use crate::vault::image::Image;
use crate::vault::kdf;
use crate::vault::outer;
use crate::vault::params::{Params, VERSION};
use crate::vault::record::{RecordId, RecordKind};
use crate::vault::save::{SaveError, SavePlan};
use crate::vault::slot::SlotBinding;
use rand_core::CryptoRng;
use schemas::Timestamp;
use std::fmt;
use zeroize::Zeroizing;

/// A vault that has been opened. Only the manifest and the record being read are ever decrypted.
///
/// What is put and removed is in memory until [`OpenVault::save`] is carried out. Everything is wiped on drop: that is
/// locking.
pub struct OpenVault {
    image: Image,
    params: Params,
    params_key: PurposeKey,
    compartment: Compartment,
    factors: Factors,
    /// The epoch of the file that is in place.
    in_place: u64,
}

impl OpenVault {
    pub(crate) const fn new(
        image: Image,
        params: Params,
        params_key: PurposeKey,
        compartment: Compartment,
        factors: Factors,
    ) -> Self {
        let in_place = params.epoch;
        Self { image, params, params_key, compartment, factors, in_place }
    }

    /// The records of a kind, in the order of their ids, which says nothing of their age.
    pub fn records(&self, kind: RecordKind) -> impl Iterator<Item = RecordId> {
        self.compartment.ids(kind)
    }

    /// Decrypts a record.
    ///
    /// # Errors
    /// [`RecordError::Unknown`], or [`RecordError::Corrupt`] if its bytes are not those written.
    pub fn read(&self, id: RecordId) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        self.compartment.read(id, self.bytes())
    }

    /// Writes a record: a new one, or over the one with this id, which must be of the same kind.
    ///
    /// Gives its id. On failure nothing has changed.
    ///
    /// # Errors
    /// [`RecordError::TooLong`] beyond [`crate::vault::MAX_RECORD`], [`RecordError::Full`], [`RecordError::ReadOnly`],
    /// [`RecordError::Unknown`].
    pub fn put<R: CryptoRng + ?Sized>(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        rng: &mut R,
    ) -> Result<RecordId, RecordError> {
        self.writable()?;
        let Self { compartment, image, .. } = self;
        compartment.put(kind, id, data, image.compartment_mut(compartment.number), rng)
    }

    /// Drops a record. It cannot be recovered once the next save stands.
    ///
    /// # Errors
    /// [`RecordError::Unknown`], [`RecordError::ReadOnly`].
    pub fn remove<R: CryptoRng + ?Sized>(&mut self, id: RecordId, rng: &mut R) -> Result<(), RecordError> {
        self.writable()?;
        let Self { compartment, image, .. } = self;
        compartment.remove(id, image.compartment_mut(compartment.number), rng)
    }

    /// What opens this vault.
    pub const fn factors(&self) -> Factors {
        self.factors
    }

    /// When it was last saved, to the day.
    pub const fn saved(&self) -> Timestamp {
        self.params.saved
    }

    /// Whether a newer version wrote it, so that this one may only read.
    pub const fn is_read_only(&self) -> bool {
        self.params.min_reader > VERSION
    }

    /// The revocation secret of a consent: the same whenever asked, another for every consent.
    ///
    /// # Source
    /// `security.md` §4.3: `HMAC(K_cons, "amparo/v1/consent-rev" || id)`.
    pub fn consent_secret(&self, consent: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        kdf::hmac(self.compartment.keys.consent.bytes(), &[b"amparo/v1/consent-rev", consent])
    }

    /// The head of the history chain; zeros before its first link.
    pub const fn log_head(&self) -> [u8; 32] {
        self.compartment.manifest.log_head
    }

    /// Adds a link to the history chain: the new head is a MAC over the old one and `entry`.
    ///
    /// # Errors
    /// [`RecordError::ReadOnly`].
    ///
    /// # Source
    /// `security.md` §1.2, `K_log`.
    pub fn extend_log(&mut self, entry: &[u8]) -> Result<[u8; 32], RecordError> {
        self.writable()?;
        let head = self.log_link(&self.log_head(), entry);
        self.compartment.manifest.log_head = head;
        Ok(head)
    }

    /// The head that follows `head` when `entry` is added: with it a stored history is checked link by link.
    pub fn log_link(&self, head: &[u8; 32], entry: &[u8]) -> [u8; 32] {
        *kdf::hmac(self.compartment.keys.log.bytes(), &[b"amparo/v1/log", head, entry])
    }

    /// Encrypts everything under a new key and says in which order what must be written.
    ///
    /// The store holds both keys afterwards; [`OpenVault::confirm`] forgets the old one. If the plan is not carried out,
    /// the file in place stays the vault, and `save` may be asked again.
    ///
    /// # Errors
    /// [`SaveError::ReadOnly`]; [`SaveError::Superseded`] if the store does not hold the key of the file that was opened:
    /// it is another's, or somebody saved the vault in between.
    ///
    /// # Source
    /// `security.md` §1.4.
    pub fn save<S: DeviceStore + ?Sized, R: CryptoRng + ?Sized>(
        &mut self,
        store: &mut S,
        now: Timestamp,
        rng: &mut R,
    ) -> Result<SavePlan, SaveError> {
        if self.is_read_only() {
            return Err(SaveError::ReadOnly);
        }
        let id = self.params.container;
        let (_, ledger) = store.split();
        let epochs = ledger.epochs(&id);
        let newest = epochs.iter().copied().max().filter(|_| epochs.contains(&self.in_place));
        let epoch = newest.and_then(|newest| newest.checked_add(1)).ok_or(SaveError::Superseded)?;
        let key = EpochKey::generate(rng);
        self.params.version = VERSION;
        self.params.epoch = epoch;
        self.params.saved = now;
        let file = self.seal(&key, rng)?;
        ledger.add_epoch(&id, self.in_place, epoch, &key, rng)?;
        Ok(SavePlan { store_before: store.to_bytes(), file, epoch })
    }

    fn seal<R: CryptoRng + ?Sized>(&mut self, key: &EpochKey, rng: &mut R) -> Result<Vec<u8>, SaveError> {
        let Self { image, params, params_key, compartment, .. } = self;
        let bytes = image.compartment_mut(compartment.number);
        compartment.refresh_free(bytes, rng);
        compartment.write_manifest(params.epoch, bytes, rng)?;
        image.params_mut().copy_from_slice(&params.to_page(params_key));
        Ok(outer::seal(image, key, rng)?)
    }

    /// Takes note that the plan was carried out: `in_place` is what is now read back from the vault's place.
    ///
    /// Gives the store's bytes to write last: the old key is gone from them, and with it every older copy of the file.
    ///
    /// # Errors
    /// [`SaveError::NotInPlace`] if the file read back is not the one of the plan; both keys are kept then.
    pub fn confirm<S: DeviceStore + ?Sized>(
        &mut self,
        plan: SavePlan,
        store: &mut S,
        in_place: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SaveError> {
        let SavePlan { store_before: _, file, epoch } = plan;
        if file != in_place {
            return Err(SaveError::NotInPlace);
        }
        self.in_place = epoch;
        store.split().1.forget_older(&self.params.container, epoch);
        Ok(store.to_bytes())
    }

    /// Puts another slot in the place of the one that opened this vault.
    pub(crate) fn replace_slot(&mut self, number: u8, sealed: &[u8]) -> Result<(), RecordError> {
        self.writable()?;
        if let Some(place) = self.image.slots_mut().nth(usize::from(number))
            && place.len() == sealed.len()
        {
            place.copy_from_slice(sealed);
        }
        Ok(())
    }

    /// What all its slots are bound to.
    pub(crate) const fn slot_binding(&self) -> SlotBinding<'_> {
        SlotBinding { container: &self.params.container, cost: self.params.cost }
    }

    /// Another reference in place of the enrolled one, which nothing but a test does.
    #[cfg(test)]
    pub(crate) fn replace_reference<R: CryptoRng + ?Sized>(&mut self, reference: &[u8], rng: &mut R) {
        let id = self.records(RecordKind::REFERENCE).next();
        self.put(RecordKind::REFERENCE, id, reference, rng).unwrap();
    }

    fn bytes(&self) -> &[u8] {
        self.image.compartment(self.compartment.number)
    }

    const fn writable(&self) -> Result<(), RecordError> {
        if self.is_read_only() { Err(RecordError::ReadOnly) } else { Ok(()) }
    }
}

impl fmt::Debug for OpenVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image: _, params: _, params_key: _, compartment: _, factors, in_place: _ } = self;
        f.debug_struct("OpenVault").field("factors", factors).finish_non_exhaustive()
    }
}
