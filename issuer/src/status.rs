//! Status lists, pure: how many, how large, which list a copy goes to, and the token that says who is revoked.

use crate::config::IssuerUrl;
use crate::keys::SigningIdentity;
use credentials::b64;
use credentials::status_list::{Bits, StatusError, StatusIssueError, StatusList, TokenDraft};
use rand_core::CryptoRng;
use schemas::status::{Status, StatusReference};
use schemas::{Seconds, Timestamp};
use serde::Deserialize;
use std::fmt;

/// Entries of a list: 131 kB of bits, which hide who is in it.
pub const SIZE: u32 = 1 << 20;
/// How many of them are given out before a list is closed; the rest keeps random draws short and the crowd large.
pub const CAPACITY: u32 = SIZE / 2;
/// Over how many lists the copies of one batch are spread at least (`security.md` §8).
pub const SPREAD: usize = 4;
/// How long a verifier may keep a list.
pub const TTL: Seconds = Seconds::HOUR.times(12);
/// How long a signed list may be relied on.
pub const LIFETIME: Seconds = Seconds::HOUR.times(48);
/// How old a signed list may be before it is signed anew: well before the `ttl`, so that whoever asks gets a young one.
pub const REFRESH: Seconds = Seconds::HOUR.times(6);
/// By how much a delayed revocation is put off at most, for each copy alone (`security.md` §8).
pub const MAX_DELAY: Seconds = Seconds::HOUR;

/// The number of a list, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(u32);

impl ListId {
    /// The list of that number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Reads the last part of a list's path: decimal digits as [`ListId`] writes them, nothing else.
    pub fn parse(text: &str) -> Option<Self> {
        let number: u32 = text.parse().ok()?;
        (number.to_string() == text).then_some(Self(number))
    }

    /// The list's URI, the same for everyone.
    pub fn uri(self, issuer: &IssuerUrl) -> String {
        issuer.join(&format!("/status/{self}"))
    }
}

impl fmt::Display for ListId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An entry of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entry {
    /// Which list.
    pub list: ListId,
    /// Which index, below [`SIZE`].
    pub index: u32,
}

impl Entry {
    /// The reference as a credential bears it.
    pub fn reference(self, issuer: &IssuerUrl) -> StatusReference {
        StatusReference { idx: u64::from(self.index), uri: self.list.uri(issuer) }
    }

    /// The entry of this issuer that a reference means, if it is one.
    pub fn of(reference: &StatusReference, issuer: &IssuerUrl) -> Option<Self> {
        let list = reference.uri.strip_prefix(&issuer.join("/status/")).and_then(ListId::parse)?;
        let index = u32::try_from(reference.idx).ok().filter(|index| *index < SIZE)?;
        Some(Self { list, index })
    }
}

/// Which list each of `count` copies goes to: all lists in turn, from a random order.
pub fn spread<R: CryptoRng + ?Sized>(open: &[ListId], count: usize, rng: &mut R) -> Vec<ListId> {
    let mut order = open.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, below(last as u32 + 1, rng) as usize);
    }
    let mut lists: Vec<_> = order.iter().copied().cycle().take(count).collect();
    // In turn, the distance of two copies would tell their lists; the order within the batch is drawn as well.
    for last in (1..lists.len()).rev() {
        lists.swap(last, below(last as u32 + 1, rng) as usize);
    }
    lists
}

/// A number below `bound`, each equally likely; 0 for a bound of 0.
pub fn below<R: CryptoRng + ?Sized>(bound: u32, rng: &mut R) -> u32 {
    if bound == 0 {
        return 0;
    }
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = rng.next_u32();
        if drawn < fair {
            return drawn % bound;
        }
    }
}

/// Why a list could not be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignListError {
    /// The store names an entry that a list does not have.
    #[error("the list of revoked entries does not fit the list")]
    Entry(#[from] StatusError),
    /// The store holds something else than a token that we signed.
    #[error("the signed list in the store is none of ours")]
    NotOurs,
    /// The token could not be made.
    #[error(transparent)]
    Token(#[from] StatusIssueError),
}

/// The list of a token of our own in the other format, with the same times: whichever a verifier asks for says the same.
///
/// # Errors
/// [`SignListError`] when the key does not sign.
///
/// # Source
/// Token Status List §5.2, §8.1.
pub fn as_cwt(token: &str, identity: SigningIdentity<'_>) -> Result<Vec<u8>, SignListError> {
    let payload = token.split('.').nth(1).and_then(|payload| b64::decode(payload).ok()).unwrap_or_default();
    let own: OwnToken = serde_json::from_slice(&payload).map_err(|_| SignListError::NotOurs)?;
    let OwnToken { sub, iat, exp, ttl, status_list } = own;
    let list = StatusList::from_lst(Bits::try_from(status_list.bits)?, &status_list.lst)?;
    let draft = TokenDraft { uri: &sub, issued_at: iat, expires_at: exp, ttl, aggregation_uri: None };
    Ok(list.sign_cwt(&draft, identity.chain, identity.signer)?)
}

/// What a token of our own says.
#[derive(Deserialize)]
struct OwnToken {
    sub: String,
    iat: Timestamp,
    exp: Timestamp,
    ttl: Seconds,
    status_list: OwnList,
}

#[derive(Deserialize)]
struct OwnList {
    bits: u64,
    lst: String,
}

/// Signs a list in which `revoked` are invalid and all others valid, used or not.
///
/// # Errors
/// [`SignListError`] if an index is out of range or the key does not sign.
///
/// # Source
/// Token Status List §5.1, §13.2 "Default Values and Double Allocation".
pub fn sign(
    list: ListId,
    revoked: &[u32],
    issuer: &IssuerUrl,
    identity: SigningIdentity<'_>,
    now: Timestamp,
) -> Result<String, SignListError> {
    let mut bits = StatusList::new(u64::from(SIZE), Bits::One)?;
    for index in revoked {
        bits.set(u64::from(*index), Status::Invalid)?;
    }
    let expires = now.plus(LIFETIME);
    Ok(bits.to_token(&list.uri(issuer), now, expires, TTL, identity.chain, identity.signer)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;
    use std::collections::BTreeSet;

    #[test]
    fn a_batch_is_spread_over_four_lists() {
        let open: Vec<_> = (1..=4).map(ListId::new).collect();
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        for count in [1usize, 3, 4, 5, 30] {
            let lists = spread(&open, count, &mut rng);
            assert_eq!(lists.len(), count);
            assert_eq!(lists.iter().collect::<BTreeSet<_>>().len(), count.min(4));
        }
        assert!(spread(&[], 3, &mut rng).is_empty());
    }

    #[test]
    fn attack_61_only_the_number_of_a_list_is_one() {
        assert_eq!(ListId::parse("4294967295"), Some(ListId::new(u32::MAX)));
        for text in ["", "-1", "+1", "01", "1.5", "4294967296", "1e3", " 1", "../1", "1' OR '1'='1"] {
            assert_eq!(ListId::parse(text), None, "{text}");
        }
    }
}
