//! What an issuer delivered: first unverified, then verified, then confirmed by the person, then kept.

use super::arrived::{Arrived, VerifiedBatch, VerifiedCopy};
use super::deferred::Deferred;
use super::error::IssuanceError;
use super::notice::Notices;
use super::offered::Kind;
use super::renewal::Renewal;
use super::sameness::say_the_same;
use crate::holdings::{Credential, Format};
use credentials::algorithm::SignatureAlgorithms;
use credentials::b64;
use credentials::mdoc;
use credentials::sd_jwt;
use credentials::signer::{Signer, SoftwareKey};
use credentials::trust::{ChainCache, ChainPolicy, TrustAnchors};
use schemas::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// Copies as they came. Nothing in them is believed yet.
pub struct Delivered {
    issuer: String,
    batches: Vec<Batch>,
    notices: Notices,
    later: Option<Deferred>,
    renewal: Option<Renewal>,
}

/// The answer to one credential request.
pub(super) struct Batch {
    pub(super) kind: Kind,
    pub(super) keys: Vec<SoftwareKey>,
    pub(super) texts: Vec<Zeroizing<String>>,
    /// Under which name the issuer wants to hear of them.
    pub(super) notification_id: Option<String>,
}

impl Delivered {
    pub(super) fn new(issuer: String, batches: Vec<Batch>, mut notices: Notices) -> Self {
        batches.iter().for_each(|batch| notices.add(batch.notification_id.as_deref()));
        Self { issuer, batches, notices, later: None, renewal: None }
    }

    pub(super) fn and_later(self, promise: Deferred) -> Self {
        Self { later: Some(promise), ..self }
    }

    pub(super) fn and_renewal(self, renewal: Option<Renewal>) -> Self {
        Self { renewal, ..self }
    }

    /// Takes out what the issuer promised for later. Keep it, or it is lost.
    pub const fn take_deferred(&mut self) -> Option<Deferred> {
        self.later.take()
    }

    /// Whether nothing came.
    pub const fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// What the issuer wants to hear of it, once it is kept or was found unusable.
    pub fn notices(&self) -> Notices {
        self.notices.clone()
    }

    /// Verifies every copy, as strictly as a verifier would: signature and certificates, time, no key binding yet, the
    /// type that was offered, and a key of ours that no other copy has. And that all copies say the same.
    ///
    /// An issuer that leads to no trust anchor is let through: [`Summary::trust`] says so.
    ///
    /// # Errors
    /// [`IssuanceError`]; one bad copy spoils the batch.
    ///
    /// # Source
    /// RFC 9901 §7.1, SD-JWT VC §2.4; ISO/IEC 18013-5 §9.3.1, OpenID4VCI 1.0 §A.2.4; §8.3 ("each key … to bind to, at most, one Credential").
    pub fn verify(self, anchors: &TrustAnchors, now: Timestamp) -> Result<Arrived, IssuanceError> {
        let cache = ChainCache::new();
        let policy = ChainPolicy::unknown_allowed(anchors).with_cache(&cache);
        let batches: Vec<VerifiedBatch> =
            self.batches.into_iter().map(|batch| batch.verify(&policy, now)).collect::<Result<_, _>>()?;
        let mut digest = Sha256::new();
        for copy in batches.iter().flat_map(|batch| &batch.copies) {
            digest.update(Sha256::digest(copy.credential.as_bytes()));
        }
        Ok(Arrived {
            issuer: self.issuer,
            batches,
            digest: digest.finalize().into(),
            renewal: self.renewal,
            fetched: BTreeMap::new(),
        })
    }
}

impl Batch {
    fn verify(self, policy: &ChainPolicy<'_>, now: Timestamp) -> Result<VerifiedBatch, IssuanceError> {
        let Self { kind, mut keys, texts, notification_id: _ } = self;
        let mut copies: Vec<VerifiedCopy> = Vec::with_capacity(texts.len());
        for text in texts {
            let credential = verify(kind.format, &text, policy, now)?;
            if credential.type_id() != kind.type_id {
                return Err(IssuanceError::WrongType);
            }
            // Taken out of the list: a second copy for the same key finds none.
            let bound_to = match &credential {
                Credential::SdJwtVc(credential) => credential.confirmation_key(),
                Credential::Mdoc(document) => document.device_key(),
            };
            let at = keys.iter().position(|key| key.public_key() == bound_to).ok_or(IssuanceError::WrongKey)?;
            let key = keys.remove(at);
            if copies.first().is_some_and(|first| !say_the_same(&first.credential, &credential)) {
                return Err(IssuanceError::Unlike);
            }
            copies.push(VerifiedCopy { credential, key });
        }
        Ok(VerifiedBatch { kind, copies })
    }
}

/// Verifies one copy as it stands in the credential response.
fn verify(format: Format, text: &str, policy: &ChainPolicy<'_>, now: Timestamp) -> Result<Credential, IssuanceError> {
    match format {
        // Whatever we can check: which verifier takes it is that verifier's to say.
        Format::SdJwtVc => sd_jwt::verify_issued(text, &policy.with_algorithms(SignatureAlgorithms::ALL), now)
            .map(|credential| Credential::SdJwtVc(Box::new(credential)))
            .map_err(IssuanceError::Copy),
        Format::Mdoc => {
            let bytes = b64::decode(text).map_err(|_| IssuanceError::DocumentEncoding)?;
            let document = mdoc::verify_issued(&bytes, policy, now).map_err(IssuanceError::Document)?;
            Ok(Credential::Mdoc(Box::new(document)))
        }
    }
}

/// Claims of a person are in it.
impl fmt::Debug for Delivered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, batches: _, notices: _, later: _, renewal: _ } = self;
        f.debug_struct("Delivered").field("issuer", issuer).finish_non_exhaustive()
    }
}
