//! Steps 1 to 8: whose credential it is, and who presents it.

use super::{Presentation, Presentations, VerifyError};
use crate::policy::UnknownStatus;
use crate::transaction::Transaction;
use crate::type_rules::TypeRules;
use credentials::b64;
use credentials::key_agreement::KeyAgreement;
use credentials::mdoc::{self, SessionTranscript};
use credentials::sd_jwt::{self, Expected};
use credentials::trust::{ChainCache, ChainPolicy, PublishedIssuers, TrustAnchors};
use schemas::dcql::CredentialQuery;
use schemas::status::StatusReference;
use schemas::{ClaimPath, Timestamp};
use std::collections::BTreeSet;

/// What verification takes for granted.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The issuers that are believed.
    pub anchors: &'a TrustAnchors,
    /// What stands for this transaction in an mdoc presentation: [`Transaction::session_transcript`].
    pub transcript: &'a SessionTranscript,
    /// Issuers that are believed by the keys which they publish under their names, fetched beforehand.
    pub published: Option<&'a PublishedIssuers>,
    /// What types demand of their credentials.
    pub types: &'a TypeRules,
    /// Chains verified before.
    pub chains: Option<&'a ChainCache>,
    /// The time: the effective time of [`crate::time_floor::TimeFloor::judge`].
    pub now: Timestamp,
}

/// Presentations that hold: signed by known issuers, presented by their holders, for this transaction.
#[derive(Debug)]
pub struct Authenticated {
    pub(super) transaction: Transaction,
    pub(super) received: Timestamp,
    pub(super) presented: Vec<Answering>,
}

/// One presentation, and the question it answers.
#[derive(Debug)]
pub(super) struct Answering {
    pub(super) query: String,
    /// The type that was asked for and that it has: its own, or one that its issuer says it is as well.
    pub(super) type_name: String,
    pub(super) presentation: Presentation,
}

/// Checks steps 1 to 8 of every presentation. The transaction is spent by it: whatever comes out, it cannot be answered again.
///
/// ```compile_fail,E0382
/// use verifier::{answer::Presentations, transaction::Transaction, verification::{Surroundings, authenticate}};
/// fn twice(transaction: Transaction, answer: &Presentations, around: &Surroundings<'_>) {
///     let _ = authenticate(transaction, answer, around);
///     let _ = authenticate(transaction, answer, around);
/// }
/// ```
///
/// # Errors
/// [`VerifyError::NotAsked`], [`VerifyError::Presentation`], [`VerifyError::Document`], [`VerifyError::Type`].
///
/// # Source
/// OpenID4VP 1.0 §8.6 "VP Token Validation" step 2, §B.2.5; RFC 9901 §7.3; ISO/IEC 18013-5 §9.3.1.
pub fn authenticate(
    transaction: Transaction,
    presentations: &Presentations,
    surroundings: &Surroundings<'_>,
) -> Result<Authenticated, VerifyError> {
    let mut presented = Vec::new();
    for (id, text) in presentations.iter() {
        let asked = transaction.inquiry().query().credential(id).ok_or(VerifyError::NotAsked)?;
        presented.push(if asked.format == mdoc::FORMAT {
            document(asked, text, &transaction, surroundings)?
        } else {
            credential(asked, text, &transaction, surroundings)?
        });
    }
    Ok(Authenticated { received: surroundings.now, presented, transaction })
}

impl Surroundings<'_> {
    /// Whom to believe. An issuer that only an ended trust list names is one where the transaction takes what is not known: what
    /// follows from it is step 9's.
    fn policy(&self, unknown: UnknownStatus) -> ChainPolicy<'_> {
        let policy = ChainPolicy::known_only(self.anchors);
        let policy = if unknown == UnknownStatus::Accept { policy.with_ended_lists() } else { policy };
        let policy = self.chains.map_or(policy, |cache| policy.with_cache(cache));
        self.published.map_or(policy, |published| policy.with_published(published))
    }
}

fn credential(
    asked: &CredentialQuery,
    text: &str,
    transaction: &Transaction,
    surroundings: &Surroundings<'_>,
) -> Result<Answering, VerifyError> {
    let (audience, nonce) = (transaction.client_id(), transaction.nonce().expose());
    let types: &[String] = asked.meta.vct_values.as_deref().unwrap_or_default();
    let policy = surroundings.policy(transaction.inquiry().unknown_status());
    let policy = policy.with_algorithms(transaction.inquiry().issuer_algorithms().set());
    let expected = Expected::new(policy, audience, nonce, surroundings.now).with_types(types);
    let credential = sd_jwt::verify_presented(text, &expected)
        .map_err(|source| VerifyError::Presentation { query: asked.id.clone(), source })?;
    surroundings.types.check(&credential).map_err(|source| VerifyError::Type { query: asked.id.clone(), source })?;
    let type_name =
        types.iter().find(|vct| credential.is_of_type(vct)).map_or(credential.vct(), String::as_str).to_owned();
    Ok(Answering { query: asked.id.clone(), type_name, presentation: Presentation::SdJwtVc(Box::new(credential)) })
}

fn document(
    asked: &CredentialQuery,
    text: &str,
    transaction: &Transaction,
    surroundings: &Surroundings<'_>,
) -> Result<Answering, VerifyError> {
    let bytes = b64::decode(text).map_err(|_| VerifyError::NotBase64 { query: asked.id.clone() })?;
    let types: &[String] = asked.meta.doctype_value.as_slice();
    let policy = surroundings.policy(transaction.inquiry().unknown_status());
    let expected = mdoc::Expected::new(policy, surroundings.transcript, surroundings.now).with_types(types);
    let document = mdoc::verify_presented(&bytes, &expected)
        .map_err(|source| VerifyError::Document { query: asked.id.clone(), source })?;
    let type_name = document.doc_type().to_owned();
    Ok(Answering { query: asked.id.clone(), type_name, presentation: Presentation::Mdoc(Box::new(document)) })
}

/// The same for the one response of a holder who stands beside the verifier: its documents answer the queries for their types.
/// `key` is the verifier's own key of the session, for which a MAC may be made; the session transcript stands for verifier,
/// nonce and time.
///
/// # Errors
/// [`VerifyError::Response`], [`VerifyError::NotAsked`]; [`VerifyError::Nothing`] when there are none.
///
/// # Source
/// ISO/IEC 18013-5 §9.3.1, §9.1.3.5, §9.1.5.1.
pub fn authenticate_in_person(
    transaction: Transaction,
    response: &[u8],
    surroundings: &Surroundings<'_>,
    key: &dyn KeyAgreement,
) -> Result<Authenticated, VerifyError> {
    let policy = surroundings.policy(transaction.inquiry().unknown_status());
    let expected = mdoc::Expected::new(policy, surroundings.transcript, surroundings.now);
    let response = mdoc::verify_response(response, &expected.with_mac_key(key)).map_err(VerifyError::Response)?;
    if response.documents.is_empty() {
        return Err(VerifyError::Nothing);
    }
    let queries = transaction.inquiry().query().credentials();
    let answering = |document: mdoc::PresentedMdoc| {
        let is_asked = |asked: &&CredentialQuery| asked.meta.doctype_value.as_deref() == Some(document.doc_type());
        let asked = queries.iter().find(is_asked).ok_or(VerifyError::NotAsked)?;
        let (query, type_name) = (asked.id.clone(), document.doc_type().to_owned());
        Ok(Answering { query, type_name, presentation: Presentation::Mdoc(Box::new(document)) })
    };
    let presented = response.documents.into_iter().map(answering).collect::<Result<_, _>>()?;
    Ok(Authenticated { received: surroundings.now, presented, transaction })
}

impl Authenticated {
    /// The entries of status lists that the next step looks at.
    pub fn status_references(&self) -> impl Iterator<Item = &StatusReference> {
        self.presented.iter().filter_map(|answering| answering.presentation.status())
    }

    /// Everything that was disclosed in this answer, each value once, as the holder's wallet names it.
    pub(super) fn disclosed(&self) -> Vec<ClaimPath> {
        // A set: an array of many elements is as many values, and each compared with each would take minutes.
        let leaves = self.presented.iter().flat_map(|answering| answering.presentation.disclosed());
        leaves.collect::<BTreeSet<_>>().into_iter().collect()
    }
}
