//! Step 10: what the holder granted, and on which terms the answer is kept.

use super::held::HeldCredential;
use super::{Complete, Held, Presentation, VerifyError};
use crate::guarded::{Guarded, KeyEncryptionKey, SealError, Terms};
use crate::policy::ConsentMode;
use credentials::consent::{AgreedConsent, check_grant, check_mdoc_grant};
use rand_core::CryptoRng;
use schemas::Timestamp;

/// An answer that passed every check, with the terms on which it may be kept.
///
/// Only the checks make one:
///
/// ```compile_fail,E0451
/// use verifier::verification::{Held, VerifiedPresentation};
/// fn forge(held: Held, terms: verifier::guarded::Terms) -> VerifiedPresentation {
///     VerifiedPresentation { held, terms, consent: None }
/// }
/// ```
#[derive(Debug)]
pub struct VerifiedPresentation {
    held: Held,
    terms: Terms,
    consent: Option<AgreedConsent>,
}

impl Complete {
    /// Checks step 11.
    ///
    /// Everything disclosed in the whole answer must be covered by the one grant, whichever credential carries it. Not
    /// checked, because it needs a store: that no other answer came with the same consent identifier.
    ///
    /// # Errors
    /// [`VerifyError::ConsentMissing`], [`VerifyError::SeveralConsents`], [`VerifyError::UnaskedConsent`],
    /// [`VerifyError::Consent`].
    ///
    /// # Source
    /// `security.md` §4.1 "Verifier check order"; OpenID4VP 1.0 §8.4, §B.3.3.1, §B.2.1.
    pub fn check_consent(self, now: Timestamp) -> Result<VerifiedPresentation, VerifyError> {
        let authenticated = &self.0.authenticated;
        let transaction = &authenticated.transaction;
        let inquiry = transaction.inquiry();
        let received = authenticated.received;
        let mut granting = authenticated.presented.iter().filter(|answering| answering.presentation.has_consent());
        let consent = match (granting.next(), granting.next(), transaction.proposal()) {
            (Some(_), Some(_), _) => return Err(VerifyError::SeveralConsents),
            (Some(_), None, None) => return Err(VerifyError::UnaskedConsent),
            (Some(answering), None, Some(proposal)) => {
                let disclosed = authenticated.disclosed();
                let own = transaction.client_id();
                let agreed = match &answering.presentation {
                    Presentation::SdJwtVc(credential) => {
                        check_grant(credential.key_binding(), proposal, own, &disclosed, received, now)
                    }
                    Presentation::Mdoc(document) => {
                        check_mdoc_grant(document, proposal, own, &disclosed, received, now)
                    }
                };
                let agreed = agreed.map_err(VerifyError::Consent)?;
                Some(agreed)
            }
            (None, _, _) if inquiry.consent() == ConsentMode::Required => return Err(VerifyError::ConsentMissing),
            (None, _, _) => None,
        };
        let id = transaction.id().clone();
        let terms = match &consent {
            Some(agreed) => Terms::granted(
                id,
                agreed.purposes().to_vec(),
                received,
                agreed.ends_at(),
                agreed.retention(),
                agreed.uses(),
            ),
            None => Terms::own_limit(id, inquiry.purpose(), received, inquiry.retention()),
        };
        let Self(current) = self;
        let credentials = current
            .authenticated
            .presented
            .iter()
            .zip(current.findings)
            .map(|(answering, finding)| HeldCredential::of(&answering.query, &answering.presentation, finding, now))
            .collect();
        Ok(VerifiedPresentation { held: Held { credentials }, terms, consent })
    }
}

impl VerifiedPresentation {
    /// The terms on which it may be kept.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The consent; `None` when the verifier's own limit holds.
    pub const fn consent(&self) -> Option<&AgreedConsent> {
        self.consent.as_ref()
    }

    /// What was presented. To keep it, put it under guard.
    pub const fn held(&self) -> &Held {
        &self.held
    }

    /// Puts it under guard of its terms.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn guard<R: CryptoRng + ?Sized>(self, key: &KeyEncryptionKey, rng: &mut R) -> Result<Guarded<Held>, SealError> {
        Guarded::seal(&self.held, self.terms, key, rng)
    }
}
