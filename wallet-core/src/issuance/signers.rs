//! Who signed an issuer's metadata before: whoever takes the signature away later is noticed.
//!
//! Metadata need not be signed, so somebody between wallet and issuer could leave the signature out, and endpoints of their own in.
//! An issuer that was vouched for once is therefore held to it.

use crate::holdings::{Holdings, HoldingsError};
use crate::vault::{RecordId, RecordKind};
use credentials::b64;
use credentials::trust::VerifiedChain;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};

/// Who signed the metadata of an issuer: its certificate, and the anchor above it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signer {
    /// The SHA-256 of the certificate.
    leaf: String,
    /// The SHA-256 of the anchor's key; `None` in a record of an earlier version, which knew the authorities by what they called
    /// themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    anchor: Option<String>,
}

/// The signers of issuers that this wallet remembers.
#[derive(Debug, Clone, Default)]
pub struct Signers(Vec<Record>);

/// One as it stands in the vault.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    v: u8,
    issuer: String,
    signer: Signer,
}

impl Signer {
    pub(super) fn of(chain: &VerifiedChain) -> Self {
        let anchor = chain.anchor_key_sha256().map(|key| b64::encode(&key));
        Self { leaf: b64::encode(&chain.leaf_sha256()), anchor }
    }

    /// Whether this is the same signer: the same certificate, or one under the same anchor's key, as after a renewal.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.leaf == other.leaf || self.anchor.is_some() && self.anchor == other.anchor
    }
}

impl Signers {
    /// Who signed for that issuer.
    pub(super) fn of(&self, issuer: &str) -> Option<&Signer> {
        self.0.iter().find(|record| record.issuer == issuer).map(|record| &record.signer)
    }
}

impl Holdings<'_> {
    /// The signers that are remembered. One whose record is damaged is left out.
    pub fn signers(&self) -> Signers {
        Signers(self.signer_records().map(|(_, record)| record).collect())
    }

    /// Remembers who signed for this issuer, in place of whoever did before. Save the vault to make it so on disk.
    pub(super) fn remember_signer(
        &mut self,
        issuer: &str,
        signer: &Signer,
        rng: &mut dyn CryptoRng,
    ) -> Result<(), HoldingsError> {
        let known = self.signer_records().find(|(_, record)| record.issuer == issuer);
        if known.as_ref().is_some_and(|(_, record)| record.signer == *signer) {
            return Ok(());
        }
        let record = Record { v: VERSION, issuer: issuer.to_owned(), signer: signer.clone() };
        self.write(RecordKind::SIGNER, known.map(|(id, _)| id), &record, rng).map(drop)
    }

    fn signer_records(&self) -> impl Iterator<Item = (RecordId, Record)> {
        let ids = self.records.ids(RecordKind::SIGNER).into_iter();
        ids.filter_map(|id| Some((id, self.parse::<Record>(id).ok()?))).filter(|(_, record)| record.v == VERSION)
    }
}

const VERSION: u8 = 1;
