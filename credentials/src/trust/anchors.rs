//! Trust anchors: the certificates a party believes without being shown why.

use super::certificate::Facts;
use super::list::VerifiedTrustList;
use super::{AnchorLimits, Usage};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use schemas::Timestamp;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// A set of trust anchors.
///
/// Their own validity periods are not checked: an anchor is believed until it is taken out.
#[derive(Clone, Default)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
    webpki: Vec<TrustAnchor<'static>>,
    /// The SHA-256 of certificates that a list withdrew: no later list brings them back.
    withdrawn: BTreeSet<[u8; 32]>,
    fingerprint: [u8; 32],
}

/// One trust anchor.
#[derive(Clone)]
pub struct Anchor {
    der: CertificateDer<'static>,
    subject: String,
    /// `None` for an anchor that may vouch for anything.
    limits: Option<Arc<AnchorLimits>>,
    /// `None` for an anchor that is believed without a list.
    listed: Option<Listed>,
}

/// What the list says of an anchor that only a trust list vouches for.
#[derive(Clone)]
struct Listed {
    usages: Vec<Usage>,
    until: Timestamp,
}

/// The anchors that may vouch for one usage.
pub(super) struct ForUsage<'a> {
    webpki: Cow<'a, [TrustAnchor<'static>]>,
    anchors: Vec<&'a Anchor>,
}

/// Why a text holds no trust anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnchorError {
    /// No `BEGIN CERTIFICATE` in it, or a block that is broken.
    #[error("no certificate in PEM form")]
    NotPem,
    /// A certificate that cannot be read.
    #[error("a certificate in it cannot be read")]
    BadCertificate,
    /// A certificate that may not sign others.
    #[error("a certificate in it is not of a certificate authority")]
    NotACertificateAuthority,
}

impl TrustAnchors {
    /// The anchors in a PEM text.
    ///
    /// # Errors
    /// As [`TrustAnchors::add_pem`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, AnchorError> {
        let mut anchors = Self::default();
        anchors.add_pem(pem)?;
        Ok(anchors)
    }

    /// Adds every certificate of a PEM text, or none; gives how many were new.
    ///
    /// # Errors
    /// [`AnchorError`] when there is none, or one that is not a certificate authority's.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<usize, AnchorError> {
        let ders: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| AnchorError::NotPem)?;
        if ders.is_empty() {
            return Err(AnchorError::NotPem);
        }
        let mut new = Vec::new();
        for der in ders {
            let facts = Facts::read(&der).map_err(|_| AnchorError::BadCertificate)?;
            if !facts.is_authority {
                return Err(AnchorError::NotACertificateAuthority);
            }
            let webpki = webpki::anchor_from_trusted_cert(&der).map_err(|_| AnchorError::BadCertificate)?.to_owned();
            if !self.anchors.iter().chain(new.iter().map(|(anchor, _)| anchor)).any(|anchor: &Anchor| anchor.der == der)
            {
                new.push((Anchor { der, subject: facts.subject, limits: None, listed: None }, webpki));
            }
        }
        let added = new.len();
        for (anchor, webpki) in new {
            self.anchors.push(anchor);
            self.webpki.push(webpki);
        }
        self.take_fingerprint();
        Ok(added)
    }

    /// Adds every certificate of a PEM text, or none, as anchors that may vouch for no more than `limits` say; gives how many
    /// were new. Those that were here already are limited anew: the last word counts.
    ///
    /// # Errors
    /// As [`TrustAnchors::add_pem`].
    pub fn add_pem_limited(&mut self, pem: &[u8], limits: AnchorLimits) -> Result<usize, AnchorError> {
        let named = Self::from_pem(pem)?;
        let added = self.add_pem(pem)?;
        let limits = Arc::new(limits);
        for anchor in &mut self.anchors {
            if named.anchors.iter().any(|other| other.der == anchor.der) {
                anchor.limits = Some(Arc::clone(&limits));
            }
        }
        self.take_fingerprint();
        Ok(added)
    }

    /// Adds the anchors that a trust list names, current or ended, each for its usages and until the list ends; gives how many
    /// were new. What is here already stays as it is, and what an earlier list withdrew stays out: the first word counts.
    pub fn add_listed(&mut self, list: &VerifiedTrustList) -> usize {
        let before = self.anchors.len();
        let mut known: BTreeSet<[u8; 32]> = self.anchors.iter().map(Anchor::sha256).collect();
        for entry in list.entries() {
            let sha256 = entry.sha256();
            if self.withdrawn.contains(&sha256) || !known.insert(sha256) {
                continue;
            }
            if entry.is_withdrawn() {
                self.withdrawn.insert(sha256);
                continue;
            }
            let der = CertificateDer::from(entry.certificate().to_vec());
            // A list is not verified whose certificates cannot be read.
            let Ok(webpki) = webpki::anchor_from_trusted_cert(&der).map(|anchor| anchor.to_owned()) else { continue };
            let listed = Some(Listed { usages: entry.usages().to_vec(), until: list.ends_at() });
            let limits = Some(entry.limits()).filter(|limits| *limits != &AnchorLimits::default());
            let limits = limits.cloned().map(Arc::new);
            self.anchors.push(Anchor { der, subject: entry.subject().to_owned(), limits, listed });
            self.webpki.push(webpki);
        }
        self.take_fingerprint();
        self.anchors.len() - before
    }

    fn take_fingerprint(&mut self) {
        let mut hash = Sha256::new();
        for anchor in &self.anchors {
            hash.update(anchor.sha256());
            if let Some(limits) = &anchor.limits {
                hash.update(limits.fingerprint());
            }
            if let Some(Listed { usages, until }) = &anchor.listed {
                hash.update((usages.len() as u64).to_be_bytes());
                usages.iter().for_each(|usage| hash.update(usage.der()));
                hash.update(until.unix().to_be_bytes());
            }
        }
        self.fingerprint = hash.finalize().into();
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.anchors.len()
    }

    /// Whether there are none: then nobody is known.
    pub const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// The anchors.
    pub fn iter(&self) -> impl Iterator<Item = &Anchor> {
        self.anchors.iter()
    }

    /// Those that may vouch for `usage`.
    pub(super) fn for_usage(&self, usage: Usage) -> ForUsage<'_> {
        let both = self.anchors.iter().zip(&self.webpki);
        if self.anchors.iter().all(|anchor| anchor.vouches_for(usage)) {
            return ForUsage { webpki: Cow::Borrowed(&self.webpki), anchors: self.anchors.iter().collect() };
        }
        let (anchors, webpki): (Vec<_>, Vec<_>) = both
            .filter(|(anchor, _)| anchor.vouches_for(usage))
            .map(|(anchor, webpki)| (anchor, webpki.clone()))
            .unzip();
        ForUsage { webpki: Cow::Owned(webpki), anchors }
    }

    /// Stands for this set in the key of a cache.
    pub(super) const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl<'a> ForUsage<'a> {
    pub(super) fn webpki(&self) -> &[TrustAnchor<'static>] {
        &self.webpki
    }

    /// The anchor at `place` of [`ForUsage::webpki`].
    pub(super) fn anchor(&self, place: usize) -> Option<&'a Anchor> {
        self.anchors.get(place).copied()
    }

    /// The anchor at `place`, and the SHA-256 of its key.
    pub(super) fn both(&self, place: usize) -> Option<(&'a Anchor, [u8; 32])> {
        let key = &self.webpki.get(place)?.subject_public_key_info;
        Some((self.anchor(place)?, Sha256::digest(key).into()))
    }
}

impl Anchor {
    fn vouches_for(&self, usage: Usage) -> bool {
        self.listed.as_ref().is_none_or(|listed| listed.usages.contains(&usage))
    }

    pub(super) fn shared_limits(&self) -> Option<Arc<AnchorLimits>> {
        self.limits.clone()
    }

    /// What the trust list that alone vouches for it names it for; `None` for one that is believed without a list.
    pub fn usages(&self) -> Option<&[Usage]> {
        self.listed.as_ref().map(|listed| listed.usages.as_slice())
    }

    /// Until when the trust list holds that alone vouches for it; `None` for one that is believed without a list.
    pub fn list_end(&self) -> Option<Timestamp> {
        self.listed.as_ref().map(|listed| listed.until)
    }

    /// The name in it, safe to show.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What it may vouch for; `None` for anything.
    pub fn limits(&self) -> Option<&AnchorLimits> {
        self.limits.as_deref()
    }

    /// The certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 of the certificate.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.der).into()
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.anchors).finish()
    }
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchor({})", self.subject)
    }
}
