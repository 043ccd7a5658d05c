//! The store port: what an issuer must remember, and what must happen in one transaction.

mod deferral;
mod issuance;
mod offer;
pub mod sqlite;
mod token;

pub use deferral::{Decision, Deferral, PendingRecord, TransactionRecord};
pub use issuance::{Awaited, Committed, Issuance, Revoked, Spends};
pub use offer::{Exchange, NewOffer, OfferRecord, Pushed};
pub use token::{NewRefresh, Redemption, Renewal, RenewalRecord, TokenRecord};

use crate::grant::Verdict;
use crate::keys::Fingerprint;
use crate::seal::SealError;
use crate::status::{Entry, ListId, SignListError};
use rand_core::CryptoRng;
use schemas::Timestamp;

/// What an issuer remembers. Every call is one transaction, whole or not at all, also against other processes.
///
/// Implementations block; the service calls them off its async threads.
pub trait Store: Send + Sync {
    /// Keeps a new offer.
    ///
    /// # Errors
    /// [`StoreError`].
    fn put_offer(&self, offer: &NewOffer) -> Result<(), StoreError>;

    /// The sealed claims of a live offer, found by its code.
    ///
    /// # Errors
    /// [`StoreError`].
    fn offer(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<OfferRecord>, StoreError>;

    /// Judges a redemption with [`crate::grant::judge`] and writes its outcome: the token on success, the count on failure.
    ///
    /// # Errors
    /// [`StoreError`].
    fn redeem(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict, StoreError>;

    /// Keeps a pushed authorization request.
    ///
    /// # Errors
    /// [`StoreError`].
    fn push(&self, pushed: &Pushed) -> Result<(), StoreError>;

    /// A live pushed request, sealed under its name.
    ///
    /// # Errors
    /// [`StoreError`].
    fn request(&self, request: &Fingerprint, now: Timestamp) -> Result<Option<Vec<u8>>, StoreError>;

    /// Forgets a pushed request.
    ///
    /// # Errors
    /// [`StoreError`].
    fn forget_request(&self, request: &Fingerprint) -> Result<(), StoreError>;

    /// Judges the desk's code with [`crate::grant::judge`] and writes its outcome: on success offer and request are gone,
    /// and the authorization code is there.
    ///
    /// # Errors
    /// [`StoreError`].
    fn authorize(&self, exchange: &Exchange, now: Timestamp) -> Result<Verdict, StoreError>;

    /// What an authorization code grants, sealed under the code; inside `None` when it was exchanged already.
    ///
    /// # Errors
    /// [`StoreError`].
    fn code(&self, code: &Fingerprint, now: Timestamp) -> Result<Option<Option<Vec<u8>>>, StoreError>;

    /// Exchanges an authorization code for a token, once; `false` if it was exchanged or is over.
    ///
    /// # Errors
    /// [`StoreError`].
    fn exchange(&self, redemption: &Redemption, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends the token that an authorization code was exchanged for.
    ///
    /// # Errors
    /// [`StoreError`].
    fn burn(&self, code: &Fingerprint) -> Result<(), StoreError>;

    /// What a live refresh token renews.
    ///
    /// # Errors
    /// [`StoreError`].
    fn renewal(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<RenewalRecord>, StoreError>;

    /// Takes a refresh token for the next one and an access token; `false` if it is over. The old one stays good until
    /// its successor has been used, so that an answer that got lost costs nothing.
    ///
    /// # Errors
    /// [`StoreError`].
    fn renew(&self, renewal: &Renewal, now: Timestamp) -> Result<bool, StoreError>;

    /// Ends all refresh and access tokens that come from the same offer as this refresh token.
    ///
    /// # Errors
    /// [`StoreError`].
    fn burn_renewals(&self, token: &Fingerprint) -> Result<(), StoreError>;

    /// What was issued under a handle: the name of each batch, and its sealed entries.
    ///
    /// # Errors
    /// [`StoreError`].
    fn issued(&self, handle: &Fingerprint, now: Timestamp) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Whether an entry is revoked, or will be within the hour.
    ///
    /// # Errors
    /// [`StoreError`].
    fn is_revoked(&self, entry: Entry) -> Result<bool, StoreError>;

    /// What a live access token grants.
    ///
    /// # Errors
    /// [`StoreError`].
    fn token(&self, token: &Fingerprint, now: Timestamp) -> Result<Option<TokenRecord>, StoreError>;

    /// Remembers something that may be used once, until it expires; `false` if it was known.
    ///
    /// # Errors
    /// [`StoreError`].
    fn spend(&self, what: &Fingerprint, expires: Timestamp) -> Result<bool, StoreError>;

    /// Whether it was spent.
    ///
    /// # Errors
    /// [`StoreError`].
    fn is_spent(&self, what: &Fingerprint) -> Result<bool, StoreError>;

    /// Takes `count` entries that nobody had before, at random, spread as [`crate::status::spread`] says.
    ///
    /// # Errors
    /// [`StoreError`].
    fn allocate(&self, count: usize, rng: &mut dyn CryptoRng) -> Result<Vec<Entry>, StoreError>;

    /// Gives back entries of copies that nobody received.
    ///
    /// # Errors
    /// [`StoreError`].
    fn release(&self, entries: &[Entry]) -> Result<(), StoreError>;

    /// Spends a configuration of the token or a transaction, the nonces and the holder keys, with the last one forgets the claims, and keeps
    /// what revocation needs.
    ///
    /// # Errors
    /// [`StoreError`].
    fn commit(&self, issuance: &Issuance, now: Timestamp) -> Result<Committed, StoreError>;

    /// Puts an issuance off: spends a configuration of the token, the nonces and the holder keys, and keeps what was asked.
    ///
    /// # Errors
    /// [`StoreError`].
    fn defer(&self, deferral: &Deferral, now: Timestamp) -> Result<Committed, StoreError>;

    /// All that waits for a decision, or to be fetched after one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn pending(&self, now: Timestamp) -> Result<Vec<PendingRecord>, StoreError>;

    /// What waits and was asked for with this token.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transactions(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<TransactionRecord>, StoreError>;

    /// Decides all that is undecided under a handle; gives how many that were.
    ///
    /// # Errors
    /// [`StoreError`].
    fn decide(&self, handle: &Fingerprint, decision: Decision, now: Timestamp) -> Result<usize, StoreError>;

    /// What the wallet with this token may tell of.
    ///
    /// # Errors
    /// [`StoreError`].
    fn awaited(&self, token: &Fingerprint, now: Timestamp) -> Result<Vec<Awaited>, StoreError>;

    /// Ends everything under a handle: an offer, a token, or what was issued. What was issued becomes invalid, and the
    /// lists are signed anew in the same transaction; or at `due`, for each copy at its own time.
    ///
    /// # Errors
    /// [`RevokeError`].
    fn revoke(&self, handle: &Fingerprint, when: &mut dyn When, lists: &dyn Lists) -> Result<Revoked, RevokeError>;

    /// Carries out what is due, and signs lists anew whose token was signed before `signed_before`.
    ///
    /// # Errors
    /// [`RevokeError`].
    fn refresh(&self, now: Timestamp, signed_before: Timestamp, lists: &dyn Lists) -> Result<(), RevokeError>;

    /// All lists there are.
    ///
    /// # Errors
    /// [`StoreError`].
    fn lists(&self) -> Result<Vec<ListId>, StoreError>;

    /// The signed list, if there is such a list and it was signed.
    ///
    /// # Errors
    /// [`StoreError`].
    fn list(&self, list: ListId) -> Result<Option<SignedList>, StoreError>;

    /// Forgets what has expired.
    ///
    /// # Errors
    /// [`StoreError`].
    fn purge(&self, now: Timestamp) -> Result<(), StoreError>;
}

/// How a store signs a list and opens which entries belong together: in the middle of its transaction.
pub trait Lists {
    /// Opens what [`Issuance::sealed_entries`] sealed.
    ///
    /// # Errors
    /// [`SealError`] if it is anything else.
    fn open(&self, part: &str, sealed: &[u8]) -> Result<Vec<Entry>, SealError>;

    /// Signs a list in which `revoked` are invalid.
    ///
    /// # Errors
    /// [`SignListError`].
    fn sign(&self, list: ListId, revoked: &[u32]) -> Result<SignedList, SignListError>;
}

/// When each copy becomes invalid.
pub trait When {
    /// The time for the next copy; `None` for at once.
    fn next(&mut self) -> Option<Timestamp>;
}

/// A signed list.
#[derive(Debug, Clone)]
pub struct SignedList {
    /// The Status List Token.
    pub token: String,
    /// When it was signed.
    pub signed_at: Timestamp,
}

/// Why the store failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process held it for too long.
    #[error("the issuer's database is busy with another process")]
    Busy,
    /// The disk is full.
    #[error("the disk of the issuer's database is full")]
    Full,
    /// It is not ours, or was written by a newer version.
    #[error("the issuer's database has version {found}, this program understands {known}")]
    Version {
        /// What it says.
        found: i64,
        /// What we know.
        known: i64,
    },
    /// It holds something that cannot be.
    #[error("the issuer's database is damaged: {0}")]
    Damaged(&'static str),
    /// Anything else below us.
    #[error("the issuer's database failed")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Why a revocation, or signing lists anew, failed. Nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What belongs to the handle does not open.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A list could not be signed.
    #[error(transparent)]
    Sign(#[from] SignListError),
}
