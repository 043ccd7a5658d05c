//! Status lists: an unknown one is fetched once, known ones on a schedule and when a request is made.
//!
//! Never because a presentation arrived, the very first of a list aside: who runs the list must not learn when and where a
//! credential is shown.
//!
//! # Source
//! Token Status List §12.5, §12.7; SD-JWT VC §8.4 (no phone-home); `security.md` §8.

use super::Desk;
use super::store::{StoreError, StoredList};
use crate::verification::{StatusLists, current_or_ended};
use credentials::status_list::{self, StatusError, VerifiedStatusList};
use credentials::trust::TrustAnchors;
use guarded_http::{Client, FetchError, Policy, Request};
use schemas::{Seconds, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// After a list could not be fetched, it is tried again this much later.
const RETRY: Seconds = Seconds::MINUTE;
/// A token of 2^20 entries that do not compress.
const MOST_BYTES: usize = 3 << 20;
/// How many verified lists are kept in memory, each up to a megabyte.
const MOST_REMEMBERED: usize = 64;
/// How many lists are fetched at once.
const AT_ONCE: usize = 8;
/// How long a request being made waits for fresh lists before it goes on with those at hand.
const PATIENCE: Duration = Duration::from_secs(5);

/// Fetches lists and remembers verified ones.
pub(super) struct StatusKeeper {
    client: Client,
    /// Held while unknown lists are fetched: whoever needs the same one meanwhile waits for it.
    learning: tokio::sync::Mutex<()>,
    verified: Mutex<HashMap<String, (i64, Arc<VerifiedStatusList>)>>,
}

/// Why a list could not be had.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("not a token")]
    NotText,
    #[error(transparent)]
    Invalid(#[from] StatusError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StatusKeeper {
    /// Loopback is fetched from only by a verifier that is itself on loopback.
    pub(super) fn new(allow_loopback_http: bool) -> Self {
        let policy = Policy {
            allow_loopback_http,
            max_body: MOST_BYTES,
            timeout: Duration::from_secs(10),
            redirects: 2,
            ..Policy::default()
        };
        Self { client: Client::new(policy), learning: tokio::sync::Mutex::default(), verified: Mutex::default() }
    }

    /// Forgets the verified lists; their tokens stay in the store.
    pub(super) fn forget(&self) {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn remembered(&self, list: &StoredList) -> Option<Arc<VerifiedStatusList>> {
        let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified
            .get(&list.uri)
            .filter(|(generation, _)| *generation == list.generation)
            .map(|(_, list)| Arc::clone(list))
    }

    fn remember(&self, list: &StoredList, verified: &Arc<VerifiedStatusList>) {
        let mut all = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST_REMEMBERED {
            all.clear();
        }
        all.insert(list.uri.clone(), (list.generation, Arc::clone(verified)));
    }
}

impl Desk {
    /// Fetches those of the lists that nobody ever fetched. Each is tried once; a failure is left to the schedule.
    pub(super) async fn learn_lists(self: &Arc<Self>, uris: Vec<String>, now: Timestamp) {
        let at_hand = |uri: &String| matches!(self.store().list(uri), Ok(Some(StoredList { token: Some(_), .. })));
        if uris.iter().all(at_hand) {
            return;
        }
        let _learning = self.keeper().learning.lock().await;
        let mut new = Vec::new();
        for uri in uris {
            match self.store().learn_list(&uri, now.plus(RETRY)) {
                Ok(true) => new.push(StoredList { uri, token: None, issued_at: None, generation: 0 }),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "a status list could not be noted"),
            }
        }
        self.fetch_all(new, now).await;
    }

    /// Fetches all known lists, as far as that is possible in a few seconds.
    pub(super) async fn refresh_lists(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreError> {
        let all = self.store().lists_due(None)?;
        if tokio::time::timeout(PATIENCE, self.fetch_all(all, now)).await.is_err() {
            tracing::warn!("not all status lists could be fetched in time; going on with those at hand");
        }
        Ok(())
    }

    /// Fetches the lists whose time has come.
    pub(super) async fn refresh_due_lists(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreError> {
        let due = self.store().lists_due(Some(now))?;
        self.fetch_all(due, now).await;
        Ok(())
    }

    async fn fetch_all(self: &Arc<Self>, lists: Vec<StoredList>, now: Timestamp) {
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let mut fetches = JoinSet::new();
        for list in lists {
            let (desk, places) = (Arc::clone(self), Arc::clone(&places));
            fetches.spawn(async move {
                let _place = places.acquire().await;
                if let Err(error) = desk.fetch(&list, now).await {
                    // The host only: the rest of the address belongs to one list, and logs are kept.
                    let host = url::Url::parse(&list.uri).ok().and_then(|u| u.host_str().map(str::to_owned));
                    tracing::warn!(host = host.unwrap_or_default(), %error, "a status list could not be fetched");
                    if let Err(error) = desk.store().put_off_list(&list.uri, now.plus(RETRY)) {
                        tracing::error!(%error, "a status list could not be put off");
                    }
                }
            });
        }
        while fetches.join_next().await.is_some() {}
    }

    async fn fetch(self: &Arc<Self>, list: &StoredList, now: Timestamp) -> Result<(), ListError> {
        let request = Request::get(&list.uri).accept("application/statuslist+jwt");
        let response = self.keeper().client.send(request).await?;
        if !response.is_success() {
            return Err(ListError::Status(response.status()));
        }
        let token = String::from_utf8(response.into_body()).map_err(|_| ListError::NotText)?;
        let (desk, list) = (Arc::clone(self), list.clone());
        // Verifying inflates a megabyte: not on the runtime's own threads.
        let done = tokio::task::spawn_blocking(move || -> Result<(), ListError> {
            let token = token.trim();
            let anchors = desk.anchors()?;
            let verified = status_list::verify(token, &list.uri, &anchors, now, list.issued_at)?;
            let (issued_at, refresh_at) = (verified.issued_at(), verified.refresh_at(now));
            Ok(desk.store().put_list(&list.uri, token, issued_at, now, refresh_at)?)
        });
        done.await.unwrap_or(Err(ListError::NotText))
    }

    /// Those of the lists that are at hand, ended ones too. Fetches nothing.
    pub(super) fn lists_at_hand(
        &self,
        uris: impl IntoIterator<Item = String>,
        anchors: &TrustAnchors,
        now: Timestamp,
    ) -> Result<StatusLists, StoreError> {
        let mut lists = StatusLists::new();
        for uri in uris {
            let Some(stored) = self.store().list(&uri)? else { continue };
            let found = match (self.keeper().remembered(&stored), &stored.token) {
                (Some(verified), _) => Some(verified),
                (None, Some(token)) => current_or_ended(token, &uri, anchors, now).ok().map(Arc::new),
                (None, None) => None,
            };
            if let Some(verified) = found {
                self.keeper().remember(&stored, &verified);
                lists.insert(uri, verified);
            }
        }
        Ok(lists)
    }
}
