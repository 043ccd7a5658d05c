//! Steps 1 to 7: whose credential it is, and who presents it.

use super::{Presentations, VerifyError};
use crate::transaction::Transaction;
use credentials::dcql::presented_leaves;
use credentials::sd_jwt::{self, Expected, PresentedCredential};
use credentials::trust::{ChainCache, ChainPolicy, TrustAnchors};
use schemas::status::StatusReference;
use schemas::{ClaimPath, Timestamp};
use std::collections::BTreeSet;

/// What verification takes for granted.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The issuers that are believed.
    pub anchors: &'a TrustAnchors,
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
    /// The type that was asked for and that it has: its `vct`, or one that its issuer says it is as well.
    pub(super) vct: String,
    pub(super) credential: PresentedCredential,
}

/// Checks steps 1 to 7 of every presentation. The transaction is spent by it: whatever comes out, it cannot be answered again.
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
/// [`VerifyError::NotAsked`], [`VerifyError::Presentation`].
///
/// # Source
/// OpenID4VP 1.0 §8.6 "VP Token Validation" step 2; RFC 9901 §7.3.
pub fn authenticate(
    transaction: Transaction,
    presentations: &Presentations,
    surroundings: &Surroundings<'_>,
) -> Result<Authenticated, VerifyError> {
    let policy = ChainPolicy::known_only(surroundings.anchors);
    let policy = surroundings.chains.map_or(policy, |cache| policy.with_cache(cache));
    let (audience, nonce) = (transaction.client_id(), transaction.nonce().expose());
    let expected = Expected::new(policy, audience, nonce, surroundings.now);
    let mut presented = Vec::new();
    for (id, text) in presentations.iter() {
        let asked = transaction.inquiry().query().credential(id).ok_or(VerifyError::NotAsked)?;
        let types: &[String] = asked.meta.vct_values.as_deref().unwrap_or_default();
        let credential = sd_jwt::verify_presented(text, &expected.with_types(types))
            .map_err(|source| VerifyError::Presentation { query: id.to_owned(), source })?;
        let vct =
            types.iter().find(|vct| credential.is_of_type(vct)).map_or(credential.vct(), String::as_str).to_owned();
        presented.push(Answering { query: id.to_owned(), vct, credential });
    }
    Ok(Authenticated { received: surroundings.now, presented, transaction })
}

impl Authenticated {
    /// The entries of status lists that the next step looks at.
    pub fn status_references(&self) -> impl Iterator<Item = &StatusReference> {
        self.presented.iter().filter_map(|answering| answering.credential.status())
    }

    /// Everything that was disclosed in this answer, each value once, as the holder's wallet names it.
    pub(super) fn disclosed(&self) -> Vec<ClaimPath> {
        // A set: an array of many elements is as many values, and each compared with each would take minutes.
        let leaves = self.presented.iter().flat_map(|answering| presented_leaves(&answering.credential));
        leaves.collect::<BTreeSet<_>>().into_iter().collect()
    }
}
