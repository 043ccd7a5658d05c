//! An entry of a trust list: one anchor, and what it may vouch for.

use crate::b64;
use crate::trust::certificate::Facts;
use crate::trust::{AnchorLimits, CertificateChain, Usage};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One anchor of a trust list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    certificate: Vec<u8>,
    subject: String,
    usages: Vec<Usage>,
    limits: AnchorLimits,
    withdrawn: bool,
}

/// Why an entry is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// Members missing, of another kind, or not known: one that is not known could narrow what the others say.
    #[error("its members are not as required: certificate, usages, types, status_hosts, withdrawn")]
    Members,
    /// A certificate that cannot be read.
    #[error("its certificate cannot be read")]
    BadCertificate,
    /// A certificate that may not sign others.
    #[error("its certificate is not of a certificate authority")]
    NotACertificateAuthority,
    /// It vouches for nothing, and is not withdrawn.
    #[error("it names no usage")]
    NoUsage,
    /// A usage that a list cannot give.
    #[error("a trust list cannot say who signs trust lists")]
    Delegates,
}

/// An entry as it stands in a list.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryIn {
    certificate: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    usages: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    types: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status_hosts: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    withdrawn: bool,
}

impl Entry {
    /// The anchor with this certificate (DER) vouches for `usages`, within `limits`.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn new(certificate: Vec<u8>, usages: Vec<Usage>, limits: AnchorLimits) -> Result<Self, EntryError> {
        if usages.is_empty() {
            return Err(EntryError::NoUsage);
        }
        if usages.contains(&Usage::TrustListSigning) {
            return Err(EntryError::Delegates);
        }
        Self::of(certificate, usages, limits, false)
    }

    /// The anchor with this certificate (DER) is not to be believed, whoever names it later.
    ///
    /// # Errors
    /// [`EntryError`].
    pub fn withdrawn(certificate: Vec<u8>) -> Result<Self, EntryError> {
        Self::of(certificate, Vec::new(), AnchorLimits::default(), true)
    }

    fn of(certificate: Vec<u8>, usages: Vec<Usage>, limits: AnchorLimits, withdrawn: bool) -> Result<Self, EntryError> {
        if certificate.len() > CertificateChain::LONGEST {
            return Err(EntryError::BadCertificate);
        }
        let facts = Facts::read(&certificate).map_err(|_| EntryError::BadCertificate)?;
        let der = rustls_pki_types::CertificateDer::from(certificate.as_slice());
        webpki::anchor_from_trusted_cert(&der).map_err(|_| EntryError::BadCertificate)?;
        if !facts.is_authority {
            return Err(EntryError::NotACertificateAuthority);
        }
        Ok(Self { certificate, subject: facts.subject, usages, limits, withdrawn })
    }

    pub(super) fn read(entry: EntryIn) -> Result<Self, EntryError> {
        let EntryIn { certificate, usages, types, status_hosts, withdrawn } = entry;
        let certificate = b64::decode_standard(&certificate).map_err(|_| EntryError::BadCertificate)?;
        let limits = AnchorLimits { types, status_hosts };
        if withdrawn {
            // Nothing else may stand beside it, so that nobody reads half of it.
            let alone = usages.is_empty() && limits == AnchorLimits::default();
            return if alone { Self::withdrawn(certificate) } else { Err(EntryError::Members) };
        }
        if usages.is_empty() {
            return Err(EntryError::NoUsage);
        }
        // A usage that a later version knows grants nothing here.
        let usages = usages.iter().filter_map(|word| usage_by_word(word)).collect();
        Self::of(certificate, usages, limits, false)
    }

    pub(super) fn to_wire(&self) -> EntryIn {
        EntryIn {
            certificate: b64::encode_standard(&self.certificate),
            usages: self.usages.iter().filter_map(|usage| usage_word(*usage)).map(str::to_owned).collect(),
            types: self.limits.types.clone(),
            status_hosts: self.limits.status_hosts.clone(),
            withdrawn: self.withdrawn,
        }
    }

    /// The certificate, DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The SHA-256 of the certificate.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.certificate).into()
    }

    /// The name in it, safe to show.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it may vouch for; nothing when it is withdrawn, or only for what this version does not know.
    pub fn usages(&self) -> &[Usage] {
        &self.usages
    }

    /// For which types and hosts.
    pub const fn limits(&self) -> &AnchorLimits {
        &self.limits
    }

    /// Whether the list says that it is not to be believed.
    pub const fn is_withdrawn(&self) -> bool {
        self.withdrawn
    }
}

const WORDS: [(&str, Usage); 7] = [
    ("credential", Usage::CredentialIssuing),
    ("status", Usage::StatusSigning),
    ("verifier", Usage::Verifier),
    ("verifier-attestation", Usage::VerifierAttesting),
    ("wallet-attestation", Usage::WalletAttesting),
    ("mdoc", Usage::MdocIssuing),
    ("mdoc-reader", Usage::MdocReader),
];

/// The usage that a word in a list means. There is none for signing trust lists: a list cannot say who signs lists.
pub fn usage_by_word(word: &str) -> Option<Usage> {
    WORDS.iter().find(|(known, _)| *known == word).map(|(_, usage)| *usage)
}

/// The word for a usage in a list.
pub fn usage_word(usage: Usage) -> Option<&'static str> {
    WORDS.iter().find(|(_, known)| *known == usage).map(|(word, _)| *word)
}
