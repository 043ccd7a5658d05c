//! Trust anchors: the certificates a party believes without being shown why.

use super::AnchorLimits;
use super::certificate::Facts;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, TrustAnchor};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;

/// A set of trust anchors.
///
/// Their own validity periods are not checked: an anchor is believed until it is taken out.
#[derive(Clone, Default)]
pub struct TrustAnchors {
    anchors: Vec<Anchor>,
    webpki: Vec<TrustAnchor<'static>>,
    fingerprint: [u8; 32],
}

/// One trust anchor.
#[derive(Clone)]
pub struct Anchor {
    der: CertificateDer<'static>,
    subject: String,
    /// `None` for an anchor that may vouch for anything.
    limits: Option<Arc<AnchorLimits>>,
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
                new.push((Anchor { der, subject: facts.subject, limits: None }, webpki));
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

    fn take_fingerprint(&mut self) {
        let mut hash = Sha256::new();
        for anchor in &self.anchors {
            hash.update(anchor.sha256());
            if let Some(limits) = &anchor.limits {
                hash.update(limits.fingerprint());
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

    pub(super) fn webpki(&self) -> &[TrustAnchor<'static>] {
        &self.webpki
    }

    /// The limits of the anchor at `place` of [`TrustAnchors::webpki`].
    pub(super) fn limits_at(&self, place: usize) -> Option<Arc<AnchorLimits>> {
        self.anchors.get(place).and_then(|anchor| anchor.limits.clone())
    }

    /// Stands for this set in the key of a cache.
    pub(super) const fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }
}

impl Anchor {
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
