//! What status lists say of attestations: kept while they are good, and what they said against one also after their end.

use crate::lists::Lists;
use credentials::status_list::{self, VerifiedStatusList};
use credentials::trust::TrustAnchors;
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many lists are kept: providers have few.
const MOST: usize = 64;
/// How long a list that could not be had is not asked for again.
const PAUSE: Seconds = Seconds::MINUTE;

/// The lists that attestations have named.
pub struct Statuses {
    lists: Box<dyn Lists>,
    kept: Mutex<BTreeMap<String, Kept>>,
}

struct Kept {
    list: Option<VerifiedStatusList>,
    asked_at: Timestamp,
}

impl Statuses {
    /// None yet; they come from `lists`.
    pub fn new(lists: Box<dyn Lists>) -> Self {
        Self { lists, kept: Mutex::default() }
    }

    /// Whether nothing speaks against an attestation: it names no status, or a list that is current says *valid*.
    ///
    /// A list that cannot be had says nothing, and then the attestation does not stand: whoever can keep a list away must gain
    /// nothing by it. What a list that has ended said against it still counts (decision 0061).
    ///
    /// # Source
    /// Token Status List §8.3; OpenID4VCI 1.0 Appendix D.1, E `status`.
    pub fn stands(&self, reference: Option<&StatusReference>, anchors: &TrustAnchors, now: Timestamp) -> bool {
        let Some(reference) = reference else { return true };
        if self.is_due(&reference.uri, now) {
            // Without the lock: others are not kept waiting for a list that is not theirs.
            let token = self.lists.fetch(&reference.uri);
            self.keep(&reference.uri, token.as_deref(), anchors, now);
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = kept.get(&reference.uri).and_then(|kept| kept.list.as_ref()) else { return false };
        now < list.ends_at() && matches!(list.list().get(reference.idx), Ok(Status::Valid))
    }

    fn is_due(&self, uri: &str, now: Timestamp) -> bool {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(uri).is_none_or(|kept| {
            let next = kept.list.as_ref().map_or(kept.asked_at, |list| list.refresh_at(kept.asked_at));
            now >= next.max(kept.asked_at.plus(PAUSE))
        })
    }

    fn keep(&self, uri: &str, token: Option<&str>, anchors: &TrustAnchors, now: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept.remove(uri).and_then(|kept| kept.list);
        let before = known.as_ref().map(VerifiedStatusList::issued_at);
        let new = token.and_then(|token| {
            let verified = status_list::verify(token, uri, anchors, now, before);
            verified.inspect_err(|error| tracing::warn!(%error, "a status list of attestations does not hold")).ok()
        });
        if kept.len() >= MOST {
            let oldest = kept.iter().min_by_key(|(_, kept)| kept.asked_at).map(|(uri, _)| uri.clone());
            oldest.map(|uri| kept.remove(&uri));
        }
        kept.insert(uri.to_owned(), Kept { list: new.or(known), asked_at: now });
    }
}
