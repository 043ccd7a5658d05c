//! Records in memory: the port of an open vault, for the tests of the ceremonies.

use super::Records;
use crate::vault::{RecordError, RecordId, RecordKind};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, SeedableRng};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Records in memory.
#[derive(Default, Clone)]
pub(crate) struct Memory {
    pub(crate) records: BTreeMap<RecordId, (RecordKind, Vec<u8>)>,
    /// The number of records at most, to play a vault that is full.
    pub(crate) room: Option<usize>,
    pub(crate) log_head: [u8; 32],
}

impl Memory {
    pub(crate) fn seeded(seed: u8) -> (Self, ChaCha20Rng) {
        (Self::default(), ChaCha20Rng::from_seed([seed; 32]))
    }

    pub(crate) fn ids_of(&self, kind: RecordKind) -> Vec<RecordId> {
        self.ids(kind)
    }
}

impl Records for Memory {
    fn ids(&self, kind: RecordKind) -> Vec<RecordId> {
        self.records.iter().filter(|(_, (k, _))| *k == kind).map(|(id, _)| *id).collect()
    }

    fn read(&self, id: RecordId) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        self.records.get(&id).map(|(_, bytes)| Zeroizing::new(bytes.clone())).ok_or(RecordError::Unknown { rid: id })
    }

    fn put(
        &mut self,
        kind: RecordKind,
        id: Option<RecordId>,
        data: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Result<RecordId, RecordError> {
        let id = match id {
            Some(rid) if self.records.get(&rid).is_none_or(|(k, _)| *k != kind) => {
                return Err(RecordError::Unknown { rid });
            }
            Some(id) => id,
            None if self.room.is_some_and(|room| self.records.len() >= room) => return Err(RecordError::Full),
            None => {
                let mut bytes = [0; 16];
                rng.fill_bytes(&mut bytes);
                RecordId::from_bytes(bytes)
            }
        };
        self.records.insert(id, (kind, data.to_vec()));
        Ok(id)
    }

    fn remove(&mut self, id: RecordId, _: &mut dyn CryptoRng) -> Result<(), RecordError> {
        self.records.remove(&id).map(drop).ok_or(RecordError::Unknown { rid: id })
    }

    fn consent_secret(&self, id: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(&[b"amparo/v1/consent-rev", id]))
    }

    fn log_head(&self) -> [u8; 32] {
        self.log_head
    }

    fn log_link(&self, head: &[u8; 32], line: &[u8]) -> [u8; 32] {
        mac(&[b"amparo/v1/log", head, line])
    }

    fn extend_log(&mut self, line: &[u8]) -> Result<(), RecordError> {
        self.log_head = self.log_link(&self.log_head, line);
        Ok(())
    }
}

fn mac(parts: &[&[u8]]) -> [u8; 32] {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[7; 32]).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}
