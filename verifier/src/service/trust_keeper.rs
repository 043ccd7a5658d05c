//! Trust lists: taken when somebody names one, fetched again on a schedule, and made into anchors.
//!
//! Never fetched because a presentation arrived. One that cannot be had or does not hold leaves the one at hand as it is.
//!
//! # Source
//! `docs/decisions/0095`; the rules for status lists, `docs/decisions/0061`.

use super::store::{StoreError, StoredTrustList};
use super::{Desk, DeskError};
use credentials::escape::escaped;
use credentials::trust::TrustAnchors;
use credentials::trust::list::{self, MEDIA_TYPE, TrustListError, VerifiedTrustList};
use guarded_http::Request;
use schemas::{Seconds, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;

/// After a list could not be fetched, it is tried again this much later.
const RETRY: Seconds = Seconds::MINUTE;
/// How many lists there may be; each is named by whoever runs the desk.
const MOST: usize = 20;

/// How a trust list at hand stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustListState {
    /// Its name, safe to show.
    pub name: String,
    /// Where it is fetched; `None` for one that is brought as a file.
    pub address: Option<String>,
    /// Who signed it.
    pub signer: String,
    /// Its number.
    pub number: u64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was taken.
    pub fetched_at: Timestamp,
    /// From when on it vouches for nobody.
    pub ends_at: Timestamp,
    /// How old it is.
    pub age: Seconds,
    /// How many anchors it names, and how many it withdraws.
    pub names: (usize, usize),
    /// Why the last try brought nothing, when it did not.
    pub trouble: Option<String>,
    now: Timestamp,
}

impl TrustListState {
    /// `current`, or `stale` when its time is over.
    pub fn word(&self) -> &'static str {
        if self.now < self.ends_at { "current" } else { "stale" }
    }

    fn of(stored: StoredTrustList, list: &VerifiedTrustList, now: Timestamp) -> Self {
        let withdrawn = list.entries().iter().filter(|entry| entry.is_withdrawn()).count();
        Self {
            name: list.name(),
            address: stored.address,
            signer: list.signer().to_owned(),
            number: list.sequence(),
            issued_at: list.issued_at(),
            fetched_at: stored.fetched_at,
            ends_at: list.ends_at(),
            age: now.since(list.issued_at()),
            names: (list.entries().len() - withdrawn, withdrawn),
            trouble: stored.trouble,
            now,
        }
    }
}

/// The list as it was when it was taken.
fn verified(stored: &StoredTrustList) -> Result<VerifiedTrustList, StoreError> {
    let signers = TrustAnchors::from_pem(stored.signers.as_bytes()).map_err(|_| StoreError::Damaged)?;
    list::verify(&stored.token, &signers, Some(&stored.known()), stored.fetched_at).map_err(|_| StoreError::Damaged)
}

fn are_the_same(one: &TrustAnchors, other: &TrustAnchors) -> bool {
    let all = |anchors: &TrustAnchors| anchors.iter().map(|anchor| anchor.sha256()).collect::<BTreeSet<_>>();
    all(one) == all(other)
}

impl Desk {
    /// Fetches the trust list at `address` and takes it: see [`Desk::take_trust_list`].
    ///
    /// # Errors
    /// [`DeskError::Unfetched`], and as there.
    pub async fn fetch_trust_list(&self, address: &str, signers: Option<&[u8]>) -> Result<TrustListState, DeskError> {
        let token = self.trust_list_at(address).await.map_err(DeskError::Unfetched)?;
        self.take_trust_list(&token, Some(address), signers)
    }

    /// Takes a trust list: a new one, signed by the authority whose anchors (PEM) are `signers`, or a later number of one that
    /// is here. Who signs a list is said once; somebody else has to be taken out first.
    ///
    /// # Errors
    /// [`DeskError::TrustList`] when it does not hold; [`DeskError::NoListSigner`] for a new one without `signers`;
    /// [`DeskError::OtherAuthorities`] when others were named for it before.
    pub fn take_trust_list(
        &self,
        token: &str,
        address: Option<&str>,
        signers: Option<&[u8]>,
    ) -> Result<TrustListState, DeskError> {
        let now = self.time()?;
        let token = token.trim();
        let named = signers.map(TrustAnchors::from_pem).transpose()?;
        let here = self.store().trust_lists()?;
        for stored in &here {
            let pinned = TrustAnchors::from_pem(stored.signers.as_bytes()).map_err(|_| StoreError::Damaged)?;
            match list::verify(token, &pinned, Some(&stored.known()), now) {
                Ok(list) => {
                    if named.as_ref().is_some_and(|named| !are_the_same(named, &pinned)) {
                        return Err(DeskError::OtherAuthorities(list.name()));
                    }
                    let address = address.map(str::to_owned).or_else(|| stored.address.clone());
                    return self.keep_trust_list(StoredTrustList { address, ..stored.clone() }, token, &list, now);
                }
                // Of somebody else, or another list of the same authority: perhaps the next one.
                Err(TrustListError::OtherAuthority | TrustListError::OtherList) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let (Some(named), Some(pem)) = (named, signers) else {
            let taken = address.and_then(|address| here.iter().find(|list| list.address.as_deref() == Some(address)));
            return Err(taken.map_or(DeskError::NoListSigner, |_| TrustListError::OtherAuthority.into()));
        };
        let list = list::verify(token, &named, None, now)?;
        if here.iter().any(|stored| stored.name == list.known().name) {
            return Err(DeskError::OtherAuthorities(list.name()));
        }
        if here.len() >= MOST {
            return Err(DeskError::TooManyLists);
        }
        let known = list.known();
        let new = StoredTrustList {
            name: known.name.clone(),
            address: address.map(str::to_owned),
            signers: String::from_utf8_lossy(pem).into_owned(),
            token: String::new(),
            sequence: known.sequence,
            sha256: known.sha256,
            fetched_at: now,
            trouble: None,
        };
        self.keep_trust_list(new, token, &list, now)
    }

    fn keep_trust_list(
        &self,
        stored: StoredTrustList,
        token: &str,
        list: &VerifiedTrustList,
        now: Timestamp,
    ) -> Result<TrustListState, DeskError> {
        let (sequence, sha256) = (list.sequence(), list.known().sha256);
        let token = token.to_owned();
        let stored = StoredTrustList { token, sequence, sha256, fetched_at: now, trouble: None, ..stored };
        self.store().put_trust_list(&stored, list.issued_at(), list.refresh_at(now))?;
        Ok(TrustListState::of(stored, list, now))
    }

    /// Takes a trust list out, by its name or address: its anchors are no longer believed. False when there is none.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn remove_trust_list(&self, which: &str) -> Result<bool, DeskError> {
        Ok(self.store().remove_trust_list(which)?)
    }

    /// How the trust lists stand, in the order in which they were named. Fetches nothing.
    ///
    /// # Errors
    /// [`DeskError`].
    pub fn trust_list_states(&self) -> Result<Vec<TrustListState>, DeskError> {
        let now = self.time()?;
        let stored = self.store().trust_lists()?;
        stored.into_iter().map(|stored| Ok(TrustListState::of(stored.clone(), &verified(&stored)?, now))).collect()
    }

    /// The anchors with those that the trust lists name, ended lists among them.
    pub(super) fn with_listed(&self, mut anchors: TrustAnchors) -> Result<TrustAnchors, StoreError> {
        for stored in self.store().trust_lists()? {
            anchors.add_listed(&verified(&stored)?);
        }
        Ok(anchors)
    }

    /// Fetches these lists, one after another. What does not hold, or cannot be had, leaves the one at hand and is told by its
    /// state.
    pub(super) async fn refresh_trust_lists(
        self: &Arc<Self>,
        due: Vec<StoredTrustList>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        for stored in due {
            let Some(address) = &stored.address else { continue };
            let trouble = match self.trust_list_at(address).await {
                Ok(token) => self.follow(&stored, &token, now).err().map(|error| error.to_string()),
                Err(trouble) => Some(trouble),
            };
            if let Some(trouble) = trouble {
                tracing::warn!(list = %escaped(&stored.name), trouble, "a trust list could not be renewed");
                self.store().put_off_trust_list(&stored.name, &trouble, now.plus(RETRY))?;
            }
        }
        Ok(())
    }

    fn follow(&self, stored: &StoredTrustList, token: &str, now: Timestamp) -> Result<(), DeskError> {
        let signers = TrustAnchors::from_pem(stored.signers.as_bytes()).map_err(|_| StoreError::Damaged)?;
        let token = token.trim();
        let list = list::verify(token, &signers, Some(&stored.known()), now)?;
        self.keep_trust_list(stored.clone(), token, &list, now).map(drop)
    }

    async fn trust_list_at(&self, address: &str) -> Result<String, String> {
        let response = self.keeper().client().send(Request::get(address).accept(MEDIA_TYPE)).await;
        let response = response.map_err(|error| format!("it could not be fetched: {error}"))?;
        if !response.is_success() {
            return Err(format!("its host answered with status {}", response.status()));
        }
        String::from_utf8(response.into_body()).map_err(|_| "what its host answered is no text".to_owned())
    }
}
