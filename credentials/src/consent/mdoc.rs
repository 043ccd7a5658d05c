//! Consent in an mdoc: the grant as an element that the device key signs.

use super::check::{AgreedConsent, Signed, check_signed};
use super::{ConsentError, ProposedConsent};
use crate::json::{Limits, parse};
use crate::mdoc::{Elements, KeyAuthorizations, PresentedMdoc};
use schemas::consent::Grant;
use schemas::mdoc::{CONSENT_NAME_SPACE, GRANT, PRESENCE, PRESENCE_NAME_SPACE};
use schemas::{ClaimPath, Timestamp};

/// The grant as what the holder says for itself: its JSON, as bytes.
///
/// # Source
/// `security.md` §4.1; OpenID4VP 1.0 Annex B.2.1 "Transaction Data": a data element for each type of it.
pub fn grant_elements(grant: &Grant) -> Elements {
    let mut elements = Elements::new();
    // A grant has texts and numbers only: writing it does not fail.
    if let Ok(json) = serde_json::to_vec(grant) {
        elements.insert(CONSENT_NAME_SPACE, GRANT, json);
    }
    elements
}

/// What our issuers let every device key say: the holder's consent, and the wallet's word on the holder's presence.
///
/// # Source
/// ISO/IEC 18013-5 §9.1.2.4 `KeyAuthorizations`; `security.md` §3.3, §4.1.
pub fn holder_authorizations() -> KeyAuthorizations {
    let consent = KeyAuthorizations::new().with_element(CONSENT_NAME_SPACE, GRANT);
    PRESENCE.iter().fold(consent, |allowed, element| allowed.with_element(PRESENCE_NAME_SPACE, element))
}

/// Checks the grant in a verified mdoc presentation against the proposal that this verifier made, as
/// [`super::check_grant`] does for SD-JWT VC.
///
/// `own_client_id` must be the one in the session transcript that the presentation was verified with: the transcript is
/// what binds it to this verifier. The grant names the proposal by its hash, and the device key signs the grant. `others` is
/// what the other presentations of the same answer disclosed under this proposal.
///
/// # Errors
/// [`ConsentError`], its second group, in that order; [`ConsentError::Grant`] for an element that is no grant.
///
/// # Source
/// `security.md` §4.1 "Verifier check order"; OpenID4VP 1.0 Annex B.2.1.
pub fn check_mdoc_grant(
    presented: &PresentedMdoc,
    proposal: &ProposedConsent,
    own_client_id: &str,
    others: &[ClaimPath],
    received: Timestamp,
    now: Timestamp,
) -> Result<AgreedConsent, ConsentError> {
    let element = presented.own_elements().get(CONSENT_NAME_SPACE, GRANT).ok_or(ConsentError::NoGrant)?;
    let bytes = element.as_bytes().ok_or(ConsentError::Grant("grant"))?;
    let json = parse(bytes, &Limits::TOKEN)?;
    let grant: Grant = serde_json::from_value(json).map_err(|_| ConsentError::Grant("grant"))?;
    let hashes = [grant.req.clone()];
    let signed = Signed {
        grant: Some(&grant),
        transaction_data_hashes: Some(&hashes),
        transaction_data_hashes_alg: None,
        audience: own_client_id,
    };
    let disclosed: Vec<ClaimPath> = presented.disclosed_paths().into_iter().chain(others.iter().cloned()).collect();
    check_signed(&signed, proposal, own_client_id, &disclosed, received, now)
}
