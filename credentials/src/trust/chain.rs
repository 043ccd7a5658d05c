//! A certificate chain: as it came, and verified.

use super::certificate::Facts;
use super::path::Path;
use super::{Anchor, ChainPolicy, TrustAnchors, Usage, VerifiedChain};
use crate::algorithm::SignatureAlgorithms;
use crate::b64;
use crate::key::{P256_INFO, PublicKey};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use schemas::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::{Arc, OnceLock};
use webpki::EndEntityCert;

/// A chain of certificates as it came, leaf first: at least one, at most [`CertificateChain::MOST`].
///
/// Cheap to clone; an issuer keeps one, and what is made of it for every credential is made once.
#[derive(Clone)]
pub struct CertificateChain(Arc<Chain>);

struct Chain {
    ders: Vec<CertificateDer<'static>>,
    /// The protected header of a credential under this chain, base64url.
    credential_header: OnceLock<String>,
    /// The point of the leaf's key, when it is one of P-256.
    leaf_point: OnceLock<Option<[u8; 65]>>,
    sha256: OnceLock<[u8; 32]>,
}

/// Why a chain is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No certificate at all.
    #[error("no certificate")]
    Empty,
    /// More certificates, or longer ones, than are read.
    #[error(
        "more than {} certificates, or one longer than {} bytes",
        CertificateChain::MOST,
        CertificateChain::LONGEST
    )]
    TooLong,
    /// Not base64 or PEM of a certificate, or one that breaks RFC 5280.
    #[error("a certificate cannot be read")]
    BadCertificate,
    /// A certificate that is not followed by the one that made it.
    #[error("the certificates are not a chain from the leaf upwards")]
    NotAChain,
    /// A leaf that vouches for itself.
    #[error("the leaf certificate is self-signed")]
    SelfSigned,
    /// A leaf or an authority that says what it is for, and not this; or a leaf that must say it and does not.
    #[error("a certificate is not for this usage")]
    WrongUsage,
    /// A certificate after its time.
    #[error("a certificate has expired")]
    Expired,
    /// A certificate before its time.
    #[error("a certificate is not yet valid")]
    NotYetValid,
    /// A certificate that may not sign others has signed one, or an authority's stands as the leaf.
    #[error("a certificate authority was expected where none is, or the reverse")]
    Authority,
    /// A chain longer than an authority allows below itself.
    #[error("the chain is longer than one of its authorities allows")]
    PathLength,
    /// A name that an authority may not vouch for.
    #[error("a name in the leaf is outside what one of its authorities may name")]
    NameConstraint,
    /// A certificate whose signature is not its issuer's, or made with another algorithm than ECDSA on P-256 or P-384, or
    /// Ed25519 where the caller accepts it.
    #[error("the signature of a certificate does not verify")]
    Signature,
    /// A leaf whose key is for none of the algorithms that the caller accepts: one of P-256 unless it names more.
    #[error("the key of the leaf certificate is not for an algorithm that is accepted")]
    LeafKey,
    /// A chain that is in order and ends at nobody we know.
    #[error("the chain ends at no trust anchor")]
    UnknownIssuer,
    /// A chain that ends at an anchor which only a trust list vouched for whose time is over.
    #[error("the trust list that names the anchor of the chain ended at {ended}")]
    ListEnded {
        /// When it ended.
        ended: Timestamp,
    },
    /// The anchor itself stands in the chain, where the profile wants it left out.
    #[error("the trust anchor itself stands among the certificates")]
    AnchorInside,
    /// Something else that path validation does not accept, such as a critical extension it does not know.
    #[error("the chain is not acceptable")]
    Unacceptable,
}

impl ChainError {
    /// Whether a clock that is wrong could be the reason.
    pub const fn is_about_time(&self) -> bool {
        matches!(self, Self::Expired | Self::NotYetValid | Self::ListEnded { .. })
    }
}

impl CertificateChain {
    /// The most certificates in a chain.
    pub const MOST: usize = 5;
    /// The most bytes in a certificate.
    pub const LONGEST: usize = 8 * 1024;

    /// From DER, leaf first.
    ///
    /// # Errors
    /// [`ChainError::Empty`], [`ChainError::TooLong`]. The certificates are not read yet.
    pub fn from_der(ders: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, ChainError> {
        let mut chain = Vec::new();
        for der in ders {
            if chain.len() == Self::MOST || der.len() > Self::LONGEST {
                return Err(ChainError::TooLong);
            }
            chain.push(CertificateDer::from(der));
        }
        if chain.is_empty() {
            return Err(ChainError::Empty);
        }
        Ok(Self(Arc::new(Chain {
            ders: chain,
            credential_header: OnceLock::new(),
            leaf_point: OnceLock::new(),
            sha256: OnceLock::new(),
        })))
    }

    /// From the texts of an `x5c` header.
    ///
    /// # Errors
    /// As [`CertificateChain::from_der`], and [`ChainError::BadCertificate`] for what is not base64.
    ///
    /// # Source
    /// RFC 7515 §4.1.6.
    pub fn from_x5c(texts: &[String]) -> Result<Self, ChainError> {
        Self::from_texts(texts.len(), texts.iter().map(|text| Some(text.as_str())))
    }

    pub(crate) fn from_values(values: &[Value]) -> Result<Self, ChainError> {
        Self::from_texts(values.len(), values.iter().map(Value::as_str))
    }

    fn from_texts<'t>(len: usize, texts: impl Iterator<Item = Option<&'t str>>) -> Result<Self, ChainError> {
        if len > Self::MOST {
            return Err(ChainError::TooLong);
        }
        let ders: Vec<Vec<u8>> = texts
            .map(|text| {
                b64::decode_standard(text.ok_or(ChainError::BadCertificate)?).map_err(|_| ChainError::BadCertificate)
            })
            .collect::<Result<_, _>>()?;
        Self::from_der(ders)
    }

    /// From PEM, leaf first.
    ///
    /// # Errors
    /// As [`CertificateChain::from_x5c`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, ChainError> {
        let ders: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| ChainError::BadCertificate)?;
        Self::from_der(ders.into_iter().map(|der| der.as_ref().to_vec()))
    }

    /// The texts of an `x5c` header.
    pub fn to_x5c(&self) -> Vec<String> {
        self.0.ders.iter().map(|der| b64::encode_standard(der)).collect()
    }

    /// The leaf, DER.
    pub fn leaf(&self) -> &[u8] {
        self.0.ders.first().map_or(&[], AsRef::as_ref)
    }

    /// Whether the leaf certifies `key`.
    pub(crate) fn leaf_is_of(&self, key: &PublicKey) -> bool {
        let point = self.0.leaf_point.get_or_init(|| {
            let der = CertificateDer::from(self.leaf());
            let info = EndEntityCert::try_from(&der).ok()?.subject_public_key_info();
            info.strip_prefix(&P256_INFO[..])?.try_into().ok()
        });
        *point == Some(key.to_sec1())
    }

    /// A digest that stands for the certificates and their order; computed the first time.
    pub(super) fn sha256(&self) -> [u8; 32] {
        *self.0.sha256.get_or_init(|| {
            let mut hash = Sha256::new();
            for der in self.iter() {
                hash.update(der.len().to_be_bytes());
                hash.update(der);
            }
            hash.finalize().into()
        })
    }

    /// `header` of this chain, base64url; computed the first time.
    pub(crate) fn credential_header(&self, header: impl FnOnce(&Self) -> String) -> &str {
        self.0.credential_header.get_or_init(|| header(self))
    }

    /// The certificates, DER, leaf first.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.ders.iter().map(AsRef::as_ref)
    }

    /// Verifies the chain up to one of `anchors`.
    ///
    /// # Errors
    /// [`ChainError`]; [`ChainError::UnknownIssuer`] when it is in order otherwise.
    ///
    /// Every certificate above the leaf lies on the path that is verified; the last may be the anchor's own.
    ///
    /// # Source
    /// RFC 5280 §6.1; SD-JWT VC §2.5; HAIP 1.0 §6.1.1 refuses self-signed leaves.
    pub fn verify(&self, anchors: &TrustAnchors, usage: Usage, now: Timestamp) -> Result<VerifiedChain, ChainError> {
        ChainPolicy::known_only(anchors).verify(self, usage, now)
    }

    /// As [`CertificateChain::verify`], and refuses a chain in which an anchor itself stands.
    ///
    /// # Errors
    /// [`ChainError`].
    ///
    /// # Source
    /// HAIP 1.0 §4.4.1, §4.5.1: "The X.509 certificate of the trust anchor MUST NOT be included".
    pub fn verify_below(
        &self,
        anchors: &TrustAnchors,
        usage: Usage,
        now: Timestamp,
    ) -> Result<VerifiedChain, ChainError> {
        let verified = self.verify(anchors, usage, now)?;
        let holds_anchor = self.iter().any(|der| anchors.iter().any(|anchor| anchor.der() == der));
        if holds_anchor { Err(ChainError::AnchorInside) } else { Ok(verified) }
    }

    /// Verifies the chain; when all of it is in order but it ends at no anchor, says so instead of refusing.
    ///
    /// # Errors
    /// [`ChainError`], never [`ChainError::UnknownIssuer`].
    pub fn verify_or_unknown(
        &self,
        anchors: &TrustAnchors,
        usage: Usage,
        now: Timestamp,
    ) -> Result<VerifiedChain, ChainError> {
        ChainPolicy::unknown_allowed(anchors).verify(self, usage, now)
    }

    /// Everything but whether strangers are let through.
    pub(super) fn check(
        &self,
        anchors: &TrustAnchors,
        algorithms: SignatureAlgorithms,
        usage: Usage,
        now: Timestamp,
    ) -> Result<VerifiedChain, ChainError> {
        let facts = self.0.ders.iter().map(|der| Facts::read(der)).collect::<Result<Vec<_>, _>>()?;
        check_order(&facts, usage)?;
        let for_usage = anchors.for_usage(usage);
        let path = Path { ders: &self.0.ders, algorithms, usage, now };
        let anchor = match path.check(for_usage.webpki(), |place| for_usage.anchor(place).map(Anchor::der)) {
            Ok(place) => Some(for_usage.both(place).ok_or(ChainError::Unacceptable)?),
            Err(ChainError::UnknownIssuer) => {
                path.check_without_anchor(&facts)?;
                None
            }
            Err(error) => return Err(error),
        };
        let verified = VerifiedChain::new(self, facts, anchor)?;
        if algorithms.contains(verified.leaf_key().algorithm()) { Ok(verified) } else { Err(ChainError::LeafKey) }
    }
}

/// What path validation leaves out: each certificate is followed by its issuer's, the leaf is somebody else's word, and
/// keys are used for what they are for.
fn check_order(facts: &[Facts], usage: Usage) -> Result<(), ChainError> {
    let (leaf, above) = facts.split_first().ok_or(ChainError::Empty)?;
    if leaf.is_self_issued {
        return Err(ChainError::SelfSigned);
    }
    if !leaf.signs_data || !leaf.allows(usage, true) {
        return Err(ChainError::WrongUsage);
    }
    if above.iter().any(|authority| !authority.signs_certificates) {
        return Err(ChainError::Authority);
    }
    let in_order = facts.iter().zip(above).all(|(below, above)| below.names_match.issuer == above.names_match.subject);
    if in_order { Ok(()) } else { Err(ChainError::NotAChain) }
}

impl PartialEq for CertificateChain {
    fn eq(&self, other: &Self) -> bool {
        self.0.ders == other.0.ders
    }
}

impl Eq for CertificateChain {}

impl fmt::Debug for CertificateChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateChain({} certificates)", self.0.ders.len())
    }
}

#[cfg(test)]
mod tests;
