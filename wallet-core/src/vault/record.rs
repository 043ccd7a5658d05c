//! Records: what the vault holds, each sealed under a key of its own and padded to one of six sizes.
//!
//! # Source
//! `security.md` §1.3.

use crate::fields::Fields;
use crate::secret::PurposeKey;
use crate::vault::committed::{Forged, MessageKey, SealError};
use crate::vault::kdf;
use crate::vault::layout::{BLOB_OVERHEAD, MANIFEST_LEN, TAG_LEN};
use crate::vault::params::ContainerId;
use rand_core::CryptoRng;
use std::fmt;
use zeroize::Zeroizing;

/// The random name of a record within its vault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// From 16 bytes that [`RecordId::bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        Self(id)
    }
}

impl fmt::Display for RecordId {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl std::str::FromStr for RecordId {
    type Err = RecordIdError;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, RecordIdError> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(RecordIdError) };
        let mut id = [0; 16];
        if pairs.len() != id.len() {
            return Err(RecordIdError);
        }
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Ok(byte - b'0'),
            b'a'..=b'f' => Ok(byte - b'a' + 10),
            _ => Err(RecordIdError),
        };
        for ([high, low], out) in pairs.iter().zip(&mut id) {
            *out = digit(*high)? << 4 | digit(*low)?;
        }
        Ok(Self(id))
    }
}

/// The text is not 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 32 lower-case hexadecimal digits")]
pub struct RecordIdError;

/// What a record is. Only those who hold the vault's key see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordKind(u32);

impl RecordKind {
    /// The manifest itself.
    pub(crate) const MANIFEST: Self = Self(0);
    /// The biometric reference; never leaves the vault.
    pub(crate) const REFERENCE: Self = Self(1);
    /// A batch of credential copies: all but the copies.
    pub const CREDENTIAL: Self = Self(2);
    /// The history.
    pub const HISTORY: Self = Self(3);
    /// A trust anchor.
    pub const TRUST_ANCHOR: Self = Self(4);
    /// A consent given.
    pub const CONSENT: Self = Self(5);
    /// The settings.
    pub const SETTING: Self = Self(6);
    /// One copy of a credential with its key.
    pub const COPY: Self = Self(7);
    /// What an issuer promised for later.
    pub const DEFERRED: Self = Self(8);
    /// What an issuer left for new copies.
    pub const RENEWAL: Self = Self(9);
    /// Who vouches for this wallet.
    pub const PROVIDER: Self = Self(10);
    /// What it says, for one issuance.
    pub const WALLET_ATTESTATION: Self = Self(11);
    /// Who signed the metadata of an issuer.
    pub const SIGNER: Self = Self(12);
    /// The document of a type that a credential held is of.
    pub const TYPE_METADATA: Self = Self(13);
    /// A signed trust list.
    pub const TRUST_LIST: Self = Self(14);
    /// A trust anchor of whoever registers verifiers, and for nothing else.
    pub const REGISTRAR: Self = Self(16);
    /// One enrolled impression of a finger; never leaves the vault.
    pub(crate) const FINGER: Self = Self(17);
    /// The biometric reference as it was enrolled, and when the present one was last updated; never leaves the vault.
    pub(crate) const ENROLLED: Self = Self(18);

    pub(crate) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }
}

/// The size that a record's plaintext is padded to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket(u32);

impl Bucket {
    const SIZES: [u32; 6] = [1_024, 4_096, 16_384, 32_768, 65_536, 262_144];
    /// The manifest's: its blob is exactly one manifest place long.
    pub(crate) const MANIFEST: Self = Self((MANIFEST_LEN - BLOB_OVERHEAD) as u32);

    /// The smallest that holds `length` bytes and their length; `None` beyond [`MAX_RECORD`].
    pub(crate) fn holding(length: usize) -> Option<Self> {
        let needed = u32::try_from(length).ok()?.checked_add(4)?;
        Self::SIZES.into_iter().find(|size| *size >= needed).map(Self)
    }

    /// From the number in a manifest.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        Self::SIZES.contains(&number).then_some(Self(number))
    }

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    /// Bytes of the sealed blob.
    pub(crate) const fn blob_len(self) -> usize {
        self.0 as usize + BLOB_OVERHEAD
    }
}

/// The longest record, in bytes.
pub const MAX_RECORD: usize = 262_140;

/// Which record a blob is: all of it is bound to the ciphertext.
#[derive(Clone, Copy)]
pub(crate) struct BlobName<'a> {
    pub(crate) container: &'a ContainerId,
    pub(crate) compartment: u8,
    pub(crate) id: RecordId,
    pub(crate) kind: RecordKind,
    pub(crate) generation: u64,
    pub(crate) bucket: Bucket,
}

impl BlobName<'_> {
    pub(crate) fn key(&self, record_key: &PurposeKey, salt: &[u8; 32]) -> MessageKey {
        let prk = kdf::extract(salt, &[record_key.bytes()]);
        let (kind, generation) = (self.kind.0.to_be_bytes(), self.generation.to_be_bytes());
        MessageKey::from_okm(kdf::expand(&prk, &[b"amparo/v1/rec", &self.id.0, &kind, &generation]))
    }

    fn aad(&self) -> Vec<u8> {
        let mut aad = Vec::with_capacity(66);
        aad.extend(b"amparo/v1/rec-aad");
        aad.extend(self.container.bytes());
        aad.push(self.compartment);
        aad.extend(self.id.0);
        aad.extend(self.kind.0.to_be_bytes());
        aad.extend(self.generation.to_be_bytes());
        aad.extend(self.bucket.0.to_be_bytes());
        aad
    }

    /// Seals `data` under a fresh salt: `salt[32] com[32] ct tag[16]`.
    ///
    /// `None` if it is longer than the bucket holds.
    pub(crate) fn seal<R: CryptoRng + ?Sized>(
        &self,
        record_key: &PurposeKey,
        data: &[u8],
        rng: &mut R,
    ) -> Result<Vec<u8>, SealError> {
        let length = u32::try_from(data.len()).map_err(|_| SealError)?;
        let size = self.bucket.0 as usize;
        if data.len() + 4 > size {
            return Err(SealError);
        }
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let key = self.key(record_key, &salt);
        let commitment = key.commitment();
        let mut plain = Zeroizing::new(Vec::with_capacity(size));
        plain.extend(length.to_be_bytes());
        plain.extend(data);
        plain.resize(size, 0);
        let tag = key.seal(&self.aad(), &mut plain)?;
        Ok([&salt[..], &commitment, &plain, &tag].concat())
    }

    /// Opens a blob; the padding must be zeros.
    pub(crate) fn open(&self, record_key: &PurposeKey, blob: &[u8]) -> Result<Zeroizing<Vec<u8>>, Forged> {
        if blob.len() != self.bucket.blob_len() {
            return Err(Forged);
        }
        let (salt, rest) = blob.split_first_chunk::<32>().ok_or(Forged)?;
        let (commitment, rest) = rest.split_first_chunk::<32>().ok_or(Forged)?;
        let (sealed, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(Forged)?;
        let mut plain = Zeroizing::new(sealed.to_vec());
        self.key(record_key, salt).open(commitment, &self.aad(), &mut plain, tag)?;
        let mut fields = Fields::new(&plain);
        let length = fields.u32().and_then(|length| usize::try_from(length).ok()).ok_or(Forged)?;
        fields.slice(length).ok_or(Forged)?;
        if !fields.only_zeros() {
            return Err(Forged);
        }
        plain.drain(..4);
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests;
