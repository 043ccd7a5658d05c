//! The path from the leaf of a chain to an anchor: what `rustls-webpki` checks, over every certificate that came.

use super::certificate::Facts;
use super::{ChainError, Usage};
use crate::algorithm::{SignatureAlgorithm, SignatureAlgorithms};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use schemas::Timestamp;
use std::ptr;
use std::time::Duration;
use webpki::aws_lc_rs as algorithms;
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

/// The certificates of a chain, and what is asked of them.
#[derive(Clone, Copy)]
pub(super) struct Path<'c> {
    /// Leaf first.
    pub(super) ders: &'c [CertificateDer<'static>],
    pub(super) algorithms: SignatureAlgorithms,
    pub(super) usage: Usage,
    pub(super) now: Timestamp,
}

impl Path<'_> {
    /// Gives the place of the anchor at which the path ends; `der_of` gives the certificate of the anchor at a place.
    ///
    /// The search would be content with the first anchor that fits, and never open what came beside the path it found. Certificates
    /// that stand outside what was signed could then be added by anybody, and would count as facts of the chain. So a path is one
    /// only when it takes all of them, in their order; the last may be the anchor itself.
    ///
    /// # Source
    /// RFC 5280 §6.1.1 (a): the path is all of the certificates.
    pub(super) fn check<'d>(
        &self,
        anchors: &[TrustAnchor<'_>],
        der_of: impl Fn(usize) -> Option<&'d [u8]>,
    ) -> Result<usize, ChainError> {
        let (leaf, above) = self.ders.split_first().ok_or(ChainError::Empty)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|error| refusal(&error))?;
        let time = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(self.now.unix()).unwrap_or(0)));
        let ed25519 = self.algorithms.contains(SignatureAlgorithm::Ed25519);
        let signatures = if ed25519 { SIGNATURES } else { SIGNATURES_ECDSA };
        let place_of = |anchor: &TrustAnchor<'_>| anchors.iter().position(|other| ptr::eq(anchor, other));
        let takes_all = |path: &VerifiedPath<'_>| {
            let mut left = above.iter();
            let in_order = path.intermediate_certificates().all(|taken| left.next() == Some(&taken.der()));
            let is_all = match left.as_slice() {
                [] => true,
                [last] => place_of(path.anchor()).and_then(&der_of) == Some(last.as_ref()),
                _ => false,
            };
            if in_order && is_all { Ok(()) } else { Err(webpki::Error::UnknownIssuer) }
        };
        let path = leaf
            .verify_for_usage(signatures, anchors, above, time, Purpose(self.usage), None, Some(&takes_all))
            .map_err(|error| refusal(&error))?;
        place_of(path.anchor()).ok_or(ChainError::Unacceptable)
    }

    /// The same checks as with an anchor, with the last certificate in its place.
    pub(super) fn check_without_anchor(&self, facts: &[Facts]) -> Result<(), ChainError> {
        let (Some((last, below)), Some(last_der)) = (facts.split_last(), self.ders.last()) else {
            return Err(ChainError::Empty);
        };
        last.check_time(self.now)?;
        if !last.allows(self.usage, below.is_empty()) {
            return Err(ChainError::WrongUsage);
        }
        if last.is_authority == below.is_empty() {
            return Err(ChainError::Authority);
        }
        if below.is_empty() {
            return Ok(());
        }
        if last.path_length.is_some_and(|most| below.len() - 1 > usize::from(most)) {
            return Err(ChainError::PathLength);
        }
        let anchor = webpki::anchor_from_trusted_cert(last_der).map_err(|error| refusal(&error))?;
        self.check(&[anchor], |_| Some(last_der)).map(drop)
    }
}

/// A certificate that carries usages at all must carry this one.
struct Purpose(Usage);

impl webpki::ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, present: webpki::KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        // Which leaf must carry it is seen to in `check_order`: this validator is not told whose usages it is shown.
        KeyUsage::required_if_present(self.0.der()).validate(present)
    }
}

/// Ed25519 stands last: it is left off where the caller does not name it.
const SIGNATURES: &[&dyn SignatureVerificationAlgorithm] = &[
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
    algorithms::ED25519,
];

const SIGNATURES_ECDSA: &[&dyn SignatureVerificationAlgorithm] = SIGNATURES.split_at(4).0;

fn refusal(error: &webpki::Error) -> ChainError {
    use webpki::Error as E;
    match error {
        E::UnknownIssuer => ChainError::UnknownIssuer,
        E::CertExpired { .. } => ChainError::Expired,
        E::CertNotValidYet { .. } => ChainError::NotYetValid,
        E::CaUsedAsEndEntity | E::EndEntityUsedAsCa => ChainError::Authority,
        E::PathLenConstraintViolated | E::MaximumPathDepthExceeded => ChainError::PathLength,
        E::NameConstraintViolation => ChainError::NameConstraint,
        E::RequiredEkuNotFoundContext(_) | E::EmptyEkuExtension => ChainError::WrongUsage,
        E::InvalidSignatureForPublicKey
        | E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => ChainError::Signature,
        E::BadDer | E::BadDerTime | E::InvalidCertValidity | E::InvalidSerialNumber | E::TrailingData(_) => {
            ChainError::BadCertificate
        }
        _ => ChainError::Unacceptable,
    }
}
