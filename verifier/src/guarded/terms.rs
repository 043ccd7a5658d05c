//! The terms of guarded storage: what for, until when, how often.

use schemas::purpose::Purpose;
use schemas::{Seconds, Timestamp};
use std::fmt;

/// No retention is longer than this, whatever was asked or granted.
///
/// # Source
/// `security.md` §4.1: `ret` ≤ 90 d.
pub const MAX_RETENTION: Seconds = Seconds::new(90 * 86_400);

/// Names one guarded value: the identifier of the transaction that brought it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId(String);

impl RecordId {
    /// From the text of an identifier; only base64url letters, at most 64, so that it can name a file.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (!text.is_empty() && text.len() <= 64 && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// From 128 random bits.
    pub fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// On what ground the value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// The holder granted a consent.
    Consent,
    /// No consent was granted: the verifier's own retention limit.
    OwnLimit,
}

/// The terms under which a value may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    id: RecordId,
    basis: Basis,
    purposes: Vec<Purpose>,
    received: Timestamp,
    end: Timestamp,
    uses: Option<u32>,
}

impl Terms {
    /// Terms granted by the holder: until `expires`, and for `retention` after `received`, whichever ends first.
    pub fn granted(
        id: RecordId,
        purposes: Vec<Purpose>,
        received: Timestamp,
        expires: Timestamp,
        retention: Seconds,
        uses: Option<u32>,
    ) -> Self {
        let end = expires.min(received.plus(retention.min(MAX_RETENTION)));
        Self { id, basis: Basis::Consent, purposes, received, end, uses }
    }

    /// The verifier's own limit, where the holder granted nothing: one purpose, for `retention` after `received`.
    pub fn own_limit(id: RecordId, purpose: Purpose, received: Timestamp, retention: Seconds) -> Self {
        let end = received.plus(retention.min(MAX_RETENTION));
        Self { id, basis: Basis::OwnLimit, purposes: vec![purpose], received, end, uses: None }
    }

    /// Terms as they were stored. The ciphertext opens only if they are the ones it was sealed under.
    pub const fn from_stored(
        id: RecordId,
        basis: Basis,
        purposes: Vec<Purpose>,
        received: Timestamp,
        end: Timestamp,
        uses: Option<u32>,
    ) -> Self {
        Self { id, basis, purposes, received, end, uses }
    }

    /// Which value.
    pub const fn id(&self) -> &RecordId {
        &self.id
    }

    /// On what ground.
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// What for.
    pub fn purposes(&self) -> &[Purpose] {
        &self.purposes
    }

    /// When the value arrived.
    pub const fn received(&self) -> Timestamp {
        self.received
    }

    /// From this second on it can no longer be opened.
    pub const fn end(&self) -> Timestamp {
        self.end
    }

    /// How often in all it may be opened; unbounded within its time when `None`.
    pub const fn uses(&self) -> Option<u32> {
        self.uses
    }

    /// Whether the terms have ended at `now`. At `end` itself they have.
    pub fn ended(&self, now: Timestamp) -> bool {
        now >= self.end
    }

    /// All of it as unambiguous bytes, for the associated data of the cipher.
    pub(super) fn authenticated_bytes(&self) -> Vec<u8> {
        let Self { id, basis, purposes, received, end, uses } = self;
        let mut bytes = b"amparo/v1/guarded-aad".to_vec();
        let mut field = |data: &[u8]| {
            bytes.extend_from_slice(&u32::try_from(data.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(data);
        };
        field(id.0.as_bytes());
        field(&[match basis {
            Basis::Consent => 1,
            Basis::OwnLimit => 2,
        }]);
        field(&received.unix().to_be_bytes());
        field(&end.unix().to_be_bytes());
        match uses {
            Some(uses) => field(&uses.to_be_bytes()),
            None => field(&[]),
        }
        for purpose in purposes {
            field(purpose.wire().as_bytes());
        }
        bytes
    }
}
