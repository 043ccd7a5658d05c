//! The manifest of a compartment: what lies where, and the heads of its chains.
//!
//! # Source
//! `security.md` §1.3.

use crate::fields::Fields;
use crate::vault::layout::{COMPARTMENT_LEN, HEAP_AT};
use crate::vault::record::{Bucket, RecordId, RecordKind};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Bytes of the heap of a compartment.
pub(crate) const HEAP_LEN: usize = COMPARTMENT_LEN - HEAP_AT;

const HEADER_LEN: usize = 8 + 32 + 32 + 2;
const ENTRY_LEN: usize = 16 + 4 + 8 + 4 + 4 + 32;

/// The most records that a compartment can hold.
pub(crate) const MAX_ENTRIES: usize = (Bucket::MANIFEST.number() as usize - 4 - HEADER_LEN) / ENTRY_LEN;

/// Where a record lies and which bytes are it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: RecordKind,
    pub(crate) generation: u64,
    /// From the start of the heap.
    pub(crate) offset: u32,
    pub(crate) bucket: Bucket,
    /// SHA-256 of the blob.
    pub(crate) digest: [u8; 32],
}

impl Entry {
    /// The bytes of the heap that it takes.
    pub(crate) const fn range(&self) -> std::ops::Range<usize> {
        let start = self.offset as usize;
        start..start + self.bucket.blob_len()
    }
}

/// The decrypted manifest. Kinds and times of change are in it, so its bytes are wiped; the map holds no claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) epoch: u64,
    /// The head of the history chain.
    pub(crate) log_head: [u8; 32],
    /// SHA-256 of the other manifest place.
    pub(crate) previous: [u8; 32],
    pub(crate) entries: BTreeMap<RecordId, Entry>,
}

impl Manifest {
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_LEN + self.entries.len() * ENTRY_LEN));
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.log_head);
        bytes.extend(self.previous);
        bytes.extend((self.entries.len() as u16).to_be_bytes());
        for (id, entry) in &self.entries {
            bytes.extend(id.bytes());
            bytes.extend(entry.kind.number().to_be_bytes());
            bytes.extend(entry.generation.to_be_bytes());
            bytes.extend(entry.offset.to_be_bytes());
            bytes.extend(entry.bucket.number().to_be_bytes());
            bytes.extend(entry.digest);
        }
        bytes
    }

    /// Reads a manifest: strictly sorted, every record within the heap, none over another, nothing left over.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes);
        let (epoch, log_head, previous) = (fields.u64()?, fields.array()?, fields.array()?);
        let count = usize::from(fields.u16()?);
        if count > MAX_ENTRIES {
            return None;
        }
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let id = RecordId::from_bytes(fields.array()?);
            let kind = RecordKind::from_number(fields.u32()?);
            let (generation, offset) = (fields.u64()?, fields.u32()?);
            let bucket = Bucket::from_number(fields.u32()?)?;
            let entry = Entry { kind, generation, offset, bucket, digest: fields.array()? };
            let ascending = entries.last_key_value().is_none_or(|(last, _)| *last < id);
            if !ascending || kind == RecordKind::MANIFEST || entry.range().end > HEAP_LEN {
                return None;
            }
            entries.insert(id, entry);
        }
        let manifest = Self { epoch, log_head, previous, entries };
        let apart = manifest.by_offset().windows(2).all(|pair| match pair {
            [(_, before), (_, after)] => before.range().end <= after.range().start,
            _ => true,
        });
        (fields.rest().is_empty() && apart).then_some(manifest)
    }

    /// The records in the order in which they lie in the heap.
    pub(crate) fn by_offset(&self) -> Vec<(RecordId, Entry)> {
        let mut entries: Vec<_> = self.entries.iter().map(|(id, entry)| (*id, *entry)).collect();
        entries.sort_by_key(|(_, entry)| entry.offset);
        entries
    }

    /// The first gap in the heap of at least `length` bytes.
    pub(crate) fn gap(&self, length: usize) -> Option<u32> {
        let mut free_from = 0;
        for (_, entry) in self.by_offset() {
            let range = entry.range();
            if range.start.saturating_sub(free_from) >= length {
                break;
            }
            free_from = range.end;
        }
        (free_from + length <= HEAP_LEN).then(|| u32::try_from(free_from).ok()).flatten()
    }

    /// Bytes of the heap that no record takes.
    pub(crate) fn free(&self) -> usize {
        HEAP_LEN - self.entries.values().map(|entry| entry.bucket.blob_len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
