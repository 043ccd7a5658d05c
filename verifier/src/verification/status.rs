//! Steps 8 and 9: whether the credentials still stand, and whether they answer the question.

use super::authenticate::Answering;
use super::{Authenticated, VerifyError};
use crate::policy::UnknownStatus;
use credentials::dcql::{Presented, Shortfall};
use credentials::status_list::{self, StatusError, VerifiedStatusList};
use credentials::trust::{ChainError, TrustAnchors, VerifiedChain};
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The status lists at hand, by their URI; current, or ended: see [`current_or_ended`].
pub type StatusLists = HashMap<String, Arc<VerifiedStatusList>>;

/// What is known of a credential's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusFinding {
    /// A current list says that it stands.
    Valid,
    /// It names no list: it is short-lived, and stands until it expires.
    None,
    /// No current list was at hand, of its status or of who vouches for its issuer, and the policy took it all the same.
    Unknown,
}

impl StatusFinding {
    /// The word for people and machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::None => "none",
            Self::Unknown => "unknown",
        }
    }

    /// What is left of it where only an ended trust list vouches for the issuer: nobody current says that the credential stands.
    #[must_use]
    pub fn under(self, issuer: &VerifiedChain, now: Timestamp) -> Self {
        if issuer.list_end().is_some_and(|end| now >= end) { Self::Unknown } else { self }
    }

    /// The finding of that word.
    pub fn by_word(word: &str) -> Option<Self> {
        [Self::Valid, Self::None, Self::Unknown].into_iter().find(|finding| finding.as_str() == word)
    }
}

/// Presentations whose credentials still stand.
#[derive(Debug)]
pub struct Current {
    pub(super) authenticated: Authenticated,
    pub(super) findings: Vec<StatusFinding>,
}

/// Presentations that answer the question, no less and no more.
#[derive(Debug)]
pub struct Complete(pub(super) Current);

impl Authenticated {
    /// Checks step 8 against the lists at hand. Fetches nothing.
    ///
    /// # Errors
    /// [`VerifyError::Revoked`], [`VerifyError::Status`]; [`VerifyError::StatusUnknown`] where the policy says so. What is not
    /// known to be valid is never taken for valid.
    ///
    /// # Source
    /// Token Status List §8.3 "Validation Rules".
    pub fn check_status(self, lists: &StatusLists, now: Timestamp) -> Result<Current, VerifyError> {
        let policy = self.transaction.inquiry().unknown_status();
        let findings = self
            .presented
            .iter()
            .map(|answering| {
                let Answering { query, presentation, .. } = answering;
                let finding = find(query, presentation.status(), lists, policy, now)?;
                Ok(finding.under(presentation.issuer(), now))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Current { authenticated: self, findings })
    }
}

pub(super) fn find(
    query: &str,
    reference: Option<&StatusReference>,
    lists: &StatusLists,
    policy: UnknownStatus,
    now: Timestamp,
) -> Result<StatusFinding, VerifyError> {
    let unknown = || match policy {
        UnknownStatus::Refuse => Err(VerifyError::StatusUnknown { query: query.to_owned() }),
        UnknownStatus::Accept => Ok(StatusFinding::Unknown),
    };
    let Some(reference) = reference else {
        return Ok(StatusFinding::None);
    };
    let Some(list) = lists.get(&reference.uri) else {
        return unknown();
    };
    match list.status(reference, now) {
        Ok(Status::Valid) => Ok(StatusFinding::Valid),
        Ok(status) => Err(VerifyError::Revoked { query: query.to_owned(), status }),
        Err(StatusError::StatusUnknown { .. }) => match (policy, list.list().get(reference.idx)) {
            // Whoever keeps newer lists away must not bring back what the last one revoked.
            (UnknownStatus::Accept, Ok(status)) if status != Status::Valid => {
                Err(VerifyError::Revoked { query: query.to_owned(), status })
            }
            _ => unknown(),
        },
        Err(source) => Err(VerifyError::Status { query: query.to_owned(), source }),
    }
}

/// Verifies a list that is current, or one that was when it ended. The latter has no word for a credential any more
/// ([`VerifiedStatusList::status`] says that it has ended), but what it said against one still stands.
///
/// # Errors
/// As [`status_list::verify`].
pub fn current_or_ended(
    token: &str,
    uri: &str,
    anchors: &TrustAnchors,
    now: Timestamp,
) -> Result<VerifiedStatusList, StatusError> {
    let mut at = now;
    loop {
        match status_list::verify(token, uri, anchors, at, None) {
            // Its own end, or that of the trust list which alone vouches for its signer; whichever came first.
            Err(StatusError::StatusUnknown { ended } | StatusError::Chain(ChainError::ListEnded { ended }))
                if ended <= at =>
            {
                at = ended.minus(Seconds::new(1));
            }
            verified => return verified,
        }
    }
}

impl Current {
    /// Checks step 9. One presentation that does not count refuses the answer: a wallet sends what was asked for.
    ///
    /// # Errors
    /// [`VerifyError::Shortfall`], [`VerifyError::OverDisclosure`], [`VerifyError::Unanswered`].
    ///
    /// # Source
    /// OpenID4VP 1.0 §6.4, §8.6 steps 2.2 and 3; §14.11: a verifier relies on its own checks.
    pub fn check_answer(self) -> Result<Complete, VerifyError> {
        let presented = &self.authenticated.presented;
        let seen: Vec<_> = presented.iter().map(|a| (a.presentation.visible(), a.presentation.disclosed())).collect();
        let mut answer: BTreeMap<String, Vec<Presented<'_>>> = BTreeMap::new();
        for (answering, (claims, leaves)) in presented.iter().zip(&seen) {
            answer.entry(answering.query.clone()).or_default().push(Presented {
                format: answering.presentation.format(),
                type_name: &answering.type_name,
                claims,
                leaves,
                holder_bound: true,
                authority_key_ids: Some(answering.presentation.issuer().authority_key_ids()),
            });
        }
        let check = self.authenticated.transaction.inquiry().query().check_presented(&answer);
        if let Some(discarded) = check.discarded.first() {
            return Err(match &discarded.why {
                Shortfall::UnknownQuery => VerifyError::NotAsked,
                why => VerifyError::Shortfall { query: discarded.query.clone(), why: why.clone() },
            });
        }
        if !check.is_within_query() {
            return Err(VerifyError::OverDisclosure {
                paths: check.extra.into_iter().map(|extra| extra.path).collect(),
            });
        }
        if !check.is_complete() {
            return Err(VerifyError::Unanswered);
        }
        Ok(Complete(self))
    }
}
