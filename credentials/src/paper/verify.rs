//! Verifying what stands on a paper: the checks of any presentation, and a consent that the holder signed for any reader.

use super::PaperIn;
use crate::consent::{AgreedConsent, ConsentError, ProposedConsent, check_grant};
use crate::dcql::presented_leaves;
use crate::sd_jwt::{Expected, PresentedCredential, VerifyError, verify_presented};
use crate::trust::ChainPolicy;
use schemas::consent::{CONSENT_REQUEST_TYPE, ConsentRequest, Controller, PurposeRequest};
use schemas::purpose::Purpose;
use schemas::{ClaimPath, Seconds, Timestamp};

/// The audience of a paper: whoever reads it. No verifier that asks over a network has this name, so that neither a paper can
/// be sent as an answer nor an answer be printed as a paper.
pub const PAPER_AUDIENCE: &str = "urn:amparo:paper:1";

/// The longest that a paper may hold, whatever its purpose would allow: it cannot be taken back.
pub const LONGEST: Seconds = Seconds::DAY.times(30);

/// Why a paper is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaperRefused {
    /// The presentation.
    #[error(transparent)]
    Presentation(#[from] VerifyError),
    /// The consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// Made to hold longer than any paper may.
    #[error("the paper was made to hold longer than a paper may")]
    TooLong,
}

/// A paper that passed every check. What it says of the person who shows it, only the portrait in it tells.
#[derive(Debug, Clone)]
pub struct VerifiedPaper {
    credential: PresentedCredential,
    consent: AgreedConsent,
}

impl VerifiedPaper {
    /// What is shown.
    pub const fn credential(&self) -> &PresentedCredential {
        &self.credential
    }

    /// What the holder agreed to: what for, and until when.
    pub const fn consent(&self) -> &AgreedConsent {
        &self.consent
    }
}

/// What the holder agrees to with a paper, written by the holder's own wallet: `claims` for `purposes`, until `ends_at`, and to
/// be kept no longer.
///
/// # Errors
/// [`ConsentError`] when these make no proposal.
pub fn proposal(
    purposes: &[Purpose],
    claims: &[ClaimPath],
    now: Timestamp,
    ends_at: Timestamp,
) -> Result<ProposedConsent, ConsentError> {
    ProposedConsent::write(&ConsentRequest {
        type_: CONSENT_REQUEST_TYPE.to_owned(),
        credential_ids: vec!["paper".to_owned()],
        transaction_data_hashes_alg: None,
        controller: Controller { client_id: PAPER_AUDIENCE.to_owned(), name: "paper".to_owned(), contact: None },
        purposes: purposes
            .iter()
            .map(|purpose| PurposeRequest { code: *purpose, dpv: None, claims: claims.to_vec(), necessity: None })
            .collect(),
        retention: ends_at.since(now).iso8601(),
        onward: Vec::new(),
        not_after: ends_at,
        lang: None,
    })
}

impl PaperIn {
    /// Verifies the paper as any presentation is verified, and its consent at the time of reading.
    ///
    /// The status is not looked up here: see [`PresentedCredential::status`].
    ///
    /// # Errors
    /// [`PaperRefused`].
    ///
    /// # Source
    /// RFC 9901 §7.3; `security.md` §4.1.
    pub fn verify(&self, issuers: ChainPolicy<'_>, now: Timestamp) -> Result<VerifiedPaper, PaperRefused> {
        let mut expected = Expected::new(issuers, PAPER_AUDIENCE, &self.nonce, now);
        // It is the consent that ends a paper, and it ends within this.
        expected.key_binding_age = LONGEST;
        let credential = verify_presented(&self.presentation, &expected)?;
        let disclosed = presented_leaves(&credential);
        let consent = check_grant(credential.key_binding(), &self.proposal, PAPER_AUDIENCE, &disclosed, now, now)?;
        if consent.grant().exp.since(consent.grant().nbf) > LONGEST {
            return Err(PaperRefused::TooLong);
        }
        Ok(VerifiedPaper { credential, consent })
    }
}
