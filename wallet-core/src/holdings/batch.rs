//! A credential as the person sees it: a batch of copies that say the same, each to be shown once.

use super::{Copy, Credential, Format, Holdings, HoldingsError};
use crate::display::Shown;
use crate::vault::{RecordId, RecordIdError, RecordKind};
use rand_core::CryptoRng;
use schemas::credential_type::CredentialType;
use schemas::{Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

mod spending;

/// The name of a credential in this vault: 32 hexadecimal digits, random, known to nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialId(RecordId);

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for CredentialId {
    type Err = RecordIdError;

    fn from_str(text: &str) -> Result<Self, RecordIdError> {
        text.parse().map(Self)
    }
}

/// A credential held, without its claims.
#[derive(Debug, Clone)]
pub struct Held {
    id: CredentialId,
    batch: Batch,
    renewable: bool,
}

/// Whether a credential can be shown now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It can.
    Valid,
    /// Its time has not begun.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// Every copy was shown once: the next verifier could link it with the last.
    UsedUp,
}

/// A batch to be kept.
pub(crate) struct NewBatch {
    pub(crate) format: Format,
    pub(crate) type_id: String,
    pub(crate) label: Option<String>,
    pub(crate) issuer: String,
    pub(crate) issuer_name: String,
    pub(crate) issuer_known: bool,
    pub(crate) received_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) copies: Vec<Copy>,
}

/// The record of a batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Batch {
    v: u8,
    #[serde(default)]
    format: Format,
    /// The `vct` or the document type.
    #[serde(rename = "vct")]
    type_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    issuer: String,
    issuer_name: String,
    issuer_known: bool,
    received_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    copies: Vec<CopyEntry>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CopyEntry {
    record: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    spent: bool,
    /// For its own issuer, until new ones have come: no verifier gets it unasked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    aside: bool,
}

impl CopyEntry {
    const fn fresh(record: String) -> Self {
        Self { record, spent: false, aside: false }
    }

    const fn is_fresh(&self) -> bool {
        !self.spent && !self.aside
    }
}

impl Held {
    /// The copies at or below which the person is told to fetch new ones.
    pub const LOW: usize = 10;

    /// Its name in this vault.
    pub const fn id(&self) -> CredentialId {
        self.id
    }

    /// Its format.
    pub const fn format(&self) -> Format {
        self.batch.format
    }

    /// Its `vct` or its document type, as verifiers ask for it; not safe to show, see [`Held::label`].
    pub fn type_id(&self) -> &str {
        &self.batch.type_id
    }

    /// Its type for people.
    pub fn label(&self) -> Shown {
        label(&self.batch.type_id, self.batch.label.as_deref())
    }

    /// Its type in a word, whatever its format: the name of a type that we know, `vct` or document type of another.
    pub fn type_name(&self) -> Shown {
        Shown::text(known(&self.batch.type_id).map_or(self.batch.type_id.as_str(), |known| known.id))
    }

    /// The credential issuer identifier that it came from.
    pub fn issuer(&self) -> Shown {
        Shown::text(&self.batch.issuer)
    }

    /// The name in the issuer's certificate.
    pub fn issuer_name(&self) -> Shown {
        Shown::name(&self.batch.issuer_name)
    }

    /// Whether the issuer's certificate led to a trust anchor when the credential was received.
    pub const fn issuer_known(&self) -> bool {
        self.batch.issuer_known
    }

    /// The day it was received.
    pub const fn received_at(&self) -> Timestamp {
        self.batch.received_at
    }

    /// When the first of its copies ends, if they end.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.batch.expires_at
    }

    /// How many copies have never been shown.
    pub fn copies_left(&self) -> usize {
        self.batch.copies.iter().filter(|copy| copy.is_fresh()).count()
    }

    /// Whether the person should fetch new copies: [`Held::LOW`] or fewer are left.
    pub fn runs_low(&self) -> bool {
        self.copies_left() <= Self::LOW
    }

    /// Whether its issuer left a way to new copies, and its time is not over.
    pub fn is_refillable(&self, now: Timestamp) -> bool {
        self.renewable && self.standing(now) != Standing::Expired
    }

    /// Whether it can be shown at `now`. Its status at the issuer is not looked up: that would tell the issuer.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let Batch { not_before, expires_at, .. } = &self.batch;
        if expires_at.is_some_and(|end| now >= end) {
            Standing::Expired
        } else if not_before.is_some_and(|start| now < start) {
            Standing::NotYetValid
        } else if self.copies_left() == 0 {
            Standing::UsedUp
        } else {
            Standing::Valid
        }
    }
}

impl Holdings<'_> {
    /// Every credential held, the newest first. One whose record is damaged is left out: see [`Holdings::damaged`].
    pub fn credentials(&self) -> Vec<Held> {
        let mut held: Vec<Held> =
            self.records.ids(RecordKind::CREDENTIAL).into_iter().filter_map(|id| self.held(id).ok()).collect();
        held.sort_by_key(|held| (std::cmp::Reverse(held.batch.received_at), held.id));
        held
    }

    /// The names of credentials whose record cannot be read.
    pub fn damaged(&self) -> Vec<CredentialId> {
        let ids = self.records.ids(RecordKind::CREDENTIAL).into_iter();
        ids.filter(|id| self.held(*id).is_err()).map(CredentialId).collect()
    }

    /// The credential of that name.
    ///
    /// # Errors
    /// [`HoldingsError::UnknownCredential`], or its record cannot be read.
    pub fn credential(&self, id: CredentialId) -> Result<Held, HoldingsError> {
        if !self.records.ids(RecordKind::CREDENTIAL).contains(&id.0) {
            return Err(HoldingsError::UnknownCredential(id));
        }
        self.held(id.0)
    }

    /// Forgets a credential, its copies and their keys. Save the vault to make it so on disk.
    ///
    /// # Errors
    /// [`HoldingsError::UnknownCredential`].
    pub fn forget(&mut self, id: CredentialId, rng: &mut dyn CryptoRng) -> Result<(), HoldingsError> {
        if !self.records.ids(RecordKind::CREDENTIAL).contains(&id.0) {
            return Err(HoldingsError::UnknownCredential(id));
        }
        self.forget_renewal(id, rng)?;
        // A damaged batch goes too; copies that only it could name stay unreadable noise until the next compaction.
        let copies = self.held(id.0).map(|held| held.batch.copies).unwrap_or_default();
        for record in copies.iter().filter_map(|copy| copy.record.parse().ok()) {
            // One that is damaged is overwritten like any other.
            self.records.remove(record, rng).or_else(gone_is_gone)?;
        }
        self.records.remove(id.0, rng)?;
        self.forget_unused_types(rng)
    }

    pub(crate) fn keep(&mut self, batch: NewBatch, rng: &mut dyn CryptoRng) -> Result<CredentialId, HoldingsError> {
        let mut records = Vec::with_capacity(batch.copies.len());
        for copy in &batch.copies {
            match self.keep_copy(copy, rng) {
                Ok(record) => records.push(record),
                Err(error) => {
                    // All or nothing: half a batch would be forgotten copies that nobody can find.
                    records.into_iter().try_for_each(|record| self.records.remove(record, rng))?;
                    return Err(error);
                }
            }
        }
        let copies = records.iter().map(|record| CopyEntry::fresh(record.to_string())).collect();
        let NewBatch {
            format,
            type_id,
            label,
            issuer,
            issuer_name,
            issuer_known,
            received_at,
            not_before,
            expires_at,
            copies: _,
        } = batch;
        let received_at = received_at.floor_to(Seconds::DAY);
        let record = Batch {
            v: VERSION,
            format,
            type_id,
            label,
            issuer,
            issuer_name,
            issuer_known,
            received_at,
            not_before,
            expires_at,
            copies,
        };
        match self.write(RecordKind::CREDENTIAL, None, &record, rng) {
            Ok(id) => Ok(CredentialId(id)),
            Err(error) => {
                records.into_iter().try_for_each(|record| self.records.remove(record, rng))?;
                Err(error)
            }
        }
    }

    /// A copy to look at, not to show: any will do, for all say the same.
    fn peek(&self, held: &Held) -> Result<Copy, HoldingsError> {
        let mut last = HoldingsError::UnknownCredential(held.id);
        for entry in &held.batch.copies {
            match entry.record.parse().map_err(|_| HoldingsError::Unreadable(held.id.0)).and_then(|id| self.copy(id)) {
                Ok(copy) => return Ok(copy),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Opens a credential to look at: any copy, for all say the same.
    ///
    /// # Errors
    /// [`HoldingsError`] when no copy of it can be read.
    pub fn look(&self, held: &Held) -> Result<Credential, HoldingsError> {
        self.peek(held)?.reopen().ok_or(HoldingsError::Unreadable(held.id.0))
    }

    /// The names in the credentials held, to see whether a new one is about somebody else.
    pub(crate) fn names(&self) -> Vec<(String, String)> {
        let opened = self.credentials().into_iter().filter_map(|held| self.look(&held).ok());
        opened.filter_map(|credential| credential.full_name()).collect()
    }

    fn held(&self, id: RecordId) -> Result<Held, HoldingsError> {
        let batch: Batch = self.parse(id)?;
        let id = CredentialId(id);
        if batch.v != VERSION {
            return Err(HoldingsError::Unreadable(id.0));
        }
        Ok(Held { id, batch, renewable: self.is_renewable(id) })
    }
}

fn gone_is_gone(error: crate::vault::RecordError) -> Result<(), crate::vault::RecordError> {
    match error {
        crate::vault::RecordError::Unknown { .. } => Ok(()),
        error => Err(error),
    }
}

/// The type for people: ours by its own name, another's by the name its issuer gives, or by its `vct` or document type.
pub(crate) fn label(type_id: &str, given: Option<&str>) -> Shown {
    match known(type_id) {
        Some(known) => Shown::name(known.label),
        None => Shown::name(given.unwrap_or(type_id)),
    }
}

/// Our type of that `vct` or document type. The two are told apart by their form: a URN, and a name with dots.
fn known(type_id: &str) -> Option<&'static CredentialType> {
    let document = || schemas::mdoc::by_doc_type(type_id).map(|document| document.credential_type);
    schemas::credential_type::by_vct(type_id).or_else(document)
}

const VERSION: u8 = 1;
