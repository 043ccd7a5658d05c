//! An open compartment: its keys, its manifest, and the records in its heap.

use crate::secret::Vmk;
use crate::vault::committed::SealError;
use crate::vault::image::fill_random;
use crate::vault::kdf::CompartmentKeys;
use crate::vault::layout::{HEAP_AT, MANIFEST_LEN};
use crate::vault::manifest::{Entry, HEAP_LEN, MAX_ENTRIES, Manifest};
use crate::vault::params::ContainerId;
use crate::vault::record::{BlobName, Bucket, MAX_RECORD, RecordId, RecordKind};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Why a record could not be read or written. Such an error is only ever seen after the vault was opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The record's bytes are not what was written; the others stay usable.
    #[error("record {rid} is damaged")]
    Corrupt {
        /// Which record.
        rid: RecordId,
    },
    /// A newer version wrote this vault and lets this one only read it.
    #[error("this vault was written by a newer version and can only be read by this one")]
    ReadOnly,
    /// No room is left.
    #[error("the vault is full")]
    Full,
    /// No such record, or one of another kind.
    #[error("there is no record {rid} of this kind")]
    Unknown {
        /// Which record.
        rid: RecordId,
    },
    /// Longer than a record can be.
    #[error("a record is at most {MAX_RECORD} bytes, this is {length}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
}

impl From<SealError> for RecordError {
    fn from(SealError: SealError) -> Self {
        Self::Full
    }
}

/// One compartment, opened. Its bytes stay in the image; every method is given them.
pub(crate) struct Compartment {
    pub(crate) number: u8,
    pub(crate) container: ContainerId,
    pub(crate) keys: CompartmentKeys,
    pub(crate) manifest: Manifest,
}

impl Compartment {
    /// A new compartment without records, its manifest not yet written.
    pub(crate) fn empty(number: u8, container: ContainerId, vmk: &Vmk) -> Self {
        let manifest =
            Manifest { epoch: 0, log_head: [0; 32], previous: [0; 32], entries: std::collections::BTreeMap::new() };
        Self { number, container, keys: CompartmentKeys::derive(vmk), manifest }
    }

    /// Opens the manifest that belongs to `epoch`; an older one has another key and does not open.
    pub(crate) fn open(number: u8, container: ContainerId, vmk: &Vmk, epoch: u64, bytes: &[u8]) -> Option<Self> {
        let mut this = Self::empty(number, container, vmk);
        let (current, other) = places(bytes, epoch)?;
        let plain = this.manifest_name(epoch).open(&this.keys.record, current).ok()?;
        let manifest = Manifest::parse(&plain)?;
        let chained = manifest.previous.ct_eq(&<[u8; 32]>::from(Sha256::digest(other)));
        if manifest.epoch != epoch || !bool::from(chained) {
            return None;
        }
        this.manifest = manifest;
        Some(this)
    }

    /// Writes the manifest for `epoch` into its place; the one before stays beside it, its hash within.
    pub(crate) fn write_manifest<R: CryptoRng + ?Sized>(
        &mut self,
        epoch: u64,
        bytes: &mut [u8],
        rng: &mut R,
    ) -> Result<(), SealError> {
        let (_, other) = places(bytes, epoch).ok_or(SealError)?;
        self.manifest.previous = Sha256::digest(other).into();
        self.manifest.epoch = epoch;
        let blob = self.manifest_name(epoch).seal(&self.keys.record, &self.manifest.to_bytes(), rng)?;
        let place = bytes.get_mut(place(epoch)).ok_or(SealError)?;
        if place.len() != blob.len() {
            return Err(SealError);
        }
        place.copy_from_slice(&blob);
        Ok(())
    }

    fn manifest_name(&self, epoch: u64) -> BlobName<'_> {
        BlobName {
            container: &self.container,
            compartment: self.number,
            id: RecordId::from_bytes([0; 16]),
            kind: RecordKind::MANIFEST,
            generation: epoch,
            bucket: Bucket::MANIFEST,
        }
    }

    fn name(&self, id: RecordId, entry: &Entry) -> BlobName<'_> {
        let Entry { kind, generation, bucket, offset: _, digest: _ } = *entry;
        BlobName { container: &self.container, compartment: self.number, id, kind, generation, bucket }
    }

    /// The records of a kind.
    pub(crate) fn ids(&self, kind: RecordKind) -> impl Iterator<Item = RecordId> {
        self.manifest.entries.iter().filter(move |(_, entry)| entry.kind == kind).map(|(id, _)| *id)
    }

    /// Decrypts one record, and only that one.
    pub(crate) fn read(&self, id: RecordId, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let entry = self.manifest.entries.get(&id).ok_or(RecordError::Unknown { rid: id })?;
        let corrupt = RecordError::Corrupt { rid: id };
        let blob = bytes.get(HEAP_AT..).and_then(|heap| heap.get(entry.range())).ok_or(corrupt.clone())?;
        if !bool::from(<[u8; 32]>::from(Sha256::digest(blob)).ct_eq(&entry.digest)) {
            return Err(corrupt);
        }
        self.name(id, entry).open(&self.keys.record, blob).map_err(|_| corrupt)
    }

    /// Writes a record, new or in place of the one with this id. On failure nothing has changed.
    pub(crate) fn put<R: CryptoRng + ?Sized>(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        bytes: &mut [u8],
        rng: &mut R,
    ) -> Result<RecordId, RecordError> {
        let bucket = Bucket::holding(data.len()).ok_or(RecordError::TooLong { length: data.len() })?;
        let (id, old) = match id {
            None => (RecordId::generate(rng), None),
            Some(rid) => match self.manifest.entries.get(&rid) {
                Some(entry) if entry.kind == kind => (rid, Some(*entry)),
                _ => return Err(RecordError::Unknown { rid }),
            },
        };
        if old.is_none() && self.manifest.entries.len() >= MAX_ENTRIES {
            return Err(RecordError::Full);
        }
        let generation = old.map_or(1, |entry| entry.generation + 1);
        let mut entry = Entry { kind, generation, offset: 0, bucket, digest: [0; 32] };
        let blob = self.name(id, &entry).seal(&self.keys.record, data, rng)?;
        entry.digest = Sha256::digest(&blob).into();
        entry.offset = self.make_room(id, old, blob.len(), bytes, rng)?;
        if let Some(place) = bytes.get_mut(HEAP_AT..).and_then(|heap| heap.get_mut(entry.range())) {
            place.copy_from_slice(&blob);
        }
        self.manifest.entries.insert(id, entry);
        Ok(id)
    }

    /// Finds a place, and drops the record that the new one replaces.
    fn make_room<R: CryptoRng + ?Sized>(
        &mut self,
        id: RecordId,
        old: Option<Entry>,
        length: usize,
        bytes: &mut [u8],
        rng: &mut R,
    ) -> Result<u32, RecordError> {
        let freed = old.map_or(0, |entry| entry.bucket.blob_len());
        if self.manifest.free() + freed < length {
            return Err(RecordError::Full);
        }
        if old.is_some() {
            self.remove(id, bytes, rng)?;
        }
        if self.manifest.gap(length).is_none() {
            self.compact(bytes, rng);
        }
        self.manifest.gap(length).ok_or(RecordError::Full)
    }

    /// Drops a record and overwrites it. The next save, under a new key, is what makes it unrecoverable.
    pub(crate) fn remove<R: CryptoRng + ?Sized>(
        &mut self,
        id: RecordId,
        bytes: &mut [u8],
        rng: &mut R,
    ) -> Result<(), RecordError> {
        let entry = self.manifest.entries.remove(&id).ok_or(RecordError::Unknown { rid: id })?;
        if let Some(place) = bytes.get_mut(HEAP_AT..).and_then(|heap| heap.get_mut(entry.range())) {
            fill_random(place, rng);
        }
        Ok(())
    }

    /// Overwrites what no record takes, so that two images of the file do not show how much of it changed.
    ///
    /// # Source
    /// `security.md` §5.3.
    pub(crate) fn refresh_free<R: CryptoRng + ?Sized>(&self, bytes: &mut [u8], rng: &mut R) {
        let Some(heap) = bytes.get_mut(HEAP_AT..) else { return };
        let taken = self.manifest.by_offset().into_iter().map(|(_, entry)| entry.range());
        let mut free_from = 0;
        for range in taken.chain(std::iter::once(HEAP_LEN..HEAP_LEN)) {
            if let Some(gap) = heap.get_mut(free_from..range.start) {
                fill_random(gap, rng);
            }
            free_from = range.end;
        }
    }

    /// Slides all records to the front of the heap; what is behind them becomes random.
    fn compact<R: CryptoRng + ?Sized>(&mut self, bytes: &mut [u8], rng: &mut R) {
        let Some(heap) = bytes.get_mut(HEAP_AT..) else { return };
        let mut end = 0usize;
        for (id, _) in self.manifest.by_offset() {
            if let Some(entry) = self.manifest.entries.get_mut(&id) {
                // Records lie in this order and apart, so each moves towards the front only.
                heap.copy_within(entry.range(), end);
                entry.offset = end as u32;
                end = entry.range().end;
            }
        }
        if let Some(rest) = heap.get_mut(end..) {
            fill_random(rest, rng);
        }
    }
}

const fn place(epoch: u64) -> std::ops::Range<usize> {
    if epoch.is_multiple_of(2) { 0..MANIFEST_LEN } else { MANIFEST_LEN..2 * MANIFEST_LEN }
}

/// The manifest place of `epoch`, and the other.
fn places(bytes: &[u8], epoch: u64) -> Option<(&[u8], &[u8])> {
    Some((bytes.get(place(epoch))?, bytes.get(place(epoch.wrapping_add(1)))?))
}

const _: () = assert!(HEAP_LEN == 62 * MANIFEST_LEN);

#[cfg(test)]
mod tests;
