//! Documents of types, as their issuers published them when a credential came.

use super::{Holdings, HoldingsError};
use crate::vault::RecordKind;
use crate::words::Words;
use credentials::type_metadata::{Bundled, MOST_EXTENSIONS, TypeMetadata};
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The record of one.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u8,
    vct: String,
    /// Byte for byte as it came: credentials name its digest.
    document: String,
}

impl Holdings<'_> {
    /// The documents that came with credentials, by type. One whose record is damaged is left out: then its type has no words.
    pub(crate) fn type_documents(&self) -> BTreeMap<String, Vec<u8>> {
        let ids = self.records.ids(RecordKind::TYPE_METADATA).into_iter();
        let records = ids.filter_map(|id| self.parse::<Record>(id).ok()).filter(|record| record.v == VERSION);
        records.map(|record| (record.vct, record.document.into_bytes())).collect()
    }

    /// Keeps documents, each in place of what was known of its type.
    pub(crate) fn keep_types(
        &mut self,
        documents: &BTreeMap<String, Vec<u8>>,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        for (vct, document) in documents {
            let Ok(document) = String::from_utf8(document.clone()) else { continue };
            let mut ids = self.records.ids(RecordKind::TYPE_METADATA).into_iter();
            let known = ids.find(|id| self.parse::<Record>(*id).is_ok_and(|record| record.vct == *vct));
            self.write(RecordKind::TYPE_METADATA, known, &Record { v: VERSION, vct: vct.clone(), document }, rng)?;
        }
        Ok(())
    }

    /// Forgets the documents of types of which nothing is held any more: they would say what was.
    pub(crate) fn forget_unused_types(&mut self, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        let documents = self.type_documents();
        let mut used: BTreeSet<String> = self.credentials().iter().map(|held| held.type_id().to_owned()).collect();
        // With what they extend.
        for _ in 0..MOST_EXTENSIONS {
            let extended = used.iter().filter_map(|vct| TypeMetadata::parse(documents.get(vct)?).ok());
            let extended: Vec<String> = extended.filter_map(|metadata| metadata.extends().map(str::to_owned)).collect();
            used.extend(extended);
        }
        for id in self.records.ids(RecordKind::TYPE_METADATA) {
            if self.parse::<Record>(id).map_or(true, |record| !used.contains(&record.vct)) {
                self.records.remove(id, rng)?;
            }
        }
        Ok(())
    }

    /// What the types of all that is held say, for someone who would read `languages`, the most wished for first.
    pub fn words(&self, languages: &[String]) -> Words {
        let held = self.credentials();
        let documents = self.type_documents();
        Words::new(languages, &Bundled::and(&documents), held.iter().map(|held| held.type_id()))
    }
}

const VERSION: u8 = 1;
