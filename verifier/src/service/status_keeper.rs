//! Status lists: an unknown one is fetched once, known ones on a schedule and when a request is made.
//!
//! An aggregation names the lists of an issuer, so that all of them are at hand before anybody presents anything: a desk that will
//! have no network fetches them beforehand.
//!
//! Never because a presentation arrived, the very first of a list aside: who runs the list must not learn when and where a
//! credential is shown.
//!
//! # Source
//! Token Status List §12.5, §12.7; SD-JWT VC §8.4 (no phone-home); `security.md` §8.

use super::store::{StoreError, StoredList};
use super::{Desk, DeskError};
use crate::verification::{StatusLists, current_or_ended, status_text, verify_status};
use credentials::status_list::{Aggregation, AggregationError, StatusError, VerifiedStatusList};
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
/// How often an aggregation is fetched: new lists are filled over weeks.
const AGGREGATED_EVERY: Seconds = Seconds::HOUR.times(6);
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
    /// Held while what is due is fetched.
    refreshing: tokio::sync::Mutex<()>,
    verified: Mutex<HashMap<String, (i64, Arc<VerifiedStatusList>)>>,
}

/// Why a list could not be had.
#[derive(Debug, thiserror::Error)]
enum ListError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("verifying it failed")]
    NotDone,
    #[error(transparent)]
    Invalid(#[from] StatusError),
    #[error(transparent)]
    Aggregation(#[from] AggregationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a status list at hand stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListState {
    /// Where it is published.
    pub uri: String,
    /// When the newest token was issued; `None` while none could be had.
    pub issued_at: Option<Timestamp>,
    /// When it was fetched.
    pub fetched_at: Option<Timestamp>,
    /// From when on it has no word for a credential any more; `None` when there is none, or it does not hold.
    pub ends_at: Option<Timestamp>,
    /// How old it is.
    pub age: Option<Seconds>,
    now: Timestamp,
}

impl ListState {
    /// `current`, `stale` when its time is over, `missing` when there is none that holds.
    pub fn word(&self) -> &'static str {
        match self.ends_at {
            Some(end) if self.now < end => "current",
            Some(_) => "stale",
            None => "missing",
        }
    }
}

/// The host only: the rest of an address belongs to one list, and logs are kept.
fn host(uri: &str) -> String {
    url::Url::parse(uri).ok().and_then(|uri| uri.host_str().map(str::to_owned)).unwrap_or_default()
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
        let (learning, refreshing) = (tokio::sync::Mutex::default(), tokio::sync::Mutex::default());
        Self { client: Client::new(policy), learning, refreshing, verified: Mutex::default() }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
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
                Ok(true) => new.push(StoredList { uri, token: None, issued_at: None, fetched_at: None, generation: 0 }),
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

    /// Fetches everything that is known now, trust lists first, and these aggregations, which become known; gives how the status
    /// lists stand then. For a desk that is about to have no network. How the trust lists stand: [`Desk::trust_list_states`].
    ///
    /// # Errors
    /// [`DeskError`] of the desk itself: a list that could not be had is in what is given.
    ///
    /// # Source
    /// Token Status List §9 "Status List Aggregation".
    pub async fn sync(self: &Arc<Self>, aggregations: &[String]) -> Result<Vec<ListState>, DeskError> {
        let now = self.time()?;
        for uri in aggregations {
            self.store().put_aggregation(uri, now)?;
        }
        // First: they say whose status lists are believed.
        self.refresh_trust_lists(self.store().trust_lists()?, now).await?;
        self.aggregate(self.store().aggregations_due(None)?, now).await?;
        self.fetch_all(self.store().lists_due(None)?, now).await;
        self.list_states()
    }

    /// How the lists stand that are known, by their URI. Fetches nothing.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn list_states(&self) -> Result<Vec<ListState>, DeskError> {
        let now = self.time()?;
        let anchors = self.anchors()?;
        let mut states = Vec::new();
        for stored in self.store().lists_due(None)? {
            let verified = stored.token.as_deref().map(|token| current_or_ended(token, &stored.uri, &anchors, now));
            let ends_at = verified.and_then(Result::ok).map(|list| list.ends_at());
            let StoredList { uri, issued_at, fetched_at, .. } = stored;
            states.push(ListState { uri, issued_at, fetched_at, ends_at, age: issued_at.map(|at| now.since(at)), now });
        }
        states.sort_by(|a, b| a.uri.cmp(&b.uri));
        Ok(states)
    }

    /// Learns the lists that these aggregations name. Nothing vouches for an aggregation: only lists of its own host are taken,
    /// and each must hold by itself.
    async fn aggregate(self: &Arc<Self>, uris: Vec<String>, now: Timestamp) -> Result<(), StoreError> {
        for uri in uris {
            let next = match self.aggregated(&uri).await {
                Ok(lists) => {
                    for list in lists {
                        self.store().learn_list(&list, now)?;
                    }
                    now.plus(AGGREGATED_EVERY)
                }
                Err(error) => {
                    tracing::warn!(host = host(&uri), %error, "an aggregation could not be fetched");
                    now.plus(RETRY)
                }
            };
            self.store().put_aggregation(&uri, next)?;
        }
        Ok(())
    }

    async fn aggregated(&self, uri: &str) -> Result<Vec<String>, ListError> {
        let response = self.keeper().client.send(Request::get(uri).accept("application/json")).await?;
        if !response.is_success() {
            return Err(ListError::Status(response.status()));
        }
        let named = Aggregation::parse(&response.into_body())?;
        let own = host(uri);
        Ok(named.uris().iter().filter(|list| host(list) == own).cloned().collect())
    }

    /// Fetches the trust lists, aggregations and lists whose time has come.
    pub(super) async fn refresh_due_lists(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreError> {
        let Ok(_alone) = self.keeper().refreshing.try_lock() else { return Ok(()) };
        self.refresh_trust_lists(self.store().trust_lists_due(Some(now))?, now).await?;
        self.aggregate(self.store().aggregations_due(Some(now))?, now).await?;
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
                    tracing::warn!(host = host(&list.uri), %error, "a status list could not be fetched");
                    if let Err(error) = desk.store().put_off_list(&list.uri, now.plus(RETRY)) {
                        tracing::error!(%error, "a status list could not be put off");
                    }
                }
            });
        }
        while fetches.join_next().await.is_some() {}
    }

    async fn fetch(self: &Arc<Self>, list: &StoredList, now: Timestamp) -> Result<(), ListError> {
        let request = Request::get(&list.uri).accept("application/statuslist+jwt, application/statuslist+cwt;q=0.5");
        let response = self.keeper().client.send(request).await?;
        if !response.is_success() {
            return Err(ListError::Status(response.status()));
        }
        // Which of the two it is its bytes tell; a media type could be wrong.
        let token = status_text(&response.into_body());
        let (desk, list) = (Arc::clone(self), list.clone());
        // Verifying inflates a megabyte: not on the runtime's own threads.
        let done = tokio::task::spawn_blocking(move || -> Result<(), ListError> {
            let token = token.as_str();
            let anchors = desk.anchors()?;
            let verified = verify_status(token, &list.uri, &anchors, now, list.issued_at)?;
            let (issued_at, refresh_at) = (verified.issued_at(), verified.refresh_at(now));
            Ok(desk.store().put_list(&list.uri, token, issued_at, now, refresh_at)?)
        });
        done.await.unwrap_or(Err(ListError::NotDone))
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
